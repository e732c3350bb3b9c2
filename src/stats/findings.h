/*
 * The list of what is wrong, the worst first: a bounded number of findings, each with its level, a key for scripts and a
 * sentence for people. findings_host.h and findings_server.h make findings; here are the thresholds of both, with reasons.
 *
 * All counts are of the last minute, in slots of five seconds, so that a finding neither comes nor goes with
 * a single second. Each threshold has two sides: a finding that stands already goes only at the lower one.
 */
#ifndef STATS_FINDINGS_H
#define STATS_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

enum {
    FINDINGS_MAX = 20, /* that are kept; if there are more, the least bad ones are left out and counted */
    FINDINGS_TEXT_SIZE = 640,
    FINDINGS_HOST_SIZE = 256,

    /* "Nearly all" is refused: this part of the handshakes and requests of a host's clients in a minute. */
    FINDINGS_REFUSED_PERCENT = 90,
    FINDINGS_REFUSED_PERCENT_LEAVE = 50,
    FINDINGS_REFUSED_LEAST = 10, /* at least: fewer may be one device that tries again */
    FINDINGS_REFUSED_LEAST_LEAVE = 5,
    /*
     * A stranger can have any number of certificates refused, as unknown_issuer as well as expired. Refusals count as an
     * outage of a host's own clients only if these are missed: if they do less than a tenth of the least that they did in a
     * minute before, or in ten seconds of it. With fewer than ten handshakes and requests in that time they may be silent by
     * chance.
     */
    FINDINGS_USUAL_LEAST = 10,
    FINDINGS_USUAL_PERCENT = 10,
    FINDINGS_USUAL_PERCENT_LEAVE = 50,
    /* Certificates that are refused, while none was valid: a warning, since nobody knows whose they are. */
    FINDINGS_NONE_LEAST = 20,
    FINDINGS_NONE_LEAST_LEAVE = 10,
    /* The same, with none valid since the start: the roots are wrong, unless one device comes three times in two seconds. */
    FINDINGS_NEVER_LEAST = 200,
    FINDINGS_NEVER_LEAST_LEAVE = 100,
    /* Refused because of a list of the server's own: no stranger can cause such refusals, so a few are enough to warn. */
    FINDINGS_LISTS_LEAST = 3,
    FINDINGS_LISTS_LEAST_LEAVE = 1,
    /* Refused handshakes with certificates of the host's own CAs: a part of the fleet was not renewed. */
    FINDINGS_PART_LEAST = 20,
    FINDINGS_PART_LEAST_LEAVE = 10,
    FINDINGS_PART_PERCENT = 20,
    FINDINGS_PART_PERCENT_LEAVE = 10,
    FINDINGS_PART_REQUESTS_PERCENT = 5, /* of the requests too: one device that tries again and again does not reach it */
    FINDINGS_PART_REQUESTS_PERCENT_LEAVE = 2,

    /* Answers that are 5xx: the alert for origins has a twentieth too; from half on clients cannot work. */
    FINDINGS_ERRORS_LEAST = 10,
    FINDINGS_ERRORS_LEAST_LEAVE = 5,
    FINDINGS_ERRORS_PERCENT = 5,
    FINDINGS_ERRORS_PERCENT_LEAVE = 2,
    FINDINGS_ERRORS_SEVERE_PERCENT = 50,
    FINDINGS_ERRORS_SEVERE_PERCENT_LEAVE = 25,

    /* Seconds of the last ten in which a shard was not calm: a burst, as after a start, is over sooner. */
    FINDINGS_FLOODED_S = 3,
    FINDINGS_LOADED_S = 5,
    FINDINGS_ADMISSION_LEAVE_S = 1,
    FINDINGS_PLACES_LEAST = 10, /* connections that were refused because all places were taken */
    FINDINGS_PLACES_LEAST_LEAVE = 1,

    /*
     * A certificate or list that ends is a warning a week before, and critical within a day. One that lives for less than a
     * week is renewed later: for it these are the last quarter of its life, and the last 24th.
     */
    FINDINGS_SOON_S = 7 * 86400,
    FINDINGS_SOON_PART = 4,
    FINDINGS_IMMINENT_S = 86400,
    FINDINGS_IMMINENT_PART = 24,
};

enum finding_level { FINDING_CRITICAL, FINDING_WARNING };

/* The kinds of findings; of one level, the first kind is the worst. */
enum finding_what {
    FINDING_CLIENTS_REFUSED,
    FINDING_CERTIFICATE_ENDED, /* the host's own */
    FINDING_CRL_ENDED,
    FINDING_CLIENT_CA_ENDED,
    FINDING_ORIGIN_DOWN,
    FINDING_SERVER_ERRORS, /* 5xx */
    FINDING_FLOODED,
    FINDING_PLACES_TAKEN,
    FINDING_LOADED,
    FINDING_RELOAD_FAILED,
    FINDING_CERTIFICATE_ENDS,
    FINDING_CRL_ENDS,
    FINDING_CLIENT_CA_ENDS,
    FINDING_LOG_DROPPED,
    FINDING_KINDS
};

struct finding {
    enum finding_level level;
    enum finding_what what;
    uint64_t weight;               /* of two findings of one level and kind, the heavier is the worse */
    char host[FINDINGS_HOST_SIZE]; /* "": the server as a whole */
    char text[FINDINGS_TEXT_SIZE];
};

/* Zeroed is empty. */
struct findings {
    struct finding items[FINDINGS_MAX]; /* the worst first */
    size_t count;
    size_t left_out;
};

/* The findings of the last time, a bit for each kind: found at all, and in its worse form. */
struct findings_marks {
    uint32_t found;
    uint32_t severe;
};

/* Puts a finding in its place; if there are more than FINDINGS_MAX, leaves out the last one. */
void findings_add(struct findings *findings, const struct finding *finding);
/* Return the words of /stats.json: "critical", "clients_refused". Static texts. */
const char *finding_level_name(enum finding_level level);
const char *finding_what_name(enum finding_what what);

#endif
