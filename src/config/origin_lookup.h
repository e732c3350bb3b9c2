/* A look-up of what the text of an origin stands for, be that a name or a service. */
#ifndef CONFIG_ORIGIN_LOOKUP_H
#define CONFIG_ORIGIN_LOOKUP_H

#include "dns/service.h"

/* Its memory is the caller's, and zeroed before the first one. */
struct origin_lookup {
    /* Called once the look-up is over. May begin another one. */
    void (*done)(struct origin_lookup *lookup, enum dns_result result);
    struct dns_set found; /* the caller frees it or gives it away, in done() or once the look-up has ended */
    uint32_t ttl_s;       /* the shortest of all records */
    sa_family_t lacks;    /* of a name: as in dns/lookup.h */
    /* The look-up's own. */
    struct dns_lookup name;
    struct dns_service service;
};

/* Begins to look up a text that address_read or service_check accepts. May be done before this returns. */
void origin_lookup_begin(struct dns *dns, struct origin_lookup *lookup, const char *text);
/* Frees all that it has, also of a look-up whose `dns` has ended. */
void origin_lookup_free(struct origin_lookup *lookup);

#endif
