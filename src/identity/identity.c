#include "identity/identity.h"

#include "base/check.h"
#include "base/utf8.h"
#include "path/path.h"

#include <stdio.h>
#include <stdlib.h>

enum { DRAFT_SIZE = 2 * 1024 };

/*
 * The bytes that will stand behind an identity: its header block, the texts for logs, its detail. They are written here
 * first, since their size is not known before: an identity that is cut from a larger block of malloc's leaves the rest of
 * the block as a hole beside it, and for a cache of them the holes were four times what the identities take.
 */
struct draft {
    uint8_t first[DRAFT_SIZE];
    uint8_t *more; /* malloc'd, instead of `first` once that is full; else NULL */
    size_t size;
    size_t capacity;
};

static uint8_t *draft_data(struct draft *draft) {
    return draft->more != NULL ? draft->more : draft->first;
}

static bool draft_reserve(struct draft *draft, size_t more) {
    if (draft->capacity - draft->size >= more) {
        return true;
    }
    size_t capacity = 2 * draft->capacity + more;
    uint8_t *data = realloc(draft->more, capacity);
    if (data == NULL) {
        return false;
    }
    if (draft->more == NULL) {
        memcpy(data, draft->first, draft->size);
    }
    draft->more = data;
    draft->capacity = capacity;
    return true;
}

static void draft_append(struct draft *draft, const void *data, size_t size) {
    memcpy(draft_data(draft) + draft->size, data, size);
    draft->size += size;
}

/* Adds "name: value\r\n"; a value that did not fit is replaced as the contract says. */
static bool draft_add_header(struct draft *draft, const char *name, const struct text *value) {
    static const char too_large[] = IDENTITY_TOO_LARGE ": true\r\n";
    size_t name_size = strlen(name);
    if (!draft_reserve(draft, name_size + (value->overflow ? sizeof too_large : value->size + 4))) {
        return false;
    }
    draft_append(draft, name, name_size);
    if (value->overflow) {
        draft_append(draft, too_large, sizeof too_large - 1);
    } else {
        draft_append(draft, ": ", 2);
        draft_append(draft, value->data, value->size);
        draft_append(draft, "\r\n", 2);
    }
    return true;
}

/* The blocks of header lines, in the order in which they stand behind an identity. */
static const struct block {
    bool of_answers;
    enum forward_kind kind;
} blocks[] = {{false, FORWARD_OF_IDENTITY},
              {false, FORWARD_OF_CONNECTION},
              {true, FORWARD_OF_IDENTITY},
              {true, FORWARD_OF_CONNECTION}};

enum { BLOCKS = ARRAY_LENGTH(blocks), LOG_TEXTS = 3 };

/* How large each part is of what stands behind an identity. */
struct draft_sizes {
    size_t blocks[BLOCKS];
    size_t log_texts[LOG_TEXTS];
};

/* Adds the headers of one kind. A value beyond `room`, which is for all names and values, is one that did not fit. */
static bool draft_add_block(struct draft *draft, const struct forward *forward, enum forward_kind kind, size_t room,
                            const struct render_source *source) {
    for (size_t i = 0; i < forward->count; i++) {
        const struct forward_header *header = &forward->headers[i];
        char buffer[IDENTITY_HEADER_VALUE_MAX];
        struct text value = text_over(buffer, sizeof buffer);
        if (forward_kind_of(header) != kind || !forward_render(&value, header, source)) {
            continue;
        }
        size_t size = strlen(header->name) + value.size;
        value.overflow = value.overflow || size > room;
        room -= value.overflow ? 0 : size;
        if (!draft_add_header(draft, header->name, &value)) {
            return false;
        }
    }
    return true;
}

static bool draft_add_blocks(struct draft *draft, const struct identity_policy *policy, const struct render_source *source,
                             size_t sizes[static BLOCKS]) {
    for (size_t i = 0; i < BLOCKS; i++) {
        const struct forward *forward = blocks[i].of_answers ? policy->answers : policy->forward;
        size_t before = draft->size;
        size_t room = blocks[i].of_answers ? (size_t)IDENTITY_ANSWER_SIZE_MAX : SIZE_MAX;
        if (forward != NULL && !draft_add_block(draft, forward, blocks[i].kind, room, source)) {
            return false;
        }
        sizes[i] = draft->size - before;
    }
    return true;
}

/* Appends the texts for logs, one behind the other, and leaves the size of each in `sizes`. */
static bool draft_add_log_texts(struct draft *draft, const struct render_source *source, size_t sizes[static LOG_TEXTS]) {
    static const struct {
        struct field field;
        size_t most;
    } texts[LOG_TEXTS] = {
        {{.kind = FIELD_SKI}, IDENTITY_SKI_MAX},
        {{.kind = FIELD_SERIAL}, IDENTITY_SERIAL_MAX},
        {{.kind = FIELD_ISSUER_DN}, IDENTITY_ISSUER_MAX},
    };
    for (size_t i = 0; i < LOG_TEXTS; i++) {
        char buffer[IDENTITY_HEADER_VALUE_MAX];
        struct text value = text_over(buffer, sizeof buffer);
        sizes[i] = 0;
        if (!render_field(&value, &texts[i].field, source)) {
            continue;
        }
        sizes[i] = utf8_cut(text_bytes(&value), texts[i].most).size;
        if (!draft_reserve(draft, sizes[i])) {
            return false;
        }
        draft_append(draft, buffer, sizes[i]);
    }
    return true;
}

/* Writes the sentence of a verdict, cut at a character's end. */
static void set_path_detail(char detail[static IDENTITY_DETAIL_SIZE], const struct path_verdict *verdict, size_t depth_max) {
    char buffer[1024];
    struct text text = text_over(buffer, sizeof buffer);
    path_append_detail(&text, verdict, depth_max);
    size_t size = utf8_cut(text_bytes(&text), IDENTITY_DETAIL_SIZE - 1).size;
    memcpy(detail, buffer, size);
    detail[size] = '\0';
}

/* Reads and judges the chain; fills all of `identity` but its headers and detail. */
static enum reason judge(struct identity *identity, const struct identity_policy *policy, struct path_chain *chain,
                         const struct bytes *certificates, size_t count, bool too_large, int64_t now,
                         struct path_verdict *verdict, char detail[static IDENTITY_DETAIL_SIZE]) {
    bool too_many = count > PATH_CHAIN_MAX;
    bool well_formed = count > 0 && path_read_chain(chain, certificates, too_many ? PATH_CHAIN_MAX : count);
    if (too_large) {
        snprintf(detail, IDENTITY_DETAIL_SIZE, "the certificates are more bytes than the limit allows");
        return REASON_TOO_LARGE;
    }
    if (count == 0) {
        snprintf(detail, IDENTITY_DETAIL_SIZE, "no certificate was presented");
        return REASON_ABSENT;
    }
    if (!well_formed) {
        snprintf(detail, IDENTITY_DETAIL_SIZE, "certificate %zu of the chain is malformed: %s", chain->count + 1,
                 chain->malformed);
        return REASON_MALFORMED;
    }
    if (too_many) {
        snprintf(detail, IDENTITY_DETAIL_SIZE, "%zu certificates were presented, at most %d are looked at", count,
                 PATH_CHAIN_MAX);
        return REASON_CHAIN_TOO_LONG;
    }
    const struct path_settings settings = {
        .purpose = PATH_OF_CLIENT,
        .trust = policy->trust,
        .depth_max = policy->depth_max,
        .now = now,
        .revocation = policy->revocation,
        .revocation_scope = policy->revocation_scope,
        .accept_stale_crls = policy->accept_stale_crls,
    };
    path_judge(chain, &settings, verdict);
    identity->valid_from = verdict->valid_from;
    identity->valid_until = verdict->valid_until;
    identity->signatures = verdict->signatures;
    set_path_detail(detail, verdict, policy->depth_max);
    return verdict->fault.reason;
}

static bool is_too_large(const struct identity_policy *policy, const struct bytes *chain, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += chain[i].size;
    }
    return policy->chain_size_max > 0 && size > policy->chain_size_max;
}

/* Takes the next `size` bytes of what stands behind an identity. */
static struct bytes take(const uint8_t **behind, size_t size) {
    struct bytes part = bytes_of(*behind, size);
    *behind += size;
    return part;
}

/* Makes the identity, with what stands behind it in one block that is just as large. NULL: out of memory. */
static struct identity *make_identity(const struct identity *made, struct draft *draft, const struct draft_sizes *sizes) {
    struct identity *identity = malloc(sizeof *identity + draft->size);
    if (identity == NULL) {
        return NULL;
    }
    const uint8_t *behind = (uint8_t *)(identity + 1);
    memcpy(identity, made, sizeof *identity);
    memcpy(identity + 1, draft_data(draft), draft->size);
    atomic_init(&identity->references, 1);
    identity->size = (uint32_t)(sizeof *identity + draft->size);
    identity->headers = take(&behind, sizes->blocks[0]);
    identity->marked_headers = take(&behind, sizes->blocks[1]);
    identity->answer_headers = take(&behind, sizes->blocks[2]);
    identity->marked_answer_headers = take(&behind, sizes->blocks[3]);
    identity->ski = take(&behind, sizes->log_texts[0]);
    identity->serial = take(&behind, sizes->log_texts[1]);
    identity->issuer = take(&behind, sizes->log_texts[2]);
    identity->detail = (const char *)behind;
    return identity;
}

/* Renders what stands behind the identity, and makes it. NULL: out of memory. */
static struct identity *render(const struct identity *made, const struct identity_policy *policy,
                               const struct render_source *source, const char *detail) {
    struct draft draft;
    draft.more = NULL;
    draft.size = 0;
    draft.capacity = DRAFT_SIZE;
    size_t detail_size = strlen(detail) + 1;
    struct draft_sizes sizes;
    struct identity *identity = NULL;
    if (draft_add_blocks(&draft, policy, source, sizes.blocks) && draft_add_log_texts(&draft, source, sizes.log_texts) &&
        draft_reserve(&draft, detail_size)) {
        draft_append(&draft, detail, detail_size);
        identity = make_identity(made, &draft, &sizes);
    }
    free(draft.more);
    return identity;
}

struct identity *identity_judge(const struct identity_policy *policy, const struct bytes *chain, size_t count,
                                bool too_large, int64_t now) {
    /* A host that asks for no certificate has no roots, and gets no chain to judge. */
    CHECK(count == 0 || (policy->trust != NULL && policy->depth_max >= 1 && policy->depth_max <= PATH_CHAIN_MAX));
    struct identity made = {.valid_from = INT64_MIN, .valid_until = INT64_MAX};
    if (count > 0) {
        signature_sha256(chain[0], made.fingerprint);
    }
    struct path_chain read;
    read.count = 0;
    struct path_verdict verdict = {.length = 0};
    char detail[IDENTITY_DETAIL_SIZE] = "";
    too_large = too_large || is_too_large(policy, chain, count);
    made.reason = judge(&made, policy, &read, chain, count, too_large, now, &verdict, detail);
    made.status = reason_status(made.reason);
    /* With any other key no client was asked to prove possession: tls/proof asks for a proof by signature_key_can_verify. */
    CHECK(made.status != STATUS_VALID || (read.count > 0 && read.members[0].key_reason == REASON_OK));
    if (made.status == STATUS_VALID) {
        signature_sha256(read.members[0].certificate.spki, made.spki);
    }
    made.not_after = read.count > 0 ? read.members[0].certificate.not_after : 0;
    const struct render_source source = {
        .reason = made.reason,
        .chain = read.count > 0 ? &read : NULL,
        .verdict = verdict.length > 0 ? &verdict : NULL,
        .fingerprint = made.fingerprint,
    };
    return render(&made, policy, &source, detail);
}

struct identity *identity_retain(struct identity *identity) {
    atomic_fetch_add_explicit(&identity->references, 1, memory_order_relaxed);
    return identity;
}

void identity_release(struct identity *identity) {
    if (identity == NULL) {
        return;
    }
    unsigned before = atomic_fetch_sub_explicit(&identity->references, 1, memory_order_acq_rel);
    CHECK(before > 0);
    if (before == 1) {
        free(identity);
    }
}
