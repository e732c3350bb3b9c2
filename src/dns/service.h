/*
 * Look-ups of services: SRV records (RFC 2782), and the addresses of the hosts that they name. The level of an address is
 * that of its record's priority among those that have addresses; a record's weight is shared by the addresses of its host.
 */
#ifndef DNS_SERVICE_H
#define DNS_SERVICE_H

#include "dns/lookup.h"
#include "dns/srv.h"

enum { SERVICE_LOOKUPS_MAX = 16 /* of hosts, at once */ };

struct service_host;

/* One look-up. Its memory is the caller's, and zeroed before the first one. */
struct dns_service {
    /*
     * Called once the look-up is over. May begin another one. DNS_OK with nothing in `found` means that the domain says it
     * does not offer the service.
     */
    void (*done)(struct dns_service *service, enum dns_result result);
    struct dns_set found; /* the caller frees it or gives it away, in done() or once the look-up has ended */
    uint32_t ttl_s;       /* the shortest of all records */
    /* The look-up's own. */
    struct dns_question question;
    struct dns *dns;
    char name[SRV_NAME_SIZE];
    struct srv_record *records; /* by priority, and then by host and port */
    size_t record_count;
    bool cut;                   /* there were more */
    struct service_host *hosts; /* that the records name, by name */
    size_t host_count;
    struct service_host
        *before; /* those of the last look-up that ended well: where one fails now, these are its addresses */
    size_t before_count;
    size_t next; /* the first host that is still to be looked up */
    unsigned under_way;
    bool beginning;
};

/* Begins to look up the SRV records of a name, as "_http._tcp.example.com". May be done before this returns. */
void dns_service_begin(struct dns *dns, struct dns_service *service, const char *name);
/* Frees all that it has, also of a look-up whose `dns` has ended. */
void dns_service_free(struct dns_service *service);

#endif
