/* The findings of the server as a whole. Pure: figures in, findings out. The thresholds are in findings.h. */
#ifndef STATS_FINDINGS_SERVER_H
#define STATS_FINDINGS_SERVER_H

#include "stats/findings.h"

#include <stdbool.h>

struct findings_server {
    unsigned loaded_s;       /* of the last ten seconds, those in which a shard was loaded or flooded */
    unsigned flooded_s;      /* likewise, flooded */
    double handshakes;       /* this and the next two: a second, over the last ten: those that succeeded */
    double valid;            /* of these, with a valid certificate */
    double refused;          /* connections, and requests for the client's certificate */
    double work_known;       /* cores that handshakes take: of known clients */
    double work_others;      /* of all others */
    uint64_t places_refused; /* this and the next: in the last minute: connections for which there was no place */
    uint64_t log_dropped;    /* lines of the access log */
    bool reload_failed;      /* the last one */
    int64_t config_loaded_s; /* when what is served was loaded, since the epoch */
};

/* Adds what is wrong. `marks` says what was found the last time, and then what was found now. */
void findings_of_server(struct findings *findings, const struct findings_server *server, struct findings_marks *marks);

#endif
