#include "dns/lookup.h"

#include "base/check.h"
#include "dns/schedule.h"

#include <ares.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKETS_MAX = 64 }; /* that are polled: one or two for each server */

struct dns {
    ares_channel files;   /* reads /etc/hosts */
    ares_channel servers; /* asks them */
    struct pollfd sockets[SOCKETS_MAX];
    size_t socket_count;
    bool ending;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_library(void) {
    CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
}

const char *dns_result_text(enum dns_result result) {
    static const char *const texts[DNS_RESULT_COUNT] = {
        [DNS_OK] = "found",
        [DNS_NOT_FOUND] = "there is no such name, or it has no address",
        [DNS_FAILED] = "the DNS servers cannot be reached, or say that they cannot answer",
        [DNS_TIMED_OUT] = "no DNS server answers",
        [DNS_MALFORMED] = "the answer of the DNS server is malformed",
    };

    CHECK((unsigned)result < DNS_RESULT_COUNT);
    return texts[result];
}

static enum dns_result result_of(int status) {
    switch (status) {
    case ARES_SUCCESS:
        return DNS_OK;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
        return DNS_NOT_FOUND;
    case ARES_ETIMEOUT:
        return DNS_TIMED_OUT;
    case ARES_EBADRESP:
    case ARES_EBADNAME:
    case ARES_EBADSTR:
    case ARES_EBADQUERY:
        return DNS_MALFORMED;
    default:
        return DNS_FAILED;
    }
}

/* Keeps account of the sockets that c-ares has open. One that finds no room is not polled: its question times out. */
static void note_socket(void *owner, ares_socket_t socket, int readable, int writable) {
    struct dns *dns = owner;
    size_t place = 0;

    while (place < dns->socket_count && dns->sockets[place].fd != socket) {
        place++;
    }
    if (!readable && !writable) {
        if (place < dns->socket_count) {
            dns->sockets[place] = dns->sockets[--dns->socket_count];
        }
        return;
    }
    if (place == SOCKETS_MAX) {
        return;
    }
    dns->socket_count += place == dns->socket_count;
    dns->sockets[place] =
        (struct pollfd){.fd = socket, .events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0))};
}

/* c-ares changes nothing that `lookups` points to. */
static int open_channel(struct dns *dns, ares_channel *channel, const char *lookups) {
    struct ares_options options = {
        .timeout = DNS_TIMEOUT_MS,
        .tries = DNS_TRIES,
        .lookups = (char *)(uintptr_t)lookups,
        .sock_state_cb = note_socket,
        .sock_state_cb_data = dns,
    };

    return ares_init_options(channel, &options,
                             ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
}

struct dns *dns_create(const char *servers) {
    struct dns *dns = calloc(1, sizeof *dns);

    if (dns == NULL) {
        return NULL;
    }
    pthread_once(&once, init_library);
    if (open_channel(dns, &dns->files, "f") != ARES_SUCCESS || open_channel(dns, &dns->servers, "b") != ARES_SUCCESS ||
        (servers != NULL && ares_set_servers_ports_csv(dns->servers, servers) != ARES_SUCCESS)) {
        dns_free(dns);
        return NULL;
    }
    return dns;
}

void dns_free(struct dns *dns) {
    if (dns == NULL) {
        return;
    }
    dns->ending = true;
    if (dns->servers != NULL) {
        ares_destroy(dns->servers);
    }
    if (dns->files != NULL) {
        ares_destroy(dns->files);
    }
    free(dns);
}

static void shorten_ttl(struct dns_lookup *lookup, int ttl_s) {
    uint32_t ttl = ttl_s < 0 ? 0 : (uint32_t)ttl_s;

    if (ttl < lookup->ttl_s) {
        lookup->ttl_s = ttl;
    }
}

/* Takes what was found over to the look-up, and frees it. */
static void take(struct dns_lookup *lookup, struct ares_addrinfo *found) {
    if (found == NULL) {
        return;
    }
    for (const struct ares_addrinfo_cname *alias = found->cnames; alias != NULL; alias = alias->next) {
        shorten_ttl(lookup, alias->ttl);
    }
    for (const struct ares_addrinfo_node *node = found->nodes; node != NULL; node = node->ai_next) {
        shorten_ttl(lookup, node->ai_ttl);
        dns_set_add(&lookup->found, node->ai_addr, node->ai_addrlen);
    }
    ares_freeaddrinfo(found);
}

/* Of two families: neither has an address, or one has failed, which is the worse news. */
static enum dns_result sum_up(struct dns_lookup *lookup) {
    if (lookup->found.count == 0) {
        return lookup->ipv4 == DNS_OK || lookup->ipv4 == DNS_NOT_FOUND
                   ? (lookup->ipv6 == DNS_OK ? DNS_NOT_FOUND : lookup->ipv6)
                   : lookup->ipv4;
    }
    if (lookup->ipv4 != DNS_OK && lookup->ipv4 != DNS_NOT_FOUND) {
        lookup->lacks = AF_INET;
    } else if (lookup->ipv6 != DNS_OK && lookup->ipv6 != DNS_NOT_FOUND) {
        lookup->lacks = AF_INET6;
    }
    return DNS_OK;
}

static void answered(struct dns_lookup *lookup, enum dns_result *result, int status, struct ares_addrinfo *found) {
    *result = result_of(status);
    take(lookup, found);
    lookup->waiting--;
    if (lookup->waiting == 0 && !lookup->dns->ending) {
        lookup->done(lookup, sum_up(lookup));
    }
}

static void answered_ipv4(void *owner, int status, int timeouts, struct ares_addrinfo *found) {
    answered(owner, &((struct dns_lookup *)owner)->ipv4, status, found);
}

static void answered_ipv6(void *owner, int status, int timeouts, struct ares_addrinfo *found) {
    answered(owner, &((struct dns_lookup *)owner)->ipv6, status, found);
}

/* Called before ares_getaddrinfo returns, since only a file is read. */
static void read_from_file(void *owner, int status, int timeouts, struct ares_addrinfo *found) {
    take(owner, found);
}

void dns_lookup_begin(struct dns *dns, struct dns_lookup *lookup, const char *name, uint16_t port) {
    struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT | ARES_AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];

    snprintf(service, sizeof service, "%u", port);
    *lookup = (struct dns_lookup){.done = lookup->done, .dns = dns, .ttl_s = UINT32_MAX};
    ares_getaddrinfo(dns->files, name, service, &hints, read_from_file, lookup);
    if (lookup->found.count > 0) {
        lookup->ttl_s = DNS_TTL_OF_FILE_S;
        lookup->done(lookup, DNS_OK);
        return;
    }
    lookup->waiting = 2;
    hints.ai_family = AF_INET;
    ares_getaddrinfo(dns->servers, name, service, &hints, answered_ipv4, lookup);
    hints.ai_family = AF_INET6;
    ares_getaddrinfo(dns->servers, name, service, &hints, answered_ipv6, lookup);
}

static void answered_question(void *owner, int status, int timeouts, unsigned char *answer, int size) {
    struct dns_question *question = owner;
    enum dns_result result = result_of(status);

    if (question->dns->ending) {
        return;
    }
    if (result == DNS_OK && (answer == NULL || size < 0)) {
        result = DNS_MALFORMED;
    }
    question->answered(question, result, answer, result == DNS_OK ? (size_t)size : 0);
}

void dns_ask(struct dns *dns, struct dns_question *question, const char *name, int type) {
    enum { CLASS_IN = 1 };

    question->dns = dns;
    ares_query(dns->servers, name, CLASS_IN, type, answered_question, question);
}

/* Returns how long c-ares may sleep, at most `wait_ms`, rounded up. */
static int wait_of(struct dns *dns, int wait_ms) {
    struct timeval time;

    if (ares_timeout(dns->servers, NULL, &time) == NULL) {
        return wait_ms;
    }
    int64_t due_ms = (int64_t)time.tv_sec * 1000 + (time.tv_usec + 999) / 1000;
    return wait_ms >= 0 && wait_ms < due_ms ? wait_ms : (int)due_ms;
}

void dns_turn(struct dns *dns, int wake, int wait_ms) {
    struct pollfd polled[SOCKETS_MAX + 1];
    size_t count = dns->socket_count; /* the handling of one changes the list */

    memcpy(polled, dns->sockets, count * sizeof polled[0]);
    polled[count] = (struct pollfd){.fd = wake, .events = POLLIN};
    if (poll(polled, count + 1, wait_of(dns, wait_ms)) <= 0) {
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        bool readable = (polled[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
        bool writable = (polled[i].revents & POLLOUT) != 0;

        if (readable || writable) {
            ares_process_fd(dns->servers, readable ? polled[i].fd : ARES_SOCKET_BAD,
                            writable ? polled[i].fd : ARES_SOCKET_BAD);
        }
    }
    ares_process_fd(dns->servers, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* those that have timed out */
}
