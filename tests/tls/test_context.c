#include "crypto/batch.h"
#include "pair.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(context, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

Test(context, the_library_says_what_it_is) {
    cr_assert(strncmp(tls_library_version(), "5.", 2) == 0);
    const char *crypto = tls_library_crypto();
    cr_assert(strcmp(crypto, batch_is_wanted() ? "accelerated-batch" : "accelerated") == 0 ||
              strcmp(crypto, "portable") == 0);
    cr_assert_eq(tls_library_init(), 0);
    tls_library_cleanup();
}

static uint8_t name_data[TLS_CA_NAMES_SIZE_MAX];

/* A DER Name of `size` bytes: one element that nobody reads here. */
static struct bytes name_of(size_t size) {
    memset(name_data, 0x41, sizeof name_data);
    name_data[0] = 0x30;
    return bytes_of(name_data, size);
}

/* Returns a pair whose server has answered a TLS 1.2 ClientHello, where the CertificateRequest is in the clear. */
static struct pair *answer_to_hello(struct tls_context *context) {
    struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = true});
    wolfSSL_connect(pair->client);
    tls_session_feed(pair->server, bytes_of(pair->to_server.data, pair->to_server.size));
    cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT);
    return pair;
}

Test(context, sends_the_names_of_the_cas) {
    struct tls_credentials *credentials = server_credentials("p256");
    static const uint8_t one[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'C', 'A'};
    static const uint8_t two[] = {0x30, 0x00};
    static const uint8_t wire[] = {0,    21, 0, 15, 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
                                   0x55, 4,  3, 12, 2,    'C',  'A',  0,    2,    0x30, 0};
    struct bytes names[] = {bytes_of(one, sizeof one), bytes_of(two, sizeof two)};
    struct tls_context_options options = {
        .credentials = credentials, .request_certificate = true, .ca_names = names, .ca_names_count = 2};
    struct error error;
    struct tls_context *context = tls_context_create(&options, &error);
    cr_assert(context != NULL, "%s", error.text);
    struct pair *pair = answer_to_hello(context);
    cr_assert(memmem(pair->to_client.data, pair->to_client.size, wire, sizeof wire) != NULL);
    pair_close(pair);
    tls_context_free(context);

    /* Nobody is asked, so nobody is told. */
    options.request_certificate = false;
    context = tls_context_create(&options, &error);
    pair = answer_to_hello(context);
    cr_assert(memmem(pair->to_client.data, pair->to_client.size, wire + 4, 15) == NULL);
    pair_close(pair);
    tls_context_free(context);
    tls_credentials_free(credentials);
}

Test(context, sends_as_many_names_as_fit_and_no_more) {
    struct tls_credentials *credentials = server_credentials("p256");
    struct bytes name = name_of(TLS_CA_NAMES_SIZE_MAX - 2);
    struct tls_context_options options = {
        .credentials = credentials, .request_certificate = true, .ca_names = &name, .ca_names_count = 1};
    struct error error = {""};
    struct tls_context *context = tls_context_create(&options, &error);
    cr_assert(context != NULL, "%s", error.text);
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12, .client = "p256"});
        cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
        cr_assert(pair->caught);
        pair_close(pair);
    }
    tls_context_free(context);

    struct bytes names[] = {name, bytes_of(name.data, 1)};
    options.ca_names = names;
    options.ca_names_count = 2;
    cr_assert(tls_context_create(&options, &error) == NULL);
    cr_assert(strstr(error.text, "names of the CAs") != NULL, "%s", error.text);
    tls_credentials_free(credentials);
}

Test(context, says_why_it_cannot_be_made) {
    struct tls_credentials *credentials = server_credentials("p256");
    struct tls_credentials broken = *credentials;
    broken.key = bytes_of("\x30\x00", 2);
    struct tls_context_options options = {.credentials = &broken};
    struct error error = {""};
    cr_assert(tls_context_create(&options, &error) == NULL);
    cr_assert(strstr(error.text, "certificate and its key") != NULL, "%s", error.text);
    tls_credentials_free(credentials);
}
