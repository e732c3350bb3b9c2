#include "tls/session.h"

#include "base/check.h"
#include "tls/internal.h"
#include "tls/peer.h"

#include <stdlib.h>

struct tls_session {
    WOLFSSL *wolfssl;
    tls_output_fn *output;
    void *owner;
    struct bytes input; /* fed and not yet consumed */
    size_t chain_size_max;
    int error; /* of the call that failed; 0 before */
    bool established;
    bool shut_down;
};

int tls_session_receive(WOLFSSL *wolfssl, char *buffer, int capacity, void *owner) {
    struct tls_session *session = owner;
    if (session->input.size == 0)
        return WOLFSSL_CBIO_ERR_WANT_READ;
    size_t size = session->input.size < (size_t)capacity ? session->input.size : (size_t)capacity;
    memcpy(buffer, session->input.data, size);
    session->input.data += size;
    session->input.size -= size;
    return (int)size;
}

int tls_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *owner) {
    struct tls_session *session = owner;
    return session->output(session->owner, bytes_of(buffer, (size_t)size)) == 0 ? size : WOLFSSL_CBIO_ERR_GENERAL;
}

struct tls_session *tls_session_create(struct tls_context *context, size_t chain_size_max, tls_output_fn *output,
                                       void *owner) {
    CHECK(chain_size_max > 0 && chain_size_max <= TLS_PEER_CHAIN_SIZE_MAX);
    struct tls_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return NULL;
    session->output = output;
    session->owner = owner;
    session->chain_size_max = chain_size_max;
    session->wolfssl = wolfSSL_new(context->wolfssl);
    if (session->wolfssl == NULL) {
        free(session);
        return NULL;
    }
    wolfSSL_SetIOReadCtx(session->wolfssl, session);
    wolfSSL_SetIOWriteCtx(session->wolfssl, session);
    char protocol[] = "http/1.1,http/1.0";
    if (wolfSSL_UseALPN(session->wolfssl, protocol, sizeof(protocol) - 1, WOLFSSL_ALPN_FAILED_ON_MISMATCH) !=
        WOLFSSL_SUCCESS) {
        tls_session_free(session);
        return NULL;
    }
    return session;
}

void tls_session_free(struct tls_session *session) {
    if (session == NULL)
        return;
    wolfSSL_free(session->wolfssl);
    free(session);
}

void tls_session_feed(struct tls_session *session, struct bytes ciphertext) {
    CHECK(session->input.size == 0);
    session->input = ciphertext;
}

/* What a wolfSSL call that did not succeed means. `returned` is its return value. */
static enum tls_result unfinished(struct tls_session *session, int returned) {
    int error = wolfSSL_get_error(session->wolfssl, returned);
    if (error == WOLFSSL_ERROR_WANT_READ) {
        CHECK(session->input.size == 0);
        return TLS_WANT_INPUT;
    }
    session->input.size = 0;
    if (error == WOLFSSL_ERROR_ZERO_RETURN)
        return TLS_CLOSED;
    session->error = error;
    return TLS_FAILED;
}

enum tls_result tls_session_handshake(struct tls_session *session) {
    CHECK(!session->established);
    if (session->error != 0)
        return TLS_FAILED;
    tls_peer_begin(session, session->chain_size_max);
    int returned = wolfSSL_accept(session->wolfssl);
    tls_peer_end();
    if (returned != WOLFSSL_SUCCESS)
        return unfinished(session, returned);
    session->established = true;
    return TLS_DONE;
}

const struct tls_peer_chain *tls_session_peer_chain(const struct tls_session *session) {
    return tls_peer_chain(session);
}

enum tls_result tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size) {
    CHECK(session->established && capacity > 0);
    *size = 0;
    if (session->error != 0)
        return TLS_FAILED;
    int returned = wolfSSL_read(session->wolfssl, plaintext, capacity > INT_MAX ? INT_MAX : (int)capacity);
    if (returned <= 0)
        return unfinished(session, returned);
    *size = (size_t)returned;
    return TLS_DONE;
}

enum tls_result tls_session_write(struct tls_session *session, struct bytes plaintext) {
    CHECK(session->established);
    while (plaintext.size > 0) {
        if (session->error != 0)
            return TLS_FAILED;
        int size = plaintext.size > INT_MAX ? INT_MAX : (int)plaintext.size;
        int returned = wolfSSL_write(session->wolfssl, plaintext.data, size);
        if (returned <= 0) {
            session->error = wolfSSL_get_error(session->wolfssl, returned);
            session->input.size = 0;
            return TLS_FAILED;
        }
        plaintext.data += returned;
        plaintext.size -= (size_t)returned;
    }
    return TLS_DONE;
}

void tls_session_shutdown(struct tls_session *session) {
    /* A second wolfSSL_shutdown would wait for the peer's close_notify: that is the caller's business. */
    if (session->shut_down || session->error != 0)
        return;
    session->shut_down = true;
    wolfSSL_shutdown(session->wolfssl);
}

bool tls_session_is_tls13(const struct tls_session *session) {
    return wolfSSL_GetVersion(session->wolfssl) == WOLFSSL_TLSV1_3;
}

const char *tls_session_version(const struct tls_session *session) {
    return tls_session_is_tls13(session) ? "TLSv1.3" : "TLSv1.2";
}

const char *tls_session_cipher(const struct tls_session *session) {
    int suite = wolfSSL_get_current_cipher_suite(session->wolfssl);
    return wolfSSL_get_cipher_name_iana_from_suite((unsigned char)(suite >> 8), (unsigned char)suite);
}

const char *tls_session_error(const struct tls_session *session) {
    return session->error == 0 ? "no error" : tls_error_text(session->error);
}
