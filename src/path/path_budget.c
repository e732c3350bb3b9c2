#include "path/path_budget.h"

#include "base/check.h"

static const struct path_window always = {INT64_MIN, INT64_MAX};

void path_budget_init(struct path_budget *budget, const struct path_settings *settings, const struct path_chain *chain) {
    budget->settings = settings;
    budget->chain = chain;
    budget->now = settings->now;
    budget->window = always;
    budget->window_of_path = always;
    budget->comparisons = CONSTRAINTS_COMPARISONS_MAX;
    budget->crl_signatures = (struct key_allowance){.left = PATH_CRL_SIGNATURES_MAX};
    budget->spki_known = 0;
    budget->edge_count = 0;
}

const uint8_t *path_spki(struct path_budget *budget, const struct path_member *member) {
    size_t index = (size_t)(member - budget->chain->members);
    CHECK(index < budget->chain->count);
    if ((budget->spki_known >> index & 1) == 0) {
        signature_sha256(member->certificate.spki, budget->spki[index]);
        budget->spki_known |= UINT32_C(1) << index;
    }
    return budget->spki[index];
}

static void narrow(struct path_window *window, int64_t from, int64_t until) {
    window->from = window->from < from ? from : window->from;
    window->until = window->until > until ? until : window->until;
}

static bool narrow_both(struct path_budget *budget, int64_t from, int64_t until, bool answer) {
    narrow(&budget->window, from, until);
    narrow(&budget->window_of_path, from, until);
    return answer;
}

bool path_window_reaches(struct path_budget *budget, int64_t from) {
    return budget->now >= from ? narrow_both(budget, from, INT64_MAX, true)
                               : narrow_both(budget, INT64_MIN, from - 1, false);
}

bool path_window_passes(struct path_budget *budget, int64_t until) {
    return budget->now > until ? narrow_both(budget, until + 1, INT64_MAX, true)
                               : narrow_both(budget, INT64_MIN, until, false);
}

void path_window_begin(struct path_budget *budget) {
    budget->window_of_path = always;
}

static const struct path_edge *find_edge(const struct path_budget *budget, const struct path_member *child,
                                         const struct signature_key *key) {
    for (size_t i = 0; i < budget->edge_count; i++) {
        if (budget->edges[i].child == child && budget->edges[i].key == key) {
            return &budget->edges[i];
        }
    }
    return NULL;
}

bool path_edge_is_broken(const struct path_budget *budget, const struct path_member *child,
                         const struct signature_key *key) {
    const struct path_edge *edge = find_edge(budget, child, key);
    return edge != NULL && !edge->holds;
}

int path_check_signature(struct path_budget *budget, const struct path_member *child, const struct signature_key *key) {
    const struct path_edge *edge = find_edge(budget, child, key);
    if (edge != NULL) {
        return edge->holds;
    }
    if (budget->edge_count == PATH_SIGNATURES_MAX) {
        return -1;
    }
    bool holds = signature_verify(key, &child->algorithm, child->certificate.tbs, child->certificate.signature);
    budget->edges[budget->edge_count++] = (struct path_edge){child, key, holds};
    return holds;
}
