#include "base/hash.h"
#include "path/revocation_list.h"
#include "revocation_support.h"
#include "x509/name.h"

#include <errno.h>

TestSuite(revocation_list, .init = hash_init);

static const struct pem_file_place origin = {1, 2, 3};
static struct error why;
static int result;

static struct revocation_list *load(const char *name) {
    struct bytes blocks[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(REVOCATION "/crls", name, blocks);
    struct revocation_list *list = revocation_list_create(blocks[0], &origin, &result, &why);
    support_free_chain(blocks, count);
    return list;
}

/* A certificate's key, which is a view of it, and the digest of that key. */
struct loaded_key {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count;
    struct signature_key key;
    uint8_t spki[32];
};

/* That of the certificate at `index` of a chain. */
static void load_key(struct loaded_key *loaded, const char *file, size_t index) {
    struct certificate certificate;
    const char *fault;
    loaded->count = support_chain(REVOCATION "/chains", file, loaded->chain);
    cr_assert(certificate_read(&certificate, loaded->chain[index], &fault), "%s", fault);
    cr_assert_eq(signature_judge_key(&certificate, &loaded->key), REASON_OK);
    signature_sha256(certificate.spki, loaded->spki);
}

static void free_key(struct loaded_key *loaded) {
    support_free_chain(loaded->chain, loaded->count);
}

Test(revocation_list, keeps_what_is_needed) {
    struct revocation_list *list = load("middle.pem");
    struct serials_entry entry;
    cr_assert(list != NULL, "%s", why.text);
    cr_assert(list->origin.file == 1 && list->origin.block == 2 && list->origin.line == 3);
    cr_assert(list->this_update == 1777593600 && list->next_update == 1782864000 && list->aki.size == 20);
    cr_assert(list->issuer_hash == name_hash(list->issuer) && list->digest.size == 32 && list->message.size == 0);
    cr_assert(serials_count(list->serials) == 2 && serials_find(list->serials, SUPPORT_BYTES("\x78"), &entry));
    cr_assert_eq(entry.reason, 1);
    revocation_list_free(list);
    revocation_list_free(NULL);
}

Test(revocation_list, says_what_is_wrong) {
    cr_assert(load("bad-entry-date.pem") == NULL);
    cr_assert(result == -EINVAL && strcmp(why.text, "entry 2: its date cannot be read") == 0, "%s", why.text);
    cr_assert(load("bad-sha1.pem") == NULL);
    cr_assert(result == -EINVAL && strstr(why.text, "1.2.840.10045.4.1") != NULL, "%s", why.text);
}

Test(revocation_list, checks_a_signature_once_for_each_key) {
    struct revocation_list *list = load("middle.pem");
    struct key_allowance left = {.left = 2};
    struct loaded_key own;
    load_key(&own, "unlisted.pem", 1);
    struct loaded_key other;
    load_key(&other, "unlisted.pem", 0);
    cr_assert(revocation_list_is_by(list, &own.key, own.spki, &left) && left.left == 1);
    cr_assert(revocation_list_is_by(list, &own.key, own.spki, &left) && left.left == 1);
    cr_assert(!revocation_list_is_by(list, &other.key, other.spki, &left) && left.left == 0);
    cr_assert(!revocation_list_is_by(list, &other.key, other.spki, &left) && left.left == 0);
    free_key(&own);
    free_key(&other);
    revocation_list_free(list);
}

Test(revocation_list, with_nothing_left_it_does_not_know_and_does_not_remember) {
    struct revocation_list *list = load("middle.pem");
    struct key_allowance left = {.left = 0};
    struct loaded_key own;
    load_key(&own, "unlisted.pem", 1);
    cr_assert(!revocation_list_is_by(list, &own.key, own.spki, &left) && left.exceeded);
    left.left = 1;
    cr_assert(revocation_list_is_by(list, &own.key, own.spki, &left) && left.left == 0);
    free_key(&own);
    revocation_list_free(list);
}

Test(revocation_list, ed25519_needs_its_message_until_it_is_checked) {
    struct revocation_list *list = load("ed25519.pem");
    struct key_allowance left = {.left = 5};
    struct loaded_key own;
    load_key(&own, "ed25519.pem", 1);
    cr_assert(list->digest.size == 0 && list->message.size > 0);
    cr_assert(revocation_list_is_by(list, &own.key, own.spki, &left));
    revocation_list_drop_message(list);
    cr_assert_eq(list->message.size, 0);
    cr_assert(revocation_list_is_by(list, &own.key, own.spki, &left) && left.left == 4);
    uint8_t unknown[32] = {1};
    cr_assert(!revocation_list_is_by(list, &own.key, unknown, &left) && left.left == 4, "nothing is left to check");
    free_key(&own);
    revocation_list_free(list);
}

/* A key that the memo has no room for would be lost with the message. */
Test(revocation_list, a_message_stays_when_the_memo_is_full) {
    struct revocation_list *list = load("ed25519.pem");
    for (uint8_t i = 0; i < KEY_MEMO_MAX; i++) {
        uint8_t spki[32] = {i};
        key_memo_add(&list->memo, spki, false);
    }
    revocation_list_drop_message(list);
    cr_assert_gt(list->message.size, 0);
    revocation_list_free(list);
}
