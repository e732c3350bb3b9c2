#include "config/name_lookups.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/address.h"
#include "config/memory.h"
#include "config/origin_lookup.h"
#include "config/service.h"
#include "dns/schedule.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct item {
    struct name_lookups *all;
    const char *text; /* the document's */
    struct origin_lookup lookup;
    struct name_answer answer;
    bool done;
};

struct name_lookups {
    struct item *items; /* sorted by text */
    size_t count;
    size_t begun;
    size_t done;
    struct dns *dns;
    const struct config_surroundings *surroundings;
};

/* Returns whether the text is that of a name or service, without a fault. */
static bool can_be_looked_up(const char *text) {
    struct config_address address;
    struct error error;

    if (address_is_unix(text)) {
        return false;
    }
    if (service_is(text)) {
        return service_check(text, &error) == 0;
    }
    int result = address_read(text, &address, &error);
    if (result == 0) {
        free(address.text);
    }
    return result == ADDRESS_IS_NAME;
}

/* Calls `take` for the address of each origin that can be looked up. */
static void for_each_text(const struct document_node *hosts, void (*take)(struct name_lookups *lookups, const char *text),
                          struct name_lookups *lookups) {
    if (hosts == NULL || hosts->type != DOCUMENT_LIST) {
        return;
    }
    for (const struct document_node *host = hosts->first; host != NULL; host = host->next) {
        const struct document_node *origins = document_value(host, "origin");

        if (origins == NULL || origins->type != DOCUMENT_LIST) {
            continue;
        }
        for (const struct document_node *origin = origins->first; origin != NULL; origin = origin->next) {
            const struct document_node *address = document_value(origin, "address");

            if (address != NULL && address->type == DOCUMENT_SCALAR && can_be_looked_up(address->text)) {
                take(lookups, address->text);
            }
        }
    }
}

static void count_text(struct name_lookups *lookups, const char *text) {
    lookups->count++;
}

static void take_text(struct name_lookups *lookups, const char *text) {
    lookups->items[lookups->count++] = (struct item){.all = lookups, .text = text};
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct item *)a)->text, ((const struct item *)b)->text);
}

/* Gathers the texts, each once. */
static void gather(struct name_lookups *lookups, const struct document_node *hosts) {
    for_each_text(hosts, count_text, lookups);
    lookups->items = memory_allocate(lookups->count + 1, sizeof *lookups->items);
    lookups->count = 0;
    for_each_text(hosts, take_text, lookups);
    qsort(lookups->items, lookups->count, sizeof *lookups->items, compare);
    size_t kept = 0;
    for (size_t i = 0; i < lookups->count; i++) {
        if (kept == 0 || compare(&lookups->items[kept - 1], &lookups->items[i]) != 0) {
            lookups->items[kept++] = lookups->items[i];
        }
    }
    lookups->count = kept;
}

static bool get_known(const struct item *item, struct dns_set *set) {
    const struct config_surroundings *surroundings = item->all->surroundings;

    return surroundings->known != NULL && surroundings->known(surroundings->owner, item->text, set);
}

static void looked_up(struct origin_lookup *lookup, enum dns_result result) {
    struct item *item = CONTAINER_OF(lookup, struct item, lookup);
    struct dns_set known = {0};

    /* Of the family that has failed, the addresses stay that the name had. */
    if (result == DNS_OK && lookup->lacks != 0 && get_known(item, &known)) {
        dns_set_add_family(&lookup->found, &known, lookup->lacks);
        lookup->ttl_s = DNS_TTL_MIN_S;
        dns_set_free(&known);
    }
    item->answer = (struct name_answer){.result = result, .ttl_s = lookup->ttl_s};
    if (result == DNS_OK) {
        item->answer.found = lookup->found;
        lookup->found = (struct dns_set){0};
    }
    item->done = true;
    item->all->done++;
}

static void begin(struct item *item) {
    item->lookup.done = looked_up;
    origin_lookup_begin(item->all->dns, &item->lookup, item->text);
}

static void tell_of_wait(const struct name_lookups *lookups) {
    const struct item *first = lookups->items;

    while (first->done) {
        first++;
    }
    size_t others = lookups->count - lookups->done - 1;
    log_warning("waiting for DNS: %s%s, for %d s at most", first->text, others > 0 ? " and others" : "",
                NAME_LOOKUPS_MAX_MS / 1000);
}

static bool is_stopped(const struct name_lookups *lookups) {
    struct pollfd polled = {.fd = lookups->surroundings->stop, .events = POLLIN};

    return polled.fd >= 0 && poll(&polled, 1, 0) > 0;
}

/* Returns whether the look-ups were stopped from outside. */
static bool wait_for_all(struct name_lookups *lookups) {
    uint64_t began_ms = clock_monotonic_ms();
    uint64_t next_ms = began_ms + NAME_LOOKUPS_QUIET_MS; /* when there is something to do besides */
    bool told = false;

    while (lookups->done < lookups->count) {
        while (lookups->begun < lookups->count && lookups->begun - lookups->done < NAME_LOOKUPS_AT_ONCE) {
            begin(&lookups->items[lookups->begun++]);
        }
        uint64_t now = clock_monotonic_ms();
        if (lookups->done == lookups->count || (told && now >= next_ms)) {
            break;
        }
        if (now >= next_ms) {
            told = true;
            next_ms = began_ms + NAME_LOOKUPS_MAX_MS;
            tell_of_wait(lookups);
        }
        dns_turn(lookups->dns, lookups->surroundings->stop, (int)(next_ms - now));
        if (is_stopped(lookups)) {
            return true;
        }
    }
    return false;
}

/* Settles what has no answer, or has failed. */
static void settle(struct item *item, bool stopped) {
    struct name_answer *answer = &item->answer;

    if (!item->done) {
        *answer = (struct name_answer){.result = DNS_TIMED_OUT, .stopped = stopped};
    }
    origin_lookup_free(&item->lookup);
    if (answer->stopped || answer->found.count > 0) {
        return;
    }
    struct dns_set known = {0};
    answer->known = get_known(item, &known);
    if (answer->known && answer->result != DNS_OK) {
        answer->found = known;
        answer->ttl_s = DNS_TTL_MIN_S;
    } else {
        dns_set_free(&known);
    }
}

struct name_lookups *name_lookups_run(const struct document_node *hosts, const char *dns_servers,
                                      const struct config_surroundings *surroundings) {
    struct name_lookups *lookups = memory_allocate(1, sizeof *lookups);
    bool stopped = false;

    lookups->surroundings = surroundings;
    gather(lookups, hosts);
    if (lookups->count > 0) {
        lookups->dns = dns_create(dns_servers);
    }
    if (lookups->dns != NULL) {
        stopped = wait_for_all(lookups);
        dns_free(lookups->dns);
        lookups->dns = NULL;
    }
    for (size_t i = 0; i < lookups->count; i++) {
        settle(&lookups->items[i], stopped);
    }
    return lookups;
}

const struct name_answer *name_lookups_find(const struct name_lookups *lookups, const char *text) {
    const struct item wanted = {.text = text};
    const struct item *found = bsearch(&wanted, lookups->items, lookups->count, sizeof wanted, compare);

    return found == NULL ? NULL : &found->answer;
}

void name_lookups_free(struct name_lookups *lookups) {
    if (lookups == NULL) {
        return;
    }
    for (size_t i = 0; i < lookups->count; i++) {
        dns_set_free(&lookups->items[i].answer.found);
    }
    free(lookups->items);
    free(lookups);
}
