#include "guard/offer_rules.h"

enum {
    PSK_BINDER_MIN = 32,
    POINT_UNCOMPRESSED = 4,
    PSK_DHE_KE = 1,
};

/* RFC 8446 section 4.2.8: each share is of another group; all those groups are on offer, in the same order. */
static bool check_key_shares(const struct offer *offer, struct hello *hello) {
    struct bytes list;
    bool shares_hybrid = false;
    size_t next = 0; /* in `groups`, behind the group of the last share: one walk through both lists */

    if (!offer_vector(offer->extension[EXTENSION_KEY_SHARE], 2, 0, 1, &list)) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed key_share");
    }
    struct reader reader = reader_of(list);
    while (reader_left(&reader) > 0) {
        uint16_t group = reader_u16(&reader);
        struct bytes share = reader_bytes(&reader, reader_u16(&reader));
        if (reader.failed || share.size == 0) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed key_share");
        }
        while (next < offer->groups.size && offer_u16(offer->groups, next) != group) {
            next += 2;
        }
        if (next == offer->groups.size) {
            return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER,
                                "key share is given twice, or not in supported_groups' order");
        }
        next += 2;
        size_t size = registry_key_share_size(group);
        bool is_point = size % 2 != 0;
        if (size != 0 && (share.size != size || (is_point && share.data[0] != POINT_UNCOMPRESSED))) {
            return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "key share is no element of its group");
        }
        shares_hybrid |= registry_group_use(group) == USE_GROUP_HYBRID;
    }
    hello->could_be_hybrid = !shares_hybrid && (offer->use & USE_GROUP_HYBRID) != 0;
    return true;
}

/* RFC 8446 section 4.2.11: identities, and as many binders. */
static bool check_pre_shared_keys(const struct offer *offer, struct hello *hello) {
    struct reader reader = reader_of(offer->extension[EXTENSION_PRE_SHARED_KEY]);
    struct reader identities = reader_of(reader_bytes(&reader, reader_u16(&reader)));
    struct reader binders = reader_of(reader_bytes(&reader, reader_u16(&reader)));
    size_t identity_count = 0;
    size_t binder_count = 0;

    bool sound = !reader.failed && reader_left(&reader) == 0 && reader_left(&identities) > 0 && reader_left(&binders) > 0;
    while (sound && reader_left(&identities) > 0) {
        struct bytes identity = reader_bytes(&identities, reader_u16(&identities));
        reader_u32(&identities); /* its obfuscated age */
        sound = !identities.failed && identity.size > 0;
        if (identity_count == 0) {
            hello->first_ticket = identity;
        }
        identity_count++;
    }
    while (sound && reader_left(&binders) > 0) {
        struct bytes binder = reader_bytes(&binders, reader_u8(&binders));
        sound = !binders.failed && binder.size >= PSK_BINDER_MIN;
        binder_count++;
    }
    if (!sound) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed pre_shared_key");
    }
    if (identity_count != binder_count) {
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "binders do not match the pre-shared keys");
    }
    if (!offer_has(offer, EXTENSION_PSK_KEY_EXCHANGE_MODES)) {
        return offer_reject(hello, TLS_ALERT_MISSING_EXTENSION, "pre_shared_key without psk_key_exchange_modes");
    }
    return true;
}

/* Returns whether the client resumes with a fresh key exchange (RFC 8446 section 4.2.9). */
static bool has_psk_dhe(const struct offer *offer) {
    struct bytes modes;

    return offer_vector(offer->extension[EXTENSION_PSK_KEY_EXCHANGE_MODES], 1, 1, 1, &modes) &&
           memchr(modes.data, PSK_DHE_KE, modes.size) != NULL;
}

/* In TLS 1.3 a scheme of ECDSA has its curve, and PKCS#1 signs no handshake (RFC 8446 section 4.2.3). */
static uint8_t keys_of_tls13(const struct offer *offer) {
    return (uint8_t)(((offer->schemes & SCHEME_ECDSA_SHA256) != 0 ? SERVER_KEY_P256 : 0) |
                     ((offer->schemes & SCHEME_ECDSA_SHA384) != 0 ? SERVER_KEY_P384 : 0) |
                     ((offer->schemes & SCHEME_ED25519) != 0 ? SERVER_KEY_ED25519 : 0) |
                     ((offer->schemes & SCHEMES_PSS) != 0 ? SERVER_KEY_RSA : 0));
}

/*
 * In TLS 1.2 the suite tells ECDSA or Ed25519 from RSA, the curve of an ECDSA key must be one of the groups, if the client
 * names any, and any hash goes with any curve (RFC 8422 sections 2.2, 4 and 5.1.1).
 */
static uint8_t keys_of_tls12(const struct offer *offer) {
    bool any_curve = !offer_has(offer, EXTENSION_SUPPORTED_GROUPS);
    bool ecdsa = (offer->use & USE_SUITE_ECDSA) != 0 && (offer->schemes & SCHEMES_ECDSA) != 0;
    bool ed25519 = (offer->use & USE_SUITE_ECDSA) != 0 && (offer->schemes & SCHEME_ED25519) != 0;
    bool rsa = (offer->use & USE_SUITE_RSA) != 0 && (offer->schemes & (SCHEMES_PSS | SCHEMES_PKCS1)) != 0;

    return (uint8_t)((ecdsa && (any_curve || (offer->use & USE_CURVE_P256) != 0) ? SERVER_KEY_P256 : 0) |
                     (ecdsa && (any_curve || (offer->use & USE_CURVE_P384) != 0) ? SERVER_KEY_P384 : 0) |
                     (ed25519 ? SERVER_KEY_ED25519 : 0) | (rsa ? SERVER_KEY_RSA : 0));
}

static bool check_tls13(const struct offer *offer, struct hello *hello) {
    bool with_psk = offer_has(offer, EXTENSION_PRE_SHARED_KEY);
    bool with_groups = offer_has(offer, EXTENSION_SUPPORTED_GROUPS);

    if (offer->compression.size != 1 || offer->compression.data[0] != 0) {
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "TLS 1.3 with compression");
    }
    if (offer_has(offer, EXTENSION_COOKIE)) { /* a client only echoes a server's cookie, and this server sends none */
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "cookie that nobody gave");
    }
    if (with_psk && !check_pre_shared_keys(offer, hello)) {
        return false;
    }
    /* RFC 8446 section 9.2. */
    if (!with_psk && (!with_groups || !offer_has(offer, EXTENSION_SIGNATURE_ALGORITHMS))) {
        return offer_reject(hello, TLS_ALERT_MISSING_EXTENSION, "TLS 1.3 without supported_groups or signature_algorithms");
    }
    if (with_groups != offer_has(offer, EXTENSION_KEY_SHARE)) {
        return offer_reject(hello, TLS_ALERT_MISSING_EXTENSION, "supported_groups and key_share do not come together");
    }
    if (with_groups && !check_key_shares(offer, hello)) {
        return false;
    }
    if ((offer->use & USE_SUITE_TLS13) == 0) {
        return offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "no usable cipher suite for TLS 1.3");
    }
    if ((offer->use & (USE_GROUP | USE_GROUP_HYBRID)) == 0) {
        return offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "no usable group for TLS 1.3");
    }
    if ((offer->schemes & (SCHEMES_ECDSA | SCHEME_ED25519 | SCHEMES_PSS)) == 0) {
        return offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "no usable signature scheme for TLS 1.3");
    }
    hello->tls13 = true;
    hello->keys = keys_of_tls13(offer);
    hello->lacks_curve = (offer->use & USE_GROUP) == 0;
    hello->resumable = has_psk_dhe(offer);
    hello->early_data = offer_has(offer, EXTENSION_EARLY_DATA);
    return true;
}

/* A client without supported_groups takes any group (RFC 8422 section 4); one without signature_algorithms no scheme (RFC
 * 9155). */
static bool check_tls12(const struct offer *offer, struct hello *hello) {
    bool ecdsa = (offer->use & USE_SUITE_ECDSA) != 0 && (offer->schemes & (SCHEMES_ECDSA | SCHEME_ED25519)) != 0;
    bool rsa = (offer->use & USE_SUITE_RSA) != 0 && (offer->schemes & (SCHEMES_PSS | SCHEMES_PKCS1)) != 0;

    if (memchr(offer->compression.data, 0, offer->compression.size) == NULL) {
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "no null compression");
    }
    if ((offer->use & (USE_SUITE_ECDSA | USE_SUITE_RSA)) == 0) {
        return offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "no usable cipher suite for TLS 1.2");
    }
    if (offer_has(offer, EXTENSION_SUPPORTED_GROUPS) && (offer->use & USE_GROUP) == 0) {
        return offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "no usable group for TLS 1.2");
    }
    if (!ecdsa && !rsa) {
        return offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "no usable signature scheme for TLS 1.2");
    }
    hello->keys = keys_of_tls12(offer);
    hello->first_ticket = offer->extension[EXTENSION_SESSION_TICKET];
    /* Without this extension a man in the middle may have a part in the session (RFC 7627 section 1). */
    hello->resumable = offer_has(offer, EXTENSION_EXTENDED_MASTER_SECRET);
    return true;
}

bool offer_rules_check(const struct offer *offer, struct hello *hello) {
    bool offers_tls12 = !offer_has(offer, EXTENSION_SUPPORTED_VERSIONS);
    bool offers_tls13 = false;

    for (size_t i = 0; i < offer->versions.size; i += 2) {
        uint16_t version = offer_u16(offer->versions, i);
        offers_tls13 |= version == OFFER_TLS13;
        offers_tls12 |= version == OFFER_TLS12;
    }
    /*
     * A client that offers TLS 1.3 gets 1.3 or nothing: it would take 1.2 from a server that has 1.3 for a downgrade (RFC
     * 8446 section 4.1.3).
     */
    if (offers_tls13) {
        return check_tls13(offer, hello);
    }
    if (!offers_tls12) {
        return offer_reject(hello, TLS_ALERT_PROTOCOL_VERSION, "neither TLS 1.2 nor TLS 1.3");
    }
    if ((offer->use & USE_FALLBACK_SCSV) != 0) {
        return offer_reject(hello, TLS_ALERT_INAPPROPRIATE_FALLBACK, "fallback to TLS 1.2");
    }
    return check_tls12(offer, hello);
}
