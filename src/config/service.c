#include "config/service.h"

#include "config/address.h"

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

int service_check(const char *text, struct error *error) {
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
