#include "guard/offer.h"

#include "base/check.h"

#include <arpa/inet.h>

enum {
    RANDOM_SIZE = 32,
    SESSION_ID_MAX = 32,
    NAME_TYPE_HOST = 0,
    RECORD_SIZE_LIMIT_MIN = 64,
    MAX_FRAGMENT_512 = 1,
    MAX_FRAGMENT_4096 = 4,
};

/*
 * A set of 16-bit numbers that need not be cleared as a whole: a word of `members` means something only once its bit in
 * `touched` is set.
 */
struct type_set {
    uint64_t touched[16];
    uint64_t members[1024];
};

/* Adds a number. False when it was in the set already. */
static bool type_set_add(struct type_set *set, uint16_t type) {
    unsigned word = type / 64;
    uint64_t bit = (uint64_t)1 << type % 64;
    uint64_t word_bit = (uint64_t)1 << word % 64;

    if ((set->touched[word / 64] & word_bit) == 0) {
        set->touched[word / 64] |= word_bit;
        set->members[word] = 0;
    }
    bool fresh = (set->members[word] & bit) == 0;
    set->members[word] |= bit;
    return fresh;
}

bool offer_vector(struct bytes outer, size_t length_size, size_t size_min, size_t element_size, struct bytes *content) {
    struct reader reader = reader_of(outer);
    size_t size = length_size == 1 ? reader_u8(&reader) : reader_u16(&reader);

    *content = reader_bytes(&reader, size);
    return !reader.failed && reader_left(&reader) == 0 && size >= size_min && size % element_size == 0;
}

/* RFC 5746 section 3.6. */
static bool check_renegotiation_info(struct bytes content, struct hello *hello) {
    struct bytes verify_data;

    if (!offer_vector(content, 1, 0, 1, &verify_data)) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed renegotiation_info");
    }
    return verify_data.size == 0 || offer_reject(hello, TLS_ALERT_HANDSHAKE_FAILURE, "renegotiation in a first handshake");
}

static bool read_extensions(struct offer *offer, struct hello *hello) {
    struct reader reader = reader_of(offer->extensions);
    struct type_set seen;

    memset(seen.touched, 0, sizeof seen.touched);
    while (reader_left(&reader) > 0) {
        if (offer_has(offer, EXTENSION_PRE_SHARED_KEY)) {
            return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "pre_shared_key is not the last extension");
        }
        uint16_t type = reader_u16(&reader);
        struct bytes content = reader_bytes(&reader, reader_u16(&reader));
        if (reader.failed) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "extension exceeds the list of extensions");
        }
        if (!type_set_add(&seen, type)) {
            return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "extension given twice");
        }
        if (type < EXTENSION_TRACKED) {
            offer->present |= (uint64_t)1 << type;
            offer->extension[type] = content;
        } else if (type == EXTENSION_RENEGOTIATION_INFO && !check_renegotiation_info(content, hello)) {
            return false;
        }
    }
    return true;
}

static bool read_structure(struct bytes body, struct offer *offer, struct hello *hello) {
    struct reader reader = reader_of(body);

    unsigned legacy_version = reader_u16(&reader);
    reader_bytes(&reader, RANDOM_SIZE);
    size_t session_id_size = reader_u8(&reader);
    reader_bytes(&reader, session_id_size);
    offer->suites = reader_bytes(&reader, reader_u16(&reader));
    offer->compression = reader_bytes(&reader, reader_u8(&reader));
    if (reader.failed) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "ClientHello is shorter than its fields");
    }
    /* TLS 1.3 prescribes 1.2's number here, and allows to refuse a greater one, as wolfSSL does (RFC 8446 section 4.2.1). */
    if (legacy_version != OFFER_TLS12) {
        return offer_reject(hello, TLS_ALERT_PROTOCOL_VERSION, "legacy_version is not that of TLS 1.2");
    }
    if (session_id_size > SESSION_ID_MAX) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "session ID over 32 bytes");
    }
    if (offer->suites.size == 0 || offer->suites.size % 2 != 0) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed list of cipher suites");
    }
    if (offer->compression.size == 0) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "no compression methods");
    }
    offer->head = bytes_of(body.data, (size_t)(reader.next - body.data));
    if (reader_left(&reader) == 0) { /* legal in TLS 1.2: no extensions */
        return true;
    }
    if (!offer_vector(bytes_of(reader.next, reader_left(&reader)), 2, 0, 1, &offer->extensions)) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "list of extensions does not fill the ClientHello");
    }
    return read_extensions(offer, hello);
}

/*
 * RFC 6066 section 3 allows no addresses in server_name, but devices that connect by address send them. An address names no
 * host: the hello counts as one without the extension. IPv6 comes with or without brackets and zone.
 */
static bool is_address(struct bytes name) {
    struct in6_addr address; /* has room for either */

    if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']') {
        name = bytes_of(name.data + 1, name.size - 2);
    }
    const uint8_t *zone = memchr(name.data, '%', name.size);
    size_t size = zone == NULL ? name.size : (size_t)(zone - name.data);

    char text[INET6_ADDRSTRLEN];
    if (size >= sizeof text || memchr(name.data, 0, name.size) != NULL) {
        return false;
    }
    memcpy(text, name.data, size);
    text[size] = '\0';
    return (zone == NULL && inet_pton(AF_INET, text, &address) == 1) || inet_pton(AF_INET6, text, &address) == 1;
}

/*
 * Takes labels of any length and with hyphens anywhere, as DNS itself does (RFC 2181 section 11) and names below a wildcard
 * in use have them. The configuration is stricter (config/address.c), and so is no host found for other such names.
 */
bool offer_take_name(struct bytes name, struct hello *hello) {
    if (is_address(name)) {
        return true;
    }
    switch (host_name_fold(name, hello->name)) {
    case HOST_NAME_GOOD:
        return true;
    case HOST_NAME_TOO_LONG:
        return offer_reject(hello, TLS_ALERT_UNRECOGNIZED_NAME, "server name over 255 bytes");
    case HOST_NAME_EMPTY:
    case HOST_NAME_EMPTY_LABEL:
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "server name has an empty label");
    case HOST_NAME_CHARACTER:
        break;
    }
    return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "server name is no DNS name");
}

/* RFC 6066 section 3: one name of a type at most; types other than host_name have never been defined. */
static bool read_server_name(const struct offer *offer, struct hello *hello) {
    bool taken = false;

    if (!offer_has(offer, EXTENSION_SERVER_NAME)) {
        return true;
    }
    struct bytes list;
    if (!offer_vector(offer->extension[EXTENSION_SERVER_NAME], 2, 1, 1, &list)) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed server_name");
    }
    struct reader reader = reader_of(list);
    while (reader_left(&reader) > 0) {
        uint8_t type = reader_u8(&reader);
        struct bytes name = reader_bytes(&reader, reader_u16(&reader));
        if (reader.failed || (type == NAME_TYPE_HOST && name.size == 0)) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed server_name");
        }
        if (type != NAME_TYPE_HOST) {
            continue;
        }
        if (taken) {
            return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "more than one server name");
        }
        if (!offer_take_name(name, hello)) {
            return false;
        }
        taken = true;
    }
    return taken || offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "server_name without a host name");
}

/* RFC 7301 section 3.1. */
static bool read_alpn(const struct offer *offer, struct hello *hello) {
    if (!offer_has(offer, EXTENSION_ALPN)) {
        return true;
    }
    struct bytes list;
    if (!offer_vector(offer->extension[EXTENSION_ALPN], 2, 2, 1, &list)) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed list of application protocols");
    }
    struct reader reader = reader_of(list);
    while (reader_left(&reader) > 0) {
        struct bytes protocol = reader_bytes(&reader, reader_u8(&reader));
        if (reader.failed || protocol.size == 0) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed list of application protocols");
        }
        hello->alpn = true;
        if (bytes_equal(protocol, bytes_of_string("h2"))) {
            hello->alpn_h2 = true;
        } else if (bytes_equal(protocol, bytes_of_string("http/1.1"))) {
            hello->alpn_http11 = true;
        } else if (bytes_equal(protocol, bytes_of_string("http/1.0"))) {
            hello->alpn_http10 = true;
        }
    }
    return true;
}

/* An extension that is one vector of numbers, and where its content goes. */
struct list {
    uint8_t type;
    uint8_t length_size; /* bytes of the number in front */
    uint8_t element_size;
    struct bytes *content;
    const char *fault;
};

/* Reads the lists of numbers, and notes what of them this server has. */
static bool read_lists(struct offer *offer, struct hello *hello) {
    struct bytes ignored;
    const struct list lists[] = {
        {EXTENSION_SUPPORTED_VERSIONS, 1, 2, &offer->versions, "malformed supported_versions"},
        {EXTENSION_SUPPORTED_GROUPS, 2, 2, &offer->groups, "malformed supported_groups"},
        {EXTENSION_SIGNATURE_ALGORITHMS, 2, 2, &offer->signatures, "malformed signature_algorithms"},
        {EXTENSION_SIGNATURE_ALGORITHMS_CERT, 2, 2, &offer->chain_signatures, "malformed signature_algorithms_cert"},
        {EXTENSION_PSK_KEY_EXCHANGE_MODES, 1, 1, &ignored, "malformed psk_key_exchange_modes"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        size_t size = lists[i].element_size; /* no list may be empty */
        if (offer_has(offer, lists[i].type) &&
            !offer_vector(offer->extension[lists[i].type], lists[i].length_size, size, size, lists[i].content)) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, lists[i].fault);
        }
    }
    for (size_t i = 0; i < offer->suites.size; i += 2) {
        offer->use |= registry_suite_use(offer_u16(offer->suites, i));
    }
    for (size_t i = 0; i < offer->groups.size; i += 2) {
        offer->use |= registry_group_use(offer_u16(offer->groups, i));
    }
    for (size_t i = 0; i < offer->signatures.size; i += 2) {
        offer->schemes |= registry_scheme(offer_u16(offer->signatures, i));
    }
    return true;
}

/* RFC 8446 section 4.2.3: signature_algorithms holds for certificates too, unless signature_algorithms_cert is there. */
static void note_chain_schemes(const struct offer *offer, struct hello *hello) {
    struct bytes list = offer_has(offer, EXTENSION_SIGNATURE_ALGORITHMS_CERT) ? offer->chain_signatures : offer->signatures;

    for (size_t i = 0; i < list.size; i += 2) {
        hello->chain_schemes |= (uint16_t)registry_chain_scheme(offer_u16(list, i));
    }
}

static bool check_small_extensions(const struct offer *offer, struct hello *hello) {
    static const uint8_t empty[] = {EXTENSION_ENCRYPT_THEN_MAC, EXTENSION_EXTENDED_MASTER_SECRET, EXTENSION_EARLY_DATA};

    for (size_t i = 0; i < sizeof empty; i++) {
        if (offer->extension[empty[i]].size != 0) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "extension that has no content has some");
        }
    }
    struct bytes formats;
    if (offer_has(offer, EXTENSION_EC_POINT_FORMATS)) {
        if (!offer_vector(offer->extension[EXTENSION_EC_POINT_FORMATS], 1, 1, 1, &formats)) {
            return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed ec_point_formats");
        }
        if (memchr(formats.data, 0, formats.size) == NULL) { /* RFC 8422 section 5.1.2 */
            return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "no uncompressed points");
        }
    }
    return true;
}

/* RFC 8449 section 4: any value from 64 on, also one above what the version allows. */
static bool read_record_size_limit(const struct offer *offer, struct hello *hello) {
    struct reader reader = reader_of(offer->extension[EXTENSION_RECORD_SIZE_LIMIT]);

    hello->record_size_limit = reader_u16(&reader);
    if (reader.failed || reader_left(&reader) != 0) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed record_size_limit");
    }
    return hello->record_size_limit >= RECORD_SIZE_LIMIT_MIN ||
           offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "record_size_limit below 64");
}

/* RFC 6066 section 4. Not looked at beside record_size_limit (RFC 8449 section 5). */
static bool read_record_limits(const struct offer *offer, struct hello *hello) {
    struct bytes code = offer->extension[EXTENSION_MAX_FRAGMENT_LENGTH];

    if (offer_has(offer, EXTENSION_RECORD_SIZE_LIMIT)) {
        return read_record_size_limit(offer, hello);
    }
    if (!offer_has(offer, EXTENSION_MAX_FRAGMENT_LENGTH)) {
        return true;
    }
    if (code.size != 1) {
        return offer_reject(hello, TLS_ALERT_DECODE_ERROR, "malformed max_fragment_length");
    }
    if (code.data[0] < MAX_FRAGMENT_512 || code.data[0] > MAX_FRAGMENT_4096) {
        return offer_reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "max_fragment_length is none of the defined ones");
    }
    hello->max_fragment = code.data[0];
    return true;
}

bool offer_read(struct bytes body, struct offer *offer, struct hello *hello) {
    *offer = (struct offer){0};
    if (!read_structure(body, offer, hello) || !read_lists(offer, hello)) {
        return false;
    }
    note_chain_schemes(offer, hello);
    return check_small_extensions(offer, hello) && read_record_limits(offer, hello) && read_server_name(offer, hello) &&
           read_alpn(offer, hello);
}
