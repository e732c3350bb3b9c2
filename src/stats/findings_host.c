#include "stats/findings_host.h"

#include "base/text.h"

#include <stdio.h>

enum { NAME_SHOWN = 120 }; /* bytes of an issuer's name; a longer one is cut */

/* One host while it is judged. */
struct judging {
    struct findings *findings;
    const struct findings_host *host;
    struct findings_marks before;
    struct findings_marks now;
    uint64_t counts[RECENT_COUNTS]; /* of the last minute */
    bool list_told;                 /* that one has ended */
    struct finding finding;         /* that is being written, and its text */
    struct text text;
};

/* The thresholds of a finding: one to come, and a lower one to leave again. */
struct sides {
    uint64_t come;
    uint64_t leave;
};

static uint64_t side(bool was, struct sides sides) {
    return was ? sides.leave : sides.come;
}

static bool was_found(const struct judging *judging, enum finding_what what) {
    return (judging->before.found >> what & 1) != 0;
}

static bool was_severe(const struct judging *judging, enum finding_what what) {
    return (judging->before.severe >> what & 1) != 0;
}

static struct text *begin(struct judging *judging, enum finding_what what, bool severe, bool critical) {
    struct finding *finding = &judging->finding;
    *finding = (struct finding){.level = critical ? FINDING_CRITICAL : FINDING_WARNING, .what = what};
    snprintf(finding->host, sizeof finding->host, "%s", judging->host->name);
    judging->text = text_over(finding->text, sizeof finding->text - 1);
    judging->now.found |= 1u << what;
    judging->now.severe |= severe ? 1u << what : 0;
    return &judging->text;
}

static void end(struct judging *judging, uint64_t weight) {
    judging->finding.weight = weight;
    findings_add(judging->findings, &judging->finding);
}

/* The reasons, by what they say about the client that was refused. */
enum kind {
    KIND_GOOD,
    KIND_ABSENT,
    KIND_OURS,    /* a list of the server's own is the cause */
    KIND_GENUINE, /* the certificate is by one of the host's CAs: a client's, or a copy of it */
    KIND_ANYBODY, /* any client can show such a certificate */
    KIND_COUNT
};

static enum kind kind_of(enum reason reason) {
    switch (reason) {
    case REASON_OK:
        return KIND_GOOD;
    case REASON_ABSENT:
        return KIND_ABSENT;
    case REASON_CRL_STALE:
    case REASON_CRL_MISSING:
        return KIND_OURS;
    case REASON_EXPIRED:
    case REASON_NOT_YET_VALID:
    case REASON_REVOKED:
    case REASON_WRONG_USAGE:
        return KIND_GENUINE;
    default:
        return KIND_ANYBODY;
    }
}

/* The last minute of a host's clients. */
struct tally {
    uint64_t handshakes[KIND_COUNT];
    uint64_t refused[KIND_COUNT]; /* requests */
    uint64_t all_handshakes;
    uint64_t all_requests;
    uint64_t good;    /* handshakes and requests of valid clients */
    enum reason most; /* why most were refused */
};

/* A connection to a tcp host is one handshake, and no request: a refused one is among the verdicts already. */
static struct tally tally_of(const struct findings_host *host, const uint64_t counts[static RECENT_COUNTS]) {
    struct tally tally = {.all_requests = recent_requests(counts), .good = recent_good(counts)};
    uint64_t most = 0;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        enum reason reason = (enum reason)i;
        uint64_t handshakes = counts[RECENT_VERDICTS + i], requests = host->is_tcp ? 0 : counts[RECENT_REFUSED + i];
        tally.handshakes[kind_of(reason)] += handshakes;
        tally.refused[kind_of(reason)] += requests;
        tally.all_handshakes += handshakes;
        if (reason != REASON_OK && handshakes + requests > most) {
            most = handshakes + requests;
            tally.most = reason;
        }
    }
    return tally;
}

/* Returns how many handshakes and requests of one kind were refused. */
static uint64_t bad(const struct tally *tally, enum kind kind) {
    return tally->handshakes[kind] + tally->refused[kind];
}

static uint64_t bad_certificates(const struct tally *tally) {
    return bad(tally, KIND_OURS) + bad(tally, KIND_GENUINE) + bad(tally, KIND_ANYBODY);
}

static bool reaches(uint64_t part, uint64_t whole, uint64_t percent) {
    return part * 100 >= whole * percent;
}

static bool nearly_all(uint64_t refused, uint64_t good, bool was) {
    return refused >= side(was, (struct sides){FINDINGS_REFUSED_LEAST, FINDINGS_REFUSED_LEAST_LEAVE}) &&
           reaches(refused, refused + good,
                   side(was, (struct sides){FINDINGS_REFUSED_PERCENT, FINDINGS_REFUSED_PERCENT_LEAVE}));
}

/* Returns whether valid clients do far less than is usual, and nearly all handshakes and requests are refused. */
static bool are_missed(const struct tally *tally, uint64_t usual, bool was) {
    uint64_t percent = side(was, (struct sides){FINDINGS_USUAL_PERCENT, FINDINGS_USUAL_PERCENT_LEAVE});
    return usual >= FINDINGS_USUAL_LEAST && !reaches(tally->good, usual, percent + 1) &&
           nearly_all(bad_certificates(tally) + bad(tally, KIND_ABSENT), tally->good, was);
}

/* Returns whether nearly all of the host's own clients were refused in the last minute. */
static bool is_outage(const struct judging *judging, const struct tally *tally) {
    const struct findings_host *host = judging->host;
    bool was = was_severe(judging, FINDING_CLIENTS_REFUSED);
    if (nearly_all(bad(tally, KIND_OURS), tally->good, was) || are_missed(tally, recent_usual(host->recent).good, was)) {
        return true;
    }
    return !host->recent->valid_seen && host->calm && tally->good == 0 &&
           bad_certificates(tally) >= side(was, (struct sides){FINDINGS_NEVER_LEAST, FINDINGS_NEVER_LEAST_LEAVE});
}

static bool is_part_refused(const struct tally *tally, bool was) {
    uint64_t handshakes = tally->handshakes[KIND_GENUINE], requests = tally->refused[KIND_GENUINE];
    uint64_t good_handshakes = tally->handshakes[KIND_GOOD], good_requests = tally->good - good_handshakes;
    return handshakes >= side(was, (struct sides){FINDINGS_PART_LEAST, FINDINGS_PART_LEAST_LEAVE}) &&
           reaches(handshakes, handshakes + good_handshakes,
                   side(was, (struct sides){FINDINGS_PART_PERCENT, FINDINGS_PART_PERCENT_LEAVE})) &&
           reaches(requests, requests + good_requests,
                   side(was, (struct sides){FINDINGS_PART_REQUESTS_PERCENT, FINDINGS_PART_REQUESTS_PERCENT_LEAVE}));
}

static void append_name(struct text *text, const char *name) {
    text_append_format(text, "%.*s", NAME_SHOWN, name);
}

static void append_cause(struct judging *judging, enum reason reason) {
    const struct findings_host *host = judging->host;
    const struct term_list *lists = &host->terms[STATS_CRLS];
    struct text *text = &judging->text;
    switch (reason) {
    case REASON_CRL_STALE:
        if (lists->count > 0 && lists->items[0].end < host->now_s) {
            text_append_string(text, " The revocation list of ");
            append_name(text, lists->items[0].name);
            text_append_string(text, " ended at ");
            text_append_time(text, lists->items[0].end);
            text_append_string(text, ": put the new one in its place, and reload.");
        } else {
            text_append_string(text, " A revocation list has ended: put the new one in its place, and reload.");
        }
        break;
    case REASON_CRL_MISSING:
        text_append_string(text, " An issuer has no revocation list: add it to client_auth.crl, and reload.");
        break;
    case REASON_EXPIRED:
        text_append_string(text, " Their certificates have ended, or that of a CA above them.");
        break;
    case REASON_UNKNOWN_ISSUER:
        text_append_string(text,
                           " Their CA is not in client_auth.ca, or they do not send its intermediate: look at what the last "
                           "reload has changed.");
        break;
    case REASON_ABSENT:
        text_append_string(text, " They show no certificate: a proxy before this server may end their TLS.");
        break;
    default:
        text_append_string(text, " The command sallyport verify says why a certificate is refused.");
        break;
    }
}

static void append_counts(struct text *text, const struct tally *tally, const char *when) {
    uint64_t refused_requests = 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        refused_requests += tally->refused[kind];
    }
    if (tally->all_handshakes > 0) {
        text_append_format(text, "%llu of %llu handshakes",
                           (unsigned long long)(tally->all_handshakes - tally->handshakes[KIND_GOOD]),
                           (unsigned long long)tally->all_handshakes);
    } else {
        uint64_t requests = tally->all_requests > refused_requests ? tally->all_requests : refused_requests;
        text_append_format(text, "%llu of %llu requests", (unsigned long long)refused_requests,
                           (unsigned long long)requests);
    }
    text_append_format(text, " in the last %s, most as %s.", when, reason_name(tally->most));
}

static void tell_outage(struct judging *judging, const struct tally *tally, uint64_t usual, const char *when) {
    const struct findings_host *host = judging->host;
    struct text *text = begin(judging, FINDING_CLIENTS_REFUSED, true, host->enforces);
    text_append_format(text, "Nearly all clients of %s are %s: ", host->name,
                       host->enforces ? "refused" : "not valid, as its origin is told");
    append_counts(text, tally, when);
    if (usual > 0) {
        text_append_format(text, " Valid clients made %llu handshakes and requests; in each %s before, %llu at least.",
                           (unsigned long long)tally->good, when, (unsigned long long)usual);
    }
    append_cause(judging, tally->most);
    judging->list_told = tally->most == REASON_CRL_STALE;
    end(judging, bad_certificates(tally));
}

static void judge_clients(struct judging *judging) {
    const struct findings_host *host = judging->host;
    bool was = was_found(judging, FINDING_CLIENTS_REFUSED);
    struct recent_minute usual = recent_usual(host->recent);
    struct tally tally = tally_of(host, judging->counts);
    uint64_t counts[RECENT_COUNTS];
    recent_last_moment(host->recent, counts);
    struct tally moment = tally_of(host, counts);
    if (!host->asks) {
        return;
    }
    bool outage = is_outage(judging, &tally);
    bool sudden = are_missed(&moment, usual.good_of_moment, was_severe(judging, FINDING_CLIENTS_REFUSED));
    /* If clients were served for a part of the minute, it would not be true that nearly all were refused. */
    if (sudden && !nearly_all(bad_certificates(&tally) + bad(&tally, KIND_ABSENT), tally.good, false)) {
        tell_outage(judging, &moment, usual.good_of_moment, "ten seconds");
        return;
    }
    if (outage) {
        tell_outage(judging, &tally, usual.good, "minute");
        return;
    }
    bool none = tally.good == 0 &&
                bad_certificates(&tally) >= side(was, (struct sides){FINDINGS_NONE_LEAST, FINDINGS_NONE_LEAST_LEAVE});
    bool lists = bad(&tally, KIND_OURS) >= side(was, (struct sides){FINDINGS_LISTS_LEAST, FINDINGS_LISTS_LEAST_LEAVE});
    if (!none && !lists && !is_part_refused(&tally, was)) {
        return;
    }
    struct text *text = begin(judging, FINDING_CLIENTS_REFUSED, false, false);
    if (none && !lists) {
        text_append_format(text, "No client of %s is valid, and it is not known whether these are your own: ", host->name);
    } else {
        text_append_format(text, "Some clients of %s are %s: ", host->name,
                           host->enforces ? "refused" : "not valid, as its origin is told");
    }
    append_counts(text, &tally, "minute");
    append_cause(judging, tally.most);
    end(judging, bad_certificates(&tally));
}

static void append_fault(struct text *text, const struct findings_host *host, size_t origin) {
    if (host->why == NULL) {
        text_append_format(text, "the last connection to %s failed.", host->origins[origin]);
    } else {
        text_append_format(text, "the health checks of %s fail: %s.", host->origins[origin], host->why[origin]);
    }
}

static void judge_origins(struct judging *judging) {
    const struct findings_host *host = judging->host;
    struct bits down = recent_down(host->recent);
    size_t count = 0, first = 0;
    for (size_t i = host->origin_count; i-- > 0;) {
        if (bits_has(&down, i)) {
            count++;
            first = i;
        }
    }
    if (count == 0) {
        return;
    }
    bool all = count == host->origin_count;
    struct text *text = begin(judging, FINDING_ORIGIN_DOWN, all, all);
    if (all && count == 1) {
        text_append_format(text, "The origin of %s is down: ", host->name);
    } else if (all) {
        text_append_format(text, "All %zu origins of %s are down; of one, ", count, host->name);
    } else {
        text_append_format(text, "%zu of %zu origins of %s %s down: ", count, host->origin_count, host->name,
                           count == 1 ? "is" : "are");
    }
    append_fault(text, host, first);
    if (!all) {
        text_append_format(text, " %s go to the others.", host->is_tcp ? "Clients" : "Requests");
    }
    if (all && !host->is_tcp) {
        text_append_format(text, " %llu requests were answered 502 or 504 in the last minute.",
                           (unsigned long long)judging->counts[RECENT_GATEWAY]);
    }
    end(judging, count + judging->counts[RECENT_GATEWAY]);
}

static void judge_answers(struct judging *judging) {
    const struct findings_host *host = judging->host;
    uint64_t gateway = judging->counts[RECENT_GATEWAY], errors = gateway + judging->counts[RECENT_ERRORS];
    uint64_t requests = recent_requests(judging->counts);
    bool was = was_found(judging, FINDING_SERVER_ERRORS);
    /* The finding that an origin is down says the same, and why. */
    if (errors < side(was, (struct sides){FINDINGS_ERRORS_LEAST, FINDINGS_ERRORS_LEAST_LEAVE}) ||
        !reaches(errors, requests, side(was, (struct sides){FINDINGS_ERRORS_PERCENT, FINDINGS_ERRORS_PERCENT_LEAVE})) ||
        (judging->now.severe >> FINDING_ORIGIN_DOWN & 1) != 0) {
        return;
    }
    bool severe = reaches(errors, requests,
                          side(was_severe(judging, FINDING_SERVER_ERRORS),
                               (struct sides){FINDINGS_ERRORS_SEVERE_PERCENT, FINDINGS_ERRORS_SEVERE_PERCENT_LEAVE}));
    struct text *text = begin(judging, FINDING_SERVER_ERRORS, severe, severe);
    text_append_format(text, "%llu of %llu requests to %s were answered 5xx in the last minute, ",
                       (unsigned long long)errors, (unsigned long long)requests, host->name);
    if (gateway * 2 >= errors) {
        text_append_string(text, "most 502 or 504: the origin gives no answer, or none that is whole. The log says why.");
    } else {
        text_append_string(text, "most by the origin itself: look at its log.");
    }
    end(judging, errors);
}

static void append_left(struct text *text, int64_t seconds) {
    static const struct {
        int64_t size;
        const char *one, *many;
    } units[] = {{86400, "day", "days"}, {3600, "hour", "hours"}, {60, "minute", "minutes"}, {1, "second", "seconds"}};
    size_t i = 0;
    while (i < 3 && seconds < 2 * units[i].size) {
        i++;
    }
    int64_t count = seconds / units[i].size;
    text_append_format(text, "%lld %s", (long long)count, count == 1 ? units[i].one : units[i].many);
}

/* "ended 3 hours ago, at 2026-…", "ends in 5 days, at 2026-…" */
static void append_end(struct text *text, const struct findings_host *host, const struct term *term) {
    bool ended = term->end < host->now_s;
    text_append_string(text, ended ? " ended " : " ends in ");
    append_left(text, ended ? host->now_s - term->end : term->end - host->now_s);
    text_append_string(text, ended ? " ago, at " : ", at ");
    text_append_time(text, term->end);
}

static bool is_within(const struct findings_host *host, const struct term *term, int64_t most_s, int64_t part) {
    int64_t left = term->end - host->now_s;
    return term->end != TERM_NEVER && left < most_s && (term->begin == 0 || left < (term->end - term->begin) / part);
}

static bool is_soon(const struct findings_host *host, const struct term *term) {
    return is_within(host, term, FINDINGS_SOON_S, FINDINGS_SOON_PART);
}

static bool is_imminent(const struct findings_host *host, const struct term *term) {
    return is_within(host, term, FINDINGS_IMMINENT_S, FINDINGS_IMMINENT_PART);
}

/* Appends how many terms behind the first have ended too, or end soon. */
static void append_more(struct judging *judging, const struct term_list *terms, bool ended) {
    const struct findings_host *host = judging->host;
    size_t more = 0;
    for (size_t i = 1; i < terms->count; i++) {
        more += ended ? terms->items[i].end < host->now_s : is_soon(host, &terms->items[i]);
    }
    if (more > 0) {
        text_append_format(&judging->text, " The same holds for %zu more of this host.", more);
    }
}

static uint64_t soonness(const struct findings_host *host, const struct term *term) {
    int64_t left = term->end - host->now_s;
    return left < 0 ? FINDINGS_SOON_S + (uint64_t)-left : left < FINDINGS_SOON_S ? (uint64_t)(FINDINGS_SOON_S - left) : 0;
}

/* `role`: "of ", before the name of the host. `harm`: what an ended one does. */
static void judge_certificates(struct judging *judging, enum stats_terms kind, const char *role, const char *harm) {
    const struct findings_host *host = judging->host;
    const struct term_list *certificates = &host->terms[kind];
    const struct term *term = certificates->items;
    if (certificates->count == 0 || (term->end >= host->now_s && !is_soon(host, term))) {
        return;
    }
    bool ended = term->end < host->now_s;
    struct text *text = begin(judging, ended ? FINDING_CERTIFICATE_ENDED : FINDING_CERTIFICATE_ENDS, ended,
                              ended || is_imminent(host, term));
    text_append_format(text, "The certificate %s%s, ", role, host->name);
    append_name(text, term->name);
    text_append_char(text, ',');
    append_end(text, host, term);
    text_append_format(text, "%s. Replace the file, and reload.", ended ? harm : "");
    append_more(judging, certificates, ended);
    end(judging, soonness(host, term));
}

static void judge_lists(struct judging *judging) {
    const struct findings_host *host = judging->host;
    const struct term_list *lists = &host->terms[STATS_CRLS];
    const struct term *term = lists->items;
    if (lists->count == 0 || !host->asks || (term->end >= host->now_s && !is_soon(host, term))) {
        return;
    }
    bool ended = term->end < host->now_s, harms = host->enforces && !host->takes_old_lists;
    if (ended && judging->list_told) {
        return;
    }
    struct text *text =
        begin(judging, ended ? FINDING_CRL_ENDED : FINDING_CRL_ENDS, ended, harms && (ended || is_imminent(host, term)));
    text_append_string(text, "The revocation list of ");
    append_name(text, term->name);
    text_append_format(text, ", which %s checks,", host->name);
    append_end(text, host, term);
    if (ended) {
        text_append_string(text, host->takes_old_lists ? ": who was revoked since is still valid."
                                 : host->enforces      ? ": clients of that issuer are refused."
                                                       : ": the origin is told that clients of that issuer are not valid.");
    } else {
        text_append_char(text, '.');
    }
    text_append_string(text, " Put the new one in its place, and reload.");
    append_more(judging, lists, ended);
    end(judging, soonness(host, term));
}

/* The end of one of several roots is a warning at most: files of roots often have old ones that nobody uses any more. */
static void judge_roots(struct judging *judging) {
    const struct findings_host *host = judging->host;
    const struct term_list *roots = &host->terms[STATS_CLIENT_CAS];
    const struct term *term = roots->items;
    if (roots->count == 0 || !host->asks || (term->end >= host->now_s && !is_soon(host, term))) {
        return;
    }
    const struct term *last = &roots->items[roots->count - 1];
    bool ended = term->end < host->now_s;
    bool all = ended ? last->end < host->now_s : is_imminent(host, last);
    struct text *text =
        begin(judging, ended ? FINDING_CLIENT_CA_ENDED : FINDING_CLIENT_CA_ENDS, ended && all, all && host->enforces);
    text_append_string(text, "The client CA ");
    append_name(text, term->name);
    text_append_format(text, " of %s", host->name);
    append_end(text, host, term);
    text_append_string(text, ended && all ? ": no client is valid."
                             : ended      ? ": its clients are not valid."
                                          : ": its clients are not valid from then on.");
    text_append_string(text, ended && !all ? " Take it out of client_auth.ca, or put the new one in its place, and reload."
                                           : " Add the new one to client_auth.ca, and reload.");
    append_more(judging, roots, ended);
    end(judging, soonness(host, term));
}

void findings_of_host(struct findings *findings, const struct findings_host *host, struct findings_marks *marks) {
    struct judging judging = {.findings = findings, .host = host, .before = *marks};
    recent_last_minute(host->recent, judging.counts);
    judge_clients(&judging);
    judge_origins(&judging);
    judge_answers(&judging);
    judge_certificates(&judging, STATS_CERTIFICATES, "of ", ": clients that check it do not connect");
    judge_certificates(&judging, STATS_ORIGIN_CERTIFICATES, "for the origins of ",
                       ": origins that check it refuse connections");
    judge_lists(&judging);
    judge_roots(&judging);
    *marks = judging.now;
}
