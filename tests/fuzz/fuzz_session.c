/*
 * A session that has answered a hello, and then whatever records the input has, cut anywhere: in TLS 1.2 the client's
 * messages up to ChangeCipherSpec are not protected, so that all of what puts messages together is reached. The session
 * holds no more than it may, sends one fatal alert when it fails and none else, and fails for good.
 */
#include "base/check.h"
#include "base/hash.h"
#include "tls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CHAIN_SIZE_MAX = 2048,
    RECORD_MAX = 16 * 1024 + 512,
    PIECE_MAX = 48 * 1024,
    LEAF_MAX = 66560, /* of which wolfSSL takes a message: the first certificate is kept whatever its size */
    HELLO_SIZE = 93,
};

/* ECDHE-ECDSA-AES128-GCM-SHA256, X25519, ECDSA and EdDSA, extended_master_secret. */
static const uint8_t hello_start[] = "\x16\x03\x01\x00\x58\x01\x00\x00\x54\x03\x03";
static const uint8_t hello_end[] = "\x00\x00\x02\xc0\x2b\x01\x00\x00\x29"
                                   "\x00\x0a\x00\x04\x00\x02\x00\x1d"
                                   "\x00\x0b\x00\x02\x01\x00"
                                   "\x00\x0d\x00\x0a\x00\x08\x04\x03\x08\x07\x04\x01\x08\x04"
                                   "\x00\x17\x00\x00"
                                   "\x00\x23\x00\x00"
                                   "\xff\x01\x00\x01\x00";

static struct tls_credentials *credentials;
static struct tls_context *context;

static struct bytes read_file(const char *path) {
    static uint8_t contents[2][16 * 1024];
    static unsigned turn;
    uint8_t *data = contents[turn++ % 2];
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL); /* run in the root of the tree, as tools/fuzz does */
    size_t size = fread(data, 1, sizeof contents[0], file);

    fclose(file);
    return bytes_of(data, size);
}

static void make_context(void) {
    hash_init();
    CHECK(tls_library_init() == 0);
    struct error error;
    bool at_key;
    credentials = tls_credentials_load(read_file("tests/tls/data/server-p256.pem"),
                                       read_file("tests/tls/data/server-p256.key"), &at_key, &error);
    CHECK(credentials != NULL);
    context =
        tls_context_create(&(struct tls_context_options){.credentials = credentials, .request_certificate = true}, &error);
    CHECK(context != NULL);
}

/* Counts the fatal alerts; up to ChangeCipherSpec nothing is protected. */
static int take_output(void *owner, struct bytes ciphertext) {
    unsigned *alerts = owner;
    const uint8_t *at = ciphertext.data;
    const uint8_t *end = at + ciphertext.size;

    while (end - at >= 5) {
        *alerts += at[0] == 21 && at[5] == 2;
        at += 5 + (at[3] << 8 | at[4]);
    }
    CHECK(at == end);
    return 0;
}

static enum tls_result say_hello(struct tls_session *session) {
    size_t start = sizeof hello_start - 1, random = 32, end = sizeof hello_end - 1;

    CHECK(start + random + end == HELLO_SIZE);
    uint8_t hello[HELLO_SIZE];
    memcpy(hello, hello_start, start);
    memset(hello + start, 0x5a, random);
    memcpy(hello + start + random, hello_end, end);
    tls_session_feed(session, bytes_of(hello, HELLO_SIZE));
    return tls_session_handshake(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct tls_session_handler handler = {.output = take_output};
    unsigned alerts = 0;

    if (context == NULL) {
        make_context();
    }
    struct tls_session *session = tls_session_create(context, CHAIN_SIZE_MAX, TLS_HTTP1, &handler, &alerts);
    CHECK(session != NULL);
    enum tls_result result = say_hello(session);
    CHECK(result == TLS_WANT_INPUT);
    /* Each piece has its size in front, in units that let a few bytes of input be large. */
    while (result == TLS_WANT_INPUT && size > 2) {
        size_t piece = (size_t)(data[0] << 8 | data[1]) % PIECE_MAX;

        data += 2;
        size -= 2;
        piece = piece < size ? piece : size;
        uint8_t *copy = malloc(piece + 1); /* so that reading past it is seen */
        memcpy(copy, data, piece);
        tls_session_feed(session, bytes_of(copy, piece));
        result = tls_session_handshake(session);
        free(copy);
        CHECK(tls_session_held(session) <= RECORD_MAX + 4 * (size_t)LEAF_MAX);
        data += piece;
        size -= piece;
    }
    CHECK(alerts <= (result == TLS_FAILED));
    if (result == TLS_FAILED) {
        CHECK(tls_session_handshake(session) == TLS_FAILED && alerts <= 1);
    }
    tls_session_free(session);
    return 0;
}
