#include "tls/credentials.h"

#include "base/check.h"
#include "tls/wolfssl.h"
#include "x509/der.h"
#include "x509/leaf.h"
#include "x509/pem.h"
#include "x509/signature.h"
#include "x509/signed.h"

#include <stdlib.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 4096,
    PEM_SIZE_MAX = 1024 * 1024, /* of a file: far above any chain, far below where wolfSSL's 32-bit sizes end */
};

/* Decodes a block to *der, malloc'd. False when out of memory. */
static bool decode(const struct pem_block *block, struct bytes *der, struct error *error) {
    uint8_t *data = malloc(block->size);
    if (data == NULL) {
        error_set(error, "out of memory");
        return false;
    }
    pem_decode(block, data);
    *der = bytes_of(data, block->size);
    return true;
}

static bool add_certificate(struct tls_credentials *credentials, const struct pem_block *block, struct error *error) {
    size_t index = credentials->chain_count;
    if (index == TLS_CHAIN_MAX) {
        error_set(error, "more than %d certificates in the chain", TLS_CHAIN_MAX);
        return false;
    }
    if (!decode(block, &credentials->chain[index], error)) {
        return false;
    }
    credentials->chain_count++;
    struct bytes content;
    if (!der_only(credentials->chain[index], DER_SEQUENCE, &content)) {
        error_set(error, "line %u: certificate %zu does not parse: it is not one DER structure", block->line, index + 1);
        return false;
    }
    struct certificate certificate;
    struct bytes validity;
    if (!leaf_read(credentials->chain[index], &certificate, &validity)) {
        error_set(error, "line %u: certificate %zu does not parse: its public key cannot be found", block->line, index + 1);
        return false;
    }
    return true;
}

static bool load_chain(struct tls_credentials *credentials, struct bytes pem, struct error *error) {
    struct pem_reader reader = pem_reader_of(pem);
    struct pem_block block;
    enum pem_result result;
    while ((result = pem_next(&reader, &block)) == PEM_BLOCK) {
        /* Other blocks are passed over: the key may be in the same file. */
        if (pem_label_is(&block, "CERTIFICATE") && !add_certificate(credentials, &block, error)) {
            return false;
        }
    }
    if (result == PEM_ERROR) {
        error_set(error, "line %u: %s", reader.error_line, reader.error);
    } else if (credentials->chain_count == 0) {
        error_set(error, "no certificate in PEM (-----BEGIN CERTIFICATE-----)");
    }
    return result == PEM_END && credentials->chain_count > 0;
}

/* An encrypted key is marked in its label (RFC 5958) or, in the older form, by a line of its own (RFC 1421). */
static bool is_encrypted(struct bytes pem) {
    static const char *const marks[] = {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"};
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        if (pem.size > 0 && memmem(pem.data, pem.size, marks[i], strlen(marks[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_key(const struct pem_block *block) {
    return pem_label_is(block, "PRIVATE KEY") || pem_label_is(block, "EC PRIVATE KEY") ||
           pem_label_is(block, "RSA PRIVATE KEY");
}

static bool load_key(struct tls_credentials *credentials, struct bytes pem, struct error *error) {
    if (is_encrypted(pem)) {
        error_set(error,
                  "the private key is encrypted: give one without a passphrase (openssl pkey -in KEY -out PLAIN_KEY)");
        return false;
    }
    struct pem_reader reader = pem_reader_of(pem);
    struct pem_block block;
    enum pem_result result;
    while ((result = pem_next(&reader, &block)) == PEM_BLOCK) {
        if (!is_key(&block)) {
            continue; /* EC PARAMETERS, or the chain in the same file */
        }
        if (credentials->key.size > 0) {
            error_set(error, "line %u: a second private key", block.line);
            return false;
        }
        if (!decode(&block, &credentials->key, error)) {
            return false;
        }
    }
    if (result == PEM_ERROR) {
        error_set(error, "line %u: %s", reader.error_line, reader.error);
    } else if (credentials->key.size == 0) {
        error_set(error, "no private key in PEM (-----BEGIN PRIVATE KEY-----)");
    }
    return result == PEM_END && credentials->key.size > 0;
}

static bool rsa_size_supported(const struct signature_key *key, struct error *error) {
    unsigned bits = (key->bits + 7) / 8 * 8;
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        error_set(error, "RSA keys of %u bits are not supported, only %d to %d", bits, RSA_BITS_MIN, RSA_BITS_MAX);
        return false;
    }
    return true;
}

/* Tells whether the leaf's key can be used, and fills the fields of the key. */
static bool key_supported(struct tls_credentials *credentials, const struct certificate *leaf, struct error *error) {
    struct signature_key key;
    enum reason reason = signature_judge_key(leaf, &key);
    if (key.algorithm.kind == SIGNATURE_RSA && key.bits > 0 && !rsa_size_supported(&key, error)) {
        return false;
    }
    if (key.algorithm.kind == SIGNATURE_ECDSA && key.curve != ECC_SECP256R1 && key.curve != ECC_SECP384R1) {
        error_set(error, "ECDSA keys are supported on P-256 and P-384 only");
        return false;
    }
    if (!signature_key_can_verify(&key, reason) || key.algorithm.kind == SIGNATURE_RSA_PSS || signature_is_ml_dsa(&key)) {
        error_set(error, "the leaf's key type is not supported: use ECDSA P-256 or P-384, RSA or Ed25519");
        return false;
    }
    if (key.algorithm.kind == SIGNATURE_RSA) {
        credentials->needs_key = SERVER_KEY_RSA;
        credentials->key_type = RSAk;
        credentials->key_size = (int)key.modulus.size;
    } else if (key.algorithm.kind == SIGNATURE_ECDSA) {
        credentials->needs_key = key.curve == ECC_SECP256R1 ? SERVER_KEY_P256 : SERVER_KEY_P384;
        credentials->key_type = ECDSAk;
        credentials->key_curve = key.curve == ECC_SECP256R1 ? ECC_SECP256R1_OID : ECC_SECP384R1_OID;
        credentials->key_size = (int)(key.point.size / 2);
    } else {
        credentials->needs_key = SERVER_KEY_ED25519;
        credentials->key_type = ED25519k;
        credentials->key_curve = ECC_ED25519_OID;
        credentials->key_size = ED25519_KEY_SIZE;
    }
    return true;
}

/* Returns the scheme of TLS by which a certificate is signed. */
static unsigned scheme_of(struct bytes certificate) {
    static const unsigned schemes[][SIGNATURE_SHA512 + 1] = {
        [SIGNATURE_RSA] = {0, SCHEME_PKCS1_SHA256, SCHEME_PKCS1_SHA384, SCHEME_PKCS1_SHA512},
        [SIGNATURE_RSA_PSS] = {0, SCHEME_PSS_SHA256, SCHEME_PSS_SHA384, SCHEME_PSS_SHA512},
        [SIGNATURE_ECDSA] = {0, SCHEME_ECDSA_SHA256, SCHEME_ECDSA_SHA384, SCHEME_ECDSA_SHA512},
        [SIGNATURE_ED25519] = {SCHEME_ED25519},
    };
    struct bytes content;
    struct signed_parts parts;
    struct signature_algorithm algorithm;
    if (!der_only(certificate, DER_SEQUENCE, &content) || !signed_read(content, &parts) ||
        signature_judge_algorithm(&parts.algorithm, &algorithm) != REASON_OK) {
        return SCHEME_OTHER;
    }
    return schemes[algorithm.kind][algorithm.hash];
}

/* Clients verify no signature that a certificate has of its own key (RFC 8446 section 4.4.2.2). */
static unsigned schemes_of_chain(const struct tls_credentials *credentials) {
    unsigned schemes = 0;
    for (size_t i = 0; i < credentials->chain_count; i++) {
        struct certificate certificate;
        const char *ignored;
        if (!certificate_read(&certificate, credentials->chain[i], &ignored) || !certificate_is_self_issued(&certificate)) {
            schemes |= scheme_of(credentials->chain[i]);
        }
    }
    return schemes;
}

static bool check_leaf(struct tls_credentials *credentials, struct error *error) {
    struct certificate leaf;
    struct bytes validity;
    CHECK(leaf_read(credentials->chain[0], &leaf, &validity)); /* it has been read before */
    if (!der_read_time(&validity, &credentials->not_before) || !der_read_time(&validity, &credentials->not_after)) {
        error_set(error, "the leaf's notAfter is no time");
        return false;
    }
    credentials->needs_chain = schemes_of_chain(credentials);
    return key_supported(credentials, &leaf, error);
}

/* Tells whether the key signs. With a wrong part it still has the right modulus, and its wrong signatures can betray the
 * factors. */
static bool rsa_key_signs(struct bytes der) {
    static const byte digest[WC_SHA256_DIGEST_SIZE] = {0};
    word32 index = 0;
    WC_RNG generator;
    if (wc_InitRng(&generator) != 0) {
        return false;
    }
    RsaKey key;
    if (wc_InitRsaKey(&key, NULL) != 0) {
        wc_FreeRng(&generator);
        return false;
    }
    int size = wc_RsaPrivateKeyDecode(der.data, &index, &key, (word32)der.size);
    if (size == 0) {
        size = wc_RsaSetRNG(&key, &generator);
    }
    byte signature[RSA_BITS_MAX / 8];
    if (size == 0) {
        size = wc_RsaSSL_Sign(digest, sizeof digest, signature, sizeof signature, &key, &generator);
    }
    byte plain[RSA_BITS_MAX / 8];
    if (size > 0) {
        size = wc_RsaSSL_Verify(signature, (word32)size, plain, sizeof plain, &key);
    }
    wc_FreeRsaKey(&key);
    wc_FreeRng(&generator);
    return size == (int)sizeof digest && memcmp(plain, digest, sizeof digest) == 0;
}

/* Returns the index of the certificate behind the leaf that has this key; 0: none. */
static size_t find_owner(const struct tls_credentials *credentials) {
    for (size_t i = 1; i < credentials->chain_count; i++) {
        struct tls_credentials other = *credentials; /* for the key's type, which is that of the leaf there */
        struct certificate certificate;
        struct bytes validity;
        CHECK(leaf_read(credentials->chain[i], &certificate, &validity));
        struct error ignored;
        if (key_supported(&other, &certificate, &ignored) &&
            wc_CheckPrivateKey(other.key.data, (word32)other.key.size, certificate.key.data, (word32)certificate.key.size,
                               (enum Key_Sum)other.key_type, NULL) == 1) {
            return i;
        }
    }
    return 0;
}

static bool check_pair(const struct tls_credentials *credentials, struct error *error) {
    struct bytes key = credentials->key;
    struct certificate leaf;
    struct bytes validity;
    CHECK(leaf_read(credentials->chain[0], &leaf, &validity));
    WOLFSSL_CTX *wolfssl = wolfSSL_CTX_new(wolfTLS_server_method());
    if (wolfssl == NULL) {
        error_set(error, "out of memory");
        return false;
    }
    int result = wolfSSL_CTX_use_PrivateKey_buffer(wolfssl, key.data, (long)key.size, WOLFSSL_FILETYPE_ASN1);
    wolfSSL_CTX_free(wolfssl);
    if (result != WOLFSSL_SUCCESS) {
        error_set(error, "the private key cannot be used: %s", tls_error_text(result));
    } else if (wc_CheckPrivateKey(key.data, (word32)key.size, leaf.key.data, (word32)leaf.key.size,
                                  (enum Key_Sum)credentials->key_type, NULL) != 1) {
        error_set(error, "the private key does not belong to the certificate");
    } else if (credentials->key_type == RSAk && !rsa_key_signs(key)) {
        error_set(error, "the parts of the RSA key do not fit each other");
    } else {
        return true;
    }
    return false;
}

struct tls_credentials *tls_credentials_load(struct bytes chain_pem, struct bytes key_pem, bool *at_key,
                                             struct error *error) {
    *at_key = false;
    if (chain_pem.size > PEM_SIZE_MAX || key_pem.size > PEM_SIZE_MAX) {
        *at_key = chain_pem.size <= PEM_SIZE_MAX;
        error_set(error, "larger than %d bytes", PEM_SIZE_MAX);
        return NULL;
    }
    struct tls_credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (load_chain(credentials, chain_pem, error) && check_leaf(credentials, error)) {
        *at_key = true;
        bool has_key = load_key(credentials, key_pem, error);
        if (has_key && check_pair(credentials, error)) {
            return credentials;
        }
        size_t owner = has_key ? find_owner(credentials) : 0;
        if (owner > 0) {
            *at_key = false;
            error_set(error,
                      "the private key belongs to certificate %zu of the chain: put that first, and behind each "
                      "certificate that of its issuer",
                      owner + 1);
        }
    }
    tls_credentials_free(credentials);
    return NULL;
}

const char *tls_credentials_kind(const struct tls_credentials *credentials) {
    return credentials->needs_key == SERVER_KEY_RSA       ? "RSA"
           : credentials->needs_key == SERVER_KEY_ED25519 ? "Ed25519"
                                                          : "ECDSA";
}

void tls_credentials_free(struct tls_credentials *credentials) {
    if (credentials == NULL) {
        return;
    }
    for (size_t i = 0; i < credentials->chain_count; i++) {
        free((void *)(uintptr_t)credentials->chain[i].data);
    }
    if (credentials->key.data != NULL) {
        explicit_bzero((void *)(uintptr_t)credentials->key.data, credentials->key.size);
    }
    free((void *)(uintptr_t)credentials->key.data);
    free(credentials);
}
