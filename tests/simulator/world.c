#include "world.h"

#include "base/hash.h"
#include "edge/place.h"
#include "edge/reputation.h"
#include "edge/reputation_store.h"
#include "http2/memory.h"
#include "stats/hosts.h"
#include "world_check.h"
#include "world_watch.h"

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CACHE_ENTRIES = 64,
    CHAIN_LOG_SIZE = 1024 * 1024,
    SOURCES = 1024,
    DRAIN_MS = 3000,
    STEPS_TO_END_MAX = 200000, /* after the shard was told to */
    FAILING_SHARE = 2,         /* of 1,000 allocations */
};

/* wolfSSL's allocations, and those of HTTP/2, fail only while the shard runs, and only where the plan says so. */
static struct world *shard_runs;

static bool fails(void) {
    struct world *world = shard_runs;

    if (world == NULL) {
        return false;
    }
    world->allocations++;
    world->failed = world->failed || world->allocations == world->plan.fails_at;
    return world->allocations == world->plan.fails_at || (world->plan.allocations_fail && kernel_chance(FAILING_SHARE));
}

static void *allocate(size_t size) {
    return fails() ? NULL : malloc(size);
}

static void *resize(void *memory, size_t size) {
    return fails() ? NULL : realloc(memory, size);
}

static size_t http2_blocks; /* that sessions of HTTP/2 have */

/* Linked with --wrap. */
void *__real_http2_allocate(struct http2_memory *memory, size_t size);
void *__real_http2_resize(struct http2_memory *memory, void *block, size_t size);
void __real_http2_release(struct http2_memory *memory, void *block);
void *__wrap_http2_allocate(struct http2_memory *memory, size_t size);
void *__wrap_http2_resize(struct http2_memory *memory, void *block, size_t size);
void __wrap_http2_release(struct http2_memory *memory, void *block);

void *__wrap_http2_allocate(struct http2_memory *memory, size_t size) {
    void *block = fails() ? NULL : __real_http2_allocate(memory, size);

    http2_blocks += block != NULL;
    return block;
}

void *__wrap_http2_resize(struct http2_memory *memory, void *block, size_t size) {
    void *resized = fails() ? NULL : __real_http2_resize(memory, block, size);

    http2_blocks += block == NULL && resized != NULL;
    return resized;
}

void __wrap_http2_release(struct http2_memory *memory, void *block) {
    http2_blocks -= block != NULL;
    __real_http2_release(memory, block);
}

/* Seeds of hash tables follow from addresses, which no seed of ours decides; without a callback the table has none. */
void __wrap_nghttp2_session_callbacks_set_rand_callback(nghttp2_session_callbacks *callbacks, nghttp2_rand_callback random);
void __wrap_nghttp2_session_callbacks_set_rand_callback(nghttp2_session_callbacks *callbacks, nghttp2_rand_callback random) {
}

void world_set_up(void) {
    hash_init();
    SIMULATOR_EXPECT(tls_library_init() == 0, "wolfSSL");
    SIMULATOR_EXPECT(wolfSSL_SetAllocators(allocate, free, resize) == 0, "wolfSSL's allocators");
    client_set_up();
    world_config_set_up();
}

/* The shard, as server/server.c makes it. */

static struct config *config_of(const struct world *world, unsigned number) {
    return world_config(world->plan.listener, world->plan.origins, number);
}

static struct stats_hosts *hosts_of(struct world *world, const struct config *config) {
    struct stats_host_facts facts[TALK_HOSTS];

    for (size_t i = 0; i < config->host_count; i++) {
        facts[i] = (struct stats_host_facts){.host = config->hosts[i].name,
                                             .mode = config_mode_name(config->hosts[i].mode),
                                             .is_tcp = config->hosts[i].is_tcp};
    }
    return stats_hosts_create(1, facts, config->host_count, world->stats.hosts);
}

static void create_shard(struct world *world) {
    static const int listener = KERNEL_LISTENER;
    struct shard_thread *thread = calloc(1, sizeof *thread);
    struct shard *shard = &thread->shard;

    world->thread = thread;
    world->shard = shard;
    SIMULATOR_EXPECT(stats_create(&world->stats, 1) == 0, "no memory");
    struct stats_hosts *hosts = hosts_of(world, config_of(world, 0));
    stats_set_hosts(&world->stats, hosts);
    stats_hosts_release(hosts);
    thread->config = config_of(world, 0);
    thread->hosts = world->stats.hosts;
    thread->idle_max = RELAY_IDLE_TOTAL_MAX;
    thread->descriptors = &listener;
    thread->worker.core = -1;
    shard->stats = &world->stats.shards[0];
    shard->shared.cache = identity_cache_create(CACHE_ENTRIES);
    shard->shared.chains = chain_log_create(CHAIN_LOG_SIZE);
    shard->shared.tickets = tls_tickets_create();
    shard->shared.sources = sources_create(SOURCES);
    shard->shared.replays = calloc(1, sizeof *shard->shared.replays);
    shard->shared.reputation = reputation_create(SOURCES, 1);
    shard->shared.health = world->behind.board;
    shard->connections_max = shard->connections_capacity = world->plan.connections;
    shard->listener_count = 1;
}

static void destroy_shard(struct world *world) {
    struct shard *shard = world->shard;

    sources_free(shard->shared.sources);
    free(shard->shared.replays);
    reputation_free(shard->shared.reputation);
    tls_tickets_free(shard->shared.tickets);
    chain_log_free(shard->shared.chains);
    identity_cache_free(shard->shared.cache);
    stats_destroy(&world->stats);
    free(world->thread);
}

/* Actions of the world. */

void world_reload(struct world *world, unsigned config) {
    static sem_t taken;
    struct config *next = config_of(world, config);
    struct stats_hosts *hosts = hosts_of(world, next);
    struct error reason;
    struct site *site = site_create(&world->shard->ring, next, hosts, world->shard->shared.tickets,
                                    world->shard->shared.health, world->thread->idle_max, &reason);

    SIMULATOR_EXPECT(site != NULL, "%s", reason.text);
    simulator_trace("world: configuration %u", config);
    world->reloads++;
    world->forgot = world->forgot || next->host_count < TALK_HOSTS;
    sem_init(&taken, 0, 0);
    site->taken = &taken;
    site->connections_max = world->plan.connections;
    stats_set_hosts(&world->stats, hosts);
    stats_hosts_release(hosts);
    shard_thread_post_site(world->thread, site);
    world_origins_reload(world, config);
    for (unsigned host = 0; host < TALK_HOSTS; host++) {
        world->enforced[host] = world->enforced[host] && world_config_enforces(config, (enum talk_host)host);
    }
}

void world_drain(struct world *world, uint32_t timeout_ms) {
    simulator_trace("world: drain");
    world->ending = true;
    world->stopped = true; /* connections whose handshakes outlast the drain are cut off */
    shard_thread_post_drain(world->thread, timeout_ms);
}

void world_stop(struct world *world) {
    simulator_trace("world: stop");
    world->ending = world->stopped = true;
    shard_thread_post_stop(world->thread);
}

struct simulated_client *world_connect(struct world *world, const struct client_plan *plan, const char *from) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1024)};

    inet_pton(AF_INET, from, &address.sin_addr);
    for (size_t i = 0; i < WORLD_CLIENTS_MAX; i++) {
        struct simulated_client *client = &world->clients[i];

        if (client->socket != NULL) {
            continue;
        }
        struct kernel_socket *socket = kernel_connect(&address);
        if (socket == NULL) {
            return NULL;
        }
        simulator_trace("client: connects from %s, kind %u, certificate %u, host %u", from, plan->kind, plan->certificate,
                        plan->host);
        world->connected++;
        client_begin(client, socket, plan, address.sin_addr, &world->talk, &world->counts,
                     &world->sessions[plan->certificate][plan->host][plan->tls12]);
        return client;
    }
    return NULL;
}

static size_t count_clients(const struct world *world) {
    size_t count = 0;

    for (size_t i = 0; i < WORLD_CLIENTS_MAX; i++) {
        count += world->clients[i].socket != NULL;
    }
    return count;
}

static void connect_somebody(struct world *world) {
    enum client_kind usual = world->plan.listener == WORLD_REDIRECT ? CLIENT_PLAIN_HTTP : CLIENT_TLS;
    struct client_plan plan = {
        .kind = kernel_chance(850) ? usual : (enum client_kind)kernel_below(4),
        .certificate = (enum talk_certificate)kernel_below(TALK_CERTIFICATES),
        .host = (enum talk_host)kernel_below(TALK_HOSTS),
        .tls12 = kernel_chance(400),
        .http2 = kernel_chance(500),
        .rude = kernel_chance(400),
        .sluggish = kernel_chance(150),
        .requests = kernel_below(6),
    };
    plan.requests *= plan.http2 ? 2 : 1;

    if (count_clients(world) >= WORLD_CLIENTS_AT_RANDOM) {
        return;
    }
    char from[INET_ADDRSTRLEN];
    snprintf(from, sizeof from, "192.0.2.%u", 1 + kernel_below(world->plan.load > 900 ? 50 : 5));
    if (world->plan.listener != WORLD_BALANCED) {
        world_connect(world, &plan, from);
        return;
    }
    plan.behind = kernel_chance(900) ? from : NULL;
    world_connect(world, &plan, kernel_chance(950) ? WORLD_BALANCER : from);
}

void world_act_for_origins(struct world *world) {
    for (uint32_t i = 0; i < WORLD_ORIGINS_MAX; i++) {
        if (world->behind.origins[i].socket != NULL) {
            origin_step(&world->behind.origins[i]);
        }
    }
}

static void act(struct world *world) {
    for (uint32_t i = 0; i < WORLD_CLIENTS_MAX; i++) {
        if (world->clients[i].socket != NULL && kernel_chance(300)) {
            client_step(&world->clients[i]);
        }
    }
    for (uint32_t i = 0; i < WORLD_ORIGINS_MAX; i++) {
        if (world->behind.origins[i].socket != NULL && kernel_chance(500)) {
            origin_step(&world->behind.origins[i]);
        }
    }
}

static void step_at_random(struct world *world) {
    if (!world->ending && kernel_chance(world->plan.load > 900 ? 400 : 60)) {
        connect_somebody(world);
    }
    act(world);
    world_change_origins(world);
    if (world->plan.reloads && !world->ending && kernel_chance(5)) {
        world_reload(world, kernel_below(WORLD_CONFIGS));
    }
    kernel_pass_ms(kernel_chance(1)     ? 61000
                   : kernel_chance(3)   ? kernel_below(9000)
                   : kernel_chance(300) ? kernel_below(20)
                                        : 0);
    if (!world->ending && world->steps >= world->plan.steps) {
        if (kernel_chance(700)) {
            world_drain(world, DRAIN_MS);
        } else {
            world_stop(world);
        }
    }
}

static void step(void *owner) {
    struct world *world = owner;

    shard_runs = NULL;
    world->steps++;
    SIMULATOR_EXPECT(world->steps < world->plan.steps + STEPS_TO_END_MAX, "the shard does not end");
    world_expect_sums(world);
    world_expect_relays(world);
    world_expect_charges(world);
    world_take_connects(world);
    if (world->plan.step != NULL) {
        world->plan.step(world, world->plan.context);
    } else {
        step_at_random(world);
    }
    shard_runs = world;
}

static void let_everybody_go(struct world *world) {
    world_take_connects(world);
    for (size_t i = 0; i < WORLD_CLIENTS_MAX; i++) {
        if (world->clients[i].socket != NULL) {
            client_leave(&world->clients[i], false);
        }
    }
    for (size_t i = 0; i < WORLD_ORIGINS_MAX; i++) {
        if (world->behind.origins[i].socket != NULL) {
            origin_leave(&world->behind.origins[i], false);
        }
    }
    for (size_t i = 0; i < sizeof world->sessions / sizeof(WOLFSSL_SESSION *); i++) {
        WOLFSSL_SESSION *session = ((WOLFSSL_SESSION **)world->sessions)[i];

        if (session != NULL) {
            wolfSSL_SESSION_free(session);
        }
    }
}

uint64_t world_run(struct world *world, const struct world_plan *plan) {
    memset(world, 0, sizeof *world);
    world->plan = *plan;
    world->talk.may_be_busy = plan->origins != WORLD_PLAIN;
    for (unsigned host = 0; host < TALK_HOSTS; host++) {
        world->enforced[host] = world_config_enforces(0, (enum talk_host)host);
    }
    world_origins_begin(world);
    kernel_begin(plan->seed, &plan->faults, step, world);
    kernel_set_load(plan->load);
    create_shard(world);
    world_watch(world);
    struct error error;
    SIMULATOR_EXPECT(shard_thread_start(world->thread, &error) == 0, "%s", error.text);
    int leftover = shard_thread_join(world->thread);
    shard_runs = NULL;
    world_watch(NULL);
    SIMULATOR_EXPECT(leftover == 0, "%d things are left over", leftover);
    world->timeouts = world_handshakes(world, STATS_TIMEOUT);
    world->redirects = stats_read(&world->stats.shards[0].redirects);
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        for (unsigned why = STATS_REJECT_EVICTED; why <= STATS_REJECT_EVICTED_ENDING; why++) {
            world->evicted += stats_read(&world->stats.shards[0].rejected[stage][why]);
        }
    }
    if (plan->ended != NULL) {
        plan->ended(world, plan->context);
    }
    world_expect_all_counted(world);
    world_expect_answers_counted(world);
    world_expect_exchanges_counted(world);
    let_everybody_go(world);
    world_expect_streams_counted(world);
    SIMULATOR_EXPECT(http2_blocks == 0, "%zu blocks of sessions of HTTP/2 are left over", http2_blocks);
    uint64_t digest = kernel_digest();
    destroy_shard(world);
    world_origins_end(world);
    kernel_end();
    return digest;
}
