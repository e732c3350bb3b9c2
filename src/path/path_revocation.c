#include "path/path_revocation.h"

#include "path/revocation_delegate.h"
#include "path/revocation_list.h"
#include "x509/name.h"

/* A CA of the path. */
struct authority {
    const struct certificate *certificate;
    const struct signature_key *key;
    uint64_t subject_hash;
    const uint8_t *spki; /* SHA-256 of its key */
};

struct inquiry {
    struct path_budget *budget;
    const struct revocation *revocation;
    const struct certificate *certificate;        /* the one that is judged */
    struct authority authorities[PATH_CHAIN_MAX]; /* those above it: its issuer first, the root last */
    size_t authority_count;
};

static struct authority authority_at(struct path_budget *budget, const struct path_candidate *candidate, size_t height) {
    struct authority authority;
    if (height == candidate->length) {
        authority.certificate = &candidate->anchor->certificate;
        authority.key = &candidate->anchor->key;
        authority.subject_hash = candidate->anchor->subject_hash;
        authority.spki = candidate->anchor->spki;
    } else {
        authority.certificate = &candidate->members[height]->certificate;
        authority.key = &candidate->members[height]->key;
        authority.subject_hash = path_name_hash(budget->chain, candidate->members[height]->subject);
        authority.spki = path_spki(budget, candidate->members[height]);
    }
    return authority;
}

/* Tells whether now is within both, in seconds since the epoch. The verdict holds as long as the answer is the same. */
static bool is_within(struct path_budget *budget, int64_t from, int64_t until) {
    return path_window_reaches(budget, from) && !path_window_passes(budget, until);
}

static bool has_signed(const struct inquiry *inquiry, const struct authority *authority, struct revocation_list *list) {
    return revocation_ca_may_sign(authority->certificate) &&
           revocation_list_is_by(list, authority->key, authority->spki, &inquiry->budget->crl_signatures);
}

static bool is_named(const struct authority *authority, struct bytes name, uint64_t hash) {
    return authority->subject_hash == hash && name_equal(authority->certificate->subject, name);
}

/* Tells whether a CRL that its issuer has signed lists the delegate. There need be no CRL, and its dates do not matter. */
static bool is_delegate_revoked(const struct inquiry *inquiry, const struct certificate *delegate,
                                const struct authority *issuer) {
    struct revocation_list *list;
    struct serials_entry entry;
    for (size_t at = 0; (list = revocation_next_list(inquiry->revocation, delegate->issuer, issuer->subject_hash, &at));) {
        if (serials_find(list->serials, delegate->serial, &entry) && has_signed(inquiry, issuer, list)) {
            return true;
        }
    }
    return false;
}

/* Key identifiers are hints, but delegates are many: those whose identifiers do not fit are passed over here. */
static bool identifiers_fit(const struct revocation_list *list, const struct certificate *delegate) {
    return list->aki.size == 0 || delegate->ski.size == 0 || bytes_equal(list->aki, delegate->ski);
}

static bool has_own_key(const struct inquiry *inquiry, const struct certificate *certificate) {
    return bytes_equal(certificate->spki, inquiry->authorities[0].certificate->spki);
}

static bool is_by_authority_above(const struct inquiry *inquiry, struct revocation_list *list) {
    for (size_t i = 1; i < inquiry->authority_count; i++) {
        const struct authority *authority = &inquiry->authorities[i];
        if (!is_named(authority, list->issuer, list->issuer_hash)) {
            return false;
        }
        if (!has_own_key(inquiry, authority->certificate) && has_signed(inquiry, authority, list)) {
            return true;
        }
    }
    return false;
}

static bool is_by_given_delegate(const struct inquiry *inquiry, struct revocation_list *list) {
    struct path_budget *budget = inquiry->budget;
    struct revocation_delegate *delegate;
    for (size_t at = 0; (delegate = revocation_next_delegate(inquiry->revocation, list->issuer, list->issuer_hash, &at));) {
        const struct certificate *certificate = &delegate->certificate;
        if (!identifiers_fit(list, certificate) || has_own_key(inquiry, certificate)) {
            continue;
        }
        for (size_t i = 0; i < inquiry->authority_count; i++) {
            const struct authority *authority = &inquiry->authorities[i];
            if (is_named(authority, certificate->issuer, delegate->issuer_hash) &&
                revocation_delegate_is_by(delegate, authority->key, authority->spki, &budget->crl_signatures) &&
                revocation_list_is_by(list, &delegate->key, delegate->spki, &budget->crl_signatures) &&
                !is_delegate_revoked(inquiry, certificate, authority) &&
                is_within(budget, certificate->not_before, certificate->not_after)) {
                return true;
            }
        }
    }
    return false;
}

/* Does as is_by_given_delegate for one delegate that the client has presented. */
static bool is_by_member(const struct inquiry *inquiry, struct revocation_list *list, const struct path_member *member) {
    struct path_budget *budget = inquiry->budget;
    const struct certificate *certificate = &member->certificate;
    for (size_t i = 0; i < inquiry->authority_count; i++) {
        const struct authority *authority = &inquiry->authorities[i];
        if (is_named(authority, certificate->issuer, path_name_hash(budget->chain, member->issuer)) &&
            path_check_signature(budget, member, authority->key) > 0 &&
            revocation_list_is_by(list, &member->key, path_spki(budget, member), &budget->crl_signatures) &&
            !is_delegate_revoked(inquiry, certificate, authority) &&
            is_within(budget, certificate->not_before, certificate->not_after)) {
            return true;
        }
    }
    return false;
}

static bool is_by_presented_delegate(const struct inquiry *inquiry, struct revocation_list *list) {
    const struct path_chain *chain = inquiry->budget->chain;
    for (size_t i = 1; i < chain->count; i++) {
        const struct path_member *member = &chain->members[i];
        if (path_name_hash(chain, member->subject) == list->issuer_hash && !member->is_redundant &&
            identifiers_fit(list, &member->certificate) && !has_own_key(inquiry, &member->certificate) &&
            revocation_delegate_fault(&member->certificate, member->key_reason, member->algorithm_reason) == NULL &&
            name_equal(member->certificate.subject, list->issuer) && is_by_member(inquiry, list, member)) {
            return true;
        }
    }
    return false;
}

static bool is_by_another(const struct inquiry *inquiry, struct revocation_list *list) {
    return is_by_authority_above(inquiry, list) || is_by_given_delegate(inquiry, list) ||
           is_by_presented_delegate(inquiry, list);
}

static bool is_superseded(const struct revocation_list *newest, const struct revocation_list *list) {
    return newest != NULL && list->this_update < newest->this_update;
}

/* The result of the search, and its progress with the CRL that came furthest. */
struct finding {
    const struct revocation_list *own; /* the newest by the issuer's own key */
    const struct revocation_list *other;
    bool is_revoked;
    struct serials_entry entry;
    enum path_crl_progress progress;
};

static void note_progress(struct finding *finding, enum path_crl_progress progress) {
    if (progress > finding->progress) {
        finding->progress = progress;
    }
}

/* Consults one CRL of the issuer; CRLs come the newest first. False when no more need be looked at. */
static bool consult(struct inquiry *inquiry, struct revocation_list *list, struct finding *finding) {
    if (!distribution_scope_covers(&list->scope, inquiry->certificate)) {
        note_progress(finding, PATH_CRL_NOT_COVERING);
        return true;
    }
    if (!path_window_reaches(inquiry->budget, list->this_update)) {
        note_progress(finding, PATH_CRL_NOT_YET);
        return true;
    }
    const struct revocation_list **newest;
    if (!is_superseded(finding->own, list) && has_signed(inquiry, &inquiry->authorities[0], list)) {
        newest = &finding->own;
    } else if (!is_superseded(finding->other, list) && is_by_another(inquiry, list)) {
        newest = &finding->other;
    } else {
        note_progress(finding, PATH_CRL_NOT_GENUINE);
        return true;
    }
    if (*newest == NULL) {
        *newest = list;
    }
    finding->is_revoked = serials_find(list->serials, inquiry->certificate->serial, &finding->entry);
    return !finding->is_revoked;
}

static struct path_fault fault_of(enum reason reason) {
    return (struct path_fault){.reason = reason, .phase = PATH_PHASE_REVOCATION};
}

static bool conclude(struct inquiry *inquiry, const struct finding *finding, struct path_fault *fault) {
    const struct revocation_list *decisive = finding->own != NULL ? finding->own : finding->other;
    if (finding->is_revoked) {
        *fault = fault_of(REASON_REVOKED);
        fault->crl.time = finding->entry.date;
        fault->crl.reason = finding->entry.reason;
        return false;
    }
    if (decisive == NULL || inquiry->budget->crl_signatures.exceeded) {
        *fault = fault_of(REASON_CRL_MISSING);
        fault->crl.progress = inquiry->budget->crl_signatures.exceeded ? PATH_CRL_NOT_CHECKED : finding->progress;
        return false;
    }
    if (!inquiry->budget->settings->accept_stale_crls && path_window_passes(inquiry->budget, decisive->next_update)) {
        *fault = fault_of(REASON_CRL_STALE);
        fault->crl.time = decisive->next_update;
        return false;
    }
    return true;
}

bool path_is_unrevoked(struct path_budget *budget, const struct path_candidate *candidate, size_t height,
                       struct path_fault *fault) {
    const struct path_settings *settings = budget->settings;
    if (settings == NULL || settings->revocation == NULL || (settings->revocation_scope == REVOCATION_LEAF && height > 0)) {
        return true;
    }
    struct inquiry inquiry = {.budget = budget, .revocation = settings->revocation};
    inquiry.certificate = &candidate->members[height]->certificate;
    for (size_t above = height + 1; above <= candidate->length; above++) {
        inquiry.authorities[inquiry.authority_count++] = authority_at(budget, candidate, above);
    }
    struct finding finding = {.progress = PATH_CRL_NONE};
    uint64_t issuer_hash = path_name_hash(budget->chain, candidate->members[height]->issuer);
    struct revocation_list *list;
    for (size_t at = 0;
         (list = revocation_next_list(settings->revocation, inquiry.certificate->issuer, issuer_hash, &at)) != NULL;) {
        if (!consult(&inquiry, list, &finding)) {
            break;
        }
    }
    return conclude(&inquiry, &finding, fault);
}
