#include "path/path_check.h"

#include "path/path_revocation.h"

static struct path_fault fault_of(enum reason reason, enum path_phase phase) {
    return (struct path_fault){.reason = reason, .phase = phase};
}

static enum reason check_dates(struct path_budget *budget, const struct certificate *certificate) {
    if (!path_window_reaches(budget, certificate->not_before)) {
        return REASON_NOT_YET_VALID;
    }
    return path_window_passes(budget, certificate->not_after) ? REASON_EXPIRED : REASON_OK;
}

static struct path_fault wrong_usage(const char *usage) {
    struct path_fault fault = fault_of(REASON_WRONG_USAGE, PATH_PHASE_USAGE);
    fault.usage = usage;
    return fault;
}

static struct path_fault check_purpose(const struct certificate *certificate, enum path_purpose purpose) {
    bool of_server = purpose == PATH_OF_SERVER;
    bool allowed = of_server ? certificate->allows_server_auth : certificate->allows_client_auth;
    if (certificate->has_extended_key_usage && !allowed) {
        return wrong_usage(of_server ? "extendedKeyUsage has no serverAuth" : "extendedKeyUsage has no clientAuth");
    }
    return fault_of(REASON_OK, PATH_PHASE_ISSUER);
}

/* Checks the rules for every certificate of a path, the root included. */
static struct path_fault check_any(struct path_budget *budget, const struct certificate *certificate) {
    enum reason reason = check_dates(budget, certificate);
    if (reason != REASON_OK) {
        return fault_of(reason, PATH_PHASE_DATES);
    }
    if (certificate->unknown_critical.size > 0) {
        return fault_of(REASON_UNSUPPORTED_CRITICAL_EXTENSION, PATH_PHASE_USAGE);
    }
    return check_purpose(certificate, budget->settings->purpose);
}

/* Checks the rules for a certificate that signs the next one (RFC 5280 section 6.1.4 (k), (n)). */
static struct path_fault check_ca(const struct certificate *certificate) {
    if (!certificate->is_ca) {
        return fault_of(REASON_NOT_A_CA, PATH_PHASE_USAGE);
    }
    if (certificate->has_key_usage && (certificate->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0) {
        return wrong_usage("keyUsage has no keyCertSign");
    }
    return fault_of(REASON_OK, PATH_PHASE_ISSUER);
}

/* Checks the rule for the leaf: it signs to authenticate (RFC 8446 section 4.4.3), so its keyUsage needs digitalSignature.
 */
static struct path_fault check_leaf(const struct certificate *certificate) {
    if (certificate->has_key_usage && (certificate->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0) {
        return wrong_usage("keyUsage has no digitalSignature");
    }
    return fault_of(REASON_OK, PATH_PHASE_ISSUER);
}

/* Counts as RFC 5280 section 6.1.4 (l), (m) says. `*left`: CAs that may still follow and are not self-issued. */
static bool count_path_length(const struct certificate *certificate, bool counts, uint32_t *left) {
    if (counts) {
        if (*left == 0) {
            return false;
        }
        (*left)--;
    }
    if (certificate->is_ca && certificate->has_path_length && certificate->path_length < *left) {
        *left = certificate->path_length;
    }
    return true;
}

static struct path_fault check_member(struct path_budget *budget, const struct path_member *member, bool is_leaf,
                                      uint32_t *path_length_left) {
    if (member->algorithm_reason != REASON_OK) {
        return fault_of(member->algorithm_reason, PATH_PHASE_ALGORITHM);
    }
    if (member->key_reason != REASON_OK) {
        return fault_of(member->key_reason, PATH_PHASE_KEY);
    }
    struct path_fault fault = check_any(budget, &member->certificate);
    if (fault.reason == REASON_OK) {
        fault = is_leaf ? check_leaf(&member->certificate) : check_ca(&member->certificate);
    }
    if (fault.reason == REASON_OK && !is_leaf &&
        !count_path_length(&member->certificate, !member->is_self_issued, path_length_left)) {
        fault = fault_of(REASON_PATH_LENGTH, PATH_PHASE_USAGE);
    }
    return fault;
}

static const struct certificate *certificate_at(const struct path_candidate *candidate, size_t height) {
    return height == candidate->length ? &candidate->anchor->certificate : &candidate->members[height]->certificate;
}

/* Makes the checks that cost no arithmetic, from the root down. Returns the first fault, or REASON_OK. */
static struct path_fault check_cheaply(struct path_budget *budget, const struct path_candidate *candidate) {
    uint32_t path_length_left = UINT32_MAX;
    struct path_fault fault = check_any(budget, &candidate->anchor->certificate);
    size_t height = candidate->length;
    if (fault.reason == REASON_OK) {
        count_path_length(&candidate->anchor->certificate, false, &path_length_left);
    }
    while (fault.reason == REASON_OK && height > 0) {
        height--;
        fault = check_member(budget, candidate->members[height], height == 0, &path_length_left);
    }
    fault.height = height;
    return fault;
}

/* Holds names against the constraints of every CA above (RFC 5280 section 6.1.3 (b), (c)), all of which are known genuine.
 */
static bool names_hold(struct path_budget *budget, const struct path_candidate *candidate, size_t height,
                       struct path_fault *fault) {
    const struct path_member *member = candidate->members[height];
    if (member->is_self_issued && height > 0) {
        return true;
    }
    for (size_t above = candidate->length; above > height; above--) {
        const struct certificate *ca = certificate_at(candidate, above);
        struct constraints_fault names;
        if (!constraints_hold(ca, &member->certificate, &budget->comparisons, &names)) {
            *fault = fault_of(REASON_NAME_CONSTRAINT, PATH_PHASE_NAMES);
            fault->height = height;
            fault->issuer = ca;
            fault->names = names;
            return false;
        }
    }
    return true;
}

static bool is_unrevoked(struct path_budget *budget, const struct path_candidate *candidate, size_t height,
                         struct path_fault *fault) {
    if (path_is_unrevoked(budget, candidate, height, fault)) {
        return true;
    }
    fault->height = height;
    return false;
}

/* Checks signatures, revocation and names from the root down to the certificate of `fault`; a fault that is found before it
 * takes its place. */
static bool check_dearly(struct path_budget *budget, const struct path_candidate *candidate, struct path_fault *fault) {
    bool faulty = fault->reason != REASON_OK;
    size_t end = faulty ? fault->height : 0;
    for (size_t height = candidate->length; height-- > end;) {
        bool here = faulty && height == fault->height;
        if (here && fault->phase < PATH_PHASE_SIGNATURE) {
            return true;
        }
        const struct signature_key *key =
            height + 1 == candidate->length ? &candidate->anchor->key : &candidate->members[height + 1]->key;
        int holds = path_check_signature(budget, candidate->members[height], key);
        if (holds < 0) {
            return false;
        }
        if (holds == 0) {
            *fault = fault_of(REASON_BAD_SIGNATURE, PATH_PHASE_SIGNATURE);
            fault->height = height;
            return true;
        }
        if ((!here || fault->phase > PATH_PHASE_REVOCATION) && !is_unrevoked(budget, candidate, height, fault)) {
            return true;
        }
        if (!here && !names_hold(budget, candidate, height, fault)) {
            return true;
        }
    }
    return true;
}

bool path_check(struct path_budget *budget, const struct path_candidate *candidate, struct path_fault *fault) {
    path_window_begin(budget);
    *fault = check_cheaply(budget, candidate);
    if (!check_dearly(budget, candidate, fault)) {
        return false;
    }
    if (fault->reason != REASON_OK) {
        fault->certificate = certificate_at(candidate, fault->height);
        if (fault->issuer == NULL && fault->height < candidate->length) {
            fault->issuer = certificate_at(candidate, fault->height + 1);
        }
    }
    return true;
}
