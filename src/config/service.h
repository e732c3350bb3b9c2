/* Origins that are services, which SRV records say: "srv:_http._tcp.example.com" (RFC 2782). */
#ifndef CONFIG_SERVICE_H
#define CONFIG_SERVICE_H

#include "base/error.h"
#include "dns/set.h"

/* Returns whether the text of an origin is a service, also if it has a fault. */
bool service_is(const char *text);
/* Returns the name of its records: "_http._tcp.example.com". For texts that service_resolve accepts, and so is the next. */
const char *service_name(const char *text);
/* Returns the domain that offers the service: "example.com". */
const char *service_domain(const char *text);
/*
 * Looks the service up now (`dns_servers` may be NULL), and sets the addresses that it has, one at least, and how long the
 * answer holds. 0, or -EINVAL with one line in `error`.
 */
int service_resolve(const char *text, const char *dns_servers, struct dns_set *found, uint32_t *ttl_s, struct error *error);

#endif
