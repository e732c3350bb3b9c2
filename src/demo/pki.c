#include "demo/pki.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>

enum {
    DER_SIZE_MAX = 2048,
    PEM_SIZE_MAX = 4096,
    DAY_SECONDS = 24 * 60 * 60,
    LEAF_DAYS = 365,
    AUTHORITY_DAYS = 10 * 365,
};

enum role { ROOT, INTERMEDIATE, SERVER, CLIENT };

/* The content of a certificate that is to be made. Dates are days from now. */
struct profile {
    enum role role;
    const char *common_name;
    const char *unit; /* NULL: none */
    int not_before;
    int not_after;
};

/* A certificate with its private key. */
struct entity {
    ecc_key key;
    CertName name;
    uint8_t der[DER_SIZE_MAX];
    word32 der_size;
};

struct pki {
    WC_RNG rng;
    int64_t now;
    struct entity root;
    struct entity intermediate;
    struct entity other_root;
    struct entity leaf; /* of one leaf after the other */
};

static struct pki *pki_new(void) {
    struct pki *pki = calloc(1, sizeof *pki);
    if (pki == NULL) {
        return NULL;
    }
    pki->now = clock_wall_seconds();
    if (wc_ecc_init(&pki->root.key) == 0 && wc_ecc_init(&pki->intermediate.key) == 0 &&
        wc_ecc_init(&pki->other_root.key) == 0 && wc_ecc_init(&pki->leaf.key) == 0 && wc_InitRng(&pki->rng) == 0) {
        return pki;
    }
    free(pki);
    return NULL;
}

static void pki_free(struct pki *pki) {
    wc_ecc_free(&pki->root.key);
    wc_ecc_free(&pki->intermediate.key);
    wc_ecc_free(&pki->other_root.key);
    wc_ecc_free(&pki->leaf.key);
    wc_FreeRng(&pki->rng);
    wc_ForceZero(pki, sizeof *pki);
    free(pki);
}

/* GeneralNames of server.pem, as a SEQUENCE of dNSName (RFC 5280 section 4.2.1.6). */
static size_t write_server_names(uint8_t *out, size_t capacity) {
    static const char *const names[] = {"enforce.localhost", "report.localhost", "localhost"};
    size_t size = 2;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        size_t length = strlen(names[i]);
        CHECK(size + 2 + length <= capacity && size + length < 128);
        out[size++] = 0x82; /* [2] IMPLICIT IA5String */
        out[size++] = (uint8_t)length;
        memcpy(out + size, names[i], length);
        size += length;
    }
    out[0] = 0x30;
    out[1] = (uint8_t)(size - 2);
    return size;
}

/*
 * Writes a date, type and length first, as UTCTime, which RFC 5280 section 4.1.2.5 demands up to 2049; wolfCrypt would write
 * a GeneralizedTime.
 */
static int set_date(uint8_t out[static CTC_DATE_SIZE], int *size, int64_t seconds) {
    time_t time = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&time, &tm) == NULL) {
        return -ERANGE;
    }
    bool utc = tm.tm_year < 150;
    char digits[16];
    size_t length = strftime(digits, sizeof digits, "%Y%m%d%H%M%SZ", &tm);
    size_t century = utc ? 2 : 0; /* UTCTime leaves out the century */
    if (length == 0) {
        return -ERANGE;
    }
    length -= century;
    out[0] = utc ? ASN_UTC_TIME : ASN_GENERALIZED_TIME;
    out[1] = (uint8_t)length;
    memcpy(out + 2, digits + century, length);
    *size = (int)length + 2;
    return 0;
}

static void set_name(CertName *name, const struct profile *profile) {
    snprintf(name->country, sizeof name->country, "DE");
    snprintf(name->org, sizeof name->org, "Sallyport demo");
    if (profile->unit != NULL) {
        snprintf(name->unit, sizeof name->unit, "%s", profile->unit);
    }
    snprintf(name->commonName, sizeof name->commonName, "%s", profile->common_name);
}

static int set_usage(Cert *cert, enum role role) {
    switch (role) {
    case ROOT:
    case INTERMEDIATE:
        cert->isCA = 1;
        cert->basicConstCrit = 1;
        cert->pathLenSet = role == INTERMEDIATE;
        cert->pathLen = 0;
        return wc_SetKeyUsage(cert, "keyCertSign,cRLSign");
    case SERVER:
        cert->altNamesSz = (int)write_server_names(cert->altNames, sizeof cert->altNames);
        break;
    case CLIENT:
        break;
    }
    int result = wc_SetKeyUsage(cert, "digitalSignature");
    return result != 0 ? result : wc_SetExtKeyUsage(cert, role == SERVER ? "serverAuth" : "clientAuth");
}

static int fill(Cert *cert, struct pki *pki, struct entity *subject, struct entity *issuer, const struct profile *profile) {
    cert->sigType = CTC_SHA256wECDSA;
    cert->selfSigned = subject == issuer;
    set_name(&cert->subject, profile);
    if (subject != issuer) {
        cert->issuer = issuer->name;
    }
    int result = wc_RNG_GenerateBlock(&pki->rng, cert->serial, CTC_GEN_SERIAL_SZ);
    cert->serialSz = CTC_GEN_SERIAL_SZ;
    cert->serial[0] = (uint8_t)((cert->serial[0] & 0x3f) | 0x40); /* positive, and no leading zero */
    if (result == 0) {
        result = set_date(cert->beforeDate, &cert->beforeDateSz, pki->now + (int64_t)profile->not_before * DAY_SECONDS);
    }
    if (result == 0) {
        result = set_date(cert->afterDate, &cert->afterDateSz, pki->now + (int64_t)profile->not_after * DAY_SECONDS);
    }
    if (result == 0) {
        result = set_usage(cert, profile->role);
    }
    if (result == 0) {
        result = wc_SetSubjectKeyIdFromPublicKey_ex(cert, ECC_TYPE, &subject->key);
    }
    if (result == 0 && subject != issuer) {
        result = wc_SetAuthKeyIdFromPublicKey_ex(cert, ECC_TYPE, &issuer->key);
    }
    return result;
}

/* Makes a key and a certificate for `subject`, signed by `issuer`, which may be `subject`. 0 or wolfCrypt's error. */
static int issue(struct pki *pki, struct entity *subject, struct entity *issuer, const struct profile *profile) {
    wc_ecc_free(&subject->key);
    int result = wc_ecc_init(&subject->key);
    if (result == 0) {
        result = wc_ecc_make_key_ex(&pki->rng, 32, &subject->key, ECC_SECP256R1);
    }
    if (result != 0) {
        return result;
    }
    Cert *cert = malloc(sizeof *cert); /* 20 KiB and more */
    if (cert == NULL) {
        return MEMORY_E;
    }
    result = wc_InitCert(cert);
    if (result == 0) {
        result = fill(cert, pki, subject, issuer, profile);
    }
    if (result == 0) {
        result = wc_MakeCert_ex(cert, subject->der, sizeof subject->der, ECC_TYPE, &subject->key, &pki->rng);
    }
    if (result > 0) {
        result = wc_SignCert_ex(cert->bodySz, cert->sigType, subject->der, sizeof subject->der, ECC_TYPE, &issuer->key,
                                &pki->rng);
    }
    subject->der_size = result > 0 ? (word32)result : 0;
    subject->name = cert->subject;
    free(cert);
    return result > 0 ? 0 : result;
}

static int append_pem(struct text *text, const uint8_t *der, word32 size, int type) {
    uint8_t pem[PEM_SIZE_MAX];
    int length = wc_DerToPem(der, size, pem, sizeof pem, type);
    if (length > 0) {
        text_append(text, pem, (size_t)length);
    }
    wc_ForceZero(pem, sizeof pem);
    return length > 0 ? 0 : length;
}

static int append_key(struct text *text, struct entity *entity) {
    uint8_t der[DER_SIZE_MAX];
    word32 size = sizeof der;
    int result = wc_EccKeyToPKCS8(&entity->key, der, &size);
    if (result > 0) {
        result = append_pem(text, der, (word32)result, PKCS8_PRIVATEKEY_TYPE);
    }
    wc_ForceZero(der, sizeof der);
    return result;
}

/* The content of a file: certificates in this order (NULL: none), then the private key of `key`. */
struct content {
    struct entity *first;
    struct entity *second;
    struct entity *key;
};

static int write_file(const struct demo_folder *folder, const char *name, struct content content, struct error *error) {
    uint8_t buffer[3 * PEM_SIZE_MAX];
    struct text text = text_over(buffer, sizeof buffer);
    int result = 0;
    if (content.first != NULL) {
        result = append_pem(&text, content.first->der, content.first->der_size, CERT_TYPE);
    }
    if (result == 0 && content.second != NULL) {
        result = append_pem(&text, content.second->der, content.second->der_size, CERT_TYPE);
    }
    if (result == 0 && content.key != NULL) {
        result = append_key(&text, content.key);
    }
    if (result != 0) {
        result = error_fail(error, -EINVAL, "%s: cannot be encoded: %s", name, wc_GetErrorString(result));
    } else {
        CHECK(!text.overflow);
        result = demo_folder_write(folder, name, content.key == NULL ? 0644 : 0600, text_bytes(&text), error);
    }
    wc_ForceZero(buffer, sizeof buffer);
    return result;
}

static int create_authorities(struct pki *pki, struct error *error) {
    static const struct profile root = {ROOT, "Sallyport demo root", NULL, -400, AUTHORITY_DAYS};
    static const struct profile intermediate = {INTERMEDIATE, "Sallyport demo intermediate", NULL, -400, AUTHORITY_DAYS};
    static const struct profile other = {ROOT, "Somebody else's root", NULL, -400, AUTHORITY_DAYS};
    int result = issue(pki, &pki->root, &pki->root, &root);
    if (result == 0) {
        result = issue(pki, &pki->intermediate, &pki->root, &intermediate);
    }
    if (result == 0) {
        result = issue(pki, &pki->other_root, &pki->other_root, &other);
    }
    if (result != 0) {
        return error_fail(error, -EINVAL, "the demo's authorities cannot be made: %s", wc_GetErrorString(result));
    }
    return 0;
}

static int create_leaf(struct pki *pki, struct entity *issuer, const struct profile *profile, struct error *error) {
    int result = issue(pki, &pki->leaf, issuer, profile);
    if (result != 0) {
        return error_fail(error, -EINVAL, "the certificate of %s cannot be made: %s", profile->common_name,
                          wc_GetErrorString(result));
    }
    return 0;
}

static int create_leaves(struct pki *pki, const struct demo_folder *folder, struct error *error) {
    static const struct profile server = {SERVER, "enforce.localhost", NULL, -1, LEAF_DAYS};
    static const struct {
        const char *file;
        struct profile profile;
        bool other;
    } clients[] = {
        {"pizza.pem", {CLIENT, "pizza", "Ovens", -1, LEAF_DAYS}, false},
        {"expired.pem", {CLIENT, "stale-pizza", "Ovens", -300, -30}, false},
        {"other-root.pem", {CLIENT, "pasta", "Ovens", -1, LEAF_DAYS}, true},
    };
    struct entity *leaf = &pki->leaf;
    int result = create_leaf(pki, &pki->intermediate, &server, error);
    if (result == 0) {
        result = write_file(folder, "server.pem", (struct content){leaf, &pki->intermediate, NULL}, error);
    }
    if (result == 0) {
        result = write_file(folder, "server.key", (struct content){NULL, NULL, leaf}, error);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(clients) && result == 0; i++) {
        struct entity *issuer = clients[i].other ? &pki->other_root : &pki->intermediate;
        result = create_leaf(pki, issuer, &clients[i].profile, error);
        if (result == 0) {
            result =
                write_file(folder, clients[i].file, (struct content){leaf, clients[i].other ? NULL : issuer, leaf}, error);
        }
    }
    return result;
}

int demo_pki_create(const struct demo_folder *folder, struct error *error) {
    struct pki *pki = pki_new();
    if (pki == NULL) {
        return error_fail(error, -ENOMEM, "out of memory, or the kernel gives no random numbers");
    }
    int result = create_authorities(pki, error);
    if (result == 0) {
        result = write_file(folder, "root.pem", (struct content){&pki->root, NULL, NULL}, error);
    }
    if (result == 0) {
        result = write_file(folder, "intermediate.pem", (struct content){&pki->intermediate, NULL, NULL}, error);
    }
    if (result == 0) {
        result = create_leaves(pki, folder, error);
    }
    pki_free(pki);
    return result;
}

/* Parses the first certificate of a PEM file. 0, then free `decoded` and `der`; or -EINVAL. */
static int decode(const struct demo_folder *folder, const char *name, DecodedCert *decoded, DerBuffer **der) {
    uint8_t pem[DEMO_FILE_SIZE_MAX];
    *der = NULL;
    ssize_t size = demo_folder_read(folder, name, pem);
    if (size <= 0 || wc_PemToDer(pem, (long)size, CERT_TYPE, der, NULL, NULL, NULL) != 0) {
        wc_FreeDer(der);
        return -EINVAL;
    }
    wc_InitDecodedCert(decoded, (*der)->buffer, (*der)->length, NULL);
    if (wc_ParseCert(decoded, CERT_TYPE, NO_VERIFY, NULL) == 0) {
        return 0;
    }
    wc_FreeDecodedCert(decoded);
    wc_FreeDer(der);
    return -EINVAL;
}

static int read_not_after(const DecodedCert *decoded, int64_t *seconds) {
    struct tm tm = {0};
    const byte *date;
    byte format;
    int length;
    if (wc_GetDateInfo(decoded->afterDate, decoded->afterDateLen, &date, &format, &length) != 0 ||
        wc_GetDateAsCalendarTime(date, length, format, &tm) != 0) {
        return -EINVAL;
    }
    *seconds = (int64_t)timegm(&tm);
    return 0;
}

int demo_pki_check(const struct demo_folder *folder, int64_t now, struct error *error) {
    static const char *const names[] = {"server.pem", "pizza.pem"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        int64_t not_after = 0;
        DecodedCert decoded;
        DerBuffer *der;
        if (decode(folder, names[i], &decoded, &der) != 0) {
            return error_fail(error, -EINVAL, "%s/%s: holds no certificate: remove the folder or choose another",
                              folder->path, names[i]);
        }
        int result = read_not_after(&decoded, &not_after);
        wc_FreeDecodedCert(&decoded);
        wc_FreeDer(&der);
        if (result != 0 || not_after < now) {
            return error_fail(error, -EINVAL, "%s/%s: has expired: remove the folder or choose another", folder->path,
                              names[i]);
        }
    }
    return 0;
}

int demo_pki_ski(const struct demo_folder *folder, const char *name, char ski[static DEMO_PKI_SKI_SIZE]) {
    DecodedCert decoded;
    DerBuffer *der;
    if (decode(folder, name, &decoded, &der) != 0) {
        return -EINVAL;
    }
    struct text text = text_over(ski, DEMO_PKI_SKI_SIZE - 1);
    text_append_hex(&text, bytes_of(decoded.extSubjKeyId, decoded.extSubjKeyIdSet ? decoded.extSubjKeyIdSz : 0));
    ski[text.size] = '\0';
    wc_FreeDecodedCert(&decoded);
    wc_FreeDer(&der);
    return text.size > 0 && !text.overflow ? 0 : -EINVAL;
}
