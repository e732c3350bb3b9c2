#include "world_origins.h"

#include "relay/addresses.h"
#include "relay/channel.h"
#include "stats/hosts.h"
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The world whose shard runs: for the functions that are linked with --wrap. */
static struct world *watched;

static struct config *newest(const struct world *world) {
    return world_config(world->plan.listener, world->plan.origins, world->behind.number);
}

static struct world_place *place_at(struct world *world, struct in_addr address) {
    uint32_t value = ntohl(address.s_addr);
    unsigned speech = value >> 16 & 0xff, host = value >> 8 & 0xff, number = value & 0xff;

    SIMULATOR_EXPECT(value >> 24 == 10 && speech < WORLD_SPEECHES && host < TALK_HOSTS && number < WORLD_NUMBERS,
                     "no origin has the address %x", value);
    return &world->behind.places[speech][host][number];
}

static struct in_addr address_of(const struct config_address *configured) {
    return ((const struct sockaddr_in *)(const void *)&configured->address)->sin_addr;
}

static uint8_t speech_of(const struct config_host *host) {
    return (uint8_t)(ntohl(address_of(&host->origins[WORLD_NAME].addresses[0]).s_addr) >> 16);
}

/* --- Beginning and end --------------------------------------------------------------------------------------------- */

void world_origins_begin(struct world *world) {
    watched = world;
    world->behind.board = health_board_create();
    SIMULATOR_EXPECT(world->behind.board != NULL, "no memory");
}

void world_origins_end(struct world *world) {
    for (size_t i = 0; i < sizeof world->behind.places / sizeof(struct world_place); i++) {
        health_board_give(world->behind.board, ((struct world_place *)world->behind.places)[i].health);
    }
    health_board_free(world->behind.board);
    origin_link_forget_contexts();
    watched = NULL;
}

void world_origins_reload(struct world *world, unsigned number) {
    world->behind.number = number;
}

/* --- Changes ------------------------------------------------------------------------------------------------------- */

struct change {
    struct mail mail;
    struct config *config;
    enum talk_host host;
    struct relay_addresses *addresses;
};

static void drop_change(struct mail *mail) {
    struct change *change = CONTAINER_OF(mail, struct change, mail);

    relay_addresses_release(change->addresses);
    free(change);
}

/* As server/names.c does it. */
static void deliver_change(struct mail *mail, void *owner) {
    struct change *change = CONTAINER_OF(mail, struct change, mail);
    struct site *site = ((struct shard_thread *)owner)->shard.site;

    if (site->config == change->config) {
        relay_take_addresses(site->relay, change->host, WORLD_NAME, change->addresses);
        watched->behind.changes++;
    }
    drop_change(mail);
}

void world_change_name(struct world *world, enum talk_host host, unsigned addresses) {
    struct config *config = newest(world);
    struct change *change = malloc(sizeof *change);
    struct dns_set set = {0};

    SIMULATOR_EXPECT(change != NULL && host < config->host_count, "no memory, or no host %u", host);
    for (unsigned i = 0; i < WORLD_ADDRESSES; i++) {
        struct sockaddr_in address = world_address(speech_of(&config->hosts[host]), host, i + 1);

        if ((addresses >> i & 1) != 0) {
            dns_set_add(&set, (const struct sockaddr *)&address, sizeof address);
        }
    }
    *change = (struct change){.mail = {.deliver = deliver_change, .drop = drop_change},
                              .config = config,
                              .host = host,
                              .addresses = relay_addresses_create(&set)};
    dns_set_free(&set);
    SIMULATOR_EXPECT(change->addresses != NULL, "no memory");
    simulator_trace("world: the name of host %u stands for %x", host, addresses);
    worker_post(&world->thread->worker, &change->mail);
}

void world_flip_health(struct world *world, enum talk_host host, unsigned number, bool down) {
    const struct config_host *configured = &newest(world)->hosts[host];
    struct sockaddr_in address = world_address(speech_of(configured), host, number);
    struct world_place *place = place_at(world, address.sin_addr);

    if (place->health == NULL) {
        place->health =
            health_board_take(world->behind.board, configured->name, (const struct sockaddr *)&address, sizeof address);
        SIMULATOR_EXPECT(place->health != NULL, "no memory");
    }
    simulator_trace("world: checks of address %u of host %u %s", number, host, down ? "fail" : "succeed");
    health_entry_set(place->health, down);
    world->behind.flips++;
}

void world_change_origins(struct world *world) {
    const struct config *config = newest(world);

    if (world->plan.origins == WORLD_PLAIN || world->ending) {
        return;
    }
    if (kernel_chance(30)) {
        world_change_name(world, (enum talk_host)kernel_below((uint32_t)config->host_count),
                          1 + kernel_below((1 << WORLD_ADDRESSES) - 1));
    }
    if (kernel_chance(40)) {
        enum talk_host host = (enum talk_host)kernel_below((uint32_t)config->host_count);
        bool down = kernel_chance(600);

        if (kernel_chance(100)) { /* all of them */
            for (unsigned number = 1; number <= WORLD_ADDRESSES; number++) {
                world_flip_health(world, host, number, down);
            }
            world_flip_health(world, host, WORLD_BACKUP, down);
        } else {
            world_flip_health(world, host, kernel_chance(200) ? WORLD_BACKUP : 1 + kernel_below(WORLD_ADDRESSES), down);
        }
    }
}

/* --- Connections --------------------------------------------------------------------------------------------------- */

/* Returns the host's origin at an address in the newest site; NULL: there is none, or it leaves. */
static const struct relay_origin *origin_at(const struct relay_host *host, struct in_addr address) {
    for (uint32_t i = 0; i < host->count; i++) {
        if (address_of(&host->origins[i]->address).s_addr == address.s_addr) {
            return host->origins[i];
        }
    }
    return NULL;
}

/*
 * A connection is begun only to an address that is there, and whose checks do not fail unless all do. Those that wait for a
 * seat of HTTP/2 have chosen earlier.
 */
static void expect_wanted(struct world *world, struct in_addr address) {
    const struct shard *shard = world->shard;
    uint32_t value = ntohl(address.s_addr);
    const struct relay_host *host = &shard->site->relay->hosts[value >> 8 & 0xff];
    bool http2 = (value >> 16 & ORIGIN_HTTP2) != 0;

    world->behind.backup_asked += (value & 0xff) == WORLD_BACKUP;
    if (world->plan.origins == WORLD_PLAIN || shard->retired != NULL || http2) {
        return;
    }
    const struct relay_origin *origin = origin_at(host, address);
    SIMULATOR_EXPECT(origin != NULL, "a connection to %x, which is gone", value);
    SIMULATOR_EXPECT(!origin_is_unhealthy(origin), "a connection to %x, whose checks fail", value);
    world->behind.unhealthy_asked += origin_fails_checks(origin);
}

void world_take_connects(struct world *world) {
    struct kernel_socket *socket;
    const struct origin_place place = {
        .talk = &world->talk,
        .enforced = world->enforced,
        .faulty = world->plan.faulty_origins,
        .counts = &world->behind.counts,
        .plan = world->plan.link,
    };

    while ((socket = kernel_next_connect()) != NULL) {
        struct in_addr address = kernel_connects_to(socket)->sin_addr;
        size_t i = 0;

        while (world->behind.origins[i].socket != NULL) {
            i++;
            SIMULATOR_EXPECT(i < WORLD_ORIGINS_MAX, "more than %d connections to origins", WORLD_ORIGINS_MAX);
        }
        simulator_trace("origin: %s is connected to", inet_ntoa(address));
        origin_begin(&world->behind.origins[i], socket, &place, &place_at(world, address)->misdeeds);
    }
}

/* --- Sums ---------------------------------------------------------------------------------------------------------- */

static uint32_t length(const struct list *list) {
    uint32_t count = 0;

    for (struct list *link = list_first(list); link != NULL; link = list_after(list, link)) {
        SIMULATOR_EXPECT(link->next->previous == link, "a list is broken");
        count++;
    }
    return count;
}

struct sums {
    uint32_t uses, in_flight, idle, channels;
};

/* Returns how many exchanges have streams that are open. Others have complete answers, which their clients have yet to take.
 */
static uint32_t count_open(const struct relay_channel *channel) {
    uint32_t count = 0;

    for (struct list *link = list_first(&channel->exchanges); link != NULL; link = list_after(&channel->exchanges, link)) {
        const struct http2_stream *stream = &CONTAINER_OF(link, struct relay_exchange, http2.link)->http2.stream;

        SIMULATOR_EXPECT(!stream->gone || stream->left, "an exchange has lost its stream");
        count += !stream->gone;
    }
    return count;
}

static void expect_channels(const struct relay_origin *origin) {
    const struct list *channels = &origin->channels;

    for (struct list *link = list_first(channels); link != NULL; link = list_after(channels, link)) {
        const struct relay_channel *channel = CONTAINER_OF(link, struct relay_channel, in_origin);

        SIMULATOR_EXPECT(channel->origin == origin, "a channel of another origin");
        SIMULATOR_EXPECT(!channel->busy, "a session is at work");
        SIMULATOR_EXPECT(!kernel_may_sleep() || list_is_empty(&channel->resumed), "bodies wait while the shard sleeps");
        SIMULATOR_EXPECT(!kernel_may_sleep() || !channel->idle || list_is_empty(&channel->exchanges),
                         "a channel is idle with exchanges");
        SIMULATOR_EXPECT(!kernel_may_sleep() || timer_is_set(&channel->timer), "a channel without a deadline");
        if (kernel_may_sleep() && channel->state == CHANNEL_OPEN) {
            SIMULATOR_EXPECT(http2_session_streams(channel->session) == count_open(channel), "%u streams carry %u exchanges",
                             http2_session_streams(channel->session), count_open(channel));
        }
    }
}

static void expect_origin(const struct relay_origin *origin, struct sums *sums) {
    SIMULATOR_EXPECT(length(&origin->idle) == origin->idle_count, "%u connections are idle, counted as %u",
                     length(&origin->idle), origin->idle_count);
    SIMULATOR_EXPECT(length(&origin->channels) == origin->channel_count, "%u channels, counted as %u",
                     length(&origin->channels), origin->channel_count);
    SIMULATOR_EXPECT(length(&origin->waiting) == origin->waiting_count, "%u exchanges wait, counted as %u",
                     length(&origin->waiting), origin->waiting_count);
    SIMULATOR_EXPECT(origin->in_flight_max == 0 || origin->member.in_flight <= origin->in_flight_max,
                     "%u exchanges are in flight where %u may be", origin->member.in_flight, origin->in_flight_max);
    SIMULATOR_EXPECT(!origin->leaves || !kernel_may_sleep() || (origin->uses > 0 && origin->idle_count == 0),
                     "an origin that leaves has %u uses and %u idle connections", origin->uses, origin->idle_count);
    SIMULATOR_EXPECT(origin->waiting_count == 0 || origin->channel_count > 0, "%u exchanges wait for no connection",
                     origin->waiting_count);
    expect_channels(origin);
    sums->uses += origin->uses;
    sums->in_flight += origin->member.in_flight;
    sums->idle += origin->idle_count;
    sums->channels += origin->channel_count;
}

static void expect_host(const struct relay_host *host, struct sums *sums) {
    uint32_t room = 0;

    for (uint32_t i = 0; i < host->count; i++) {
        const struct relay_origin *origin = host->origins[i];

        SIMULATOR_EXPECT(origin->host == host && !origin->leaves, "a host has an origin that is not its own");
        expect_origin(origin, sums);
        room += origin->in_flight_max;
    }
    SIMULATOR_EXPECT(host->count == host->balance.members, "%u origins, and %u to choose from", host->count,
                     host->balance.members);
    SIMULATOR_EXPECT(host->line_max == room && length(&host->line) == host->line_count,
                     "%u exchanges are in line, counted as %u, where %u may be, counted as %u", length(&host->line),
                     host->line_count, room, host->line_max);
}

static void expect_relay(const struct relay *relay) {
    struct sums sums = {0};
    uint32_t leaving = length(&relay->leaving);

    for (size_t i = 0; i < relay->config->host_count; i++) {
        expect_host(&relay->hosts[i], &sums);
    }
    for (struct list *link = list_first(&relay->leaving); link != NULL; link = list_after(&relay->leaving, link)) {
        const struct relay_origin *origin = CONTAINER_OF(link, struct relay_origin, in_leaving);

        SIMULATOR_EXPECT(origin->leaves, "an origin that stays is about to leave");
        expect_origin(origin, &sums);
    }
    SIMULATOR_EXPECT(relay->origins.in_use == relay->origin_count + leaving, "%u origins of %u are listed",
                     relay->origin_count + leaving, relay->origins.in_use);
    SIMULATOR_EXPECT(sums.idle == relay->idle_total && length(&relay->idle) == sums.idle,
                     "%u idle connections, counted as %u", sums.idle, relay->idle_total);
    SIMULATOR_EXPECT(length(&relay->owned) == relay->owned_total, "%u owned connections, counted as %u",
                     length(&relay->owned), relay->owned_total);
    SIMULATOR_EXPECT(sums.channels <= relay->channels.in_use, "%u channels of %u", sums.channels, relay->channels.in_use);
    SIMULATOR_EXPECT(sums.in_flight <= relay->exchanges.in_use, "%u exchanges of %u are in flight", sums.in_flight,
                     relay->exchanges.in_use);
    uint32_t links = relay->connections.in_use + relay->channels.in_use;
    SIMULATOR_EXPECT(sums.uses >= links && sums.uses <= links + relay->exchanges.in_use,
                     "%u uses of origins by %u connections and %u exchanges", sums.uses, links, relay->exchanges.in_use);
    SIMULATOR_EXPECT(!kernel_may_sleep() || list_is_empty(&relay->put_off), "an exchange is put off beyond its turn");
}

void world_expect_relays(struct world *world) {
    const struct shard *shard = world->shard;

    if (shard->site != NULL) {
        expect_relay(shard->site->relay);
    }
    for (const struct site *site = shard->retired; site != NULL; site = site->next) {
        expect_relay(site->relay);
    }
}

/* --- Failures ------------------------------------------------------------------------------------------------------ */

enum { ANY_TIME = 1u << 31 }; /* the world may let any time pass, and the shard may be short of anything */

static const uint32_t reasons[RELAY_FAULT_COUNT] = {
    [RELAY_FAULT_REFUSED] = ORIGIN_REFUSED,
    [RELAY_FAULT_CONNECT_TIMED_OUT] = ANY_TIME,
    [RELAY_FAULT_NO_RESOURCES] = ANY_TIME,
    [RELAY_FAULT_SEND_TIMED_OUT] = ANY_TIME,
    [RELAY_FAULT_TIMED_OUT] = ANY_TIME,
    [RELAY_FAULT_CLOSED_EARLY] = ORIGIN_BROKE_OFF | ORIGIN_CUT_TLS | ORIGIN_TURNED_AWAY,
    [RELAY_FAULT_TRUNCATED] = ORIGIN_BROKE_OFF | ORIGIN_CUT_TLS | ORIGIN_TURNED_AWAY,
    [RELAY_FAULT_RESET] = ORIGIN_BROKE_OFF | ORIGIN_CUT_TLS | ORIGIN_SPOILT_TLS | ORIGIN_RESET_STREAMS | ORIGIN_TURNED_AWAY |
                          ORIGIN_WROTE_NONSENSE,
    [RELAY_FAULT_STATUS_LINE] = ORIGIN_WROTE_NONSENSE,
    [RELAY_FAULT_UPGRADE] = ORIGIN_SPOILT_TLS, /* behind a 101: the shard's alert waits already, as if of the request */
    [RELAY_FAULT_HTTP2] = ORIGIN_WROTE_NONSENSE,
    [RELAY_FAULT_BUSY] = ANY_TIME,
    [RELAY_FAULT_TLS_HANDSHAKE] = ORIGIN_CUT_TLS | ORIGIN_SPOILT_TLS | ORIGIN_BROKE_OFF,
    [RELAY_FAULT_TLS_CERTIFICATE] = ORIGIN_WAS_EXPIRED | ORIGIN_SPOILT_TLS,
    [RELAY_FAULT_TLS_NAME] = ORIGIN_WAS_ANOTHER | ORIGIN_SPOILT_TLS,
    [RELAY_FAULT_TLS_ALPN] = ORIGIN_AGREED_ON_NOTHING,
    [RELAY_FAULT_TLS_BROKEN] = ORIGIN_SPOILT_TLS,
};

/* Linked with --wrap. */
void __real_relay_fault_report(enum relay_fault fault, const char *host, const char *origin, const char *detail,
                               bool is_news);
void __wrap_relay_fault_report(enum relay_fault fault, const char *host, const char *origin, const char *detail,
                               bool is_news);
void __real_exchange_note_unconnected(struct relay_exchange *exchange, const struct relay_failure *failure);
void __wrap_exchange_note_unconnected(struct relay_exchange *exchange, const struct relay_failure *failure);
struct relay_exchange *__real_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault);
struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault);
struct stream *__real_stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t size,
                                     const struct stream_handler *handler, void *owner, int *error);
struct stream *__wrap_stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t size,
                                     const struct stream_handler *handler, void *owner, int *error);

struct stream *__wrap_stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t size,
                                     const struct stream_handler *handler, void *owner, int *error) {
    expect_wanted(watched, ((const struct sockaddr_in *)(const void *)address)->sin_addr);
    struct stream *stream = __real_stream_connect(ring, address, size, handler, owner, error);

    watched->behind.connects += stream != NULL;
    return stream;
}

/* Each failure has a reason that the origin has given. */
static void expect_reason(enum relay_fault fault, const char *origin, const char *detail) {
    struct in_addr address = {0};
    char digits[INET_ADDRSTRLEN] = "";

    watched->behind.faults[fault]++;
    if ((reasons[fault] & ANY_TIME) != 0 || watched->plan.allocations_fail || watched->plan.fails_at != 0) {
        return;
    }
    SIMULATOR_EXPECT(sscanf(origin, "%15[0-9.]", digits) == 1 && inet_pton(AF_INET, digits, &address) == 1, "%s", origin);
    SIMULATOR_EXPECT((place_at(watched, address)->misdeeds & reasons[fault]) != 0,
                     "%s is said to be \"%s\" (%s), and has done %x", origin, relay_fault_name(fault), detail,
                     place_at(watched, address)->misdeeds);
}

void __wrap_relay_fault_report(enum relay_fault fault, const char *host, const char *origin, const char *detail,
                               bool is_news) {
    simulator_trace("shard: host %s: origin %s: %s: %s", host, origin, relay_fault_name(fault), detail);
    if (origin != NULL) {
        expect_reason(fault, origin, detail);
    }
    __real_relay_fault_report(fault, host, origin, detail, is_news);
}

void __wrap_exchange_note_unconnected(struct relay_exchange *exchange, const struct relay_failure *failure) {
    __real_exchange_note_unconnected(exchange, failure);
    simulator_trace("shard: origin %s: %s: %s", exchange->origin->text, relay_fault_name(exchange->fault), failure->detail);
    if (failure->error != -ETIMEDOUT) { /* which may strike in a handshake as well */
        expect_reason(exchange->fault, exchange->origin->text, failure->detail);
    }
}

struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault) {
    struct relay_exchange *exchange = __real_relay_exchange_start(relay, request, handler, owner, fault);

    watched->behind.exchanges += exchange != NULL;
    watched->behind.not_begun += exchange == NULL;
    return exchange;
}

static uint64_t counted(const struct world *world, size_t offset) {
    uint64_t sum = 0;

    for (size_t host = 0; host < stats_hosts_count(world->stats.hosts); host++) {
        sum += stats_hosts_sum(world->stats.hosts, host, offset);
    }
    return sum;
}

static uint64_t counted_handshakes(const struct world *world, enum stats_origin_handshake end) {
    return counted(world, offsetof(struct stats_host, origin_handshakes) + (size_t)end * sizeof(stats_counter));
}

void world_expect_exchanges_counted(const struct world *world) {
    const struct world_behind *behind = &world->behind;
    uint64_t ends = 0, ended = 0,
             good = counted_handshakes(world, STATS_ORIGIN_HANDSHAKE_FULL) +
                    counted_handshakes(world, STATS_ORIGIN_HANDSHAKE_RESUMED);
    uint64_t opened = counted(world, offsetof(struct stats_host, origin_connections[STATS_ORIGIN_OPENED]));

    if (world->forgot) {
        return;
    }
    for (unsigned result = 0; result < STATS_ORIGIN_RESULT_COUNT; result++) {
        ends += counted(world, offsetof(struct stats_host, origin_requests) + result * sizeof(stats_counter));
    }
    for (unsigned end = 0; end < STATS_ORIGIN_HANDSHAKE_COUNT; end++) {
        ended += counted_handshakes(world, (enum stats_origin_handshake)end);
    }
    SIMULATOR_EXPECT(ends == behind->exchanges, "%llu exchanges have %llu ends", (unsigned long long)behind->exchanges,
                     (unsigned long long)ends);
    SIMULATOR_EXPECT(opened == behind->connects, "%llu connections were begun, and %llu are counted",
                     (unsigned long long)behind->connects, (unsigned long long)opened);
    SIMULATOR_EXPECT(ended <= opened && good >= behind->counts.handshakes,
                     "of %llu connections %llu handshakes have ended, %llu of them well; origins have seen %llu",
                     (unsigned long long)opened, (unsigned long long)ended, (unsigned long long)good,
                     (unsigned long long)behind->counts.handshakes);
}
