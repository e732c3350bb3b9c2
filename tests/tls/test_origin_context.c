#include "pair.h"
#include "tls/origin_context.h"

#include <criterion/criterion.h>

Test(origin_context, is_made_with_and_without_a_certificate) {
    struct error error;
    tls_library_init();
    for (unsigned i = 0; i < 16; i++) {
        struct tls_credentials *credentials = i & 8 ? server_credentials("p256") : NULL;
        const struct tls_origin_options options = {.credentials = credentials,
                                                   .only_tls13 = i & 1,
                                                   .without_hybrids = i & 2,
                                                   .protocols = i & 4 ? TLS_HTTP2 : TLS_ANY};
        struct tls_origin_context *context = tls_origin_context_create(&options, &error);
        cr_assert_not_null(context, "%s", error.text);
        tls_origin_context_free(context);
        tls_credentials_free(credentials);
    }
    tls_origin_context_free(NULL);
    tls_library_cleanup();
}
