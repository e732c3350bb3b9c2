/*
 * The parser of hellos against wolfSSL, as the server has it set up, with a key of each kind: what the parser accepts one of
 * them answers, and what any answers the parser has accepted. Where they may differ is said one by one below. Where the
 * answer is a HelloRetryRequest, the same is held of what follows in the input, as the second hello.
 */
#include "base/check.h"
#include "base/hash.h"
#include "guard/hello.h"
#include "guard/retry.h"
#include "tls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, ANSWER_MAX = 1024, CHAIN_SIZE = 16 * 1024 };

/* Of a HelloRetryRequest (RFC 8446 section 4.1.3). */
static const uint8_t retry_random[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                       0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                       0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* The first bytes that the server says. */
struct answer {
    uint8_t bytes[ANSWER_MAX];
    size_t size;
};

static const char *const keys[] = {"server-p256", "server-rsa2048", "server-p384", "server-ed25519"};
static const unsigned server_keys[] = {SERVER_KEY_P256, SERVER_KEY_RSA, SERVER_KEY_P384, SERVER_KEY_ED25519};
static struct tls_credentials *credentials[ARRAY_LENGTH(keys)];
static struct tls_context *contexts[ARRAY_LENGTH(keys)];

static struct bytes read_file(const char *name, const char *suffix) {
    static uint8_t contents[2][64 * 1024];
    static unsigned turn;
    uint8_t *data = contents[turn++ % 2];
    char path[128];

    snprintf(path, sizeof path, "tests/tls/data/%s%s", name, suffix);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL); /* run in the root of the tree, as tools/fuzz does */
    size_t size = fread(data, 1, sizeof contents[0], file);
    fclose(file);
    return bytes_of(data, size);
}

static void make_contexts(void) {
    hash_init();
    CHECK(tls_library_init() == 0);
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        struct tls_context_options options = {.request_certificate = true};

        struct error error;
        bool at_key;
        credentials[i] = tls_credentials_load(read_file(keys[i], ".pem"), read_file(keys[i], ".key"), &at_key, &error);
        CHECK(credentials[i] != NULL);
        options.credentials = credentials[i];
        contexts[i] = tls_context_create(&options, &error);
        CHECK(contexts[i] != NULL);
    }
}

static int take_output(void *owner, struct bytes ciphertext) {
    struct answer *answer = owner;
    size_t room = ANSWER_MAX - answer->size;
    size_t size = ciphertext.size < room ? ciphertext.size : room;

    memcpy(answer->bytes + answer->size, ciphertext.data, size);
    answer->size += size;
    return 0;
}

static struct answer ask(struct tls_context *context, const uint8_t *data, size_t size) {
    static const struct tls_session_handler handler = {.output = take_output};
    struct answer answer = {.size = 0};
    struct tls_session *session = tls_session_create(context, CHAIN_SIZE, TLS_HTTP1, &handler, &answer);

    CHECK(session != NULL);
    tls_session_feed(session, bytes_of(data, size));
    tls_session_handshake(session);
    tls_session_free(session);
    return answer;
}

static bool is_server_hello(const struct answer *answer) {
    return answer->size > 5 && answer->bytes[0] == RECORD_HANDSHAKE && answer->bytes[5] == 2;
}

/* The outcome of a hello: one of the contexts answered it, or the alert by which the last one refused it. */
struct outcome {
    bool answered;
    unsigned alert; /* 0: it said nothing */
    struct answer answer;
};

static struct outcome ask_all(const uint8_t *data, size_t size) {
    struct outcome outcome = {0};

    for (size_t i = 0; i < ARRAY_LENGTH(contexts) && !outcome.answered; i++) {
        struct answer answer = ask(contexts[i], data, size);

        outcome.answered = is_server_hello(&answer);
        outcome.alert = answer.size > 6 && answer.bytes[0] == RECORD_ALERT ? answer.bytes[6] : 0;
        outcome.answer = answer;
    }
    return outcome;
}

/* Returns whether we may accept a hello that wolfSSL refuses with `alert`: both are right. */
static bool is_left_to_others(const struct hello *hello, unsigned alert) {
    /* The caller of the parser refuses these before there is a TLS object: see edge/handshake. */
    if (hello->alpn && !hello->alpn_http11 && !hello->alpn_http10) {
        return true;
    }
    /* Which key a host has the parser does not know: what is offered may suit one of P-521 alone, which none here has. */
    if (alert == TLS_ALERT_HANDSHAKE_FAILURE) {
        return true;
    }
    /* Whether a share of the right size and form is a point of its group only computing with it tells. */
    if (alert == TLS_ALERT_ILLEGAL_PARAMETER && hello->tls13) {
        return true;
    }
    /* An extension that nothing here depends on is not looked into, and wolfSSL may find it malformed. */
    return alert == TLS_ALERT_DECODE_ERROR;
}

/* Returns whether the RFCs forbid a fault that wolfSSL lets pass: by the text of the fault. */
static bool is_ours_alone(const char *fault) {
    static const char *const faults[] = {
        "fallback to TLS 1.2",                                         /* RFC 7507 section 3 */
        "server name is no DNS name",                                  /* RFC 6066 section 3 */
        "server name has an empty label",                              /* likewise */
        "malformed server_name",                                       /* likewise */
        "server_name without a host name",                             /* likewise */
        "more than one server name",                                   /* likewise */
        "key share is given twice, or not in supported_groups' order", /* RFC 8446 section 4.2.8 */
        "key share is no element of its group",                        /* RFC 8446 section 4.2.8.2 */
        "malformed ec_point_formats",                                  /* RFC 8422 section 5.1.2 */
        "no uncompressed points",                                      /* likewise */
        "no usable signature scheme for TLS 1.2",                      /* RFC 5246 section 7.4.1.4.1: wolfSSL has SHA-1 */
        "pre_shared_key without psk_key_exchange_modes",               /* RFC 8446 section 4.2.9; tickets are off here */
        "pre_shared_key is not the last extension",                    /* RFC 8446 section 4.2.11, likewise */
        "malformed pre_shared_key",                                    /* likewise */
        "binders do not match the pre-shared keys",                    /* likewise */
        "malformed psk_key_exchange_modes",                            /* RFC 8446 section 4.2.9, likewise */
        "cookie that nobody gave",                                     /* RFC 8446 section 4.2.2 */
        "no usable group for TLS 1.3",                                 /* wolfSSL asks for one that was not offered */
        "legacy_version is not that of TLS 1.2",                       /* RFC 8446 section 4.1.2 */
        "malformed renegotiation_info",                                /* RFC 5746 section 3.6 */
        "renegotiation in a first handshake",                          /* likewise */
        "extension that has no content has some",                      /* RFC 7366 section 2, RFC 7627 section 5.1 */
        "malformed signature_algorithms_cert",                         /* RFC 8446 section 4.2.3 */
        "malformed max_fragment_length",                               /* RFC 6066 section 4: wolfSSL does not read it */
        "max_fragment_length is none of the defined ones",             /* likewise */
        "malformed record_size_limit",                                 /* RFC 8449 section 4, likewise */
        "record_size_limit below 64",                                  /* likewise */
        "extension given twice",                                       /* RFC 8446 section 4.2 */
        "record of an unknown major version",                          /* RFC 8446 section 5.1 */
    };

    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        if (strcmp(fault, faults[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes a record off the front. One that is not complete is empty. */
static struct bytes take_record(struct bytes *rest, uint8_t *type) {
    struct reader reader = reader_of(*rest);

    *type = reader_u8(&reader);
    reader_u16(&reader);
    struct bytes content = reader_bytes(&reader, reader_u16(&reader));
    *rest = bytes_of(reader.next, reader_left(&reader));
    return reader.failed ? bytes_of(NULL, 0) : content;
}

/* The group that a HelloRetryRequest asks for; 0: the message is none. */
static uint16_t retry_group(struct bytes message) {
    struct reader reader = reader_of(message);

    reader_bytes(&reader, 4 + 2);
    if (!bytes_equal(reader_bytes(&reader, sizeof retry_random), bytes_of(retry_random, sizeof retry_random))) {
        return 0;
    }
    reader_bytes(&reader, reader_u8(&reader)); /* session ID */
    reader_bytes(&reader, 2 + 1);              /* suite, compression */
    struct reader extensions = reader_of(reader_bytes(&reader, reader_u16(&reader)));
    while (reader_left(&extensions) > 0) {
        uint16_t type = reader_u16(&extensions);
        struct bytes content = reader_bytes(&extensions, reader_u16(&extensions));

        if (type == 51 && content.size == 2) {
            return (uint16_t)(content.data[0] << 8 | content.data[1]);
        }
    }
    return 0;
}

/* A HelloRetryRequest is sent before the schemes are looked at. */
static bool is_retry(const struct answer *answer) {
    struct bytes output = bytes_of(answer->bytes, answer->size);
    uint8_t type;

    return retry_group(take_record(&output, &type)) != 0;
}

/*
 * Checks that hello.keys names the keys by which wolfSSL answers: the first of them, if it says no more than that it finds
 * nothing in common, and none of the others. In TLS 1.2 wolfSSL does not look for the curve of its own ECDSA key among the
 * groups (RFC 8422 section 5.1).
 */
static void check_keys(const struct hello *hello, const uint8_t *data, size_t size) {
    bool asked = false;

    for (size_t i = 0; i < ARRAY_LENGTH(contexts); i++) {
        bool can_verify = (hello->keys & server_keys[i]) != 0;
        bool leaves_curve = !hello->tls13 && (server_keys[i] & (SERVER_KEY_P256 | SERVER_KEY_P384)) != 0;

        if (can_verify ? asked : leaves_curve) {
            continue;
        }
        asked = asked || can_verify;
        struct answer answer = ask(contexts[i], data, size);
        if (can_verify) {
            CHECK(answer.size <= 6 || answer.bytes[0] != RECORD_ALERT || answer.bytes[6] != TLS_ALERT_HANDSHAKE_FAILURE);
        } else {
            CHECK(!is_server_hello(&answer) || is_retry(&answer));
        }
    }
}

/* Both hellos in one record each, right behind each other. */
static void check_second_hello(struct bytes input, const struct answer *answer) {
    struct bytes output = bytes_of(answer->bytes, answer->size);
    uint8_t type;
    uint16_t group = retry_group(take_record(&output, &type));
    struct bytes first = take_record(&input, &type);
    struct bytes second = take_record(&input, &type);

    if (group == 0 || type != RECORD_HANDSHAKE || second.size < 4 || second.data[0] != 1 ||
        ((size_t)second.data[1] << 16 | (size_t)second.data[2] << 8 | second.data[3]) != second.size - 4) {
        return;
    }
    struct bytes reply;
    do { /* a ChangeCipherSpec stands between, where the client has a session ID */
        reply = take_record(&output, &type);
    } while (type == RECORD_CHANGE_CIPHER_SPEC);
    struct retry retry;
    CHECK(retry_keep(&retry, bytes_of(first.data + 4, first.size - 4)));
    struct hello hello;
    if (retry_check(&retry, bytes_of(second.data + 4, second.size - 4), group, &hello)) {
        CHECK((type == RECORD_HANDSHAKE && retry_group(reply) == 0) ||
              (type == RECORD_ALERT && is_left_to_others(&hello, reply.data[1])) || reply.size == 0);
    } else if (reply.size == 2) {
        CHECK(type == RECORD_ALERT && reply.data[1] == hello.alert);
    } else {
        CHECK(reply.size == 0); /* the record itself was refused */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hello hello = {0};
    enum hello_result result = hello_parse(bytes_of(data, size), &hello);

    if (contexts[0] == NULL) {
        make_contexts();
    }
    struct outcome outcome = ask_all(data, size);
    switch (result) {
    case HELLO_OK:
        CHECK(outcome.answered || is_left_to_others(&hello, outcome.alert));
        check_keys(&hello, data, size);
        if (outcome.answered) {
            check_second_hello(bytes_of(data, size), &outcome.answer);
        }
        break;
    case HELLO_REJECTED:
        CHECK(!outcome.answered || is_ours_alone(hello.fault));
        break;
    case HELLO_NOT_TLS: /* wolfSSL takes a first record of any version */
        break;
    default:
        CHECK(!outcome.answered);
    }
    return 0;
}
