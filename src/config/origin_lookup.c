#include "config/origin_lookup.h"

#include "base/check.h"
#include "config/address.h"
#include "config/service.h"

/* Takes over what was found, and tells the owner. */
static void end(struct origin_lookup *lookup, enum dns_result result, struct dns_set *found, uint32_t ttl_s,
                sa_family_t lacks) {
    lookup->found = *found;
    *found = (struct dns_set){0};
    lookup->ttl_s = ttl_s;
    lookup->lacks = lacks;
    lookup->done(lookup, result);
}

static void name_done(struct dns_lookup *name, enum dns_result result) {
    end(CONTAINER_OF(name, struct origin_lookup, name), result, &name->found, name->ttl_s, name->lacks);
}

static void service_done(struct dns_service *service, enum dns_result result) {
    end(CONTAINER_OF(service, struct origin_lookup, service), result, &service->found, service->ttl_s, 0);
}

void origin_lookup_begin(struct dns *dns, struct origin_lookup *lookup, const char *text) {
    char host[ADDRESS_NAME_MAX + 1];

    if (service_is(text)) {
        lookup->service.done = service_done;
        dns_service_begin(dns, &lookup->service, service_name(text));
        return;
    }
    uint16_t port = address_name(text, host);
    lookup->name.done = name_done;
    dns_lookup_begin(dns, &lookup->name, host, port);
}

void origin_lookup_free(struct origin_lookup *lookup) {
    dns_set_free(&lookup->found);
    dns_set_free(&lookup->name.found);
    dns_service_free(&lookup->service);
}
