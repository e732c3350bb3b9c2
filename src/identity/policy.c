/* The digest of a policy. */
#include "identity/identity.h"
#include "x509/sha256.h"

static void add_number(struct sha256 *hash, uint64_t number) {
    sha256_add(hash, &number, sizeof number);
}

/* Adds a part behind its length, so that no two lists of parts are the same bytes. */
static void add_part(struct sha256 *hash, const void *data, size_t size) {
    add_number(hash, size);
    sha256_add(hash, data, size);
}

static void add_trust(struct sha256 *hash, const struct trust *trust) {
    size_t count = trust == NULL ? 0 : trust_count(trust);
    add_number(hash, count);
    for (size_t i = 0; i < count; i++) {
        struct bytes der = trust_anchor(trust, i)->certificate.der;
        add_part(hash, der.data, der.size);
    }
}

static void add_field(struct sha256 *hash, const struct field *field) {
    add_number(hash, field->kind);
    add_part(hash, field->oid, field->oid_size);
}

static void add_template(struct sha256 *hash, const struct template *template) {
    add_number(hash, template->field_count);
    for (size_t i = 0; i <= template->field_count; i++) {
        add_part(hash, template->parts[i].text.data, template->parts[i].text.size);
        if (i < template->field_count) {
            add_field(hash, &template->parts[i].field);
        }
    }
}

/* Headers that depend on no client are no part of an identity. */
static void add_forward(struct sha256 *hash, const struct forward *forward) {
    for (size_t i = 0; forward != NULL && i < forward->count; i++) {
        const struct forward_header *header = &forward->headers[i];
        if (forward_kind_of(header) == FORWARD_CONSTANT) {
            continue;
        }
        add_part(hash, header->name, strlen(header->name));
        add_number(hash, header->template != NULL);
        if (header->template != NULL) {
            add_template(hash, header->template);
        } else {
            add_field(hash, &header->field);
        }
    }
    add_number(hash, UINT64_MAX); /* no length of a name: the end */
}

static void add_revocation(struct sha256 *hash, const struct identity_policy *policy) {
    add_number(hash, policy->revocation != NULL);
    if (policy->revocation != NULL) {
        uint8_t digest[IDENTITY_DIGEST_SIZE];
        revocation_digest(policy->revocation, digest);
        sha256_add(hash, digest, sizeof digest);
        add_number(hash, policy->revocation_scope);
        add_number(hash, policy->accept_stale_crls);
    }
}

void identity_policy_seal(struct identity_policy *policy) {
    struct sha256 hash;
    sha256_begin(&hash);
    add_trust(&hash, policy->trust);
    add_number(&hash, policy->depth_max);
    add_number(&hash, policy->chain_size_max);
    add_forward(&hash, policy->forward);
    add_forward(&hash, policy->answers);
    add_revocation(&hash, policy);
    sha256_end(&hash, policy->digest);
}
