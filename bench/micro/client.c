#include "micro/client.h"

#include "base/check.h"

static int take_input(WOLFSSL *wolfssl, char *data, int capacity, void *owner) {
    struct client_buffer *buffer = &((struct client *)owner)->to_client;
    size_t size = buffer->size < (size_t)capacity ? buffer->size : (size_t)capacity;

    if (size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    memcpy(data, buffer->data, size);
    buffer->size -= size;
    memmove(buffer->data, buffer->data + size, buffer->size);
    return (int)size;
}

static int give_output(WOLFSSL *wolfssl, char *data, int size, void *owner) {
    client_buffer_append(&((struct client *)owner)->to_server, bytes_of(data, (size_t)size));
    return size;
}

static int note_ticket(WOLFSSL *wolfssl, const unsigned char *ticket, int size, void *owner) {
    ((struct client *)owner)->ticket_came = true;
    return 0;
}

/* The server's CertificateVerify, unseen: only the server is measured. */
static int believe(WOLFSSL *wolfssl, const unsigned char *signature, unsigned int signature_size, const unsigned char *hash,
                   unsigned int hash_size, const unsigned char *key, unsigned int key_size, int *verified, void *context) {
    *verified = 1;
    return 0;
}

WOLFSSL_CTX *client_context_create(struct bytes chain_pem, struct bytes key_pem, bool tls12) {
    WOLFSSL_CTX *context = wolfSSL_CTX_new(tls12 ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
    const char *suite = tls12 ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "TLS13-AES128-GCM-SHA256";
    int groups[] = {WOLFSSL_ECC_X25519};

    CHECK(context != NULL);
    wolfSSL_CTX_SetIORecv(context, take_input);
    wolfSSL_CTX_SetIOSend(context, give_output);
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, NULL);
    wolfSSL_CTX_SetEccVerifyCb(context, believe);
    wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
    CHECK(wolfSSL_CTX_set_cipher_list(context, suite) == WOLFSSL_SUCCESS);
    CHECK(wolfSSL_CTX_set_groups(context, groups, 1) == WOLFSSL_SUCCESS);
    CHECK((tls12 || wolfSSL_CTX_only_dhe_psk(context) == 0) && wolfSSL_CTX_new_rng(context) == WOLFSSL_SUCCESS);
    if (chain_pem.size > 0) {
        CHECK(wolfSSL_CTX_use_certificate_chain_buffer(context, chain_pem.data, (long)chain_pem.size) == WOLFSSL_SUCCESS);
        CHECK(wolfSSL_CTX_use_PrivateKey_buffer(context, key_pem.data, (long)key_pem.size, WOLFSSL_FILETYPE_PEM) ==
              WOLFSSL_SUCCESS);
    }
    return context;
}

void client_buffer_append(struct client_buffer *buffer, struct bytes bytes) {
    CHECK(bytes.size <= CLIENT_BUFFER_SIZE - buffer->size);
    memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    buffer->size += bytes.size;
}

void client_begin(struct client *client, WOLFSSL_CTX *context, bool resume) {
    static char protocol[] = "http/1.1";
    WOLFSSL *wolfssl = wolfSSL_new(context);

    CHECK(wolfssl != NULL);
    client->wolfssl = wolfssl;
    client->to_client.size = client->to_server.size = 0;
    client->ticket_came = false;
    wolfSSL_SetIOReadCtx(wolfssl, client);
    wolfSSL_SetIOWriteCtx(wolfssl, client);
    wolfSSL_set_SessionTicket_cb(wolfssl, note_ticket, client);
    CHECK(wolfSSL_UseSNI(wolfssl, WOLFSSL_SNI_HOST_NAME, "bench.example", 13) == WOLFSSL_SUCCESS);
    CHECK(wolfSSL_UseALPN(wolfssl, protocol, sizeof protocol - 1, WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) == WOLFSSL_SUCCESS);
    if (resume) {
        CHECK(client->session != NULL && wolfSSL_set_session(wolfssl, client->session) == WOLFSSL_SUCCESS);
        wolfSSL_SESSION_free(client->session);
        client->session = NULL;
    }
    int returned = wolfSSL_connect(wolfssl);
    CHECK(returned != WOLFSSL_SUCCESS && wolfSSL_get_error(wolfssl, returned) == WOLFSSL_ERROR_WANT_READ);
}

void client_complete(struct client *client) {
    client->to_server.size = 0;
    int returned = wolfSSL_connect(client->wolfssl);
    /* With TLS 1.2 the last word is the server's. */
    CHECK(returned == WOLFSSL_SUCCESS || (wolfSSL_version(client->wolfssl) == TLS1_2_VERSION &&
                                          wolfSSL_get_error(client->wolfssl, returned) == WOLFSSL_ERROR_WANT_READ));
}

bool client_keep_ticket(struct client *client) {
    char byte;

    CHECK(wolfSSL_connect(client->wolfssl) == WOLFSSL_SUCCESS);
    int returned = wolfSSL_read(client->wolfssl, &byte, 1);

    CHECK(returned <= 0 && wolfSSL_get_error(client->wolfssl, returned) == WOLFSSL_ERROR_WANT_READ);
    wolfSSL_SESSION_free(client->session);
    client->session = client->ticket_came ? wolfSSL_get1_session(client->wolfssl) : NULL;
    return client->session != NULL;
}

void client_end(struct client *client) {
    wolfSSL_free(client->wolfssl);
    client->wolfssl = NULL;
}
