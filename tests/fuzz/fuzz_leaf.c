/*
 * A client with a key of its own and whatever certificate the input is, against a session of ours, in memory. The first
 * octet says how: TLS 1.2 or 1.3, whether the client's own key takes the place of the certificate's, and whether the rest is
 * a whole certificate or what is to be signed by the CA that is trusted here. Whatever comes, the handshake completes but
 * for a proof that fails; the chain comes out as it was presented; its verdict is that of the same bytes without any TLS;
 * and nothing valid goes unproved.
 */
#include "base/check.h"
#include "base/hash.h"
#include "identity/identity.h"
#include "tls/context.h"
#include "tls/proof.h"
#include "tls/session.h"
#include "tls/wolfssl.h"
#include "x509/der.h"
#include "x509/leaf.h"
#include "x509/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha256.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CERTIFICATE_MAX = 12 * 1024, /* below the chain's limit, so that its size is no fault */
    CHAIN_SIZE = 16 * 1024,
    BUFFER_SIZE = 64 * 1024,
    FILES_MAX = 8,
    FILE_SIZE = 16 * 1024,
    NOW = 1900000000, /* within the CA's dates */
};

enum how { HOW_TLS12 = 1, HOW_OWN_KEY = 2, HOW_SIGNED = 4 };

struct buffer {
    size_t size;
    uint8_t data[BUFFER_SIZE];
};

static struct tls_credentials *credentials;
static struct tls_context *context;
static struct trust *trust;
static struct identity_policy policy;
static struct bytes own_key;  /* SubjectPublicKeyInfo */
static struct bytes own_pair; /* private key, DER */
static ecc_key ca_key;
static WC_RNG generator;
static struct buffer to_client;
static struct buffer to_server;

/* In memory that is never given back: all that is read is needed to the end. */
static struct bytes read_file(const char *name) {
    static uint8_t contents[FILES_MAX][FILE_SIZE];
    static unsigned count;
    CHECK(count < FILES_MAX);
    char path[128];
    snprintf(path, sizeof path, "tests/tls/data/%s", name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL); /* run in the root of the tree, as tools/fuzz does */
    uint8_t *data = contents[count++];
    size_t size = fread(data, 1, FILE_SIZE, file);
    fclose(file);
    CHECK(size > 0 && size < FILE_SIZE);
    return bytes_of(data, size);
}

/* The first block of a PEM file, in the place of the text. */
static struct bytes read_der(const char *name) {
    struct bytes text = read_file(name);
    struct pem_reader reader = pem_reader_of(text);
    struct pem_block block;
    static uint8_t der[FILE_SIZE];
    do {
        CHECK(pem_next(&reader, &block) == PEM_BLOCK);
    } while (pem_label_is(&block, "EC PARAMETERS"));
    pem_decode(&block, der);
    memcpy((uint8_t *)(uintptr_t)text.data, der, block.size);
    return bytes_of(text.data, block.size);
}

static void set_up(void) {
    hash_init();
    static const struct forward none;
    static struct certificate leaf;
    word32 index = 0;
    CHECK(tls_library_init() == 0);
    struct error error;
    bool at_key;
    credentials = tls_credentials_load(read_file("server-p256.pem"), read_file("server-p256.key"), &at_key, &error);
    CHECK(credentials != NULL);
    struct tls_context_options options = {.credentials = credentials, .request_certificate = true};
    context = tls_context_create(&options, &error);
    trust = trust_create();
    CHECK(context != NULL && trust_add_file(trust, read_file("intermediate.pem"), &error) == 0);
    policy = (struct identity_policy){.trust = trust, .depth_max = 4, .forward = &none};
    identity_policy_seal(&policy);
    struct bytes validity;
    CHECK(leaf_read(read_der("client-p256.pem"), &leaf, &validity));
    own_key = leaf.spki;
    own_pair = read_der("client-p256.key");
    struct bytes ca = read_der("intermediate.key");
    CHECK(wc_InitRng(&generator) == 0 && wc_ecc_init(&ca_key) == 0);
    CHECK(wc_EccPrivateKeyDecode(ca.data, &index, &ca_key, (word32)ca.size) == 0);
}

/* Writes a DER header in front of `*end`, for the `size` octets that follow there. */
static uint8_t *put_header(uint8_t *begin, uint8_t tag, size_t size) {
    CHECK(size <= UINT16_MAX);
    if (size >= 0x100) {
        *--begin = (uint8_t)size;
        *--begin = (uint8_t)(size >> 8);
        *--begin = 0x82;
    } else {
        *--begin = (uint8_t)size;
        if (size >= 0x80) {
            *--begin = 0x81;
        }
    }
    *--begin = tag;
    return begin;
}

/* A certificate around `tbs`, signed by the CA with ECDSA and SHA-256. Malloc'd, at *begin. */
static struct bytes sign(struct bytes tbs, uint8_t **begin) {
    static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    enum { ROOM = 16 };
    uint8_t signature[128];
    word32 signature_size = sizeof signature;
    uint8_t digest[WC_SHA256_DIGEST_SIZE];
    CHECK(wc_Sha256Hash(tbs.data, (word32)tbs.size, digest) == 0);
    CHECK(wc_ecc_sign_hash(digest, sizeof digest, signature, &signature_size, &generator, &ca_key) == 0);
    *begin = malloc(ROOM + tbs.size + sizeof algorithm + 3 + signature_size);
    uint8_t *start = *begin + ROOM;
    uint8_t *end = start;
    if (tbs.size > 0) {
        memcpy(end, tbs.data, tbs.size);
    }
    end += tbs.size;
    memcpy(end, algorithm, sizeof algorithm);
    end += sizeof algorithm;
    *end++ = 0x03;
    *end++ = (uint8_t)(signature_size + 1);
    *end++ = 0;
    memcpy(end, signature, signature_size);
    end += signature_size;
    start = put_header(start, 0x30, (size_t)(end - start));
    return bytes_of(start, (size_t)(end - start));
}

/* Puts the client's key where `whole` has a key of its size, if that is within `data`, which is at `offset` in it. */
static void exchange_key(struct bytes whole, size_t offset, uint8_t *data, size_t size) {
    struct certificate leaf;
    struct bytes validity;
    if (!leaf_read(whole, &leaf, &validity) || leaf.spki.size != own_key.size) {
        return;
    }
    size_t at = (size_t)(leaf.spki.data - whole.data);
    if (at >= offset && at - offset + own_key.size <= size) {
        memcpy(data + (at - offset), own_key.data, own_key.size);
    }
}

/* The certificate that the input stands for; its memory is at *made. */
static struct bytes make_certificate(unsigned how, uint8_t *data, size_t size, uint8_t **made) {
    struct bytes input = bytes_of(data, size);
    *made = NULL;
    if ((how & HOW_SIGNED) == 0) {
        if ((how & HOW_OWN_KEY) != 0) {
            exchange_key(input, 0, data, size);
        }
        return input;
    }
    struct bytes whole = sign(input, made);
    if ((how & HOW_OWN_KEY) != 0) {
        struct bytes content;
        CHECK(der_only(whole, DER_SEQUENCE, &content));
        exchange_key(whole, (size_t)(content.data - whole.data), data, size);
        free(*made);
        whole = sign(input, made);
    }
    return whole;
}

static int take(struct buffer *from, char *data, int capacity) {
    size_t size = from->size < (size_t)capacity ? from->size : (size_t)capacity;
    if (size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    memcpy(data, from->data, size);
    from->size -= size;
    memmove(from->data, from->data + size, from->size);
    return (int)size;
}

static void put(struct buffer *to, const void *data, size_t size) {
    CHECK(size <= BUFFER_SIZE - to->size);
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static int client_receive(WOLFSSL *wolfssl, char *data, int capacity, void *unused) {
    return take(&to_client, data, capacity);
}

static int client_send(WOLFSSL *wolfssl, char *data, int size, void *unused) {
    put(&to_server, data, (size_t)size);
    return size;
}

static int server_send(void *owner, struct bytes ciphertext) {
    put(&to_client, ciphertext.data, ciphertext.size);
    return 0;
}

static WOLFSSL_CTX *make_client(struct bytes certificate, bool tls12) {
    WOLFSSL_CTX *client = wolfSSL_CTX_new(tls12 ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
    CHECK(client != NULL);
    wolfSSL_CTX_SetIORecv(client, client_receive);
    wolfSSL_CTX_SetIOSend(client, client_send);
    wolfSSL_CTX_set_verify(client, WOLFSSL_VERIFY_NONE, NULL);
    CHECK(wolfSSL_CTX_use_chain_der(client, certificate.data, (unsigned)certificate.size, NULL, 0, 0, ECDSAk,
                                    ECC_SECP256R1_OID, 32) == WOLFSSL_SUCCESS);
    CHECK(wolfSSL_CTX_use_PrivateKey_buffer(client, own_pair.data, (long)own_pair.size, WOLFSSL_FILETYPE_ASN1) ==
          WOLFSSL_SUCCESS);
    return client;
}

/* The result of a session, and the identity of the chain that the session caught; NULL when no chain was caught. */
struct outcome {
    enum tls_result result;
    bool proved;
    struct identity *identity;
};

static struct outcome shake_hands(struct bytes certificate, bool tls12) {
    static const struct tls_session_handler handler = {.output = server_send};
    struct outcome outcome = {.result = TLS_WANT_INPUT};
    WOLFSSL_CTX *client_context = make_client(certificate, tls12);
    WOLFSSL *client = wolfSSL_new(client_context);
    struct tls_session *server = tls_session_create(context, CHAIN_SIZE, TLS_HTTP1, &handler, NULL);
    CHECK(client != NULL && server != NULL);
    to_client.size = to_server.size = 0;
    for (unsigned turn = 0; turn < 8 && outcome.result == TLS_WANT_INPUT; turn++) {
        static uint8_t input[BUFFER_SIZE];
        wolfSSL_connect(client);
        size_t size = to_server.size;
        memcpy(input, to_server.data, size);
        to_server.size = 0;
        tls_session_feed(server, bytes_of(input, size));
        outcome.result = tls_session_handshake(server);
        const struct tls_peer_chain *chain = outcome.result == TLS_FAILED ? NULL : tls_session_peer_chain(server);
        if (chain != NULL) {
            CHECK(outcome.identity == NULL && chain->count == 1 && !chain->too_large);
            CHECK(bytes_equal(chain->certificates[0], certificate));
            outcome.identity = identity_judge(&policy, chain->certificates, chain->count, chain->too_large, NOW);
            CHECK(outcome.identity != NULL);
        }
    }
    outcome.proved = tls_session_is_proved(server);
    tls_session_free(server);
    wolfSSL_free(client);
    wolfSSL_CTX_free(client_context);
    return outcome;
}

static void check(struct bytes certificate, bool tls12) {
    struct certificate leaf;
    struct bytes validity;
    bool found = leaf_read(certificate, &leaf, &validity);
    struct signature_key key;
    bool provable = found && signature_key_can_verify(&key, signature_judge_key(&leaf, &key));
    bool is_own = provable && bytes_equal(leaf.spki, own_key);
    struct identity *plain = identity_judge(&policy, &certificate, 1, false, NOW);
    CHECK(plain != NULL);
    /* A valid certificate has a key that can prove itself, found at its place. */
    CHECK(plain->status != STATUS_VALID || provable);
    struct outcome outcome = shake_hands(certificate, tls12);
    if (provable && !is_own) {
        /* The same key may be written in another way: then the proof is good. */
        CHECK(outcome.result == TLS_FAILED || (outcome.result == TLS_DONE && outcome.proved));
    } else {
        CHECK(outcome.result == TLS_DONE);
        CHECK(outcome.proved == is_own);
    }
    if (outcome.result == TLS_DONE) {
        CHECK(outcome.identity != NULL && outcome.identity->reason == plain->reason);
        CHECK(outcome.identity->status == plain->status && bytes_equal(outcome.identity->ski, plain->ski));
        CHECK(outcome.identity->status != STATUS_VALID || outcome.proved);
    }
    identity_release(outcome.identity);
    identity_release(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (context == NULL) {
        set_up();
    }
    if (size < 2 || size > CERTIFICATE_MAX) {
        return 0;
    }
    unsigned how = data[0];
    uint8_t *copy = malloc(size - 1);
    memcpy(copy, data + 1, size - 1);
    uint8_t *made;
    check(make_certificate(how, copy, size - 1, &made), (how & HOW_TLS12) != 0);
    free(made);
    free(copy);
    return 0;
}
