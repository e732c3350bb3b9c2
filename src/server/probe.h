/*
 * One probe of one address: a connection, with a path of health.path also a request and the head of its answer, and a
 * verdict with its reason. It is over after health.timeout at the latest. The prober decides when there is one, and what
 * follows from it.
 */
#ifndef SERVER_PROBE_H
#define SERVER_PROBE_H

#include "config/config.h"
#include "relay/link.h"
#include "server/probe_answer.h"
#include "server/probe_http2.h"
#include "stats/hosts.h"

enum {
    PROBE_PREFACE_MAX = 16, /* bytes of a PROXY header that names no client */
    PROBE_REQUEST_MAX = 2048,
};

/*
 * The part of a probe that is the same for all of a host: made once, and counted, since probes that only close still may
 * outlive a configuration.
 */
struct probe_words {
    uint32_t references;
    struct config *config;          /* counted */
    const struct config_host *host; /* with health */
    struct tls_origin_context *tls; /* NULL: its origins speak in the clear */
    size_t preface_size;
    size_t request_size; /* 0: a connection that can be made is enough */
    uint8_t preface[PROBE_PREFACE_MAX];
    char request[PROBE_REQUEST_MAX]; /* a head as text of HTTP/1, also towards origins of HTTP/2 */
};

struct probe_outcome {
    enum stats_probe_result result;
    char why[STATS_WHY_SIZE]; /* in words; "" for STATS_PROBE_OK */
};

struct probe {
    struct ring *ring;
    struct probe_words *words; /* retained from probe_begin on, until it is gone */
    void *owner;
    /* The probe is through, in which way `outcome` says. Not called after probe_abort. */
    void (*done)(struct probe *probe, const struct probe_outcome *outcome);
    /* Nothing of it is in flight any more: the memory is the owner's again. Called in any case, behind done(). */
    void (*gone)(struct probe *probe);
    struct relay_link link;
    struct tls_origin tls; /* of this probe alone: no session is resumed */
    struct timer timer;
    bool connected;
    bool over;
    struct probe_http2 http2;
    struct probe_answer answer;
};

/* Makes what is the same for all probes of a host of `config`, with one reference. NULL when out of memory. */
struct probe_words *probe_words_create(struct config *config, const struct config_host *host);
void probe_words_release(struct probe_words *words);

/* The thing that is probed. */
struct probe_target {
    const struct config_origin *origin; /* of the words' host */
    const struct config_address *address;
    struct tls_memory *memory; /* for origins with TLS */
};

/*
 * Begins a probe, with words, owner, done and gone set. 0, or a negative errno: then nothing has begun. The address must
 * stay until the turn's end, the memory until the probe is gone.
 */
int probe_begin(struct probe *probe, struct ring *ring, const struct probe_target *target);
/* Ends it without an outcome. */
void probe_abort(struct probe *probe);

#endif
