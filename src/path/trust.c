#include "path/trust.h"

#include "base/check.h"
#include "base/text.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/pem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct root {
    struct trust_anchor anchor;
    uint8_t der[];
};

struct trust {
    struct root **roots;
    uint64_t *hashes; /* of their subjects: searched for each name of each chain, so they lie side by side */
    size_t count;
    size_t capacity;
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

/* Where in the file a certificate was, for messages. */
struct origin {
    unsigned block; /* from 1; 0: the file is DER */
    unsigned line;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct error *error, const struct origin *origin, const char *format,
                                                        ...) {
    char why[ERROR_SIZE - 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    if (origin->block == 0) {
        error_set(error, "the DER certificate is no usable root: %s", why);
    } else {
        error_set(error, "certificate %u (line %u) is no usable root: %s", origin->block, origin->line, why);
    }
    return -EINVAL;
}

static bool is_kept(const struct trust *trust, struct bytes der) {
    for (size_t i = 0; i < trust->count; i++) {
        if (bytes_equal(trust->roots[i]->anchor.certificate.der, der)) {
            return true;
        }
    }
    return false;
}

/* Whether its own key should have signed it: the same name, and no key identifiers that tell of another key. */
static bool is_self_signed(const struct certificate *certificate) {
    bool other_key =
        certificate->aki.size > 0 && certificate->ski.size > 0 && !bytes_equal(certificate->aki, certificate->ski);
    return certificate_is_self_issued(certificate) && !other_key;
}

/* NULL when it may be an anchor. */
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
        return "its key is not supported: RSA of 2048 to 8192 bits, ECDSA P-256, P-384, P-521 or Ed25519 are";
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

static int judge_root(struct trust_anchor *anchor, const struct origin *origin, struct error *error) {
    const char *fault = find_fault(anchor, signature_judge_key(&anchor->certificate, &anchor->key));
    if (fault != NULL) {
        return refuse(error, origin, "%s", fault);
    }
    if (anchor->certificate.unknown_critical.size > 0) {
        char oid[128];
        struct text text = text_over(oid, sizeof(oid));
        oid_append(&text, anchor->certificate.unknown_critical);
        return refuse(error, origin, "its critical extension %.*s is not supported", (int)text.size, oid);
    }
    return 0;
}

static int reserve(struct trust *trust) {
    if (trust->count < trust->capacity) {
        return 0;
    }
    size_t capacity = trust->capacity == 0 ? 8 : 2 * trust->capacity;
    struct root **roots = reallocarray(trust->roots, capacity, sizeof(struct root *));
    if (roots == NULL) {
        return -ENOMEM;
    }
    trust->roots = roots;
    uint64_t *hashes = reallocarray(trust->hashes, capacity, sizeof(uint64_t));
    if (hashes == NULL) {
        return -ENOMEM;
    }
    trust->hashes = hashes;
    trust->capacity = capacity;
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

/* Takes `root`, whose first `size` bytes of der are filled: keeps it, or frees it. */
static int add_root(struct trust *trust, struct root *root, size_t size, const struct origin *origin, struct error *error) {
    struct bytes der = bytes_of(root->der, size);
    const char *why;
    int result;
    if (is_kept(trust, der)) {
        free(root);
        return 0;
    }
    if (!certificate_read(&root->anchor.certificate, der, &why)) {
        result = refuse(error, origin, "%s", why);
    } else {
        result = judge_root(&root->anchor, origin, error);
    }
    if (result == 0 && reserve(trust) != 0) {
        error_set(error, "out of memory");
        result = -ENOMEM;
    }
    if (result != 0) {
        free(root);
        return result;
    }
    root->anchor.subject_hash = name_hash(root->anchor.certificate.subject);
    signature_sha256(root->anchor.certificate.spki, root->anchor.spki);
    root->anchor.file = trust->files + 1;
    trust->roots[trust->count++] = root;
    link_last(trust);
    return 0;
}

static struct root *allocate_root(size_t size, struct error *error) {
    struct root *root = malloc(sizeof(struct root) + size);
    if (root == NULL) {
        error_set(error, "out of memory");
    }
    return root;
}

static int add_der(struct trust *trust, struct bytes file, struct error *error) {
    struct root *root = allocate_root(file.size, error);
    if (root == NULL) {
        return -ENOMEM;
    }
    memcpy(root->der, file.data, file.size);
    return add_root(trust, root, file.size, &(struct origin){0, 0}, error);
}

static int add_block(struct trust *trust, const struct pem_block *block, unsigned number, struct error *error) {
    if (!pem_label_is(block, "CERTIFICATE")) {
        error_set(error, "block %u (line %u) is a %.*s, not a CERTIFICATE", number, block->line,
                  (int)(block->label.size < 40 ? block->label.size : 40), (const char *)block->label.data);
        return -EINVAL;
    }
    struct root *root = allocate_root(block->size, error);
    if (root == NULL) {
        return -ENOMEM;
    }
    pem_decode(block, root->der);
    return add_root(trust, root, block->size, &(struct origin){number, block->line}, error);
}

static int add_pem(struct trust *trust, struct bytes file, struct error *error) {
    struct pem_reader reader = pem_reader_of(file);
    struct pem_block block;
    enum pem_result found;
    unsigned number = 0;
    while ((found = pem_next(&reader, &block)) == PEM_BLOCK) {
        int result = add_block(trust, &block, ++number, error);
        if (result != 0) {
            return result;
        }
    }
    if (found == PEM_ERROR) {
        error_set(error, "line %u: %s", reader.error_line, reader.error);
        return -EINVAL;
    }
    if (number == 0) {
        error_set(error, "%s", file.size == 0 ? "the file is empty" : "there is no certificate in it: neither PEM nor DER");
        return -EINVAL;
    }
    return 0;
}

int trust_add_file(struct trust *trust, struct bytes file, struct error *error) {
    size_t before = trust->count;
    int result = pem_is_der(file) ? add_der(trust, file, error) : add_pem(trust, file, error);
    if (result != 0) {
        truncate_roots(trust, before);
    } else {
        trust->files++;
    }
    return result;
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
