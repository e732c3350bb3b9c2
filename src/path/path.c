#include "path/path.h"

#include "base/check.h"
#include "path/path_check.h"

struct search {
    struct path_chain *chain;
    const struct path_settings *settings;
    const struct trust *trust;
    unsigned steps;
    struct path_budget budget;
    struct path_candidate candidate; /* the path so far */
    uint8_t order[PATH_CHAIN_MAX];
    uint32_t used; /* bit for each member that is in it */
    struct path_verdict *best;
};

/* Returns the first root of that name, a number of path_names.h. */
static size_t first_root(const struct search *search, uint8_t name) {
    return search->chain->names.names[name].root;
}

/* Marks members that were presented twice or are roots: they could only lengthen paths that are tried anyway. */
static void mark_redundant(struct search *search) {
    struct path_chain *chain = search->chain;
    for (size_t i = 1; i < chain->count; i++) {
        struct path_member *member = &chain->members[i];
        member->is_redundant = false;
        for (size_t j = 0; j < i && !member->is_redundant; j++) {
            member->is_redundant = bytes_equal(chain->members[j].certificate.der, member->certificate.der);
        }
        for (size_t j = first_root(search, member->subject); j != TRUST_NONE && !member->is_redundant;) {
            const struct trust_anchor *anchor = trust_anchor(search->trust, j);
            member->is_redundant = bytes_equal(anchor->certificate.der, member->certificate.der);
            j = anchor->next_of_name;
        }
    }
}

static void find_issuers(struct path_chain *chain) {
    for (size_t i = 0; i < chain->count; i++) {
        struct path_member *child = &chain->members[i];
        child->issuers = 0;
        for (size_t j = 1; j < chain->count; j++) {
            const struct path_member *issuer = &chain->members[j];
            if (j != i && !issuer->is_redundant && child->issuer == issuer->subject) {
                child->issuers |= (uint16_t)(1u << j);
            }
        }
    }
}

/* Tells whether `a` says more than `b` to the person who has to mend the chain: its path came further towards the leaf. */
static bool is_further(const struct path_fault *a, const struct path_fault *b) {
    if (b->phase == PATH_PHASE_ISSUER || a->phase == PATH_PHASE_ISSUER) {
        return b->phase == PATH_PHASE_ISSUER && (a->phase != PATH_PHASE_ISSUER || b->reason == REASON_UNKNOWN_ISSUER);
    }
    return a->height < b->height || (a->height == b->height && a->phase > b->phase);
}

static void keep(struct search *search, const struct path_fault *fault) {
    struct path_verdict *best = search->best;
    best->fault = *fault;
    best->anchor = search->candidate.anchor;
    best->length = search->candidate.length;
    memcpy(best->order, search->order, sizeof best->order);
}

/* Checks the candidate, which ends at `anchor`. True when the search is over. */
static bool try_anchor(struct search *search, const struct trust_anchor *anchor) {
    struct path_candidate *candidate = &search->candidate;
    struct path_fault fault = {.reason = REASON_CHAIN_TOO_LONG, .phase = PATH_PHASE_ISSUER};
    candidate->anchor = anchor;
    if (candidate->length > search->settings->depth_max) {
        fault.certificate = &candidate->members[0]->certificate;
    } else if (!path_check(&search->budget, candidate, &fault)) {
        return true;
    }
    if (fault.reason == REASON_OK || is_further(&fault, &search->best->fault)) {
        keep(search, &fault);
    }
    return fault.reason == REASON_OK;
}

/* Notes the issuer that was not found: the one at the end of the longest attempt is reported. */
static void note_dead_end(struct search *search) {
    struct path_verdict *best = search->best;
    if (best->fault.reason == REASON_UNKNOWN_ISSUER && search->candidate.length > best->length) {
        struct path_fault fault = best->fault;
        fault.certificate = &search->candidate.members[search->candidate.length - 1]->certificate;
        search->candidate.anchor = NULL;
        keep(search, &fault);
    }
}

/* Key identifiers are hints (RFC 5280 section 4.2.1.1): issuers that fit are tried first, and then the others. */
static bool identifiers_fit(const struct certificate *child, const struct certificate *issuer) {
    return child->aki.size == 0 || issuer->ski.size == 0 || bytes_equal(child->aki, issuer->ski);
}

static bool take_step(struct search *search) {
    return search->steps < PATH_STEPS_MAX && ++search->steps > 0;
}

static bool extend(struct search *search);

/* Tries each root that the last certificate names: those whose identifiers fit, or the others. */
static bool try_anchors(struct search *search, const struct path_member *last, bool fitting, bool *found) {
    const struct trust_anchor *anchor;
    for (size_t i = first_root(search, last->issuer); i != TRUST_NONE; i = anchor->next_of_name) {
        anchor = trust_anchor(search->trust, i);
        if (identifiers_fit(&last->certificate, &anchor->certificate) != fitting) {
            continue;
        }
        *found = true;
        if (path_edge_is_broken(&search->budget, last, &anchor->key)) {
            continue;
        }
        if (!take_step(search) || try_anchor(search, anchor)) {
            return true;
        }
    }
    return false;
}

static bool try_members(struct search *search, const struct path_member *last, bool fitting, bool *found) {
    struct path_candidate *candidate = &search->candidate;
    for (size_t i = 1; i < search->chain->count; i++) {
        const struct path_member *member = &search->chain->members[i];
        if ((last->issuers & ~search->used & 1u << i) == 0 ||
            identifiers_fit(&last->certificate, &member->certificate) != fitting) {
            continue;
        }
        *found = true;
        if (path_edge_is_broken(&search->budget, last, &member->key)) {
            continue;
        }
        if (!take_step(search)) {
            return true;
        }
        search->order[candidate->length] = (uint8_t)i;
        candidate->members[candidate->length++] = member;
        search->used |= 1u << i;
        bool over = extend(search);
        search->used &= ~(1u << i);
        candidate->length--;
        if (over) {
            return true;
        }
    }
    return false;
}

/* Looks for issuers of the candidate's last certificate, roots first, so that paths stay short. True: the search is over. */
static bool extend(struct search *search) {
    const struct path_member *last = search->candidate.members[search->candidate.length - 1];
    bool found = false;
    if (try_anchors(search, last, true, &found) || try_members(search, last, true, &found) ||
        try_anchors(search, last, false, &found) || try_members(search, last, false, &found)) {
        return true;
    }
    if (!found) {
        note_dead_end(search);
    }
    return false;
}

/* Looks for a CA that was renamed: its key is among the roots, under another name than the certificate has. */
static void look_for_key(struct path_fault *fault, const struct trust *trust) {
    struct bytes wanted = fault->certificate->aki;
    for (size_t i = 0; i < trust_count(trust) && wanted.size > 0; i++) {
        const struct certificate *root = &trust_anchor(trust, i)->certificate;
        if (bytes_equal(root->ski, wanted)) {
            fault->issuer = root;
            return;
        }
    }
}

void path_judge(struct path_chain *chain, const struct path_settings *settings, struct path_verdict *verdict) {
    CHECK(settings->depth_max >= 1 && settings->depth_max <= PATH_CHAIN_MAX);
    CHECK(chain->count >= 1 && chain->malformed == NULL);
    *verdict = (struct path_verdict){.fault = {.reason = REASON_UNKNOWN_ISSUER, .phase = PATH_PHASE_ISSUER}};
    verdict->fault.certificate = &chain->members[0].certificate;
    struct search search = {.chain = chain, .settings = settings, .trust = settings->trust, .used = 1, .best = verdict};
    path_budget_init(&search.budget, settings, chain);
    search.candidate.members[0] = &chain->members[0];
    search.candidate.length = 1;
    path_names_find_roots(&chain->names, search.trust);
    mark_redundant(&search);
    find_issuers(chain);
    extend(&search);
    /* A valid path ends the search, and rests on its own comparisons alone; any other verdict rests on all of them. */
    const struct path_window *window =
        verdict->fault.reason == REASON_OK ? &search.budget.window_of_path : &search.budget.window;
    verdict->valid_from = window->from;
    verdict->valid_until = window->until;
    if (verdict->fault.reason == REASON_UNKNOWN_ISSUER) {
        look_for_key(&verdict->fault, settings->trust);
    }
    if (search.budget.crl_signatures.exceeded) {
        /* The answers of this time are remembered: a second later the verdict may be another. */
        verdict->valid_from = settings->now;
        verdict->valid_until = settings->now;
    }
    verdict->signatures = (unsigned)search.budget.edge_count + PATH_CRL_SIGNATURES_MAX - search.budget.crl_signatures.left;
}
