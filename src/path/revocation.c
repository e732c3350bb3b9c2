#include "path/revocation.h"

#include "base/array.h"
#include "base/check.h"
#include "path/revocation_delegate.h"
#include "path/revocation_list.h"
#include "x509/name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct revocation {
    struct revocation_list **lists; /* by issuer_hash, the newest first */
    size_t count;
    struct revocation_delegate **delegates;
    size_t delegate_count;
    unsigned files;
    unsigned file_at_fault; /* see revocation_file_at_fault */
    uint8_t digest[SIGNATURE_SHA256_SIZE];
};

enum {
    ROOT_SIGNATURES_MAX = 1024, /* for one CRL; the files are the operator's own, so that this bounds mistakes alone */
    NAME_SHOWN_MAX = 128,       /* bytes of an issuer in a message */
};

struct revocation *revocation_create(void) {
    return calloc(1, sizeof(struct revocation));
}

static void truncate_to(struct revocation *revocation, size_t lists, size_t delegates) {
    while (revocation->count > lists) {
        revocation_list_free(revocation->lists[--revocation->count]);
    }
    while (revocation->delegate_count > delegates) {
        revocation_delegate_free(revocation->delegates[--revocation->delegate_count]);
    }
}

void revocation_free(struct revocation *revocation) {
    if (revocation == NULL) {
        return;
    }
    truncate_to(revocation, 0, 0);
    free(revocation->lists);
    free(revocation->delegates);
    free(revocation);
}

static const struct pem_file_words words = {.block = "block", .der = "CRL", .verdict = "is not usable"};

/* Extends the digest over all that was added: SHA-256 of the digest so far, the kind, and the SHA-256 of the new item. */
static void extend_digest(struct revocation *revocation, char kind,
                          const uint8_t fingerprint[static SIGNATURE_SHA256_SIZE]) {
    uint8_t step[2 * SIGNATURE_SHA256_SIZE + 1];
    memcpy(step, revocation->digest, SIGNATURE_SHA256_SIZE);
    step[SIGNATURE_SHA256_SIZE] = (uint8_t)kind;
    memcpy(step + SIGNATURE_SHA256_SIZE + 1, fingerprint, SIGNATURE_SHA256_SIZE);
    signature_sha256(bytes_of(step, sizeof step), revocation->digest);
}

static bool is_kept(const struct revocation *revocation, const struct revocation_list *list) {
    for (size_t i = 0; i < revocation->count; i++) {
        if (memcmp(revocation->lists[i]->fingerprint, list->fingerprint, sizeof list->fingerprint) == 0) {
            return true;
        }
    }
    return false;
}

static int add_list(struct revocation *revocation, const struct pem_file_item *item, struct error *error) {
    struct error why;
    int result;
    struct revocation_list *list = revocation_list_create(item->der, &item->place, &result, &why);
    if (list == NULL) {
        return result == -EINVAL ? pem_file_refuse(error, &words, &item->place, why.text)
                                 : error_fail(error, result, "%s", why.text);
    }
    if (is_kept(revocation, list)) {
        revocation_list_free(list);
        return 0;
    }
    bool full = revocation->count == REVOCATION_CRLS_MAX;
    if (full || !array_reserve(&revocation->lists, revocation->count, sizeof *revocation->lists)) {
        revocation_list_free(list);
        return full ? error_fail(error, -E2BIG, "there are more than 4096 CRLs")
                    : error_fail(error, -ENOMEM, "out of memory");
    }
    revocation->lists[revocation->count++] = list;
    extend_digest(revocation, 'L', list->fingerprint);
    return 0;
}

static int keep_delegate(struct revocation *revocation, struct revocation_delegate *delegate, struct error *error) {
    for (size_t i = 0; i < revocation->delegate_count; i++) {
        if (bytes_equal(revocation->delegates[i]->certificate.der, delegate->certificate.der)) {
            revocation_delegate_free(delegate);
            return 0;
        }
    }
    bool full = revocation->delegate_count == REVOCATION_DELEGATES_MAX;
    if (full || !array_reserve(&revocation->delegates, revocation->delegate_count, sizeof *revocation->delegates)) {
        revocation_delegate_free(delegate);
        return full ? error_fail(error, -E2BIG, "there are more than 256 certificates that sign CRLs")
                    : error_fail(error, -ENOMEM, "out of memory");
    }
    revocation->delegates[revocation->delegate_count++] = delegate;
    return 0;
}

static int add_delegate(struct revocation *revocation, const struct pem_file_item *item, struct error *error) {
    const char *why;
    int result;
    struct revocation_delegate *delegate = revocation_delegate_create(item->der, &result, &why);
    if (delegate == NULL) {
        return result == -EINVAL ? pem_file_refuse(error, &words, &item->place, why) : error_fail(error, result, "%s", why);
    }
    uint8_t fingerprint[SIGNATURE_SHA256_SIZE];
    signature_sha256(item->der, fingerprint);
    extend_digest(revocation, 'C', fingerprint);
    return keep_delegate(revocation, delegate, error);
}

/* A file while it is read. */
struct addition {
    struct revocation *revocation;
    bool has_crl;
};

/* Adds a CRL or a delegate: a pem_file_add. A file that is DER is one CRL. */
static int add_item(void *owner, const struct pem_file_item *item, struct error *error) {
    struct addition *addition = owner;
    if (item->label.size == 0 || pem_file_label_is(item, "X509 CRL")) {
        addition->has_crl = true;
        return add_list(addition->revocation, item, error);
    }
    if (pem_file_label_is(item, "CERTIFICATE")) {
        return add_delegate(addition->revocation, item, error);
    }
    return pem_file_refuse_label(error, item, "neither an X509 CRL nor a CERTIFICATE");
}

static int add_items(struct revocation *revocation, struct bytes file, struct error *error) {
    struct addition addition = {.revocation = revocation};
    int count = pem_file_read(file, revocation->files + 1, add_item, &addition, error);
    if (count >= 0 && !addition.has_crl) {
        return error_fail(error, -EINVAL, "there is no CRL in it: neither PEM (X509 CRL) nor DER");
    }
    return count < 0 ? count : 0;
}

static int compare_lists(const void *left, const void *right) {
    const struct revocation_list *a = *(struct revocation_list *const *)left;
    const struct revocation_list *b = *(struct revocation_list *const *)right;
    if (a->issuer_hash != b->issuer_hash) {
        return a->issuer_hash < b->issuer_hash ? -1 : 1;
    }
    if (a->this_update != b->this_update) {
        return a->this_update > b->this_update ? -1 : 1;
    }
    return a->next_update > b->next_update ? -1 : a->next_update < b->next_update;
}

int revocation_add_file(struct revocation *revocation, struct bytes file, struct error *error) {
    size_t lists = revocation->count;
    size_t delegates = revocation->delegate_count;
    uint8_t digest[SIGNATURE_SHA256_SIZE];
    memcpy(digest, revocation->digest, sizeof digest);
    int result = add_items(revocation, file, error);
    if (result != 0) {
        truncate_to(revocation, lists, delegates);
        memcpy(revocation->digest, digest, sizeof digest);
        return result;
    }
    revocation->files++;
    if (revocation->count > 0) {
        qsort(revocation->lists, revocation->count, sizeof(struct revocation_list *), compare_lists);
    }
    return 0;
}

size_t revocation_count(const struct revocation *revocation) {
    return revocation->count;
}

const struct revocation_list *revocation_list_at(const struct revocation *revocation, size_t index) {
    CHECK(index < revocation->count);
    return revocation->lists[index];
}

const struct revocation_delegate *revocation_delegate_at(const struct revocation *revocation, size_t index) {
    return index < revocation->delegate_count ? revocation->delegates[index] : NULL;
}

static bool have_same_scope(const struct distribution_scope *a, const struct distribution_scope *b) {
    return a->only_user_certificates == b->only_user_certificates && a->only_ca_certificates == b->only_ca_certificates &&
           bytes_equal(a->names, b->names) && bytes_equal(a->name, b->name);
}

bool revocation_is_replaced(const struct revocation *revocation, size_t index, int64_t now_s) {
    const struct revocation_list *list = revocation_list_at(revocation, index);
    int64_t until = list->next_update > now_s ? list->next_update : now_s;
    for (size_t i = index; i-- > 0;) { /* lists are sorted by the issuer's hash, the newest first */
        const struct revocation_list *newer = revocation_list_at(revocation, i);
        if (newer->issuer_hash != list->issuer_hash) {
            break;
        }
        if (newer->this_update <= until && have_same_scope(&newer->scope, &list->scope) &&
            bytes_equal(newer->aki, list->aki) && name_equal(newer->issuer, list->issuer)) {
            return true;
        }
    }
    return false;
}

uint64_t revocation_entries(const struct revocation *revocation) {
    uint64_t entries = 0;
    for (size_t i = 0; i < revocation->count; i++) {
        entries += serials_count(revocation->lists[i]->serials);
    }
    return entries;
}

void revocation_digest(const struct revocation *revocation, uint8_t digest[static 32]) {
    memcpy(digest, revocation->digest, SIGNATURE_SHA256_SIZE);
}

/* Returns the first place at which lists of that issuer may be. */
static size_t find_first(const struct revocation *revocation, uint64_t issuer_hash) {
    size_t low = 0;
    size_t high = revocation->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (revocation->lists[middle]->issuer_hash < issuer_hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct revocation_list *revocation_next_list(const struct revocation *revocation, struct bytes issuer, uint64_t issuer_hash,
                                             size_t *at) {
    if (*at == 0) {
        *at = find_first(revocation, issuer_hash);
    }
    while (*at < revocation->count && revocation->lists[*at]->issuer_hash == issuer_hash) {
        struct revocation_list *list = revocation->lists[(*at)++];
        if (name_equal(list->issuer, issuer)) {
            return list;
        }
    }
    return NULL;
}

struct revocation_delegate *revocation_next_delegate(const struct revocation *revocation, struct bytes subject,
                                                     uint64_t subject_hash, size_t *at) {
    while (*at < revocation->delegate_count) {
        struct revocation_delegate *delegate = revocation->delegates[(*at)++];
        if (delegate->subject_hash == subject_hash && name_equal(delegate->certificate.subject, subject)) {
            return delegate;
        }
    }
    return NULL;
}

/* Tells whether a root, or a delegate that the root has signed, has signed `list`. */
static bool is_by_root(const struct revocation *revocation, struct revocation_list *list, const struct trust_anchor *anchor,
                       struct key_allowance *allowance) {
    const struct certificate *root = &anchor->certificate;
    uint8_t spki[SIGNATURE_SHA256_SIZE];
    signature_sha256(root->spki, spki);
    if (revocation_ca_may_sign(root) && revocation_list_is_by(list, &anchor->key, spki, allowance)) {
        return true;
    }
    struct revocation_delegate *delegate;
    for (size_t at = 0; (delegate = revocation_next_delegate(revocation, list->issuer, list->issuer_hash, &at)) != NULL;) {
        if (delegate->issuer_hash == anchor->subject_hash && name_equal(delegate->certificate.issuer, root->subject) &&
            revocation_delegate_is_by(delegate, &anchor->key, spki, allowance) &&
            revocation_list_is_by(list, &delegate->key, delegate->spki, allowance)) {
            return true;
        }
    }
    return false;
}

bool revocation_speaks_for(const struct revocation *revocation, const struct trust_anchor *anchor) {
    struct key_allowance allowance = {.left = ROOT_SIGNATURES_MAX};
    struct revocation_list *list;
    for (size_t at = 0;
         (list = revocation_next_list(revocation, anchor->certificate.subject, anchor->subject_hash, &at)) != NULL;) {
        if (is_by_root(revocation, list, anchor, &allowance)) {
            return true;
        }
    }
    return false;
}

static int check_list(struct revocation *revocation, struct revocation_list *list, const struct trust *trust,
                      struct error *error) {
    struct key_allowance allowance = {.left = ROOT_SIGNATURES_MAX};
    bool is_of_root = false;
    for (size_t i = 0; i < trust_count(trust); i++) {
        const struct trust_anchor *anchor = trust_anchor(trust, i);
        if (anchor->subject_hash != list->issuer_hash || !name_equal(anchor->certificate.subject, list->issuer)) {
            continue;
        }
        is_of_root = true;
        if (is_by_root(revocation, list, anchor, &allowance)) {
            revocation_list_drop_message(list);
            return 0;
        }
    }
    if (!is_of_root) {
        return 0;
    }
    char name[NAME_SHOWN_MAX];
    struct text text = text_over(name, sizeof name);
    name_append_text(&text, list->issuer);
    const struct pem_file_place *from = &list->origin;
    char place[64] = "";
    if (from->block != 0) {
        snprintf(place, sizeof place, "block %u (line %u): ", from->block, from->line);
    }
    revocation->file_at_fault = from->file;
    error_set(error, "%snot signed by the root of its issuer %.*s or by one that may sign for it", place, (int)text.size,
              name);
    return -EINVAL;
}

/* A certificate of a root's name that the old root has signed may be among the roots, and then it may sign CRLs. */
static int add_roots_as_delegates(struct revocation *revocation, const struct trust *trust, struct error *error) {
    for (size_t i = 0; i < trust_count(trust); i++) {
        const char *why;
        int result;
        struct revocation_delegate *delegate =
            revocation_delegate_create(trust_anchor(trust, i)->certificate.der, &result, &why);
        if (delegate == NULL && result != -EINVAL) {
            return error_fail(error, result, "%s", why);
        }
        struct key_allowance one = {.left = 1};
        /* A certificate that its own key has signed is signed by no other CA. */
        if (delegate == NULL || revocation_delegate_is_by(delegate, &delegate->key, delegate->spki, &one)) {
            revocation_delegate_free(delegate);
        } else if ((result = keep_delegate(revocation, delegate, error)) != 0) {
            return result;
        }
    }
    return 0;
}

int revocation_check(struct revocation *revocation, const struct trust *trust, struct error *error) {
    revocation->file_at_fault = 0;
    int result = add_roots_as_delegates(revocation, trust, error);
    for (size_t i = 0; i < revocation->count && result == 0; i++) {
        result = check_list(revocation, revocation->lists[i], trust, error);
    }
    return result;
}

unsigned revocation_file_at_fault(const struct revocation *revocation) {
    return revocation->file_at_fault;
}
