/* Handshakes whose public-key operations are computed in company. The other side is wolfSSL's client, on its own. */
#include "base/check.h"
#include "crypto/batch.h"
#include "pair.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct batch *batch;

static void begin(void) {
    if (!batch_is_wanted()) {
        cr_skip_test("this processor has no AVX-512 IFMA, or SALLYPORT_CRYPTO is single");
    }
    cr_assert_eq(tls_library_init(), 0);
    batch = batch_create();
    cr_assert_not_null(batch);
}

static void end(void) {
    batch_destroy(batch);
    tls_library_cleanup();
}

TestSuite(offload, .init = begin, .fini = end);

enum { PAIRS = LANES_MAX + 3 };

struct talk {
    struct batch_task task;
    struct pair *pair;
    bool done;
};

static void shake_hands(struct batch_task *task) {
    struct talk *talk = CONTAINER_OF(task, struct talk, task);

    talk->done = pair_handshake(talk->pair);
}

static void ignore(struct batch_task *task) {}

/* Runs handshakes side by side. Returns how many of them have paused. */
static unsigned run(struct tls_context *context, const struct pair_options *options, unsigned count) {
    static struct talk talks[PAIRS];
    unsigned paused = 0;

    for (unsigned i = 0; i < count; i++) {
        talks[i] = (struct talk){.task = {.run = shake_hands, .ended = ignore}, .pair = pair_open(context, options)};
        paused += batch_run(batch, &talks[i].task);
    }
    batch_flush(batch);
    for (unsigned i = 0; i < count; i++) {
        struct pair *pair = talks[i].pair;
        char text[64];

        cr_assert(talks[i].done, "%s, client %d", pair_result(pair), pair->client_error);
        cr_assert_eq(pair->caught, options->client != NULL);
        cr_assert_eq(tls_session_is_proved(pair->server), options->client != NULL);
        pair_client_write(pair, "hello", 5);
        cr_assert_eq(pair_server_read(pair, text, sizeof text), 5);
        pair_close(pair);
    }
    return paused;
}

Test(offload, every_server_key_with_both_versions) {
    static const char *const names[] = {"p256", "p384", "rsa2048", "ed25519"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct tls_credentials *credentials = server_credentials(names[i]);
        struct tls_context *context = server_context(credentials, true);

        for (int tls12 = 0; tls12 < 2; tls12++) {
            cr_assert_eq(run(context, &(struct pair_options){.tls12 = tls12}, PAIRS), PAIRS, "%s", names[i]);
        }
        tls_context_free(context);
        tls_credentials_free(credentials);
    }
}

Test(offload, clients_with_certificates_of_all_kinds) {
    static const char *const names[] = {"p256", "p384", "rsa2048", "ed25519"};
    struct tls_credentials *credentials = server_credentials("p256");
    struct tls_context *context = server_context(credentials, true);

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            run(context, &(struct pair_options){.tls12 = tls12, .client = names[i]}, PAIRS);
        }
    }
    tls_context_free(context);
    tls_credentials_free(credentials);
}

Test(offload, a_handshake_alone_is_as_good) {
    struct tls_credentials *credentials = server_credentials("p256");
    struct tls_context *context = server_context(credentials, true);

    for (int tls12 = 0; tls12 < 2; tls12++) {
        cr_assert_eq(run(context, &(struct pair_options){.tls12 = tls12, .client = "p256"}, 1), 1);
    }
    tls_context_free(context);
    tls_credentials_free(credentials);
}

/* One client of many signs with another key than that of its certificate: it alone is refused. */
Test(offload, a_proof_that_does_not_hold_concerns_no_other) {
    struct tls_credentials *credentials = server_credentials("p256");
    struct tls_context *context = server_context(credentials, true);
    static struct talk talks[PAIRS];
    const struct pair_options good = {.client = "p256"};
    const struct pair_options bad = {.client = "p256", .client_key = "usage"};

    for (unsigned i = 0; i < PAIRS; i++) {
        talks[i] =
            (struct talk){.task = {.run = shake_hands, .ended = ignore}, .pair = pair_open(context, i == 4 ? &bad : &good)};
        batch_run(batch, &talks[i].task);
    }
    batch_flush(batch);
    for (unsigned i = 0; i < PAIRS; i++) {
        cr_assert_eq(talks[i].pair->result, i == 4 ? TLS_FAILED : TLS_DONE, "%u", i);
        cr_assert_eq(tls_session_is_proved(talks[i].pair->server), i != 4);
        pair_close(talks[i].pair);
    }
    tls_context_free(context);
    tls_credentials_free(credentials);
}
