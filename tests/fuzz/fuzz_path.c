/*
 * A root and a chain, each certificate as two octets of length and its bytes: the root first, then the chain, the leaf
 * first. Whatever they are, a verdict comes out, its headers are well-formed, and what is valid has signatures that hold.
 */
#include "base/check.h"
#include "identity/identity.h"
#include "identity/path.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CERTIFICATES_MAX = PATH_CHAIN_MAX + 2, AT = 1780315200 /* 2026-06-01T12:00:00Z */ };

/* Each in memory of its own, so that a read past its end is seen. */
static size_t split(struct bytes input, struct bytes parts[static CERTIFICATES_MAX]) {
    size_t count = 0;
    while (count < CERTIFICATES_MAX && input.size >= 2) {
        size_t size = (size_t)input.data[0] << 8 | input.data[1];
        size = size < input.size - 2 ? size : input.size - 2;
        uint8_t *copy = malloc(size > 0 ? size : 1);
        CHECK(copy != NULL);
        memcpy(copy, input.data + 2, size);
        parts[count++] = bytes_of(copy, size);
        input = bytes_of(input.data + 2 + size, input.size - 2 - size);
    }
    return count;
}

static const char *const names[] = {
    "status",     "reason",         "ski",           "aki",         "serial",       "subject.dn",    "issuer.dn",
    "subject.cn", "san.dns",        "san.ip",        "san.uri",     "san.email",    "not_before",    "not_after",
    "xfcc",       "pem.urlencoded", "ext:2.5.29.17", "spki.sha256", "rfc9440.cert", "rfc9440.chain", "fingerprint.sha1",
};

static void check_identity(const struct identity *identity) {
    CHECK(memchr(identity->detail, '\0', sizeof(identity->detail)) != NULL);
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

static void check_valid_path(const struct trust *trust, const struct bytes *chain, size_t count) {
    static struct path_chain read;
    struct path_verdict verdict;
    CHECK(path_read_chain(&read, chain, count));
    path_judge(&read, &(struct path_settings){.trust = trust, .depth_max = PATH_CHAIN_MAX, .now = AT}, &verdict);
    CHECK(verdict.fault.reason == REASON_OK && verdict.length >= 1 && verdict.length <= count && verdict.order[0] == 0);
    for (size_t i = 0; i < verdict.length; i++) {
        const struct path_member *member = &read.members[verdict.order[i]];
        const struct signature_key *key =
            i + 1 == verdict.length ? &verdict.anchor->key : &read.members[verdict.order[i + 1]].key;
        CHECK(signature_verify(key, &member->algorithm, member->certificate.tbs, member->certificate.signature));
        CHECK(member->certificate.not_before <= AT && AT <= member->certificate.not_after);
        CHECK(i == 0 || member->certificate.is_ca);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes parts[CERTIFICATES_MAX];
    struct forward_header headers[ARRAY_LENGTH(names)];
    char error[IDENTITY_ERROR_SIZE];
    size_t count = split(bytes_of(data, size), parts);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        headers[i].name = (char *)names[i];
        CHECK(field_parse(names[i], &headers[i].field));
    }
    struct trust *trust = trust_create();
    if (count > 1 && trust_add_file(trust, parts[0], error) == 0) {
        const struct forward forward = {headers, ARRAY_LENGTH(headers)};
        const struct identity_policy policy = {.trust = trust, .depth_max = PATH_CHAIN_MAX, .forward = &forward};
        struct identity *identity = identity_judge(&policy, parts + 1, count - 1, false, AT);
        check_identity(identity);
        if (identity->reason == REASON_OK) {
            check_valid_path(trust, parts + 1, count - 1);
        }
        identity_release(identity);
    }
    trust_free(trust);
    for (size_t i = 0; i < count; i++) {
        free((void *)parts[i].data);
    }
    return 0;
}
