/*
 * Handshakes whose public-key operations are computed in company (crypto/offload, x509/signature), beside handshakes that
 * compute alone. The other side is wolfSSL's client, on its own.
 */
#include "../crypto/company.h"
#include "base/check.h"
#include "base/key_group.h"
#include "crypto/offload.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/cryptocb.h>

enum { TALKS_MAX = LANES_MAX + 1, TLS12 = 1 << 0, HELLO_RETRY = 1 << 1 };

static void begin(void) {
    company_need();
    cr_assert_eq(tls_library_init(), 0);
    company_begin();
}

static void end(void) {
    company_end();
    tls_library_cleanup();
}

TestSuite(batches, .init = begin, .fini = end, .timeout = 120);

struct server {
    struct tls_credentials *credentials;
    struct tls_context *context;
};

static struct server open_server(const char *name) {
    struct server server = {.credentials = server_credentials(name)};
    server.context = server_context(server.credentials, true);
    return server;
}

static void close_server(const struct server *server) {
    tls_context_free(server->context);
    tls_credentials_free(server->credentials);
}

/* The end of a handshake, as both sides see it. */
struct verdict {
    bool done;
    enum tls_result result;
    bool caught;
    bool proved;
    int alert;
};

struct talk {
    struct batch_task task;
    struct pair *pair;
    bool done;
};

static struct talk talks[TALKS_MAX];

static void shake_hands(struct batch_task *task) {
    struct talk *talk = CONTAINER_OF(task, struct talk, task);
    talk->done = pair_handshake(talk->pair);
}

static void ignore(struct batch_task *task) {}

static void say_hello(struct pair *pair) {
    char text[64];
    pair_client_write(pair, "hello", 5);
    cr_assert_eq(pair_server_read(pair, text, sizeof text), 5);
}

/* Runs handshakes side by side; the one at `odd_one` has options of its own. Without a batch they compute alone. */
static void run(struct batch *with, struct tls_context *context, const struct pair_options *options, size_t count,
                size_t odd_one, const struct pair_options *odd_options, struct verdict verdicts[static TALKS_MAX]) {
    memset(computed, 0, sizeof computed);
    for (size_t i = 0; i < count; i++) {
        talks[i] = (struct talk){.task = {.run = shake_hands, .ended = ignore},
                                 .pair = pair_open(context, i == odd_one ? odd_options : options)};
        cr_assert_not_null(talks[i].pair);
        batch_run(with, &talks[i].task);
    }
    batch_flush(with);
    for (size_t i = 0; i < count; i++) {
        struct pair *pair = talks[i].pair;
        char text[16];
        if (pair->client_done && pair->result == TLS_FAILED) {
            pair_client_read(pair, text, sizeof text); /* the alert */
        }
        verdicts[i] = (struct verdict){.done = talks[i].done,
                                       .result = pair->result,
                                       .caught = pair->caught,
                                       .proved = tls_session_is_proved(pair->server),
                                       .alert = pair_alert(pair)};
        if (talks[i].done) {
            say_hello(pair);
        }
        pair_close(pair);
    }
}

static size_t in_company(void) {
    size_t sum = 0;
    for (size_t kind = 0; kind < LANES_KINDS; kind++) {
        sum += computed[kind];
    }
    return sum;
}

static void check_same(const struct verdict *alone, const struct verdict *together, const char *what) {
    cr_assert_eq(together->done, alone->done, "%s", what);
    cr_assert_eq(together->result, alone->result, "%s", what);
    cr_assert_eq(together->caught, alone->caught, "%s", what);
    cr_assert_eq(together->proved, alone->proved, "%s", what);
    cr_assert_eq(together->alert, alone->alert, "%s: alert %d, alone %d", what, together->alert, alone->alert);
}

/* Runs handshakes that succeed, in groups of all sizes. `kinds`, which ends with LANES_KINDS, are in each of them. */
static void check_good(struct tls_context *context, const struct pair_options *options, bool has_certificate,
                       const enum lanes_kind *kinds, const char *what) {
    struct verdict alone[TALKS_MAX];
    struct verdict together[TALKS_MAX];
    run(NULL, context, options, 1, SIZE_MAX, NULL, alone);
    cr_assert_eq(in_company(), 0);
    cr_assert(alone[0].done && alone[0].proved == has_certificate, "%s", what);
    for (size_t count = 1; count <= TALKS_MAX; count++) {
        run(batch, context, options, count, SIZE_MAX, NULL, together);
        for (size_t i = 0; i < count; i++) {
            check_same(&alone[0], &together[i], what);
        }
        for (size_t i = 0; kinds[i] != LANES_KINDS; i++) {
            size_t rest = count % LANES_MAX;
            size_t least = rest >= lanes_worth(kinds[i]) ? count : count - rest;
            cr_assert(least == 0 ? computed[kinds[i]] == 0 : computed[kinds[i]] >= least, "%s: %zu of %zu by %s", what,
                      computed[kinds[i]], count, lanes_name(kinds[i]));
        }
    }
}

/* Runs one handshake that fails among others, at each place: all end as they do alone, with the same alert. */
static void check_bad(struct tls_context *context, const struct pair_options *options, const struct pair_options *bad,
                      const char *what) {
    struct verdict alone[TALKS_MAX];
    struct verdict together[TALKS_MAX];
    run(NULL, context, options, 2, 1, bad, alone);
    cr_assert(alone[0].done, "%s", what);
    cr_assert(!alone[1].done && alone[1].result == TLS_FAILED && !alone[1].proved && alone[1].alert > 0, "%s: %d, alert %d",
              what, alone[1].result, alone[1].alert);
    for (size_t place = 0; place < LANES_MAX; place += 3) {
        run(batch, context, options, LANES_MAX, place, bad, together);
        cr_assert_geq(in_company(), LANES_MAX - 1, "%s: %zu", what, in_company());
        for (size_t i = 0; i < LANES_MAX; i++) {
            check_same(&alone[i == place], &together[i], what);
        }
    }
}

Test(batches, every_server_key_with_both_versions) {
    static const struct {
        const char *name;
        enum lanes_kind kinds[2];
    } keys[] = {{"p256", {LANES_KINDS}},
                {"p384", {LANES_KINDS}},
                {"rsa2048", {LANES_RSA2048_PRIVATE, LANES_KINDS}},
                {"rsa3072", {LANES_RSA3072_PRIVATE, LANES_KINDS}},
                {"rsa4096", {LANES_RSA4096_PRIVATE, LANES_KINDS}},
                {"ed25519", {LANES_ED25519_SIGN, LANES_KINDS}}};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        struct server server = open_server(keys[i].name);
        for (int tls12 = 0; tls12 < 2; tls12++) {
            check_good(server.context, &(struct pair_options){.tls12 = tls12}, false, keys[i].kinds, keys[i].name);
        }
        close_server(&server);
    }
}

/* Groups of key exchange, with what their shares are in company. */
static const struct group {
    enum key_group group;
    enum lanes_kind kinds[2];
    int ways; /* in which it is chosen, too */
} groups[] = {
    {KEY_GROUP_X25519, {LANES_X25519_SHARED, LANES_KINDS}, TLS12 | HELLO_RETRY},
    {KEY_GROUP_SECP256R1, {LANES_P256_SHARED, LANES_KINDS}, TLS12 | HELLO_RETRY},
    {KEY_GROUP_SECP384R1, {LANES_P384_SHARED, LANES_KINDS}, TLS12 | HELLO_RETRY},
    {KEY_GROUP_X25519MLKEM768, {LANES_X25519_SHARED, LANES_KINDS}, HELLO_RETRY},
    {KEY_GROUP_SECP256R1MLKEM768, {LANES_P256_SHARED, LANES_KINDS}, HELLO_RETRY},
};

Test(batches, every_group) {
    struct server server = open_server("ed25519");
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++) {
        const struct group *group = &groups[i];
        struct pair_options options = {.group = key_group_number(group->group)};
        check_good(server.context, &options, false, group->kinds, key_group_name(group->group));
        options.no_key_share = true;
        check_good(server.context, &options, false, group->kinds, key_group_name(group->group));
        if ((group->ways & TLS12) != 0) {
            options.no_key_share = false;
            options.tls12 = true;
            check_good(server.context, &options, false, group->kinds, key_group_name(group->group));
        }
    }
    close_server(&server);
}

/* A fault of a client's share: these octets stand at this place of the curve's part of the share. */
static struct fault {
    const struct group *of;
    const uint8_t *octets;
    size_t at;
    size_t size;
    bool is_flip; /* they are added to what stands there, bit by bit */
} fault;

static void spoil(uint8_t *point) {
    for (size_t i = 0; i < fault.size; i++) {
        point[fault.at + i] = fault.octets[i] ^ (fault.is_flip ? point[fault.at + i] : 0);
    }
}

/* Changes the share in a ClientHello (RFC 8446 section 4.2.8). Behind that of ML-KEM comes that of X25519, but not P-256's.
 */
static void spoil_hello(uint8_t *data, size_t size) {
    size_t share_size = key_group_share_size(fault.of->group);
    uint16_t number = key_group_number(fault.of->group);
    uint8_t begin[] = {(uint8_t)(number >> 8), (uint8_t)number, (uint8_t)(share_size >> 8), (uint8_t)share_size};
    uint8_t *found = data[0] == 22 && data[5] == 1 ? memmem(data, size, begin, sizeof begin) : NULL;
    if (found != NULL) {
        spoil(found + sizeof begin + (fault.of->group == KEY_GROUP_X25519MLKEM768 ? share_size - 32 : 0));
    }
}

/* Finds a message of a handshake in the clear that has a record for itself, and returns what comes behind its header. */
static uint8_t *find_message(uint8_t *data, size_t size, uint8_t type, size_t *content_size) {
    for (size_t at = 0; at + 9 <= size;) {
        size_t record_size = (size_t)(data[at + 3] << 8 | data[at + 4]);
        size_t message_size = (size_t)(data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]);
        if (data[at] == 22 && data[at + 5] == type && record_size == 4 + message_size) {
            *content_size = message_size;
            return data + at + 9;
        }
        at += 5 + record_size;
    }
    return NULL;
}

/* Changes the point in a ClientKeyExchange (RFC 8422 section 5.7). */
static void spoil_key_exchange(uint8_t *data, size_t size) {
    size_t content_size;
    uint8_t *content = find_message(data, size, 16, &content_size);
    if (content != NULL) {
        spoil(content + 1);
    }
}

static void check_fault(const struct server *server, const struct fault *with, const char *what) {
    fault = *with;
    int number = key_group_number(fault.of->group);
    struct pair_options good = {.group = number};
    struct pair_options bad = {.group = number, .tamper = spoil_hello};
    check_bad(server->context, &good, &bad, what);
    good.no_key_share = bad.no_key_share = true;
    check_bad(server->context, &good, &bad, what);
    if ((fault.of->ways & TLS12) != 0) {
        good = (struct pair_options){.group = number, .tls12 = true};
        bad = (struct pair_options){.group = number, .tls12 = true, .tamper = spoil_key_exchange};
        check_bad(server->context, &good, &bad, what);
    }
}

/* The points of small order, with which a secret would be zero whatever the server's key is (RFC 7748 section 6.1). */
static const uint8_t small_orders[][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

Test(batches, x25519_points_of_small_order_concern_no_other) {
    struct server server = open_server("p256");
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++) {
        for (size_t j = 0; groups[i].kinds[0] == LANES_X25519_SHARED && j < ARRAY_LENGTH(small_orders); j++) {
            check_fault(&server, &(struct fault){&groups[i], small_orders[j], 0, 32, false},
                        key_group_name(groups[i].group));
        }
    }
    close_server(&server);
}

Test(batches, points_off_their_curve_concern_no_other) {
    static const uint8_t bit[] = {0x01};
    static const uint8_t form[] = {0x05};
    static const uint8_t high[LANES_EC_SIZE_MAX] = {[0 ... LANES_EC_SIZE_MAX - 1] = 0xff};
    struct server server = open_server("p256");
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++) {
        if (groups[i].kinds[0] == LANES_X25519_SHARED) {
            continue;
        }
        size_t size = groups[i].kinds[0] == LANES_P384_SHARED ? 48 : 32;
        const struct fault faults[] = {
            {&groups[i], bit, 2 * size, 1, true},     /* another y */
            {&groups[i], form, 0, 1, false},          /* no form of points */
            {&groups[i], high, 1, size, false},       /* x above the prime */
            {&groups[i], high, 1 + size, size, false} /* y too */
        };
        for (size_t j = 0; j < ARRAY_LENGTH(faults); j++) {
            check_fault(&server, &faults[j], key_group_name(groups[i].group));
        }
    }
    close_server(&server);
}

/*
 * Clients' keys, by the files of their certificates and keys, and another key of the same kind, if there is one with which
 * wolfSSL signs: with Ed25519 it compares the key with the certificate first.
 */
static const struct client {
    const char *name;
    const char *other;
    enum lanes_kind kinds[2];
} clients[] = {
    {"client-p256", "client-usage", {LANES_P256_VERIFY, LANES_KINDS}},
    {"client-p384", "server-p384", {LANES_P384_VERIFY, LANES_KINDS}},
    {"client-p521", "server-p521", {LANES_KINDS}},
    {"client-rsa2048", "server-rsa2048", {LANES_RSA2048_PUBLIC, LANES_KINDS}},
    {"client-ed25519", NULL, {LANES_ED25519_VERIFY, LANES_KINDS}},
    {"server-rsa3072", NULL, {LANES_RSA3072_PUBLIC, LANES_KINDS}},
    {"server-rsa4096", NULL, {LANES_RSA4096_PUBLIC, LANES_KINDS}},
    {"client-rsa1024", NULL, {LANES_KINDS}},
};

static struct bytes read_file(const char *name, const char *suffix) {
    char file[128];
    snprintf(file, sizeof file, "%s%s", name, suffix);
    return data_read(file);
}

static WOLFSSL_CTX *open_client(const char *name, const char *key_name, bool tls12) {
    WOLFSSL_CTX *wolfssl = client_context(&(struct pair_options){.tls12 = tls12});
    client_use(wolfssl, read_file(name, ".pem"), read_file(key_name, ".key"));
    return wolfssl;
}

Test(batches, every_client_key_with_both_versions) {
    struct server server = open_server("p256");
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            WOLFSSL_CTX *client = open_client(clients[i].name, clients[i].name, tls12);
            check_good(server.context, &(struct pair_options){.tls12 = tls12, .client_wolfssl = client}, true,
                       clients[i].kinds, clients[i].name);
            wolfSSL_CTX_free(client);
        }
    }
    close_server(&server);
}

/* One client of many signs with another key than that of its certificate: it alone is refused. */
Test(batches, a_proof_by_another_key_concerns_no_other) {
    struct server server = open_server("p256");
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++) {
        for (int tls12 = 0; tls12 < 2 && clients[i].other != NULL; tls12++) {
            WOLFSSL_CTX *good = open_client(clients[i].name, clients[i].name, tls12);
            WOLFSSL_CTX *bad = open_client(clients[i].name, clients[i].other, tls12);
            check_bad(server.context, &(struct pair_options){.tls12 = tls12, .client_wolfssl = good},
                      &(struct pair_options){.tls12 = tls12, .client_wolfssl = bad}, clients[i].name);
            wolfSSL_CTX_free(good);
            wolfSSL_CTX_free(bad);
        }
    }
    close_server(&server);
}

/* Changes a bit of the signature in a CertificateVerify of TLS 1.2. */
static void spoil_proof(uint8_t *data, size_t size) {
    size_t content_size;
    uint8_t *content = find_message(data, size, 15, &content_size);
    if (content != NULL) {
        content[content_size - 1] ^= 1;
    }
}

Test(batches, a_proof_with_a_wrong_bit_concerns_no_other) {
    struct server server = open_server("p256");
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++) {
        WOLFSSL_CTX *client = open_client(clients[i].name, clients[i].name, true);
        check_bad(server.context, &(struct pair_options){.tls12 = true, .client_wolfssl = client},
                  &(struct pair_options){.tls12 = true, .client_wolfssl = client, .tamper = spoil_proof}, clients[i].name);
        wolfSSL_CTX_free(client);
    }
    close_server(&server);
}

static unsigned asked[WC_ALGO_TYPE_MAX + 1];

static int note(int device, wc_CryptoInfo *info, void *context) {
    asked[info->algo_type]++;
    return CRYPTOCB_UNAVAILABLE;
}

/* Hashes, MACs and ciphers would ask hundreds of times in a handshake, and AES keys be kept twice. */
Test(batches, only_public_key_operations_ask_for_company) {
    struct server server = open_server("p256");
    struct verdict verdicts[TALKS_MAX];
    cr_assert_eq(wc_CryptoCb_RegisterDevice(OFFLOAD_DEVICE, note, NULL), 0);
    for (int tls12 = 0; tls12 < 2; tls12++) {
        run(NULL, server.context, &(struct pair_options){.tls12 = tls12, .client = "p256"}, 1, SIZE_MAX, NULL, verdicts);
        cr_assert(verdicts[0].done);
    }
    for (unsigned type = 0; type <= WC_ALGO_TYPE_MAX; type++) {
        cr_assert(type == WC_ALGO_TYPE_PK ? asked[type] >= 6 : asked[type] == 0, "type %u: %u times", type, asked[type]);
    }
    close_server(&server);
}
