/* Look-ups that a test waits for. */
#ifndef TESTS_DNS_NOW_H
#define TESTS_DNS_NOW_H

#include "base/check.h"
#include "dns/service.h"

struct now_name {
    struct dns_lookup lookup;
    enum dns_result result;
    bool done;
};

static inline void now_name_done(struct dns_lookup *lookup, enum dns_result result) {
    struct now_name *now = CONTAINER_OF(lookup, struct now_name, lookup);

    now->result = result;
    now->done = true;
}

/* Looks a name up, and returns when that is done. `lookup` has what was found. */
static inline enum dns_result dns_lookup_now(const char *servers, struct dns_lookup *lookup, const char *name,
                                             uint16_t port) {
    struct now_name now = {.lookup.done = now_name_done};
    struct dns *dns = dns_create(servers);

    CHECK(dns != NULL);
    dns_lookup_begin(dns, &now.lookup, name, port);
    while (!now.done) {
        dns_turn(dns, -1, -1);
    }
    dns_free(dns);
    *lookup = now.lookup;
    return now.result;
}

struct now_service {
    struct dns_service service;
    enum dns_result result;
    bool done;
};

static inline void now_service_done(struct dns_service *service, enum dns_result result) {
    struct now_service *now = CONTAINER_OF(service, struct now_service, service);

    now->result = result;
    now->done = true;
}

/* Looks a service up, and returns when that is done. The caller frees `found`. */
static inline enum dns_result dns_service_now(const char *servers, const char *name, struct dns_set *found,
                                              uint32_t *ttl_s) {
    struct now_service now = {.service.done = now_service_done};
    struct dns *dns = dns_create(servers);

    CHECK(dns != NULL);
    dns_service_begin(dns, &now.service, name);
    while (!now.done) {
        dns_turn(dns, -1, -1);
    }
    dns_free(dns);
    *found = now.service.found;
    *ttl_s = now.service.ttl_s;
    now.service.found = (struct dns_set){0};
    dns_service_free(&now.service);
    return now.result;
}

#endif
