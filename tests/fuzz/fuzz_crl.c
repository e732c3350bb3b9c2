/*
 * A root, a CRL file and a chain: an octet of flags (1: leaf alone, 2: stale CRLs are accepted, 4: signed here), then each
 * as two octets of length and its bytes; the chain with the leaf first. The target signs a CRL in DER and the chain, by one
 * key, where they have an Ed25519 signature: so a change in them does not end at a broken signature. Whatever they are, a
 * file loads whole or not at all, every entry of it is found again, and each certificate of a valid chain has, from the root
 * down, a current CRL that does not list it.
 */
#include "base/check.h"
#include "base/hash.h"
#include "path/path.h"
#include "path/revocation_list.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ed25519.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = PATH_CHAIN_MAX + 2, AT = 1780315200 /* 2026-06-01T12:00:00Z */ };

/* Each in memory of its own, so that a read past its end is seen. */
static size_t split(struct bytes input, struct bytes parts[static PARTS_MAX]) {
    size_t count = 0;
    while (count < PARTS_MAX && input.size >= 2) {
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

/* In place: both are views of memory that split has allocated. */
static void sign(struct bytes tbs, struct bytes signature) {
    static ed25519_key key;
    static bool made;
    if (!made) {
        uint8_t seed[ED25519_KEY_SIZE];
        memset(seed, 1, sizeof seed);
        CHECK(wc_ed25519_init(&key) == 0 && wc_ed25519_import_private_only(seed, sizeof seed, &key) == 0);
        uint8_t point[ED25519_PUB_KEY_SIZE];
        CHECK(wc_ed25519_make_public(&key, point, sizeof point) == 0);
        CHECK(wc_ed25519_import_private_key(seed, sizeof seed, point, sizeof point, &key) == 0);
        made = true;
    }
    if (signature.size == ED25519_SIG_SIZE) {
        word32 size = ED25519_SIG_SIZE;
        CHECK(wc_ed25519_sign_msg(tbs.data, (word32)tbs.size, (uint8_t *)signature.data, &size, &key) == 0);
    }
}

static void sign_all(struct bytes file, const struct bytes *certificates, size_t count) {
    struct crl crl;
    const char *why;
    if (crl_read(&crl, file, &why)) {
        sign(crl.tbs, crl.signature);
    }
    struct certificate certificate;
    for (size_t i = 0; i < count; i++) {
        if (certificate_read(&certificate, certificates[i], &why)) {
            sign(certificate.tbs, certificate.signature);
        }
    }
}

static bool is_within(struct bytes part, struct bytes whole) {
    return part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

/* Each of its entries must be found in the list that was made of it. */
static void check_crl(const struct revocation *revocation, struct bytes der) {
    const char *why = NULL;
    struct crl crl;
    if (!crl_read(&crl, der, &why)) {
        CHECK(why != NULL && revocation_count(revocation) == 0);
        return;
    }
    CHECK(is_within(crl.tbs, der) && is_within(crl.issuer, crl.tbs) && is_within(crl.entries, crl.tbs));
    CHECK(is_within(crl.point_names, crl.tbs) && is_within(crl.point_relative, crl.tbs) && is_within(crl.signature, der));
    CHECK(crl.this_update <= crl.next_update && crl.signature.size < der.size);
    if (revocation_count(revocation) == 0) {
        return;
    }
    size_t at = 0;
    struct revocation_list *list = revocation_next_list(revocation, crl.issuer, name_hash(crl.issuer), &at);
    struct bytes rest = crl.entries;
    size_t count = 0;
    CHECK(list != NULL);
    struct crl_entry entry;
    struct serials_entry found;
    while (crl_next_entry(&crl, &rest, &entry, &why) == CRL_ENTRY) {
        CHECK(serials_find(list->serials, entry.serial, &found) && bytes_equal(found.serial, entry.serial));
        count++;
    }
    CHECK(rest.size == 0 && serials_count(list->serials) <= count);
}

static void check_file(const struct revocation *revocation, struct bytes file, int result, const char *error) {
    CHECK(memchr(error, '\0', ERROR_SIZE) != NULL && (result == 0) == (error[0] == '\0'));
    CHECK((result == 0) == (revocation_count(revocation) > 0));
    if (pem_is_der(file)) {
        check_crl(revocation, file);
        return;
    }
    struct pem_reader reader = pem_reader_of(file);
    struct pem_block block;
    if (result == 0 && revocation_count(revocation) == 1 && pem_next(&reader, &block) == PEM_BLOCK &&
        pem_label_is(&block, "X509 CRL")) {
        uint8_t *der = malloc(block.size);
        CHECK(der != NULL);
        pem_decode(&block, der);
        check_crl(revocation, bytes_of(der, block.size));
        free(der);
    }
}

/* There is a current CRL that covers it, and the newest that its issuer's own key has signed does not list it. */
static void check_member(const struct path_chain *chain, const struct path_settings *settings,
                         const struct path_member *member, const struct signature_key *key, struct bytes spki,
                         bool may_sign) {
    uint8_t digest[SIGNATURE_SHA256_SIZE];
    signature_sha256(spki, digest);
    struct key_allowance allowance = {.left = REVOCATION_CRLS_MAX};
    bool has_current = false;
    const struct revocation_list *newest = NULL;
    uint64_t issuer_hash = path_name_hash(chain, member->issuer);
    struct revocation_list *list;
    struct serials_entry entry;
    for (size_t at = 0; (list = revocation_next_list(settings->revocation, member->certificate.issuer, issuer_hash, &at));) {
        if (!distribution_scope_covers(&list->scope, &member->certificate) || list->this_update > settings->now) {
            continue;
        }
        bool is_listed = serials_find(list->serials, member->certificate.serial, &entry);
        has_current = has_current || (!is_listed && (settings->accept_stale_crls || list->next_update >= settings->now));
        if (newest == NULL && may_sign && revocation_list_is_by(list, key, digest, &allowance)) {
            newest = list;
            CHECK(!is_listed && (settings->accept_stale_crls || list->next_update >= settings->now));
        }
    }
    CHECK(has_current);
}

static void check_valid(const struct path_chain *chain, const struct path_settings *settings,
                        const struct path_verdict *verdict) {
    size_t end = settings->revocation_scope == REVOCATION_LEAF ? 1 : verdict->length;
    for (size_t i = 0; i < end; i++) {
        bool is_last = i + 1 == verdict->length;
        const struct path_member *above = is_last ? NULL : &chain->members[verdict->order[i + 1]];
        const struct certificate *issuer = is_last ? &verdict->anchor->certificate : &above->certificate;
        bool may_sign = !issuer->has_key_usage || (issuer->key_usage & KEY_USAGE_CRL_SIGN) != 0;
        check_member(chain, settings, &chain->members[verdict->order[i]], is_last ? &verdict->anchor->key : &above->key,
                     issuer->spki, may_sign);
    }
}

static void judge(const struct path_settings *settings, const struct bytes *certificates, size_t count) {
    static struct path_chain chain;
    char buffer[1024];
    struct text text = text_over(buffer, sizeof buffer);
    if (count == 0 || count > PATH_CHAIN_MAX || !path_read_chain(&chain, certificates, count)) {
        return;
    }
    struct path_verdict verdict;
    path_judge(&chain, settings, &verdict);
    path_append_detail(&text, &verdict, PATH_CHAIN_MAX);
    CHECK((verdict.fault.reason == REASON_OK) == (text.size == 0));
    CHECK(verdict.valid_from <= AT && AT <= verdict.valid_until);
    CHECK(verdict.signatures <= PATH_SIGNATURES_MAX + PATH_CRL_SIGNATURES_MAX);
    if (verdict.fault.reason == REASON_OK) {
        check_valid(&chain, settings, &verdict);
    }
    struct path_verdict other;
    /* Nothing but the number of signatures depends on what was remembered. */
    path_judge(&chain, settings, &other);
    CHECK(other.signatures <= verdict.signatures);
    CHECK(other.fault.reason == verdict.fault.reason || verdict.fault.crl.progress == PATH_CRL_NOT_CHECKED);
    struct path_settings without = *settings;
    without.revocation = NULL;
    path_judge(&chain, &without, &other);
    CHECK(verdict.fault.reason != REASON_OK || other.fault.reason == REASON_OK);
    CHECK(other.fault.phase != PATH_PHASE_REVOCATION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool ready;
    if (!ready) {
        hash_init();
        ready = true;
    }
    if (size == 0) {
        return 0;
    }
    struct error error = {""};
    struct bytes parts[PARTS_MAX];
    size_t count = split(bytes_of(data + 1, size - 1), parts);
    struct trust *trust = trust_create();
    struct revocation *revocation = revocation_create();
    if (count >= 2) {
        if ((data[0] & 4) != 0) {
            sign_all(parts[1], parts + 2, count - 2);
        }
        int result = revocation_add_file(revocation, parts[1], &error);
        check_file(revocation, parts[1], result, error.text);
        bool ready_to_judge = trust_add_file(trust, parts[0], &error) == 0 && result == 0;
        if (ready_to_judge && revocation_check(revocation, trust, &error) == 0) {
            const struct path_settings settings = {
                .trust = trust,
                .depth_max = PATH_CHAIN_MAX,
                .now = AT,
                .revocation = revocation,
                .revocation_scope = (data[0] & 1) != 0 ? REVOCATION_LEAF : REVOCATION_CHAIN,
                .accept_stale_crls = (data[0] & 2) != 0,
            };
            judge(&settings, parts + 2, count - 2);
        }
    }
    revocation_free(revocation);
    trust_free(trust);
    for (size_t i = 0; i < count; i++) {
        free((void *)parts[i].data);
    }
    return 0;
}
