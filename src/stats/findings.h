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
    FINDINGS_MAX = 20, /* kept; of more the least bad are left out, and counted */
    FINDINGS_TEXT_SIZE = 640,
    FINDINGS_HOST_SIZE = 256,

    /* So much of what a host's clients do in a minute, handshakes and requests, is refused when "nearly all" is. */
    FINDINGS_REFUSED_PERCENT = 90,
    FINDINGS_REFUSED_PERCENT_LEAVE = 50,
    FINDINGS_REFUSED_LEAST = 10, /* so many at least: fewer are one device that tries again */
    FINDINGS_REFUSED_LEAST_LEAVE = 5,
    /*
     * A stranger can have any number of certificates refused, as unknown_issuer as well as expired. So that counts as an
     * outage of a host's own clients only where these are missed: where they do less than a tenth of what they did at least
     * in each minute before, or in any ten seconds of it. With fewer than ten in that time they may be silent by chance.
     */
    FINDINGS_USUAL_LEAST = 10,
    FINDINGS_USUAL_PERCENT = 10,
    FINDINGS_USUAL_PERCENT_LEAVE = 50,
    /* So many certificates are refused, and none was valid: worth a warning, since it is not known who they are. */
    FINDINGS_NONE_LEAST = 20,
    FINDINGS_NONE_LEAST_LEAVE = 10,
    /* The same with none valid since the start: the roots are wrong, unless one device comes three times in two seconds. */
    FINDINGS_NEVER_LEAST = 200,
    FINDINGS_NEVER_LEAST_LEAVE = 100,
    /* Refused because of a list of the server's own: no stranger can bring that about, so a few are enough to warn. */
    FINDINGS_LISTS_LEAST = 3,
    FINDINGS_LISTS_LEAST_LEAVE = 1,
    /* So much of the handshakes with certificates of the host's own CAs is refused: a part of the fleet was not renewed. */
    FINDINGS_PART_LEAST = 20,
    FINDINGS_PART_LEAST_LEAVE = 10,
    FINDINGS_PART_PERCENT = 20,
    FINDINGS_PART_PERCENT_LEAVE = 10,
    FINDINGS_PART_REQUESTS_PERCENT = 5, /* and so much of the requests: one that tries again and again does not have that */
    FINDINGS_PART_REQUESTS_PERCENT_LEAVE = 2,

    /* Answers that are 5xx: a twentieth is what the alert for origins has; from half on clients cannot work. */
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
     * A certificate or list that ends is a warning a week before, and critical within a day. One that lives for less than
     * that is renewed later: there it is the last quarter of its life, and the last 24th.
     */
    FINDINGS_SOON_S = 7 * 86400,
    FINDINGS_SOON_PART = 4,
    FINDINGS_IMMINENT_S = 86400,
    FINDINGS_IMMINENT_PART = 24,
};

enum finding_level { FINDING_CRITICAL, FINDING_WARNING };

/* Of one level, the first is the worst. */
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
    uint64_t weight;               /* of two that are else alike, the heavier is the worse */
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

/* Puts it in its place; of more than FINDINGS_MAX the last one goes. */
void findings_add(struct findings *findings, const struct finding *finding);
/* As in /stats.json: "critical", "clients_refused". Static texts. */
const char *finding_level_name(enum finding_level level);
const char *finding_what_name(enum finding_what what);

#endif
