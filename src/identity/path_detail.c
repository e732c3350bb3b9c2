/* What went wrong on a path, in a sentence for whoever has to mend it. */
#include "identity/crl.h"
#include "identity/name.h"
#include "identity/oid.h"
#include "identity/path.h"

#include <arpa/inet.h>

enum {
    QUOTED_SIZE_MAX = 48, /* of a name, so that two of them and the sentence fit in IDENTITY_DETAIL_SIZE */
    NAME_TEXT_SIZE = 1024,
};

/* Cuts at a character's end and says so with dots. */
static void append_quoted(struct text *out, struct bytes text) {
    size_t size = text.size;
    if (size > QUOTED_SIZE_MAX) {
        size = QUOTED_SIZE_MAX - 3;
        while (size > 0 && text.data[size] >> 6 == 2) {
            size--;
        }
    }
    text_append_char(out, '"');
    text_append_header_value(out, bytes_of(text.data, size));
    text_append_string(out, size < text.size ? "...\"" : "\"");
}

static void append_name(struct text *out, struct bytes name) {
    char buffer[NAME_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof(buffer));
    name_append_text(&text, name);
    append_quoted(out, text_bytes(&text));
}

/* A GeneralName; in an emailAddress of the subject any byte may occur, and this text must be UTF-8. */
static void append_general_name(struct text *out, uint8_t tag, struct bytes name) {
    char buffer[NAME_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof(buffer));
    switch (tag) {
    case GENERAL_NAME_DIRECTORY:
        append_name(out, name);
        return;
    case GENERAL_NAME_IP:
        text.size = inet_ntop(name.size == 4 ? AF_INET : AF_INET6, name.data, buffer, sizeof(buffer)) ? strlen(buffer) : 0;
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

static void append_key_fault(struct text *out, const struct certificate *certificate) {
    struct signature_key key;
    signature_judge_key(certificate, &key);
    text_append_string(out, "the key of ");
    append_name(out, certificate->subject);
    text_append_string(out, " is not accepted: ");
    if (key.bits > 0) {
        text_append_format(out, "RSA of %u bits", key.bits);
    } else {
        text_append_string(out, key.algorithm.kind == SIGNATURE_ECDSA ? "its curve" : "its algorithm ");
        if (key.algorithm.kind != SIGNATURE_ECDSA) {
            oid_append(out, certificate->key_algorithm.oid);
        }
    }
}

static void append_names_fault(struct text *out, const struct path_fault *fault) {
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
    append_name(out, fault->issuer->subject);
}

static void append_usage_fault(struct text *out, const struct path_fault *fault) {
    const struct certificate *certificate = fault->certificate;
    append_name(out, certificate->subject);
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

static void append_date_fault(struct text *out, const struct path_fault *fault) {
    bool expired = fault->reason == REASON_EXPIRED;
    append_name(out, fault->certificate->subject);
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
    text_append_string(out, "no certificate of the issuer ");
    append_name(out, fault->certificate->issuer);
    if (!bytes_equal(fault->certificate->issuer, fault->certificate->subject)) {
        text_append_string(out, " of ");
        append_name(out, fault->certificate->subject);
    }
    text_append_string(out, " among the roots or in the chain");
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
        oid_append(out, fault->certificate->signature_algorithm.oid);
        break;
    case PATH_PHASE_SIGNATURE:
        text_append_string(out, "the signature on ");
        append_name(out, fault->certificate->subject);
        text_append_string(out, " is not by the key of ");
        append_name(out, fault->issuer->subject);
        break;
    case PATH_PHASE_KEY:
        append_key_fault(out, fault->certificate);
        break;
    case PATH_PHASE_DATES:
        append_date_fault(out, fault);
        break;
    case PATH_PHASE_REVOCATION:
        append_revocation_fault(out, fault);
        break;
    case PATH_PHASE_USAGE:
        append_usage_fault(out, fault);
        break;
    case PATH_PHASE_NAMES:
        append_names_fault(out, fault);
        break;
    }
}
