#include "tls/credentials.h"

#include "base/check.h"
#include "identity/der.h"
#include "tls/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 4096,
    PEM_SIZE_MAX = 1024 * 1024, /* of a file: far above any chain, far below where wolfSSL's 32-bit sizes end */
};

/* One block of a PEM file (RFC 7468): what stands between BEGIN and END, and the label of both. */
struct pem_block {
    struct bytes label;
    struct bytes body;
};

static void fail(char error[static TLS_ERROR_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(char error[static TLS_ERROR_SIZE], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, TLS_ERROR_SIZE, format, arguments);
    va_end(arguments);
}

static bool find(struct bytes text, const char *wanted, struct bytes *before, struct bytes *after) {
    size_t size = strlen(wanted);
    const uint8_t *found = text.size == 0 ? NULL : memmem(text.data, text.size, wanted, size);
    if (found == NULL)
        return false;
    *before = bytes_of(text.data, (size_t)(found - text.data));
    *after = bytes_of(found + size, text.size - before->size - size);
    return true;
}

/* Takes the next block from the front of *text: 1, 0 when there is no BEGIN, -1 when what begins does not end. */
static int next_block(struct bytes *text, struct pem_block *block) {
    struct bytes before, after;
    if (!find(*text, "-----BEGIN ", &before, text))
        return 0;
    if (!find(*text, "-----", &block->label, &after) || !find(after, "-----END ", &block->body, text))
        return -1;
    struct bytes label;
    if (!find(*text, "-----", &label, text) || !bytes_equal(label, block->label))
        return -1;
    return 1;
}

/* The block's DER in *der, malloc'd. False when the text is no base64 or memory is out. */
static bool decode_block(const struct pem_block *block, struct bytes *der) {
    word32 size = (word32)(block->body.size / 4 * 3 + 3);
    uint8_t *data = malloc(size);
    if (data == NULL || block->body.size == 0 ||
        Base64_Decode(block->body.data, (word32)block->body.size, data, &size) != 0 || size == 0) {
        free(data);
        return false;
    }
    *der = bytes_of(data, size);
    return true;
}

static bool label_is(const struct pem_block *block, const char *label) {
    return bytes_equal(block->label, bytes_of_string(label));
}

/* Whether this is one certificate of DER and nothing behind it, and what wolfSSL says if not. */
static int parse_certificate(struct bytes der, struct DecodedCert *certificate) {
    wc_InitDecodedCert(certificate, der.data, (word32)der.size, NULL);
    int error = wc_ParseCert(certificate, CERT_TYPE, NO_VERIFY, NULL);
    struct bytes content; /* wolfSSL overlooks what stands behind the certificate, and would send it to clients */
    return error == 0 && !der_only(der, DER_SEQUENCE, &content) ? ASN_PARSE_E : error;
}

static bool load_chain(struct tls_credentials *credentials, struct bytes pem, char error[static TLS_ERROR_SIZE]) {
    struct pem_block block;
    int found;
    while ((found = next_block(&pem, &block)) == 1) {
        size_t number = credentials->chain_count + 1;
        if (!label_is(&block, "CERTIFICATE"))
            continue; /* the key may be in the same file */
        if (credentials->chain_count == TLS_CHAIN_MAX) {
            fail(error, "more than %d certificates in the chain", TLS_CHAIN_MAX);
            return false;
        }
        struct bytes *der = &credentials->chain[credentials->chain_count];
        if (!decode_block(&block, der)) {
            fail(error, "certificate %zu is not base64", number);
            return false;
        }
        credentials->chain_count++;
        struct DecodedCert certificate;
        int result = parse_certificate(*der, &certificate);
        wc_FreeDecodedCert(&certificate);
        if (result != 0) {
            fail(error, "certificate %zu does not parse: %s", number, tls_error_text(result));
            return false;
        }
    }
    if (found < 0)
        fail(error, "a PEM block after certificate %zu is cut short", credentials->chain_count);
    else if (credentials->chain_count == 0)
        fail(error, "no certificate in PEM (-----BEGIN CERTIFICATE-----)");
    return found == 0 && credentials->chain_count > 0;
}

static bool is_encrypted(const struct pem_block *block) {
    struct bytes before, after;
    return label_is(block, "ENCRYPTED PRIVATE KEY") || find(block->body, "Proc-Type: 4,ENCRYPTED", &before, &after);
}

static bool is_key(const struct pem_block *block) {
    return label_is(block, "PRIVATE KEY") || label_is(block, "EC PRIVATE KEY") || label_is(block, "RSA PRIVATE KEY") ||
           label_is(block, "ENCRYPTED PRIVATE KEY");
}

static bool load_key(struct tls_credentials *credentials, struct bytes pem, char error[static TLS_ERROR_SIZE]) {
    struct pem_block block;
    int found;
    while ((found = next_block(&pem, &block)) == 1) {
        if (!is_key(&block))
            continue; /* EC PARAMETERS, or the chain in the same file */
        if (credentials->key.size > 0) {
            fail(error, "more than one private key");
            return false;
        }
        if (is_encrypted(&block)) {
            fail(error, "the private key is encrypted: give one without a passphrase (openssl pkey -in KEY -out PLAIN_KEY)");
            return false;
        }
        if (!decode_block(&block, &credentials->key)) {
            fail(error, "the private key is not base64");
            return false;
        }
    }
    if (found < 0)
        fail(error, "a PEM block is cut short");
    else if (credentials->key.size == 0)
        fail(error, "no private key in PEM (-----BEGIN PRIVATE KEY-----)");
    return found == 0 && credentials->key.size > 0;
}

static bool rsa_size_supported(const struct DecodedCert *leaf, char error[static TLS_ERROR_SIZE]) {
    RsaKey key;
    word32 index = 0;
    int bits = 0;
    if (wc_InitRsaKey(&key, NULL) == 0) {
        if (wc_RsaPublicKeyDecode(leaf->publicKey, &index, &key, leaf->pubKeySize) == 0)
            bits = wc_RsaEncryptSize(&key) * 8;
        wc_FreeRsaKey(&key);
    }
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        fail(error, "RSA keys of %d bits are not supported, only %d to %d", bits, RSA_BITS_MIN, RSA_BITS_MAX);
    return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

static bool key_supported(const struct DecodedCert *leaf, char error[static TLS_ERROR_SIZE]) {
    switch (leaf->keyOID) {
    case ECDSAk:
        if (leaf->pkCurveOID == ECC_SECP256R1_OID || leaf->pkCurveOID == ECC_SECP384R1_OID)
            return true;
        fail(error, "ECDSA keys are supported on P-256 and P-384 only");
        return false;
    case RSAk:
        return rsa_size_supported(leaf, error);
    case ED25519k:
        return true;
    default:
        fail(error, "the leaf's key type is not supported: use ECDSA P-256 or P-384, RSA or Ed25519");
        return false;
    }
}

static bool check_leaf(struct tls_credentials *credentials, char error[static TLS_ERROR_SIZE]) {
    struct DecodedCert leaf;
    int result = parse_certificate(credentials->chain[0], &leaf);
    CHECK(result == 0 || result == MEMORY_E); /* it has been parsed before */
    struct bytes not_after = bytes_of(leaf.afterDate, (size_t)leaf.afterDateLen);
    bool good = false;
    if (result != 0)
        fail(error, "out of memory");
    else if (!der_read_time(&not_after, &credentials->not_after))
        fail(error, "the leaf's notAfter is no time");
    else
        good = key_supported(&leaf, error);
    credentials->key_type = (int)leaf.keyOID;
    wc_FreeDecodedCert(&leaf);
    return good;
}

/* An RSA key with a wrong part has the right modulus and makes wrong signatures, which can betray its factors. */
static bool rsa_key_signs(struct bytes der) {
    static const byte digest[WC_SHA256_DIGEST_SIZE] = {0};
    byte signature[RSA_BITS_MAX / 8];
    byte plain[RSA_BITS_MAX / 8];
    RsaKey key;
    WC_RNG generator;
    word32 index = 0;
    if (wc_InitRng(&generator) != 0)
        return false;
    if (wc_InitRsaKey(&key, NULL) != 0) {
        wc_FreeRng(&generator);
        return false;
    }
    int size = wc_RsaPrivateKeyDecode(der.data, &index, &key, (word32)der.size);
    if (size == 0)
        size = wc_RsaSetRNG(&key, &generator);
    if (size == 0)
        size = wc_RsaSSL_Sign(digest, sizeof(digest), signature, sizeof(signature), &key, &generator);
    if (size > 0)
        size = wc_RsaSSL_Verify(signature, (word32)size, plain, sizeof(plain), &key);
    wc_FreeRsaKey(&key);
    wc_FreeRng(&generator);
    return size == (int)sizeof(digest) && memcmp(plain, digest, sizeof(digest)) == 0;
}

/* Sets *at_key as tls_credentials_load has it. */
static bool check_pair(const struct tls_credentials *credentials, bool *at_key, char error[static TLS_ERROR_SIZE]) {
    WOLFSSL_CTX *wolfssl = wolfSSL_CTX_new(wolfTLS_server_method());
    if (wolfssl == NULL) {
        fail(error, "out of memory");
        return false;
    }
    struct bytes leaf = credentials->chain[0];
    bool good = false;
    int result = wolfSSL_CTX_use_certificate_buffer(wolfssl, leaf.data, (long)leaf.size, WOLFSSL_FILETYPE_ASN1);
    *at_key = result == WOLFSSL_SUCCESS;
    if (result != WOLFSSL_SUCCESS) {
        fail(error, "the leaf cannot be used: %s", tls_error_text(result));
    } else if ((result = wolfSSL_CTX_use_PrivateKey_buffer(wolfssl, credentials->key.data, (long)credentials->key.size,
                                                           WOLFSSL_FILETYPE_ASN1)) != WOLFSSL_SUCCESS) {
        fail(error, "the private key cannot be used: %s", tls_error_text(result));
    } else if (wolfSSL_CTX_check_private_key(wolfssl) != WOLFSSL_SUCCESS) {
        fail(error, "the private key does not belong to the certificate");
    } else if (credentials->key_type == RSAk && !rsa_key_signs(credentials->key)) {
        fail(error, "the parts of the RSA key do not fit each other");
    } else {
        good = true;
    }
    wolfSSL_CTX_free(wolfssl);
    return good;
}

struct tls_credentials *tls_credentials_load(struct bytes chain_pem, struct bytes key_pem, bool *at_key,
                                             char error[static TLS_ERROR_SIZE]) {
    *at_key = false;
    if (chain_pem.size > PEM_SIZE_MAX || key_pem.size > PEM_SIZE_MAX) {
        *at_key = chain_pem.size <= PEM_SIZE_MAX;
        fail(error, "larger than %d bytes", PEM_SIZE_MAX);
        return NULL;
    }
    struct tls_credentials *credentials = calloc(1, sizeof(*credentials));
    if (credentials == NULL) {
        fail(error, "out of memory");
        return NULL;
    }
    if (load_chain(credentials, chain_pem, error) && check_leaf(credentials, error)) {
        *at_key = true;
        if (load_key(credentials, key_pem, error) && check_pair(credentials, at_key, error))
            return credentials;
    }
    tls_credentials_free(credentials);
    return NULL;
}

void tls_credentials_free(struct tls_credentials *credentials) {
    if (credentials == NULL)
        return;
    for (size_t i = 0; i < credentials->chain_count; i++)
        free((void *)(uintptr_t)credentials->chain[i].data);
    if (credentials->key.data != NULL)
        explicit_bzero((void *)(uintptr_t)credentials->key.data, credentials->key.size);
    free((void *)(uintptr_t)credentials->key.data);
    free(credentials);
}
