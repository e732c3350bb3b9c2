/* The fault of a path in a sentence, for the person who has to mend it. */
#include "base/check.h"
#include "base/utf8.h"
#include "path/path.h"
#include "x509/crl.h"
#include "x509/der.h"
#include "x509/general_name.h"
#include "x509/name.h"
#include "x509/oid.h"

enum {
    QUOTED_SIZE_MAX = 44, /* of a name, so that four of them and the sentence fit in IDENTITY_DETAIL_SIZE */
    NAME_TEXT_SIZE = 1024,
    KEY_ID_SIZE_MAX = 20, /* bytes that are shown; most are SHA-1, which is as long */
};

/*
 * Returns the bytes of a UTF-8 character that a terminal may act upon rather than show: the C1 controls (U+0080 to U+009F),
 * line separators and marks that turn the direction of writing (U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069). 0 for
 * all others.
 */
static size_t unprintable_size(struct bytes text) {
    const uint8_t *c = text.data;
    if (text.size >= 2 && c[0] == 0xc2 && c[1] < 0xa0) {
        return 2;
    }
    if (text.size < 3 || c[0] != 0xe2) {
        return 0;
    }
    bool first = c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae));
    bool second = c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9;
    return first || second ? 3 : 0;
}

/* Appends a text in quotes as printable UTF-8. A long text is cut at a character's end, and dots show it. */
static void append_quoted(struct text *out, struct bytes text) {
    size_t size = text.size > QUOTED_SIZE_MAX ? utf8_cut(text, QUOTED_SIZE_MAX - 3).size : text.size;
    text_append_char(out, '"');
    for (size_t i = 0; i < size;) {
        size_t skip = unprintable_size(bytes_of(text.data + i, size - i));
        if (skip > 0) {
            text_append_char(out, '?');
            i += skip;
        } else {
            text_append_header_value(out, bytes_of(text.data + i, 1));
            i++;
        }
    }
    text_append_string(out, size < text.size ? "...\"" : "\"");
}

static void append_name(struct text *out, struct bytes name) {
    char buffer[NAME_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    name_append_text(&text, name);
    append_quoted(out, text_bytes(&text));
}

static void append_key_id(struct text *out, struct bytes id) {
    bool whole = id.size <= KEY_ID_SIZE_MAX;
    text_append_hex(out, whole ? id : bytes_of(id.data, KEY_ID_SIZE_MAX));
    text_append_string(out, whole ? "" : "...");
}

/* Counts the leading ones of a mask. False when ones come behind a zero. */
static bool is_prefix(struct bytes mask, unsigned *bits) {
    *bits = 0;
    bool ended = false;
    for (size_t i = 0; i < 8 * mask.size; i++) {
        bool one = (mask.data[i / 8] & 0x80 >> i % 8) != 0;
        if (one && ended) {
            return false;
        }
        ended = !one;
        *bits += one;
    }
    return true;
}

/* Appends an address; with the mask that a constraint has behind it: 10.0.0.0/8, or 10.0.0.0/255.0.255.0. */
static void append_ip(struct text *out, struct bytes ip) {
    if (ip.size == 4 || ip.size == 16) {
        general_name_append_ip(out, ip);
        return;
    }
    struct bytes mask = bytes_of(ip.data + ip.size / 2, ip.size / 2);
    general_name_append_ip(out, bytes_of(ip.data, ip.size / 2));
    text_append_char(out, '/');
    unsigned bits;
    if (is_prefix(mask, &bits)) {
        text_append_format(out, "%u", bits);
    } else {
        general_name_append_ip(out, mask);
    }
}

/*
 * Appends a GeneralName of a certificate, or the base of a constraint. An emailAddress of the subject may have any bytes,
 * and this text must be UTF-8. An IPv6 address and an IPv4 address with its mask differ in size, and are told apart by it.
 */
static void append_general_name(struct text *out, uint8_t tag, struct bytes name) {
    char buffer[NAME_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    switch (tag) {
    case GENERAL_NAME_DIRECTORY:
        append_name(out, name);
        return;
    case GENERAL_NAME_IP:
        append_ip(&text, name);
        break;
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_URI:
        for (size_t i = 0; i < name.size; i++) {
            text_append_char(&text, name.data[i] < 0x80 ? (char)name.data[i] : '?');
        }
        break;
    default:
        text_append_string(out, "(of a form that cannot be compared)");
        return;
    }
    append_quoted(out, text_bytes(&text));
}

/* Appends a certificate's subject. A root is called one, since it is the operator's own file. */
static void append_certificate(struct text *out, const struct path_verdict *verdict, const struct certificate *certificate) {
    if (verdict->anchor != NULL && certificate == &verdict->anchor->certificate) {
        text_append_string(out, "the root ");
    }
    append_name(out, certificate->subject);
}

static void append_algorithm(struct text *out, struct bytes oid) {
    static const struct {
        struct bytes oid;
        const char *name;
    } names[] = {
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), "RSA with MD2"},
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), "RSA with MD5"},
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "RSA with SHA-1"},
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), "RSA with SHA-224"},
        {OID_RSA_PSS, "RSA-PSS not with SHA-256, SHA-384 or SHA-512"},
        {OID_VIEW("\x2a\x86\x48\xce\x3d\x04\x01"), "ECDSA with SHA-1"},
        {OID_VIEW("\x2a\x86\x48\xce\x3d\x04\x03\x01"), "ECDSA with SHA-224"},
        {OID_VIEW("\x2a\x86\x48\xce\x38\x04\x01"), "DSA"},
        {OID_VIEW("\x2a\x86\x48\xce\x38\x04\x03"), "DSA with SHA-1"},
        {OID_VIEW("\x2b\x65\x71"), "Ed448"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (bytes_equal(oid, names[i].oid)) {
            text_append_format(out, "%s, ", names[i].name);
        }
    }
    oid_append(out, oid);
}

static void append_rsa_fault(struct text *out, const struct signature_key *key) {
    if (key->bits < SIGNATURE_RSA_BITS_MIN) {
        text_append_format(out, "RSA of %u bits, it takes %d or more", key->bits, SIGNATURE_RSA_BITS_MIN);
    } else if (key->bits > SIGNATURE_RSA_BITS_MAX) {
        text_append_format(out, "RSA of %u bits, it takes %d or less", key->bits, SIGNATURE_RSA_BITS_MAX);
    } else {
        text_append_string(out, "RSA with an exponent that is 1, even or above 64 bits, or an even modulus");
    }
}

/* Appends the curve's OID, where the parameters are one and the curve is at fault. */
static void append_curve(struct text *out, struct bytes parameters, bool is_compressed) {
    struct bytes oid;
    if (is_compressed) {
        text_append_string(out, "its point is compressed");
    } else if (der_read_oid(&parameters, &oid)) {
        text_append_string(out, "its curve ");
        oid_append(out, oid);
    } else {
        text_append_string(out, "its curve has no name");
    }
}

static void append_key_fault(struct text *out, const struct path_verdict *verdict) {
    const struct certificate *certificate = verdict->fault.certificate;
    struct signature_key key;
    signature_judge_key(certificate, &key);
    text_append_string(out, "the key of ");
    append_certificate(out, verdict, certificate);
    text_append_string(out, " is not accepted: ");
    if (key.bits > 0) {
        append_rsa_fault(out, &key);
    } else if (key.algorithm.kind == SIGNATURE_ECDSA) {
        append_curve(out, certificate->key_algorithm.parameters, key.curve != 0);
    } else {
        text_append_string(out, "its algorithm ");
        append_algorithm(out, certificate->key_algorithm.oid);
    }
}

/* Appends ": excluded is X", or ": permitted is X" and how many more of that form there are. */
static void append_constraint(struct text *out, const struct path_fault *fault) {
    const struct constraints_fault *names = &fault->names;
    text_append_format(out, ": %s is ", names->excluded ? "excluded" : "permitted");
    append_general_name(out, names->tag, names->base);
    size_t count = 0;
    uint8_t tag;
    struct bytes base;
    for (struct bytes rest = fault->issuer->permitted; general_name_next_subtree(&rest, &tag, &base);) {
        count += tag == names->tag;
    }
    if (!names->excluded && count > 1) {
        text_append_format(out, " and %zu more", count - 1);
    }
}

static void append_names_fault(struct text *out, const struct path_verdict *verdict) {
    const struct path_fault *fault = &verdict->fault;
    if (fault->names.too_many) {
        append_name(out, fault->certificate->subject);
        text_append_string(out, " has too many names for the constraints above it");
        return;
    }
    text_append_format(out, "the %s ", constraints_kind(fault->names.tag));
    append_general_name(out, fault->names.tag, fault->names.name);
    if (fault->names.tag != GENERAL_NAME_DIRECTORY) {
        text_append_string(out, " of ");
        append_name(out, fault->certificate->subject);
    }
    text_append_string(out, fault->names.excluded ? " is excluded by " : " is not permitted by ");
    append_certificate(out, verdict, fault->issuer);
    append_constraint(out, fault);
}

static void append_usage_fault(struct text *out, const struct path_verdict *verdict) {
    const struct path_fault *fault = &verdict->fault;
    const struct certificate *certificate = fault->certificate;
    append_certificate(out, verdict, certificate);
    switch (fault->reason) {
    case REASON_UNSUPPORTED_CRITICAL_EXTENSION:
        text_append_string(out, " has the critical extension ");
        oid_append(out, certificate->unknown_critical);
        text_append_string(out, ", which is not supported");
        break;
    case REASON_NOT_A_CA:
        text_append_string(out, " signed a certificate but is not a CA");
        break;
    case REASON_PATH_LENGTH:
        text_append_string(out, " is one CA more than the path length above it allows");
        break;
    default:
        text_append_format(out, ": its %s", fault->usage);
    }
}

static void append_date_fault(struct text *out, const struct path_verdict *verdict) {
    const struct path_fault *fault = &verdict->fault;
    bool expired = fault->reason == REASON_EXPIRED;
    append_certificate(out, verdict, fault->certificate);
    text_append_string(out, expired ? " was valid until " : " is not valid before ");
    text_append_time(out, expired ? fault->certificate->not_after : fault->certificate->not_before);
}

static void append_revocation_fault(struct text *out, const struct path_fault *fault) {
    static const char *const missing[] = {
        [PATH_CRL_NONE] = "none was given",
        [PATH_CRL_NOT_COVERING] = "none covers it",
        [PATH_CRL_NOT_YET] = "none is usable yet",
        [PATH_CRL_NOT_GENUINE] = "none is signed by one who may",
        [PATH_CRL_NOT_CHECKED] = "there are too many to check at once",
    };
    const struct path_crl_fault *crl = &fault->crl;
    if (fault->reason == REASON_REVOKED) {
        append_name(out, fault->certificate->subject);
        text_append_string(out, " was revoked at ");
        text_append_time(out, crl->time);
        text_append_string(out, " by ");
        append_name(out, fault->certificate->issuer);
        if (crl_reason_text(crl->reason) != NULL) {
            text_append_format(out, ": %s", crl_reason_text(crl->reason));
        }
        return;
    }
    text_append_string(out, fault->reason == REASON_CRL_STALE ? "the CRL of " : "a CRL of ");
    append_name(out, fault->certificate->issuer);
    if (fault->reason == REASON_CRL_STALE) {
        text_append_string(out, " was to be replaced by ");
        text_append_time(out, crl->time);
        return;
    }
    text_append_string(out, " is missing for ");
    append_name(out, fault->certificate->subject);
    text_append_format(out, ": %s", missing[crl->progress]);
}

static void append_issuer_fault(struct text *out, const struct path_verdict *verdict, size_t depth_max) {
    const struct path_fault *fault = &verdict->fault;
    if (fault->reason == REASON_CHAIN_TOO_LONG) {
        text_append_format(out, "the path to the root has %zu certificates, at most %zu are allowed", verdict->length,
                           depth_max);
        return;
    }
    if (fault->issuer != NULL) {
        text_append_string(out, "the issuer ");
        append_name(out, fault->certificate->issuer);
        text_append_string(out, " of ");
        append_name(out, fault->certificate->subject);
        text_append_string(out, " is unknown, but the root ");
        append_name(out, fault->issuer->subject);
        text_append_string(out, " has the key that it names");
        return;
    }
    text_append_string(out, "no certificate of the issuer ");
    append_name(out, fault->certificate->issuer);
    if (fault->certificate->aki.size > 0) {
        text_append_string(out, " (key ");
        append_key_id(out, fault->certificate->aki);
        text_append_char(out, ')');
    }
    if (!bytes_equal(fault->certificate->issuer, fault->certificate->subject)) {
        text_append_string(out, " of ");
        append_name(out, fault->certificate->subject);
    }
    text_append_string(out, " among the roots or in the chain");
}

/*
 * The names agree, or the issuer would not have been found. By key identifiers the reader can tell another key of the same
 * name, as after a renewal, from somebody who claims to be that issuer.
 */
static void append_signature_fault(struct text *out, const struct path_verdict *verdict) {
    const struct certificate *certificate = verdict->fault.certificate;
    const struct certificate *issuer = verdict->fault.issuer;
    text_append_string(out, "the signature on ");
    append_name(out, certificate->subject);
    text_append_string(out, " is not by the key of ");
    append_certificate(out, verdict, issuer);
    if (certificate->aki.size == 0 || issuer->ski.size == 0) {
        return;
    }
    if (bytes_equal(certificate->aki, issuer->ski)) {
        text_append_string(out, ", though it names that key");
        return;
    }
    text_append_string(out, ": it names key ");
    append_key_id(out, certificate->aki);
    text_append_string(out, ", not ");
    append_key_id(out, issuer->ski);
}

void path_append_detail(struct text *out, const struct path_verdict *verdict, size_t depth_max) {
    const struct path_fault *fault = &verdict->fault;
    if (fault->reason == REASON_OK) {
        return;
    }
    switch (fault->phase) {
    case PATH_PHASE_ISSUER:
        append_issuer_fault(out, verdict, depth_max);
        break;
    case PATH_PHASE_ALGORITHM:
        append_name(out, fault->certificate->subject);
        text_append_string(out, " is signed with an algorithm that is not accepted: ");
        append_algorithm(out, fault->certificate->signature_algorithm.oid);
        break;
    case PATH_PHASE_SIGNATURE:
        append_signature_fault(out, verdict);
        break;
    case PATH_PHASE_KEY:
        append_key_fault(out, verdict);
        break;
    case PATH_PHASE_DATES:
        append_date_fault(out, verdict);
        break;
    case PATH_PHASE_REVOCATION:
        append_revocation_fault(out, fault);
        break;
    case PATH_PHASE_USAGE:
        append_usage_fault(out, verdict);
        break;
    case PATH_PHASE_NAMES:
        append_names_fault(out, verdict);
        break;
    }
}
