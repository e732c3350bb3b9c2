#include "pair.h"
#include "tls/settings.h"

#include <criterion/criterion.h>

Test(settings, take_credentials_of_each_kind) {
    tls_library_init();
    static const char *const names[] = {"p256", "p384", "ed25519", "rsa2048"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tls_credentials *credentials = server_credentials(names[i]);
        WOLFSSL_CTX *wolfssl = wolfSSL_CTX_new(wolfTLS_client_method());
        cr_assert_eq(tls_settings_use_credentials(wolfssl, credentials), WOLFSSL_SUCCESS, "%s", names[i]);
        wolfSSL_CTX_free(wolfssl);
        tls_credentials_free(credentials);
    }
    tls_library_cleanup();
}

Test(settings, limit_groups_and_versions) {
    tls_library_init();
    for (unsigned i = 0; i < 4; i++) {
        WOLFSSL_CTX *wolfssl = wolfSSL_CTX_new(wolfTLS_client_method());
        cr_assert_eq(tls_settings_limit(wolfssl, i & 1, i & 2), WOLFSSL_SUCCESS);
        wolfSSL_CTX_free(wolfssl);
    }
    tls_library_cleanup();
}
