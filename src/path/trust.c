#include "path/trust.h"

#include "base/array.h"
#include "base/check.h"
#include "base/text.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/pem_file.h"

#include <errno.h>
#include <stdlib.h>

struct root {
    struct trust_anchor anchor;
    uint8_t der[];
};

struct trust {
    struct root **roots;
    uint64_t *hashes; /* of their subjects; side by side, since each name of each chain is looked for among them */
    size_t count;
    unsigned files; /* that were added */
};

struct trust *trust_create(void) {
    return calloc(1, sizeof(struct trust));
}

/* Frees the roots from `from` on. */
static void truncate_roots(struct trust *trust, size_t from) {
    while (trust->count > from) {
        free(trust->roots[--trust->count]);
    }
    for (size_t i = 0; i < from; i++) {
        size_t *next = &trust->roots[i]->anchor.next_of_name;
        *next = *next >= from ? TRUST_NONE : *next;
    }
}

void trust_free(struct trust *trust) {
    if (trust == NULL) {
        return;
    }
    truncate_roots(trust, 0);
    free(trust->roots);
    free(trust->hashes);
    free(trust);
}

static const struct pem_file_words words = {.block = "certificate", .der = "certificate", .verdict = "is no usable root"};

static bool is_kept(const struct trust *trust, struct bytes der) {
    for (size_t i = 0; i < trust->count; i++) {
        if (bytes_equal(trust->roots[i]->anchor.certificate.der, der)) {
            return true;
        }
    }
    return false;
}

/* Tells whether its own key should have signed it: it has one name, and no key identifiers that name another key. */
static bool is_self_signed(const struct certificate *certificate) {
    bool other_key =
        certificate->aki.size > 0 && certificate->ski.size > 0 && !bytes_equal(certificate->aki, certificate->ski);
    return certificate_is_self_issued(certificate) && !other_key;
}

/* Returns NULL when it may be an anchor, else why not. */
static const char *find_fault(const struct trust_anchor *anchor, enum reason key_reason) {
    const struct certificate *certificate = &anchor->certificate;
    if (!certificate->is_ca) {
        return "it is not a CA: it has no basicConstraints with CA:TRUE";
    }
    if (certificate->has_key_usage && (certificate->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0) {
        return "it is not a CA: its keyUsage has no keyCertSign";
    }
    if (name_is_empty(certificate->subject)) {
        return "it has no subject that an issuer could name";
    }
    if (key_reason == REASON_TOO_LARGE) {
        return "its RSA key has more than 8192 bits";
    }
    if (key_reason == REASON_WEAK_KEY) {
        return "its key is not supported: RSA of 2048 to 8192 bits, ECDSA P-256, P-384, P-521, Ed25519 or ML-DSA are";
    }
    if (key_reason != REASON_OK) {
        return "its key is malformed";
    }
    struct signature_algorithm algorithm;
    enum reason reason = signature_judge_algorithm(&certificate->signature_algorithm, &algorithm);
    if (reason == REASON_MALFORMED) {
        return "its signature algorithm is malformed";
    }
    if (reason == REASON_OK && is_self_signed(certificate) &&
        !signature_verify(&anchor->key, &algorithm, certificate->tbs, certificate->signature)) {
        return "its own signature does not verify: the file is damaged";
    }
    return NULL;
}

static int judge_root(struct trust_anchor *anchor, const struct pem_file_place *place, struct error *error) {
    const char *fault = find_fault(anchor, signature_judge_key(&anchor->certificate, &anchor->key));
    if (fault != NULL) {
        return pem_file_refuse(error, &words, place, fault);
    }
    if (anchor->certificate.unknown_critical.size > 0) {
        char why[192];
        struct text text = text_over(why, sizeof why - 1);
        text_append_string(&text, "its critical extension ");
        oid_append(&text, anchor->certificate.unknown_critical);
        text_append_string(&text, " is not supported");
        why[text.size] = '\0';
        return pem_file_refuse(error, &words, place, why);
    }
    return 0;
}

size_t trust_first_with_hash(const struct trust *trust, uint64_t hash, size_t from) {
    for (size_t i = from; i < trust->count; i++) {
        if (trust->hashes[i] == hash) {
            return i;
        }
    }
    return TRUST_NONE;
}

/* Puts the last root behind the one before it that has its name. */
static void link_last(struct trust *trust) {
    size_t last = trust->count - 1;
    struct trust_anchor *anchor = &trust->roots[last]->anchor;
    trust->hashes[last] = anchor->subject_hash;
    anchor->next_of_name = TRUST_NONE;
    for (size_t i = last; i-- > 0;) {
        struct trust_anchor *before = &trust->roots[i]->anchor;
        if (trust->hashes[i] == anchor->subject_hash &&
            name_equal(before->certificate.subject, anchor->certificate.subject)) {
            before->next_of_name = last;
            return;
        }
    }
}

/* Reads and judges the certificate in `root`, and keeps it. */
static int keep_root(struct trust *trust, struct root *root, const struct pem_file_item *item, struct error *error) {
    const char *why;
    if (!certificate_read(&root->anchor.certificate, bytes_of(root->der, item->der.size), &why)) {
        return pem_file_refuse(error, &words, &item->place, why);
    }
    int result = judge_root(&root->anchor, &item->place, error);
    if (result != 0) {
        return result;
    }
    if (!array_reserve(&trust->roots, trust->count, sizeof *trust->roots) ||
        !array_reserve(&trust->hashes, trust->count, sizeof *trust->hashes)) {
        return error_fail(error, -ENOMEM, "out of memory");
    }
    root->anchor.subject_hash = name_hash(root->anchor.certificate.subject);
    signature_sha256(root->anchor.certificate.spki, root->anchor.spki);
    root->anchor.file = item->place.file;
    trust->roots[trust->count++] = root;
    link_last(trust);
    return 0;
}

/* Adds a root: a pem_file_add. */
static int add_root(void *owner, const struct pem_file_item *item, struct error *error) {
    struct trust *trust = owner;
    if (item->label.size > 0 && !pem_file_label_is(item, "CERTIFICATE")) {
        return pem_file_refuse_label(error, item, "not a CERTIFICATE");
    }
    if (is_kept(trust, item->der)) {
        return 0;
    }
    struct root *root = malloc(sizeof(struct root) + item->der.size);
    if (root == NULL) {
        return error_fail(error, -ENOMEM, "out of memory");
    }
    memcpy(root->der, item->der.data, item->der.size);
    int result = keep_root(trust, root, item, error);
    if (result != 0) {
        free(root);
    }
    return result;
}

int trust_add_file(struct trust *trust, struct bytes file, struct error *error) {
    size_t before = trust->count;
    int count = pem_file_read(file, trust->files + 1, add_root, trust, error);
    if (count < 0) {
        truncate_roots(trust, before);
        return count;
    }
    if (count == 0) {
        return error_fail(error, -EINVAL, "there is no certificate in it: neither PEM nor DER");
    }
    trust->files++;
    return 0;
}

size_t trust_count(const struct trust *trust) {
    return trust->count;
}

const struct trust_anchor *trust_anchor(const struct trust *trust, size_t index) {
    CHECK(index < trust->count);
    return &trust->roots[index]->anchor;
}

struct bytes trust_name(const struct trust *trust, size_t index) {
    return trust_anchor(trust, index)->certificate.subject;
}

int64_t trust_not_after(const struct trust *trust, size_t index) {
    return trust_anchor(trust, index)->certificate.not_after;
}
