/* Origins that are services, which SRV records say: "srv:_http._tcp.example.com" (RFC 2782). */
#ifndef CONFIG_SERVICE_H
#define CONFIG_SERVICE_H

#include "base/error.h"

#include <stdbool.h>

/* Returns whether the text of an origin is a service, also if it has a fault. */
bool service_is(const char *text);
/* Returns the name of its records: "_http._tcp.example.com". For texts that service_check accepts, and so is the next. */
const char *service_name(const char *text);
/* Returns the domain that offers the service: "example.com". */
const char *service_domain(const char *text);
/* Returns 0 for a service that can be looked up, or -EINVAL with one line in `error`. */
int service_check(const char *text, struct error *error);

#endif
