#include "micro/pki.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

enum { PEM_SIZE_MAX = 3 * PKI_DER_SIZE_MAX, RSA_BITS = 2048 };

/* A key and the name that its certificate has. */
struct owner {
    enum pki_key kind;
    union {
        ecc_key ecc;
        RsaKey rsa;
        ed25519_key ed25519;
    } key;
    CertName name;
};

static const struct {
    const char *name;
    int type;
    int signature;
} kinds[PKI_KEYS] = {
    [PKI_P256] = {"P-256", ECC_TYPE, CTC_SHA256wECDSA},
    [PKI_P384] = {"P-384", ECC_TYPE, CTC_SHA384wECDSA},
    [PKI_RSA2048] = {"RSA-2048", RSA_TYPE, CTC_SHA256wRSA},
    [PKI_ED25519] = {"Ed25519", ED25519_TYPE, CTC_ED25519},
};

const char *pki_key_name(enum pki_key key) {
    return kinds[key].name;
}

static struct owner *owner_create(enum pki_key kind, WC_RNG *rng, const char *name) {
    struct owner *owner = calloc(1, sizeof *owner);
    int result = 0;

    CHECK(owner != NULL);
    owner->kind = kind;
    switch (kind) {
    case PKI_RSA2048:
        CHECK(wc_InitRsaKey(&owner->key.rsa, NULL) == 0);
        result = wc_MakeRsaKey(&owner->key.rsa, RSA_BITS, WC_RSA_EXPONENT, rng);
        break;
    case PKI_ED25519:
        CHECK(wc_ed25519_init(&owner->key.ed25519) == 0);
        result = wc_ed25519_make_key(rng, ED25519_KEY_SIZE, &owner->key.ed25519);
        break;
    default:
        CHECK(wc_ecc_init(&owner->key.ecc) == 0);
        result = wc_ecc_make_key_ex(rng, 0, &owner->key.ecc, kind == PKI_P256 ? ECC_SECP256R1 : ECC_SECP384R1);
        break;
    }
    CHECK(result == 0);
    owner->name.orgEnc = owner->name.commonNameEnc = CTC_UTF8;
    snprintf(owner->name.org, sizeof owner->name.org, "Bench");
    snprintf(owner->name.commonName, sizeof owner->name.commonName, "%s", name);
    return owner;
}

static void owner_free(struct owner *owner) {
    switch (owner->kind) {
    case PKI_RSA2048:
        wc_FreeRsaKey(&owner->key.rsa);
        break;
    case PKI_ED25519:
        wc_ed25519_free(&owner->key.ed25519);
        break;
    default:
        wc_ecc_free(&owner->key.ecc);
        break;
    }
    free(owner);
}

/* UTCTime behind its type and length: RFC 5280 wants that form for these years. */
static void set_date(byte out[static CTC_DATE_SIZE], int *size, const char *digits) {
    size_t length = strlen(digits);

    out[0] = ASN_UTC_TIME;
    out[1] = (byte)length;
    memcpy(out + 2, digits, length);
    *size = (int)length + 2;
}

static void set_usage(Cert *cert, bool authority) {
    cert->isCA = authority;
    cert->basicConstCrit = authority;
    CHECK(wc_SetKeyUsage(cert, authority ? "keyCertSign,cRLSign" : "digitalSignature") == 0);
    CHECK(authority || wc_SetExtKeyUsage(cert, "serverAuth,clientAuth") == 0);
}

static void issue(struct pki_certificate *certificate, struct owner *subject, struct owner *issuer, bool authority,
                  WC_RNG *rng) {
    Cert *cert = malloc(sizeof *cert);
    int type = kinds[subject->kind].type;

    CHECK(cert != NULL && wc_InitCert(cert) == 0);
    cert->sigType = kinds[subject->kind].signature;
    cert->selfSigned = subject == issuer;
    cert->subject = subject->name;
    cert->issuer = issuer->name;
    CHECK(wc_RNG_GenerateBlock(rng, cert->serial, CTC_GEN_SERIAL_SZ) == 0);
    cert->serial[0] = (byte)((cert->serial[0] & 0x3f) | 0x40); /* positive, and no leading zero */
    cert->serialSz = CTC_GEN_SERIAL_SZ;
    set_date(cert->beforeDate, &cert->beforeDateSz, "200101000000Z");
    set_date(cert->afterDate, &cert->afterDateSz, "491231235959Z");
    set_usage(cert, authority);
    CHECK(wc_SetSubjectKeyIdFromPublicKey_ex(cert, type, &subject->key) == 0);
    CHECK(subject == issuer || wc_SetAuthKeyIdFromPublicKey_ex(cert, type, &issuer->key) == 0);
    CHECK(wc_MakeCert_ex(cert, certificate->der, PKI_DER_SIZE_MAX, type, &subject->key, rng) > 0);
    int size = wc_SignCert_ex(cert->bodySz, cert->sigType, certificate->der, PKI_DER_SIZE_MAX, type, &issuer->key, rng);
    CHECK(size > 0);
    certificate->der_size = (size_t)size;
    free(cert);
}

static void export_key(struct pki_certificate *certificate, struct owner *owner) {
    word32 size = PKI_DER_SIZE_MAX;

    if (kinds[owner->kind].type != ECC_TYPE) {
        return;
    }
    int written = wc_EccKeyToPKCS8(&owner->key.ecc, certificate->key, &size);
    CHECK(written > 0);
    certificate->key_size = (size_t)written;
}

struct pki *pki_create(enum pki_key key) {
    struct pki *pki = calloc(1, sizeof *pki);
    WC_RNG rng;

    CHECK(pki != NULL && wc_InitRng(&rng) == 0);
    struct owner *root = owner_create(key, &rng, "Bench Root");
    struct owner *intermediate = owner_create(key, &rng, "Bench Intermediate");
    issue(&pki->root, root, root, true, &rng);
    issue(&pki->intermediate, intermediate, root, true, &rng);
    for (size_t i = 0; i < PKI_LEAVES; i++) {
        char name[32];

        snprintf(name, sizeof name, "device-%zu", i);
        struct owner *leaf = owner_create(key, &rng, name);
        issue(&pki->leaves[i], leaf, intermediate, false, &rng);
        export_key(&pki->leaves[i], leaf);
        owner_free(leaf);
    }
    owner_free(root);
    owner_free(intermediate);
    wc_FreeRng(&rng);
    return pki;
}

void pki_chain(const struct pki *pki, size_t index, struct bytes chain[static PKI_CHAIN]) {
    chain[0] = bytes_of(pki->leaves[index].der, pki->leaves[index].der_size);
    chain[1] = bytes_of(pki->intermediate.der, pki->intermediate.der_size);
}

static struct bytes pem_of(const struct bytes *parts, size_t count, int type) {
    byte *pem = malloc(count * PEM_SIZE_MAX);
    size_t size = 0;

    CHECK(pem != NULL);
    for (size_t i = 0; i < count; i++) {
        int written = wc_DerToPem(parts[i].data, (word32)parts[i].size, pem + size, PEM_SIZE_MAX - 1, type);

        CHECK(written > 0);
        size += (size_t)written;
    }
    pem[size] = '\0';
    return bytes_of(pem, size);
}

struct bytes pki_chain_pem(const struct pki *pki, size_t index) {
    struct bytes chain[PKI_CHAIN];

    pki_chain(pki, index, chain);
    return pem_of(chain, PKI_CHAIN, CERT_TYPE);
}

struct bytes pki_key_pem(const struct pki *pki, size_t index) {
    struct bytes key = bytes_of(pki->leaves[index].key, pki->leaves[index].key_size);

    return pem_of(&key, 1, PKCS8_PRIVATEKEY_TYPE);
}
