#include "pair.h"

#include "base/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct bytes data_read(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TLS_TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s is missing: run tests/tls/data/make", path);
    uint8_t *data = malloc(64 * 1024);
    size_t size = fread(data, 1, 64 * 1024 - 1, file);
    data[size] = 0;
    fclose(file);
    return bytes_of(data, size);
}

void data_free(struct bytes data) {
    free((void *)(uintptr_t)data.data);
}

static struct bytes data_of(const char *prefix, const char *name, const char *suffix) {
    char file[128];
    snprintf(file, sizeof file, "%s%s%s", prefix, name, suffix);
    return data_read(file);
}

struct tls_credentials *server_credentials(const char *name) {
    struct error error = {""};
    bool at_key = false;
    hash_init(); /* sessions compare second hellos with it */
    struct bytes chain = data_of("server-", name, ".pem");
    struct bytes key = data_of("server-", name, ".key");
    struct tls_credentials *credentials = tls_credentials_load(chain, key, &at_key, &error);
    cr_assert(credentials != NULL, "%s: %s", name, error.text);
    data_free(chain);
    data_free(key);
    return credentials;
}

struct tls_context *server_context(struct tls_credentials *credentials, bool request_certificate) {
    struct error error = {""};
    struct tls_context_options options = {.credentials = credentials, .request_certificate = request_certificate};
    struct tls_context *context = tls_context_create(&options, &error);
    cr_assert(context != NULL, "%s", error.text);
    return context;
}

static int take(struct pair_buffer *buffer, char *data, int capacity) {
    if (buffer->size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    size_t size = buffer->size < (size_t)capacity ? buffer->size : (size_t)capacity;
    memcpy(data, buffer->data, size);
    buffer->size -= size;
    memmove(buffer->data, buffer->data + size, buffer->size);
    return (int)size;
}

static void put(struct pair_buffer *buffer, const void *data, size_t size) {
    cr_assert(size <= sizeof buffer->data - buffer->size);
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

static int client_receive(WOLFSSL *wolfssl, char *data, int capacity, void *context) {
    return take(&((struct pair *)context)->to_client, data, capacity);
}

static int client_send(WOLFSSL *wolfssl, char *data, int size, void *context) {
    struct pair *pair = context;
    /* With its version too, since a record that is encrypted may begin with any byte. */
    pair->hellos += size > 10 && data[0] == 22 && data[5] == 1 && data[9] == 3 && data[10] == 3;
    put(&pair->to_server, data, (size_t)size);
    if (pair->tamper != NULL) {
        pair->tamper(pair->to_server.data + pair->to_server.size - (size_t)size, (size_t)size);
    }
    return size;
}

static int server_send(void *owner, struct bytes ciphertext) {
    put(&((struct pair *)owner)->to_client, ciphertext.data, ciphertext.size);
    return 0;
}

static bool bind_ticket(void *owner, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct pair *pair = owner;
    pair->binds++;
    pair->bound_when_resumed = resumed;
    if (!resumed) {
        pair_keep_chain(pair);
    }
    memcpy(binding, pair->binding, TLS_TICKET_BINDING_SIZE);
    return !pair->refuses_binding;
}

static bool accept_ticket(void *owner, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct pair *pair = owner;
    pair->accepts++;
    memcpy(pair->accepted, binding, TLS_TICKET_BINDING_SIZE);
    return !pair->refuses_ticket;
}

static const struct tls_session_handler handler = {
    .output = server_send,
    .bind_ticket = bind_ticket,
    .accept_ticket = accept_ticket,
};

void client_use(WOLFSSL_CTX *wolfssl, struct bytes chain, struct bytes key) {
    cr_assert_eq(wolfSSL_CTX_use_certificate_chain_buffer(wolfssl, chain.data, (long)chain.size), WOLFSSL_SUCCESS);
    cr_assert_eq(wolfSSL_CTX_use_PrivateKey_buffer(wolfssl, key.data, (long)key.size, WOLFSSL_FILETYPE_PEM),
                 WOLFSSL_SUCCESS);
    data_free(chain);
    data_free(key);
}

WOLFSSL_CTX *client_context(const struct pair_options *options) {
    WOLFSSL_CTX *wolfssl = wolfSSL_CTX_new(options->tls12 ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
    cr_assert(wolfssl != NULL);
    wolfSSL_CTX_SetIORecv(wolfssl, client_receive);
    wolfSSL_CTX_SetIOSend(wolfssl, client_send);
    wolfSSL_CTX_set_verify(wolfssl, WOLFSSL_VERIFY_NONE, NULL);
    wolfSSL_CTX_SetMinRsaKey_Sz(wolfssl, 1024);
    if (options->suite != NULL) {
        cr_assert_eq(wolfSSL_CTX_set_cipher_list(wolfssl, options->suite), WOLFSSL_SUCCESS);
    }
    if (options->client == NULL) {
        return wolfssl;
    }
    client_use(wolfssl, data_of("client-", options->client, ".pem"),
               data_of("client-", options->client_key == NULL ? options->client : options->client_key, ".key"));
    return wolfssl;
}

struct pair *pair_open(struct tls_context *context, const struct pair_options *options) {
    struct pair *pair = calloc(1, sizeof *pair);
    pair->step = options->step;
    pair->tamper = options->tamper;
    pair->result = TLS_WANT_INPUT;
    pair->owns_client_wolfssl = options->client_wolfssl == NULL;
    pair->client_wolfssl = pair->owns_client_wolfssl ? client_context(options) : options->client_wolfssl;
    pair->client = wolfSSL_new(pair->client_wolfssl);
    pair->server = tls_session_create(context, options->chain_size_max == 0 ? 16384 : options->chain_size_max,
                                      options->protocols, &handler, pair);
    if (pair->server == NULL || pair->client == NULL) {
        pair_close(pair);
        return NULL;
    }
    wolfSSL_SetIOReadCtx(pair->client, pair);
    wolfSSL_SetIOWriteCtx(pair->client, pair);
    wolfSSL_UseSNI(pair->client, WOLFSSL_SNI_HOST_NAME, "any.example", 11);
    if (options->tls12) {
        wolfSSL_UseSessionTicket(pair->client);
    }
    if (options->group != 0 && options->tls12) {
        cr_assert_eq(wolfSSL_UseSupportedCurve(pair->client, (uint16_t)options->group), WOLFSSL_SUCCESS);
    } else if (options->group != 0) {
        int group = options->group;
        cr_assert_eq(wolfSSL_set_groups(pair->client, &group, 1), WOLFSSL_SUCCESS);
    }
    if (options->no_key_share) {
        cr_assert_eq(wolfSSL_NoKeyShares(pair->client), WOLFSSL_SUCCESS);
    }
    if (options->session != NULL) {
        pair->has_session = wolfSSL_set_session(pair->client, options->session) == WOLFSSL_SUCCESS;
    }
    if (options->alpn != NULL) {
        char alpn[64];
        snprintf(alpn, sizeof alpn, "%s", options->alpn);
        wolfSSL_UseALPN(pair->client, alpn, (unsigned)strlen(alpn), WOLFSSL_ALPN_CONTINUE_ON_MISMATCH);
    }
    return pair;
}

void pair_close(struct pair *pair) {
    tls_session_free(pair->server);
    wolfSSL_free(pair->client);
    if (pair->owns_client_wolfssl) {
        wolfSSL_CTX_free(pair->client_wolfssl);
    }
    free(pair);
}

void pair_keep_chain(struct pair *pair) {
    const struct tls_peer_chain *chain = tls_session_peer_chain(pair->server);
    if (chain == NULL) {
        return;
    }
    if (pair->caught && pair->binds > 0) {
        return; /* bind_ticket has seen it in the same call */
    }
    cr_assert(!pair->caught, "the chain was handed out twice");
    pair->caught = true;
    pair->chain = *chain;
    size_t size = 0;
    for (size_t i = 0; i < chain->count; i++) {
        struct bytes certificate = chain->certificates[i];
        memcpy(pair->chain_bytes + size, certificate.data, certificate.size);
        pair->chain.certificates[i] = bytes_of(pair->chain_bytes + size, certificate.size);
        size += certificate.size;
    }
}

static void client_step(struct pair *pair) {
    if (pair->client_done || pair->client_error != 0) {
        return;
    }
    int returned = wolfSSL_connect(pair->client);
    pair->client_done = returned == WOLFSSL_SUCCESS;
    int error = wolfSSL_get_error(pair->client, returned);
    if (!pair->client_done && error != WOLFSSL_ERROR_WANT_READ) {
        pair->client_error = error;
    }
}

/* Moves the next bytes for the server out of its buffer, malloc'd so that reading past them is seen. */
static struct bytes next_input(struct pair *pair) {
    size_t size = pair->step == 0 || pair->to_server.size < pair->step ? pair->to_server.size : pair->step;
    uint8_t *input = malloc(size == 0 ? 1 : size);
    take(&pair->to_server, (char *)input, (int)size);
    return bytes_of(input, size);
}

bool pair_handshake(struct pair *pair) {
    do {
        client_step(pair);
        while (pair->result == TLS_WANT_INPUT && pair->to_server.size > 0) {
            struct bytes input = next_input(pair);
            tls_session_feed(pair->server, input);
            pair->result = tls_session_handshake(pair->server);
            if (pair->result != TLS_FAILED) {
                pair_keep_chain(pair);
            }
            data_free(input);
        }
    } while (pair->to_client.size > 0 && !pair->client_done && pair->client_error == 0);
    return pair->client_done && pair->result == TLS_DONE;
}

WOLFSSL_SESSION *pair_session(struct pair *pair) {
    char nothing[16];
    cr_assert_lt(wolfSSL_read(pair->client, nothing, sizeof nothing), 1);
    return wolfSSL_get1_session(pair->client);
}

size_t pair_server_read(struct pair *pair, void *plaintext, size_t capacity) {
    size_t total = 0;
    pair->result = TLS_WANT_INPUT;
    while (pair->result == TLS_WANT_INPUT && pair->to_server.size > 0) {
        struct bytes input = next_input(pair);
        tls_session_feed(pair->server, input);
        size_t size = 0;
        while (total < capacity && (pair->result = tls_session_read(pair->server, (char *)plaintext + total,
                                                                    capacity - total, &size)) == TLS_DONE) {
            total += size;
        }
        data_free(input);
    }
    return total;
}

int pair_client_read(struct pair *pair, void *plaintext, size_t capacity) {
    size_t total = 0;
    while (total < capacity) {
        int returned = wolfSSL_read(pair->client, (char *)plaintext + total, (int)(capacity - total));
        if (returned <= 0) {
            return total > 0 ? (int)total : wolfSSL_get_error(pair->client, returned);
        }
        total += (size_t)returned;
    }
    return (int)total;
}

void pair_client_write(struct pair *pair, const void *plaintext, size_t size) {
    cr_assert_eq(wolfSSL_write(pair->client, plaintext, (int)size), (int)size);
}

int pair_alert(struct pair *pair) {
    WOLFSSL_ALERT_HISTORY history;
    wolfSSL_get_alert_history(pair->client, &history);
    return history.last_rx.code;
}

const char *pair_result(const struct pair *pair) {
    static const char *const texts[] = {
        [TLS_DONE] = "done",
        [TLS_WANT_INPUT] = "wants input",
        [TLS_CLOSED] = "closed",
        [TLS_FAILED] = "failed",
    };
    return texts[pair->result];
}
