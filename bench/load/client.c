#include "load/client.h"

#include "base/check.h"
#include "load/pem_file.h"
#include "load/signer.h"
#include "x509/pem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

struct client_credentials {
    WOLFSSL_CTX *wolfssl;
    struct signer *signer; /* NULL: the key is not P-256, and wolfSSL signs */
};

int client_library_init(void) {
    return wolfSSL_Init() == WOLFSSL_SUCCESS ? 0 : -ENOSYS;
}

static int take_input(WOLFSSL *wolfssl, char *buffer, int capacity, void *owner) {
    struct client *client = owner;
    size_t size = client->input.size < (size_t)capacity ? client->input.size : (size_t)capacity;

    if (size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    memcpy(buffer, client->input.data, size);
    client->input = bytes_of(client->input.data + size, client->input.size - size);
    return (int)size;
}

static int give_output(WOLFSSL *wolfssl, char *buffer, int size, void *owner) {
    struct client *client = owner;

    return client->output(client->owner, bytes_of(buffer, (size_t)size)) == 0 ? size : WOLFSSL_CBIO_ERR_GENERAL;
}

/* The server's CertificateVerify, unseen: see client.h. */
static int believe(WOLFSSL *wolfssl, const unsigned char *signature, unsigned int signature_size, const unsigned char *hash,
                   unsigned int hash_size, const unsigned char *key, unsigned int key_size, int *verified, void *context) {
    *verified = 1;
    return 0;
}

/* ECDSA takes the first 32 bytes of a longer hash (FIPS 186-5 section 6.4.1). */
static int sign(WOLFSSL *wolfssl, const unsigned char *hash, unsigned int hash_size, unsigned char *signature,
                word32 *signature_size, const unsigned char *key, unsigned int key_size, void *context) {
    uint8_t r[SIGNER_HALF_SIZE];
    uint8_t s[SIGNER_HALF_SIZE];

    if (hash_size < SIGNER_HASH_SIZE || *signature_size < SIGNER_DER_MAX) {
        return BAD_FUNC_ARG;
    }
    signer_sign(context, hash, r, s);
    *signature_size = (word32)signer_encode(r, s, signature);
    return 0;
}

static void use_signer(struct client_credentials *credentials, struct bytes pem) {
    struct pem_reader reader = pem_reader_of(pem);
    struct pem_block block;

    while (credentials->signer == NULL && pem_next(&reader, &block) == PEM_BLOCK) {
        if (pem_label_is(&block, "CERTIFICATE")) {
            continue;
        }
        uint8_t *der = malloc(block.size);
        CHECK(der != NULL);
        pem_decode(&block, der);
        credentials->signer = signer_create(bytes_of(der, block.size));
        explicit_bzero(der, block.size);
        free(der);
    }
    if (credentials->signer != NULL) {
        wolfSSL_CTX_SetEccSignCb(credentials->wolfssl, sign);
        wolfSSL_CTX_SetEccSignCtx(credentials->wolfssl, credentials->signer);
    }
}

static bool use_bundle(struct client_credentials *credentials, const char *path, char error[static CLIENT_ERROR_SIZE]) {
    WOLFSSL_CTX *wolfssl = credentials->wolfssl;
    const char *part = "certificates";
    size_t size = 0;
    uint8_t *pem = pem_file_read(path, &size);

    if (pem == NULL) {
        snprintf(error, CLIENT_ERROR_SIZE, "%s: %s", path, strerror(errno));
        return false;
    }
    int result = wolfSSL_CTX_use_certificate_chain_buffer(wolfssl, pem, (long)size);
    if (result == WOLFSSL_SUCCESS) {
        part = "private key";
        result = wolfSSL_CTX_use_PrivateKey_buffer(wolfssl, pem, (long)size, WOLFSSL_FILETYPE_PEM);
    }
    if (result == WOLFSSL_SUCCESS && wolfSSL_CTX_check_private_key(wolfssl) != WOLFSSL_SUCCESS) {
        result = MATCH_SUITE_ERROR;
        part = "private key, which is not the leaf's";
    }
    if (result == WOLFSSL_SUCCESS) {
        use_signer(credentials, bytes_of(pem, size));
    }
    explicit_bzero(pem, size);
    free(pem);
    if (result != WOLFSSL_SUCCESS) {
        snprintf(error, CLIENT_ERROR_SIZE, "%s: cannot use its %s: %s", path, part,
                 wolfSSL_ERR_reason_error_string((unsigned long)result));
    }
    return result == WOLFSSL_SUCCESS;
}

/* One suite and one group, the cheapest, so that peers are compared at the same work. nghttpd alone has P-256 and no other.
 */
static bool limit_protocol(WOLFSSL_CTX *wolfssl, const struct client_settings *settings) {
    const char *suites =
        settings->tls12 ? "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256" : "TLS13-AES128-GCM-SHA256";
    int groups[] = {settings->group == 0 ? WOLFSSL_ECC_X25519 : settings->group, WOLFSSL_ECC_SECP256R1};
    int group_count = settings->group == 0 ? 2 : 1;

    return wolfSSL_CTX_set_cipher_list(wolfssl, suites) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_set_groups(wolfssl, groups, group_count) == WOLFSSL_SUCCESS &&
           (settings->tls12 || wolfSSL_CTX_only_dhe_psk(wolfssl) == 0) &&
           wolfSSL_CTX_UseSNI(wolfssl, WOLFSSL_SNI_HOST_NAME, settings->name, (unsigned short)strlen(settings->name)) ==
               WOLFSSL_SUCCESS;
}

/* One generator for all sessions: one for each would cost 5 us. */
static bool share_generator(WOLFSSL_CTX *wolfssl) {
#ifdef WOLFSSL_CTX_RNG
    return wolfSSL_CTX_new_rng(wolfssl) == WOLFSSL_SUCCESS;
#else
    return true;
#endif
}

struct client_credentials *client_credentials_load(const char *file, const struct client_settings *settings,
                                                   char error[static CLIENT_ERROR_SIZE]) {
    struct client_credentials *credentials = calloc(1, sizeof *credentials);

    snprintf(error, CLIENT_ERROR_SIZE, "out of memory");
    if (credentials == NULL) {
        return NULL;
    }
    credentials->wolfssl = wolfSSL_CTX_new(settings->tls12 ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
    if (credentials->wolfssl == NULL) {
        client_credentials_free(credentials);
        return NULL;
    }
    wolfSSL_CTX_SetIORecv(credentials->wolfssl, take_input);
    wolfSSL_CTX_SetIOSend(credentials->wolfssl, give_output);
    wolfSSL_CTX_set_verify(credentials->wolfssl, WOLFSSL_VERIFY_NONE, NULL);
    wolfSSL_CTX_SetEccVerifyCb(credentials->wolfssl, believe);
    wolfSSL_CTX_set_session_cache_mode(credentials->wolfssl, WOLFSSL_SESS_CACHE_OFF);
    if (!limit_protocol(credentials->wolfssl, settings) || !share_generator(credentials->wolfssl)) {
        snprintf(error, CLIENT_ERROR_SIZE, "wolfSSL refuses the settings of the generator");
    } else if (file == NULL || use_bundle(credentials, file, error)) {
        error[0] = '\0';
        return credentials;
    }
    client_credentials_free(credentials);
    return NULL;
}

void client_credentials_free(struct client_credentials *credentials) {
    wolfSSL_CTX_free(credentials->wolfssl);
    signer_free(credentials->signer);
    free(credentials);
}

static int note_ticket(WOLFSSL *wolfssl, const unsigned char *ticket, int size, void *owner) {
    struct client *client = owner;

    client->ticket_came = true;
    return 0;
}

int client_open(struct client *client, struct client_credentials *credentials, bool http2, client_output_fn *output,
                void *owner) {
    char protocol[] = "http/1.1";
    WOLFSSL *wolfssl = wolfSSL_new(credentials->wolfssl);

    if (http2) {
        memcpy(protocol, "h2", sizeof "h2");
    }
    *client = (struct client){.wolfssl = wolfssl, .output = output, .owner = owner};
    if (wolfssl == NULL) {
        return -ENOMEM;
    }
    wolfSSL_SetIOReadCtx(wolfssl, client);
    wolfSSL_SetIOWriteCtx(wolfssl, client);
    wolfSSL_set_SessionTicket_cb(wolfssl, note_ticket, client);
    if (wolfSSL_UseALPN(wolfssl, protocol, (unsigned)strlen(protocol), WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) !=
        WOLFSSL_SUCCESS) {
        client_close(client);
        return -ENOMEM;
    }
    return 0;
}

int client_set_name(struct client *client, const char *name) {
    int result = wolfSSL_UseSNI(client->wolfssl, WOLFSSL_SNI_HOST_NAME, name, (unsigned short)strlen(name));

    return result == WOLFSSL_SUCCESS ? 0 : -ENOMEM;
}

void client_close(struct client *client) {
    wolfSSL_free(client->wolfssl);
    client->wolfssl = NULL;
}

/* A ticket is a session of wolfSSL's under another name. */
int client_resume(struct client *client, const struct client_ticket *ticket) {
    int result = wolfSSL_set_session(client->wolfssl, (WOLFSSL_SESSION *)(uintptr_t)ticket);

    return result == WOLFSSL_SUCCESS ? 0 : -EKEYEXPIRED;
}

size_t client_ticket_bytes(const struct client *client, uint8_t *out, size_t capacity) {
    word32 size = (word32)capacity;

    return wolfSSL_get_SessionTicket(client->wolfssl, out, &size) == WOLFSSL_SUCCESS && size <= capacity ? size : 0;
}

bool client_speaks_http2(const struct client *client) {
    char *protocol = NULL;
    unsigned short size = 0;

    return wolfSSL_ALPN_GetProtocol(client->wolfssl, &protocol, &size) == WOLFSSL_SUCCESS &&
           bytes_equal(bytes_of(protocol, size), bytes_of_string("h2"));
}

bool client_resumed(const struct client *client) {
    return wolfSSL_session_reused(client->wolfssl) == 1;
}

struct client_ticket *client_take_ticket(struct client *client) {
    if (!client->ticket_came) {
        return NULL;
    }
    client->ticket_came = false;
    return (struct client_ticket *)wolfSSL_get1_session(client->wolfssl);
}

void client_ticket_free(struct client_ticket *ticket) {
    wolfSSL_SESSION_free((WOLFSSL_SESSION *)ticket);
}

void client_feed(struct client *client, struct bytes ciphertext) {
    CHECK(client->input.size == 0);
    client->input = ciphertext;
}

/* Returns the meaning of a call that did not succeed. */
static enum client_result unfinished(struct client *client, int returned) {
    int error = wolfSSL_get_error(client->wolfssl, returned);

    if (error == WOLFSSL_ERROR_WANT_READ) {
        CHECK(client->input.size == 0);
        return CLIENT_WANT_INPUT;
    }
    client->input.size = 0;
    if (error == WOLFSSL_ERROR_ZERO_RETURN) {
        return CLIENT_CLOSED;
    }
    client->error = error;
    return CLIENT_FAILED;
}

enum client_result client_handshake(struct client *client) {
    int returned = wolfSSL_connect(client->wolfssl);

    return returned == WOLFSSL_SUCCESS ? CLIENT_DONE : unfinished(client, returned);
}

enum client_result client_read(struct client *client, void *plaintext, size_t capacity, size_t *size) {
    int returned = wolfSSL_read(client->wolfssl, plaintext, (int)capacity);

    if (returned <= 0) {
        return unfinished(client, returned);
    }
    *size = (size_t)returned;
    return CLIENT_DONE;
}

enum client_result client_write(struct client *client, struct bytes plaintext) {
    int returned = wolfSSL_write(client->wolfssl, plaintext.data, (int)plaintext.size);

    return returned == (int)plaintext.size ? CLIENT_DONE : unfinished(client, returned);
}

void client_shutdown(struct client *client) {
    wolfSSL_shutdown(client->wolfssl);
}

void client_describe(const struct client *client, char *text, size_t size) {
    snprintf(text, size, "%s %s", wolfSSL_get_version(client->wolfssl), wolfSSL_get_cipher_name(client->wolfssl));
}

int client_alert(const struct client *client) {
    WOLFSSL_ALERT_HISTORY history = {.last_rx = {.code = -1}};

    if (client->wolfssl == NULL || wolfSSL_get_alert_history(client->wolfssl, &history) != WOLFSSL_SUCCESS) {
        return -1;
    }
    return history.last_rx.code;
}

const char *client_error_text(const struct client *client) {
    return client->error == 0 ? "no error" : wolfSSL_ERR_reason_error_string((unsigned long)client->error);
}
