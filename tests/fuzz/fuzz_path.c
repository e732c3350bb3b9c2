/*
 * A root and a chain, put together from the parts that the input names: names, dates, extensions, who signs whom. Lengths,
 * keys and signatures are made here, so that a change in a part is judged as a path and does not end at a broken signature.
 * Whatever comes, a verdict comes out, its headers are well-formed, and what is valid keeps all rules of RFC 5280 section
 * 6.1, which are asked here once more in the plainest way. make_path_seeds.py turns the corpus of chains into inputs.
 */
#include "base/check.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "identity/identity.h"
#include "path/path.h"
#include "x509/der.h"
#include "x509/name.h"

#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ed25519.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CERTIFICATES_MAX = PATH_CHAIN_MAX + 2,
    EXTENSIONS_MAX = 8,
    KEYS = 8,
    CERTIFICATE_SIZE_MAX_HERE = 16 * 1024,
    AT = 1780315200, /* 2026-06-01T12:00:00Z */
};

struct part_extension {
    uint8_t kind; /* index into `oids`; 0x80: critical */
    struct bytes value;
};

/* One certificate as the input tells it. */
struct parts {
    uint8_t signer; /* the key of the signer; from KEYS on the signature is broken */
    uint8_t key;    /* which key is its own */
    uint8_t issuer; /* the certificate whose subject it names; out of range: its own subject */
    uint16_t begin; /* days, see append_day */
    uint16_t end;
    struct bytes serial;
    struct bytes subject; /* content of the Name */
    struct part_extension extensions[EXTENSIONS_MAX];
    size_t extension_count;
};

static const char *const oids[] = {
    "\x55\x1d\x13", "\x55\x1d\x0f", "\x55\x1d\x25", "\x55\x1d\x11", "\x55\x1d\x0e", "\x55\x1d\x23",
    "\x55\x1d\x1e", "\x55\x1d\x20", "\x55\x1d\x36", "\x55\x1d\x24", "\x55\x1d\x1f", "\x2a\x03\x04",
};

/* AlgorithmIdentifier of Ed25519, as key and as signature. */
static const uint8_t algorithm[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};

static ed25519_key keys[KEYS];
static uint8_t points[KEYS][ED25519_PUB_KEY_SIZE];

static void make_keys(void) {
    static bool made;
    for (uint8_t i = 0; i < KEYS && !made; i++) {
        uint8_t seed[ED25519_KEY_SIZE];
        memset(seed, i + 1, sizeof seed);
        CHECK(wc_ed25519_init(&keys[i]) == 0 && wc_ed25519_import_private_only(seed, sizeof seed, &keys[i]) == 0);
        CHECK(wc_ed25519_make_public(&keys[i], points[i], sizeof points[i]) == 0);
        CHECK(wc_ed25519_import_private_key(seed, sizeof seed, points[i], sizeof points[i], &keys[i]) == 0);
    }
    made = true;
}

/* From the input: zeros when it has ended. */
static uint8_t take_number(struct bytes *in) {
    if (in->size == 0) {
        return 0;
    }
    uint8_t value = in->data[0];
    *in = bytes_of(in->data + 1, in->size - 1);
    return value;
}

static uint16_t take_number16(struct bytes *in) {
    uint8_t high = take_number(in);
    return (uint16_t)(high << 8 | take_number(in));
}

static struct bytes take_bytes(struct bytes *in, size_t size) {
    size = size < in->size ? size : in->size;
    struct bytes taken = bytes_of(in->data, size);
    *in = bytes_of(in->data + size, in->size - size);
    return taken;
}

static size_t take_parts(struct bytes in, struct parts parts[static CERTIFICATES_MAX]) {
    size_t count = 0;
    for (; count < CERTIFICATES_MAX && in.size > 0; count++) {
        struct parts *part = &parts[count];
        part->signer = take_number(&in) % (KEYS + 2);
        part->key = take_number(&in) % KEYS;
        part->issuer = take_number(&in);
        part->begin = take_number16(&in);
        part->end = take_number16(&in);
        part->serial = take_bytes(&in, take_number(&in));
        part->subject = take_bytes(&in, take_number16(&in));
        part->extension_count = take_number(&in) % (EXTENSIONS_MAX + 1);
        for (size_t i = 0; i < part->extension_count; i++) {
            part->extensions[i].kind = take_number(&in);
            part->extensions[i].value = take_bytes(&in, take_number16(&in));
        }
    }
    return count;
}

/* DER is built in place from here on: `out` gets an element around what `content` holds. */
static void append_element(struct text *out, uint8_t tag, struct bytes content) {
    text_append_char(out, (char)tag);
    if (content.size >= 0x100) {
        text_append_char(out, (char)0x82);
        text_append_char(out, (char)(content.size >> 8));
    } else if (content.size >= 0x80) {
        text_append_char(out, (char)0x81);
    }
    text_append_char(out, (char)content.size);
    text_append_bytes(out, content);
}

/* Months of 31 days from 2000 on: some days do not exist, which is malformed. */
static void append_day(struct text *out, unsigned day) {
    char digits[24];
    struct text text = text_over(digits, sizeof digits);
    text_append_format(&text, "%04u%02u%02u000000Z", 2000 + day / 372, day % 372 / 31 + 1, day % 31 + 1);
    append_element(out, DER_GENERALIZED_TIME, text_bytes(&text));
}

static void append_bits(struct text *out, struct bytes content) {
    uint8_t buffer[1 + ED25519_SIG_SIZE] = {0};
    CHECK(content.size < sizeof buffer);
    memcpy(buffer + 1, content.data, content.size);
    append_element(out, DER_BIT_STRING, bytes_of(buffer, content.size + 1));
}

static void append_extensions(struct text *out, const struct parts *part) {
    static char buffers[3][CERTIFICATE_SIZE_MAX_HERE];
    struct text list = text_over(buffers[0], sizeof buffers[0]);
    for (size_t i = 0; i < part->extension_count; i++) {
        static const uint8_t critical[] = {DER_BOOLEAN, 1, 0xff};
        struct text one = text_over(buffers[1], sizeof buffers[1]);
        const struct part_extension *extension = &part->extensions[i];
        append_element(&one, DER_OID, bytes_of_string(oids[(extension->kind & 0x7f) % ARRAY_LENGTH(oids)]));
        text_append(&one, critical, (extension->kind & 0x80) != 0 ? sizeof critical : 0);
        append_element(&one, DER_OCTET_STRING, extension->value);
        append_element(&list, DER_SEQUENCE, text_bytes(&one));
    }
    if (list.size > 0) {
        struct text whole = text_over(buffers[2], sizeof buffers[2]);
        append_element(&whole, DER_SEQUENCE, text_bytes(&list));
        append_element(out, DER_CONTEXT_CONSTRUCTED | 3, text_bytes(&whole));
    }
}

static void append_tbs(struct text *out, const struct parts *parts, size_t count, const struct parts *part) {
    static char buffer[CERTIFICATE_SIZE_MAX_HERE];
    static const uint8_t version[] = {DER_CONTEXT_CONSTRUCTED | 0, 3, DER_INTEGER, 1, 2};
    struct text tbs = text_over(buffer, sizeof buffer);
    text_append(&tbs, version, part->extension_count > 0 ? sizeof version : 0);
    append_element(&tbs, DER_INTEGER, part->serial);
    text_append(&tbs, algorithm, sizeof algorithm);
    append_element(&tbs, DER_SEQUENCE, part->issuer < count ? parts[part->issuer].subject : part->subject);
    char small[128];
    struct text days = text_over(small, sizeof small);
    append_day(&days, part->begin);
    append_day(&days, part->end);
    append_element(&tbs, DER_SEQUENCE, text_bytes(&days));
    append_element(&tbs, DER_SEQUENCE, part->subject);
    struct text key = text_over(small, sizeof small);
    text_append(&key, algorithm, sizeof algorithm);
    append_bits(&key, bytes_of(points[part->key], sizeof points[0]));
    append_element(&tbs, DER_SEQUENCE, text_bytes(&key));
    append_extensions(&tbs, part);
    append_element(out, DER_SEQUENCE, text_bytes(&tbs));
}

/* In memory of its own with no byte to spare, so that a read past its end is seen. */
static struct bytes assemble(const struct parts *parts, size_t count, const struct parts *part) {
    static char buffers[2][CERTIFICATE_SIZE_MAX_HERE];
    struct text certificate = text_over(buffers[0], sizeof buffers[0]);
    append_tbs(&certificate, parts, count, part);
    uint8_t signature[ED25519_SIG_SIZE];
    word32 size = sizeof signature;
    CHECK(wc_ed25519_sign_msg((const uint8_t *)certificate.data, (word32)certificate.size, signature, &size,
                              &keys[part->signer % KEYS]) == 0);
    signature[0] ^= part->signer >= KEYS;
    text_append(&certificate, algorithm, sizeof algorithm);
    append_bits(&certificate, bytes_of(signature, sizeof signature));
    struct text whole = text_over(buffers[1], sizeof buffers[1]);
    append_element(&whole, DER_SEQUENCE, text_bytes(&certificate));
    uint8_t *copy = malloc(whole.size);
    CHECK(copy != NULL);
    memcpy(copy, whole.data, whole.size);
    return bytes_of(copy, whole.size);
}

static const char *const names[] = {
    "status",     "reason",         "ski",           "aki",         "serial",       "subject.dn",    "issuer.dn",
    "subject.cn", "san.dns",        "san.ip",        "san.uri",     "san.email",    "not_before",    "not_after",
    "xfcc",       "pem.urlencoded", "ext:2.5.29.17", "spki.sha256", "rfc9440.cert", "rfc9440.chain", "fingerprint.sha1",
};

static void check_identity(const struct identity *identity) {
    size_t detail_size = strlen(identity->detail);
    CHECK(detail_size < IDENTITY_DETAIL_SIZE && (detail_size == 0) == (identity->reason == REASON_OK));
    for (struct bytes rest = bytes_of_string(identity->detail); rest.size > 0;) {
        size_t skip;
        size_t size = utf8_size(rest, &skip);
        CHECK(size > 0 && rest.data[0] >= 0x20 && rest.data[0] != 0x7f && !(rest.data[0] == 0xc2 && rest.data[1] < 0xa0));
        rest = bytes_of(rest.data + size, rest.size - size);
    }
    CHECK(identity->valid_from <= AT && AT <= identity->valid_until);
    CHECK((identity->status == STATUS_VALID) == (identity->reason == REASON_OK));
    size_t lines = 0;
    for (size_t i = 0; i < identity->headers.size; i++) {
        uint8_t c = identity->headers.data[i];
        CHECK(c >= 0x20 || c == '\r' || c == '\n');
        CHECK((c == '\r') == (i + 1 < identity->headers.size && identity->headers.data[i + 1] == '\n'));
        lines += c == '\n';
    }
    CHECK(lines >= 2 && lines <= ARRAY_LENGTH(names));
}

/* Checks one certificate of a valid path, and its issuer, the one above it. */
static void check_link(const struct path_member *member, const struct certificate *issuer, const struct signature_key *key) {
    const struct certificate *certificate = &member->certificate;
    CHECK(signature_verify(key, &member->algorithm, certificate->tbs, certificate->signature));
    CHECK(name_equal(certificate->issuer, issuer->subject));
    CHECK(certificate->not_before <= AT && AT <= certificate->not_after);
    CHECK(certificate->unknown_critical.size == 0);
    CHECK(!certificate->has_extended_key_usage || certificate->allows_client_auth);
    CHECK(issuer->is_ca && (!issuer->has_key_usage || (issuer->key_usage & KEY_USAGE_KEY_CERT_SIGN) != 0));
}

static void check_valid_path(const struct trust *trust, const struct bytes *chain, size_t count) {
    static struct path_chain read;
    CHECK(path_read_chain(&read, chain, count));
    struct path_verdict verdict;
    path_judge(&read, &(struct path_settings){.trust = trust, .depth_max = PATH_CHAIN_MAX, .now = AT}, &verdict);
    CHECK(verdict.fault.reason == REASON_OK && verdict.length >= 1 && verdict.length <= count && verdict.order[0] == 0);
    const struct certificate *anchor = &verdict.anchor->certificate;
    const struct certificate *leaf = &read.members[0].certificate;
    CHECK(anchor->not_before <= AT && AT <= anchor->not_after);
    CHECK(!leaf->has_key_usage || (leaf->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0);
    uint64_t allowed = anchor->has_path_length ? anchor->path_length : UINT64_MAX;
    for (size_t i = verdict.length; i-- > 0;) {
        const struct path_member *member = &read.members[verdict.order[i]];
        bool top = i + 1 == verdict.length;
        const struct path_member *above = top ? NULL : &read.members[verdict.order[i + 1]];
        check_link(member, top ? anchor : &above->certificate, top ? &verdict.anchor->key : &above->key);
        if (i > 0 && !name_equal(member->certificate.issuer, member->certificate.subject)) {
            CHECK(allowed > 0);
            allowed--;
        }
        if (i > 0 && member->certificate.has_path_length && member->certificate.path_length < allowed) {
            allowed = member->certificate.path_length;
        }
    }
}

/* libFuzzer's own hook, once before any input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    hash_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct parts parts[CERTIFICATES_MAX];
    make_keys();
    size_t count = take_parts(bytes_of(data, size), parts);
    struct bytes certificates[CERTIFICATES_MAX];
    for (size_t i = 0; i < count; i++) {
        certificates[i] = assemble(parts, count, &parts[i]);
    }
    struct forward_header headers[ARRAY_LENGTH(names)];
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        headers[i] = (struct forward_header){.name = (char *)names[i]};
        CHECK(field_parse(names[i], &headers[i].field));
    }
    struct trust *trust = trust_create();
    struct error error;
    if (count > 1 && trust_add_file(trust, certificates[0], &error) == 0) {
        const struct forward forward = {headers, ARRAY_LENGTH(headers)};
        const struct identity_policy policy = {.trust = trust, .depth_max = PATH_CHAIN_MAX, .forward = &forward};
        struct identity *identity = identity_judge(&policy, certificates + 1, count - 1, false, AT);
        check_identity(identity);
        if (identity->reason == REASON_OK) {
            check_valid_path(trust, certificates + 1, count - 1);
        }
        identity_release(identity);
    }
    trust_free(trust);
    for (size_t i = 0; i < count; i++) {
        free((void *)certificates[i].data);
    }
    return 0;
}
