/*
 * A session with an origin that answers the hello by whatever records the input has, cut anywhere: in TLS 1.2 the server's
 * messages up to ChangeCipherSpec are not protected, in TLS 1.3 its hellos. The session holds no more than it may, sends one
 * fatal alert when it fails and none else, fails for good, and takes no origin that has not proved its key.
 */
#include "base/check.h"
#include "base/hash.h"
#include "tls/context.h"
#include "tls/origin_session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE_MAX = 48 * 1024 };

static struct tls_origin_context *context;

struct peer {
    unsigned alerts;
    unsigned judged;
};

/* Counts the fatal alerts: nothing that the client says up to ChangeCipherSpec is protected. */
static int take_output(void *owner, struct bytes ciphertext) {
    struct peer *peer = owner;

    peer->alerts += ciphertext.size > 6 && ciphertext.data[0] == 21 && ciphertext.data[5] == 2;
    return 0;
}

static int judge(void *owner, const struct tls_peer_chain *chain) {
    struct peer *peer = owner;
    size_t size = 0;

    for (size_t i = 0; i < chain->count; i++) {
        size += chain->certificates[i].size;
    }
    CHECK(chain->count >= 1 && chain->count <= TLS_PEER_CHAIN_MAX && size <= TLS_ORIGIN_CHAIN_SIZE);
    peer->judged++;
    return TLS_ORIGIN_ACCEPTED;
}

static void make_context(void) {
    struct error error;

    hash_init();
    CHECK(tls_library_init() == 0);
    context = tls_origin_context_create(&(struct tls_origin_options){.protocols = TLS_HTTP2}, &error);
    CHECK(context != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct tls_origin_handler handler = {.output = take_output, .judge = judge};
    struct peer peer = {0};
    bool is_alert;

    if (context == NULL) {
        make_context();
    }
    struct tls_origin_session *session = tls_origin_session_create(context, "app.internal", NULL, &handler, &peer);
    CHECK(session != NULL);
    enum tls_result result = tls_origin_session_handshake(session);
    CHECK(result == TLS_WANT_INPUT);
    /* Each piece has its size in front. */
    while (result == TLS_WANT_INPUT && size > 2) {
        size_t piece = (size_t)(data[0] << 8 | data[1]) % PIECE_MAX;

        data += 2;
        size -= 2;
        piece = piece < size ? piece : size;
        uint8_t *copy = malloc(piece + 1); /* so that reading past it is seen */
        memcpy(copy, data, piece);
        tls_origin_session_feed(session, bytes_of(copy, piece));
        result = tls_origin_session_handshake(session);
        CHECK(result == TLS_WANT_INPUT || result == TLS_FAILED || result == TLS_CLOSED);
        CHECK(tls_origin_session_input(session).size == 0);
        free(copy);
        data += piece;
        size -= piece;
    }
    CHECK(peer.judged <= 1 && peer.alerts <= 1);
    if (result == TLS_FAILED) {
        CHECK(tls_origin_session_handshake(session) == TLS_FAILED && peer.alerts <= 1);
        CHECK(tls_origin_session_fault(session, &is_alert) != NULL);
    }
    tls_origin_session_free(session);
    return 0;
}
