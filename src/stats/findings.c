#include "stats/findings.h"

#include "base/check.h"

#include <stdbool.h>
#include <string.h>

static const char *const level_names[] = {[FINDING_CRITICAL] = "critical", [FINDING_WARNING] = "warning"};

static const char *const what_names[] = {
    [FINDING_CLIENTS_REFUSED] = "clients_refused",
    [FINDING_CERTIFICATE_ENDED] = "certificate_ended",
    [FINDING_CRL_ENDED] = "crl_ended",
    [FINDING_CLIENT_CA_ENDED] = "client_ca_ended",
    [FINDING_ORIGIN_DOWN] = "origin_down",
    [FINDING_SERVER_ERRORS] = "server_errors",
    [FINDING_FLOODED] = "flooded",
    [FINDING_PLACES_TAKEN] = "places_taken",
    [FINDING_LOADED] = "loaded",
    [FINDING_RELOAD_FAILED] = "reload_failed",
    [FINDING_CERTIFICATE_ENDS] = "certificate_ends",
    [FINDING_CRL_ENDS] = "crl_ends",
    [FINDING_CLIENT_CA_ENDS] = "client_ca_ends",
    [FINDING_LOG_DROPPED] = "log_dropped",
};
_Static_assert(ARRAY_LENGTH(what_names) == FINDING_KINDS, "each has a name");
_Static_assert(FINDING_KINDS <= 32, "each has a bit in the marks");

static bool is_worse(const struct finding *a, const struct finding *b) {
    if (a->level != b->level) {
        return a->level < b->level;
    }
    return a->what != b->what ? a->what < b->what : a->weight > b->weight;
}

void findings_add(struct findings *findings, const struct finding *finding) {
    size_t place = findings->count;
    while (place > 0 && is_worse(finding, &findings->items[place - 1])) {
        place--;
    }
    if (findings->count == FINDINGS_MAX) {
        findings->left_out++;
        if (place == FINDINGS_MAX) {
            return;
        }
        findings->count--;
    }
    memmove(findings->items + place + 1, findings->items + place, (findings->count - place) * sizeof *finding);
    findings->items[place] = *finding;
    findings->count++;
}

const char *finding_level_name(enum finding_level level) {
    CHECK((unsigned)level < ARRAY_LENGTH(level_names));
    return level_names[level];
}

const char *finding_what_name(enum finding_what what) {
    CHECK((unsigned)what < FINDING_KINDS);
    return what_names[what];
}
