#include "guard/retry.h"

#include "base/hash.h"
#include "guard/offer_rules.h"

/* Returns whether the extension may differ between the two hellos, or be in one of them only. */
static bool may_change(uint16_t type) {
    switch (type) {
    case EXTENSION_PADDING:
    case EXTENSION_PRE_SHARED_KEY: /* other binders and ages, and fewer identities: see holds_identities */
    case EXTENSION_EARLY_DATA:     /* gone; see retry_check */
    case EXTENSION_KEY_SHARE:      /* another one; see check_key_share */
    case EXTENSION_ENCRYPTED_CLIENT_HELLO:
        return true;
    default:
        return false;
    }
}

/* Each extension has a digest of its own, and the digests are added up: the order of the extensions means nothing. */
static uint64_t digest_part(uint16_t type, struct bytes part) {
    const uint64_t words[] = {type, part.size, hash_bytes(part.data, part.size)};

    return hash_bytes(words, sizeof words);
}

static uint64_t digest_of(const struct offer *offer) {
    uint64_t digest = hash_bytes(offer->head.data, offer->head.size);
    struct reader reader = reader_of(offer->extensions);

    while (reader_left(&reader) > 0) {
        uint16_t type = reader_u16(&reader);
        struct bytes content = reader_bytes(&reader, reader_u16(&reader));
        if (!may_change(type)) {
            digest += digest_part(type, content);
        }
    }
    return digest;
}

/* Sets the filter's bits of one identity: four of 512. Beside eight identities one foreign one in 70,000 passes by chance.
 */
static void identity_bits(struct bytes identity, uint64_t bits[static RETRY_IDENTITY_WORDS]) {
    enum { BITS_EACH = 4, INDEX_BITS = 9 };
    uint64_t hash = hash_bytes(identity.data, identity.size);

    memset(bits, 0, RETRY_IDENTITY_WORDS * sizeof *bits);
    for (unsigned i = 0; i < BITS_EACH; i++) {
        unsigned index = hash >> i * INDEX_BITS & ((1 << INDEX_BITS) - 1);
        bits[index / 64] |= (uint64_t)1 << index % 64;
    }
}

/* Reads the next identity of a pre_shared_key. False at the end, or where it is malformed. */
static bool next_identity(struct reader *identities, struct bytes *identity) {
    if (reader_left(identities) == 0) {
        return false;
    }
    *identity = reader_bytes(identities, reader_u16(identities));
    reader_u32(identities); /* its obfuscated age */
    return !identities->failed;
}

static struct reader identities_of(const struct offer *offer) {
    struct reader reader = reader_of(offer->extension[EXTENSION_PRE_SHARED_KEY]);

    return reader_of(reader_bytes(&reader, reader_u16(&reader)));
}

static bool holds_identities(const struct retry *retry, const struct offer *second) {
    struct reader identities = identities_of(second);
    struct bytes identity;

    while (next_identity(&identities, &identity)) {
        uint64_t bits[RETRY_IDENTITY_WORDS];
        identity_bits(identity, bits);
        for (size_t i = 0; i < RETRY_IDENTITY_WORDS; i++) {
            if ((bits[i] & ~retry->identities[i]) != 0) {
                return false;
            }
        }
    }
    return true;
}

bool retry_keep(struct retry *retry, struct bytes body) {
    struct hello hello = {0};
    struct offer offer;

    if (!offer_read(body, &offer, &hello)) {
        return false;
    }
    *retry = (struct retry){.digest = digest_of(&offer), .present = offer.present};
    struct reader identities = identities_of(&offer);
    struct bytes identity;
    while (next_identity(&identities, &identity)) {
        uint64_t bits[RETRY_IDENTITY_WORDS];
        identity_bits(identity, bits);
        for (size_t i = 0; i < RETRY_IDENTITY_WORDS; i++) {
            retry->identities[i] |= bits[i];
        }
    }
    return true;
}

/* RFC 8446 section 4.2.8: one share, of the group that was asked for. offer_rules_check has checked the rest. */
static bool check_key_share(const struct offer *offer, uint16_t group, struct hello *hello) {
    struct reader reader = reader_of(offer->extension[EXTENSION_KEY_SHARE]);

    reader_u16(&reader); /* the list's length */
    uint16_t first = reader_u16(&reader);
    reader_bytes(&reader, reader_u16(&reader));
    return (!reader.failed && first == group && reader_left(&reader) == 0) ||
           offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER,
                        "second ClientHello without just the key share that was asked for");
}

/* Checks that the second hello has each extension of the first that TLS 1.3 requires (RFC 8446 section 9.2). */
static bool check_mandatory(const struct retry *retry, const struct offer *offer, struct hello *hello) {
    static const uint64_t mandatory = (uint64_t)1 << EXTENSION_SUPPORTED_GROUPS |
                                      (uint64_t)1 << EXTENSION_SIGNATURE_ALGORITHMS |
                                      (uint64_t)1 << EXTENSION_SUPPORTED_VERSIONS | (uint64_t)1 << EXTENSION_KEY_SHARE;

    return (retry->present & mandatory & ~offer->present) == 0 ||
           offer_reject(hello, TLS_ALERT_MISSING_EXTENSION, "second ClientHello without an extension of TLS 1.3");
}

bool retry_check(const struct retry *retry, struct bytes body, uint16_t group, struct hello *hello) {
    struct offer offer;
    *hello = (struct hello){0};
    if (!offer_read(body, &offer, hello) || !check_mandatory(retry, &offer, hello)) {
        return false;
    }
    if (offer_has(&offer, EXTENSION_EARLY_DATA)) {
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "early data after a HelloRetryRequest");
    }
    if (digest_of(&offer) != retry->digest) {
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "second ClientHello is not the first one's like");
    }
    if (!offer_rules_check(&offer, hello) || !check_key_share(&offer, group, hello)) {
        return false;
    }
    return holds_identities(retry, &offer) ||
           offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "second ClientHello with another pre-shared key");
}
