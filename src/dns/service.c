#include "dns/service.h"

#include "base/check.h"
#include "dns/schedule.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHARE_OF_ONE = DNS_SHARE_ONE,
    SHARE_OF_ZERO = DNS_SHARE_ONE / 32, /* "a very small chance of being selected" beside others */
    PORT_OF_NONE = 1,                   /* c-ares takes no 0; the records' ports come in its place */
};

/* A host that records name. */
struct service_host {
    struct dns_lookup lookup; /* `found` is kept, for the records and for the next look-up */
    struct dns_service *service;
    char name[SRV_NAME_SIZE];
    enum dns_result result;
};

static void free_hosts(struct service_host **hosts, size_t *count) {
    for (size_t i = 0; i < *count; i++) {
        dns_set_free(&(*hosts)[i].lookup.found);
    }
    free(*hosts);
    *hosts = NULL;
    *count = 0;
}

static void free_records(struct dns_service *service) {
    free(service->records);
    service->records = NULL;
    service->record_count = 0;
}

void dns_service_free(struct dns_service *service) {
    free_records(service);
    free_hosts(&service->hosts, &service->host_count);
    free_hosts(&service->before, &service->before_count);
    dns_set_free(&service->found);
}

static int compare_records(const void *a, const void *b) {
    const struct srv_record *left = a, *right = b;
    int order = (left->priority > right->priority) - (left->priority < right->priority);

    order = order != 0 ? order : strcmp(left->target, right->target);
    return order != 0 ? order : (left->port > right->port) - (left->port < right->port);
}

static int compare_hosts(const void *a, const void *b) {
    return strcmp(((const struct service_host *)a)->name, ((const struct service_host *)b)->name);
}

static int compare_name(const void *name, const void *host) {
    return strcmp(name, ((const struct service_host *)host)->name);
}

static struct service_host *find_host(struct service_host *hosts, size_t count, const char *name) {
    return count == 0 ? NULL : bsearch(name, hosts, count, sizeof *hosts, compare_name);
}

/* Returns how many SRV records the answer has, or -EPROTO. */
static int count_records(struct srv_reader reader) {
    struct srv_record record;
    int count = 0;
    int result;

    while ((result = srv_next(&reader, &record)) > 0) {
        count++;
    }
    return result < 0 ? result : count;
}

/* Takes the records of an answer, the first ones by priority if they are too many. */
static enum dns_result take_records(struct dns_service *service, const uint8_t *answer, size_t size) {
    struct srv_reader reader;

    if (!srv_begin(&reader, answer, size, service->name)) {
        return DNS_MALFORMED;
    }
    int count = count_records(reader);
    if (count <= 0) {
        return count < 0 ? DNS_MALFORMED : DNS_NOT_FOUND;
    }
    service->records = calloc((size_t)count, sizeof *service->records);
    if (service->records == NULL) {
        return DNS_FAILED;
    }
    for (int i = 0; i < count; i++) {
        CHECK(srv_next(&reader, &service->records[i]) == 1);
    }
    qsort(service->records, (size_t)count, sizeof *service->records, compare_records);
    service->cut = count > SRV_RECORDS_MAX;
    service->record_count = service->cut ? SRV_RECORDS_MAX : (size_t)count;
    service->ttl_s = reader.ttl_s;
    return DNS_OK;
}

/* Makes the list of hosts to look up: each once, and not the root. False: out of memory. */
static bool list_hosts(struct dns_service *service) {
    service->hosts = calloc(service->record_count, sizeof *service->hosts);
    if (service->hosts == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < service->record_count; i++) {
        if (service->records[i].target[0] != '\0') {
            memcpy(service->hosts[count++].name, service->records[i].target, SRV_NAME_SIZE);
        }
    }
    qsort(service->hosts, count, sizeof *service->hosts, compare_hosts);
    for (size_t i = 0; i < count; i++) {
        if (service->host_count == 0 || strcmp(service->hosts[service->host_count - 1].name, service->hosts[i].name) != 0) {
            service->hosts[service->host_count++] = service->hosts[i];
        }
    }
    return true;
}

/* Has a host whose look-up failed, or that of one family, keep the addresses that it had. */
static void keep_old(struct dns_service *service, struct service_host *host) {
    const struct service_host *before = find_host(service->before, service->before_count, host->name);
    bool failed = host->result != DNS_OK && host->result != DNS_NOT_FOUND;

    if (!failed && host->lookup.lacks == 0) {
        return;
    }
    service->ttl_s = service->ttl_s < DNS_TTL_OF_FILE_S ? service->ttl_s : DNS_TTL_OF_FILE_S;
    for (sa_family_t family = AF_INET; before != NULL && family != 0; family = family == AF_INET ? AF_INET6 : 0) {
        if (failed || family == host->lookup.lacks) {
            dns_set_add_family(&host->lookup.found, &before->lookup.found, family);
        }
    }
}

/* Adds the addresses of a record's host, with the record's port, as far as there is room. */
static void add_record(struct dns_service *service, const struct srv_record *record, const struct dns_set *addresses,
                       uint16_t level) {
    uint32_t share = record->weight == 0 ? SHARE_OF_ZERO : record->weight * (uint32_t)SHARE_OF_ONE;

    share /= (uint32_t)addresses->count;
    share = share > 0 ? share : 1;
    for (size_t i = 0; i < addresses->count; i++) {
        struct dns_item item = addresses->items[i];

        item.rank = (struct dns_rank){.level = level, .share = share};
        if (item.address.any.sa_family == AF_INET) {
            item.address.in.sin_port = htons(record->port);
        } else {
            item.address.in6.sin6_port = htons(record->port);
        }
        if (service->found.count == DNS_SET_MAX) {
            service->found.cut = true;
            return;
        }
        dns_set_add_item(&service->found, &item);
    }
}

static void gather(struct dns_service *service) {
    const struct srv_record *last = NULL;
    uint16_t level = 0;

    for (size_t i = 0; i < service->record_count; i++) {
        const struct srv_record *record = &service->records[i];
        const struct service_host *host = find_host(service->hosts, service->host_count, record->target);

        if (host == NULL || host->lookup.found.count == 0) {
            continue;
        }
        level += last != NULL && last->priority != record->priority;
        last = record;
        add_record(service, record, &host->lookup.found, level);
    }
    service->found.cut = service->found.cut || service->cut;
}

/* Returns the result when all hosts have been looked up: nothing found is no failure where only the root was named. */
static enum dns_result sum_up(const struct dns_service *service) {
    enum dns_result result = DNS_NOT_FOUND;

    if (service->found.count > 0 || service->host_count == 0) {
        return DNS_OK;
    }
    for (size_t i = 0; i < service->host_count; i++) {
        result = service->hosts[i].result > result ? service->hosts[i].result : result;
    }
    return result;
}

static void end(struct dns_service *service) {
    for (size_t i = 0; i < service->host_count; i++) {
        keep_old(service, &service->hosts[i]);
        service->ttl_s = service->hosts[i].result == DNS_OK && service->hosts[i].lookup.ttl_s < service->ttl_s
                             ? service->hosts[i].lookup.ttl_s
                             : service->ttl_s;
    }
    gather(service);
    enum dns_result result = sum_up(service);
    free_records(service);
    if (result == DNS_OK) {
        free_hosts(&service->before, &service->before_count);
        service->before = service->hosts;
        service->before_count = service->host_count;
        service->hosts = NULL;
        service->host_count = 0;
    } else {
        free_hosts(&service->hosts, &service->host_count);
    }
    service->done(service, result);
}

/* Begins look-ups as far as there may be more; those that are done at once, from a file, make room for others. */
static void begin_hosts(struct dns_service *service) {
    service->beginning = true;
    while (service->under_way < SERVICE_LOOKUPS_MAX && service->next < service->host_count) {
        struct service_host *host = &service->hosts[service->next++];

        service->under_way++;
        dns_lookup_begin(service->dns, &host->lookup, host->name, PORT_OF_NONE);
    }
    service->beginning = false;
}

static void go_on(struct dns_service *service) {
    begin_hosts(service);
    if (service->under_way == 0) {
        end(service);
    }
}

static void host_done(struct dns_lookup *lookup, enum dns_result result) {
    struct service_host *host = CONTAINER_OF(lookup, struct service_host, lookup);

    host->result = result;
    host->service->under_way--;
    if (!host->service->beginning) {
        go_on(host->service);
    }
}

static void answered(struct dns_question *question, enum dns_result result, const uint8_t *answer, size_t size) {
    struct dns_service *service = CONTAINER_OF(question, struct dns_service, question);

    if (result == DNS_OK) {
        result = take_records(service, answer, size);
    }
    if (result == DNS_OK && !list_hosts(service)) {
        result = DNS_FAILED;
    }
    if (result != DNS_OK) {
        free_records(service);
        service->done(service, result);
        return;
    }
    for (size_t i = 0; i < service->host_count; i++) {
        service->hosts[i].service = service;
        service->hosts[i].lookup.done = host_done;
    }
    go_on(service);
}

void dns_service_begin(struct dns *dns, struct dns_service *service, const char *name) {
    CHECK(strlen(name) < sizeof service->name && service->found.count == 0);
    memcpy(service->name, name, strlen(name) + 1);
    service->dns = dns;
    service->question.answered = answered;
    service->ttl_s = UINT32_MAX;
    service->cut = false;
    service->next = 0;
    free_records(service);
    free_hosts(&service->hosts, &service->host_count);
    dns_ask(dns, &service->question, service->name, SRV_TYPE);
}
