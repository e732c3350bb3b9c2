#include "config/service.h"

#include "config/address.h"
#include "dns/service.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char prefix[] = "srv:";
static const char protocol[] = "._tcp.";

bool service_is(const char *text) {
    return strncasecmp(text, prefix, sizeof prefix - 1) == 0;
}

const char *service_name(const char *text) {
    return text + sizeof prefix - 1;
}

const char *service_domain(const char *text) {
    const char *name = service_name(text);

    return name + strcspn(name, ".") + sizeof protocol - 1;
}

static int check(const char *text, struct error *error) {
    const char *name = service_name(text);
    size_t service = strcspn(name, ".");

    if (strncmp(text, prefix, sizeof prefix - 1) != 0) {
        return error_fail(error, -EINVAL, "must begin with \"srv:\" in lower case");
    }
    if (strchr(name, ':') != NULL) {
        return error_fail(error, -EINVAL, "has a port; leave it out, since the records say it");
    }
    if (name[0] != '_' || service < 2 || strncasecmp(name + service, protocol, sizeof protocol - 1) != 0) {
        return error_fail(error, -EINVAL, "must be srv:_SERVICE._tcp.NAME, as in srv:_http._tcp.example.com");
    }
    const char *fault = address_check_name(name);
    return fault == NULL ? 0 : error_fail(error, -EINVAL, "has %s", fault);
}

int service_resolve(const char *text, const char *dns_servers, struct dns_set *found, uint32_t *ttl_s, struct error *error) {
    int checked = check(text, error);

    if (checked < 0) {
        return checked;
    }
    enum dns_result result = dns_service_now(dns_servers, service_name(text), found, ttl_s);
    if (result == DNS_OK && found->count == 0) {
        return error_fail(error, -EINVAL, "does not resolve: its domain says that it does not offer the service");
    }
    if (result != DNS_OK) {
        return error_fail(error, -EINVAL, "does not resolve: %s; correct the name, or write its address",
                          dns_result_text(result));
    }
    return 0;
}
