/* Each state of a connection, and each way out of it: what is counted, and that nothing stays behind. */
#include "client_http2.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum event {
    EVENT_FIN,
    EVENT_RESET,
    EVENT_GARBAGE,
    EVENT_DEADLINE,
    EVENT_DRAIN,
    EVENT_STOP,
    EVENT_RELOAD,        /* to a configuration that has the host too */
    EVENT_RELOAD_WITHOUT /* to one that has not */
};

enum { PASS_MS = 9000 /* longer than each deadline of the configurations */ };

struct way {
    enum connection_state state;
    enum event event;
    /* The one rejection that is counted; STATS_STAGE_COUNT: none is. */
    enum stats_stage stage;
    enum stats_rejection why;
    bool stays; /* the connection is none the worse */
};

#define NOTHING STATS_STAGE_COUNT, STATS_REJECTION_COUNT

static const struct way ways[] = {
    {CONNECTION_HELLO, EVENT_FIN, STATS_AT_HELLO, STATS_REJECT_CLOSED, false},
    {CONNECTION_HELLO, EVENT_RESET, STATS_AT_HELLO, STATS_REJECT_CLOSED, false},
    {CONNECTION_HELLO, EVENT_GARBAGE, STATS_AT_HELLO, STATS_REJECT_MALFORMED, false},
    {CONNECTION_HELLO, EVENT_DEADLINE, STATS_AT_HELLO, STATS_REJECT_TIMEOUT, false},
    {CONNECTION_HELLO, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_HELLO, EVENT_STOP, NOTHING, false},
    {CONNECTION_HELLO, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_HANDSHAKE, EVENT_FIN, STATS_AT_HANDSHAKE, STATS_REJECT_CLOSED, false},
    {CONNECTION_HANDSHAKE, EVENT_RESET, STATS_AT_HANDSHAKE, STATS_REJECT_CLOSED, false},
    {CONNECTION_HANDSHAKE, EVENT_GARBAGE, STATS_AT_HANDSHAKE, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_HANDSHAKE, EVENT_DEADLINE, STATS_AT_HANDSHAKE, STATS_REJECT_TIMEOUT, false},
    {CONNECTION_HANDSHAKE, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_HANDSHAKE, EVENT_STOP, NOTHING, false},
    {CONNECTION_HANDSHAKE, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_WAITING, EVENT_FIN, NOTHING, false},
    {CONNECTION_WAITING, EVENT_RESET, NOTHING, false},
    {CONNECTION_WAITING, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_WAITING, EVENT_DEADLINE, NOTHING, false},
    {CONNECTION_WAITING, EVENT_DRAIN, NOTHING, false},
    {CONNECTION_WAITING, EVENT_STOP, NOTHING, false},
    {CONNECTION_WAITING, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_WAITING, EVENT_RELOAD_WITHOUT, NOTHING, false},
    {CONNECTION_HEAD, EVENT_FIN, NOTHING, false},
    {CONNECTION_HEAD, EVENT_RESET, NOTHING, false},
    {CONNECTION_HEAD, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_HEAD, EVENT_DEADLINE, STATS_AT_REQUEST, STATS_REJECT_TIMEOUT, false},
    {CONNECTION_HEAD, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_HEAD, EVENT_STOP, NOTHING, false},
    {CONNECTION_HEAD, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_EXCHANGE, EVENT_FIN, NOTHING, true},
    {CONNECTION_EXCHANGE, EVENT_RESET, NOTHING, false},
    {CONNECTION_EXCHANGE, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_EXCHANGE, EVENT_STOP, NOTHING, false},
    {CONNECTION_EXCHANGE, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_EXCHANGE, EVENT_RELOAD_WITHOUT, NOTHING, true},
    {CONNECTION_TUNNEL, EVENT_FIN, NOTHING, true},
    {CONNECTION_TUNNEL, EVENT_RESET, NOTHING, false},
    {CONNECTION_TUNNEL, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_TUNNEL, EVENT_DEADLINE, NOTHING, false},
    {CONNECTION_TUNNEL, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_TUNNEL, EVENT_STOP, NOTHING, false},
    {CONNECTION_TUNNEL, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_TUNNEL, EVENT_RELOAD_WITHOUT, NOTHING, false},
    {CONNECTION_TCP, EVENT_FIN, NOTHING, true},
    {CONNECTION_TCP, EVENT_RESET, NOTHING, false},
    {CONNECTION_TCP, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_TCP, EVENT_DEADLINE, NOTHING, false},
    {CONNECTION_TCP, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_TCP, EVENT_STOP, NOTHING, false},
    {CONNECTION_TCP, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_TCP, EVENT_RELOAD_WITHOUT, NOTHING, false},
    {CONNECTION_QUIET, EVENT_FIN, NOTHING, false},
    {CONNECTION_QUIET, EVENT_RESET, NOTHING, false},
    {CONNECTION_QUIET, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_QUIET, EVENT_DEADLINE, NOTHING, false},
    {CONNECTION_QUIET, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_QUIET, EVENT_STOP, NOTHING, false},
    {CONNECTION_QUIET, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_QUIET, EVENT_RELOAD_WITHOUT, NOTHING, false},
    {CONNECTION_FRAMES, EVENT_FIN, NOTHING, false},
    {CONNECTION_FRAMES, EVENT_RESET, NOTHING, false},
    {CONNECTION_FRAMES, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_FRAMES, EVENT_DEADLINE, STATS_AT_REQUEST, STATS_REJECT_TIMEOUT, false},
    {CONNECTION_FRAMES, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_FRAMES, EVENT_STOP, NOTHING, false},
    {CONNECTION_FRAMES, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_FRAMES, EVENT_RELOAD_WITHOUT, NOTHING, true},
    {CONNECTION_STREAMS, EVENT_FIN, NOTHING, false},
    {CONNECTION_STREAMS, EVENT_RESET, NOTHING, false},
    {CONNECTION_STREAMS, EVENT_GARBAGE, STATS_AT_REQUEST, STATS_REJECT_TLS_ERROR, false},
    {CONNECTION_STREAMS, EVENT_DRAIN, NOTHING, true},
    {CONNECTION_STREAMS, EVENT_STOP, NOTHING, false},
    {CONNECTION_STREAMS, EVENT_RELOAD, NOTHING, true},
    {CONNECTION_STREAMS, EVENT_RELOAD_WITHOUT, NOTHING, true},
};

enum phase { PHASE_APPROACH, PHASE_EVENT, PHASE_AFTER, PHASE_END };

struct scene {
    const struct way *way;
    struct simulated_client *client;
    enum phase phase;
    unsigned turns; /* of the world in this phase */
    bool tls12;
    bool begun; /* a part of a request has been written */
};

static struct world world;

static struct connection *connection_of(struct world *w) {
    struct list *first = list_first(&w->shard->all);
    return first == NULL ? NULL : CONTAINER_OF(first, struct connection, in_shard);
}

/* One step towards the state; the side of the origin stays silent, but where a tunnel needs its word. */
static void approach(struct scene *scene) {
    struct simulated_client *client = scene->client;

    switch (scene->way->state) {
    case CONNECTION_HELLO:
        if (scene->turns == 1) {
            client_pull(client); /* makes the hello */
            client_push(client, 20);
        }
        return;
    case CONNECTION_HANDSHAKE:
        if (scene->turns == 1) {
            client_pull(client);
        }
        client_push(client, SIZE_MAX);
        return;
    case CONNECTION_HEAD:
        if (client->secured && !scene->begun) {
            scene->begun = wolfSSL_write(client->tls, "GET / HT", 8) == 8;
        }
        break;
    case CONNECTION_FRAMES:
        if (client->http2 != NULL && !scene->begun) {
            scene->begun = true;
            talk_put(&client->http2->frames, "\0\0\x8\6", 4); /* a part of a PING frame */
        }
        break;
    case CONNECTION_STREAMS:
        if (client->http2 != NULL && !scene->begun) {
            scene->begun = client_http2_ask(client) != NULL;
        }
        break;
    case CONNECTION_TUNNEL:
    case CONNECTION_TCP:
        world_act_for_origins(&world);
        /* fall through */
    case CONNECTION_EXCHANGE:
        if (client->secured && client->asked_count == 0 && client->requests_left > 0) {
            client_ask(client);
        }
        break;
    default:
        break;
    }
    client_pull(client);
    client_push(client, SIZE_MAX);
}

static void cause(struct world *w, struct scene *scene) {
    struct simulated_client *client = scene->client;

    switch (scene->way->event) {
    case EVENT_FIN:
        kernel_peer_finish(client->socket);
        return;
    case EVENT_RESET:
        client_leave(client, true);
        return;
    case EVENT_GARBAGE: {
        /* Behind the part of a hello that was sent it is the rest of one; elsewhere it is no record. */
        static const char garbage[8000] = "garbage";

        kernel_peer_send(client->socket, garbage, sizeof garbage);
        return;
    }
    case EVENT_DEADLINE:
        kernel_pass_ms(PASS_MS);
        return;
    case EVENT_DRAIN:
        world_drain(w, 1000);
        return;
    case EVENT_STOP:
        world_stop(w);
        return;
    case EVENT_RELOAD:
        world_reload(w, 1);
        return;
    case EVENT_RELOAD_WITHOUT:
        world_reload(w, 2);
        return;
    }
}

static uint64_t all_rejected(const struct world *w) {
    uint64_t sum = 0;

    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        sum += world_rejected(w, (enum stats_stage)stage);
    }
    return sum;
}

/* Whether the client's request has no body, so that it is whole, and still answered behind a FIN. */
static bool has_asked_whole(const struct simulated_client *client) {
    return client->http2 != NULL && client->http2->open == 1 &&
           client->talk->requests[client->http2->streams[0].number].framing == TALK_NOTHING;
}

static void check(struct world *w, const struct scene *scene) {
    const struct way *way = scene->way;
    const struct stats_shard *stats = &w->stats.shards[0];
    bool counted = way->stage != STATS_STAGE_COUNT;
    struct connection *connection = connection_of(w);
    bool open = connection != NULL && connection->stage->state != CONNECTION_CLOSING;
    bool stays =
        way->stays || (way->state == CONNECTION_STREAMS && way->event == EVENT_FIN && has_asked_whole(scene->client));

    SIMULATOR_EXPECT(all_rejected(w) == counted, "state %u, event %u: %llu rejections", way->state, way->event,
                     (unsigned long long)all_rejected(w));
    if (counted) {
        SIMULATOR_EXPECT(stats_read(&stats->rejected[way->stage][way->why]) == 1, "state %u, event %u: another reason",
                         way->state, way->event);
    }
    SIMULATOR_EXPECT(open == stays, "state %u, event %u: the connection is %s", way->state, way->event,
                     open ? "open" : "ended");
}

static enum talk_host host_for(const struct way *way) {
    if (way->state == CONNECTION_TCP) {
        return TALK_TCP;
    }
    return way->event == EVENT_RELOAD_WITHOUT ? TALK_OFF : TALK_ENFORCE;
}

static void step(struct world *w, void *context) {
    struct scene *scene = context;
    const struct client_plan plan = {.certificate = TALK_VALID,
                                     .host = host_for(scene->way),
                                     .tls12 = scene->tls12,
                                     .http2 = scene->way->state >= CONNECTION_QUIET && scene->way->state < CONNECTION_TCP,
                                     .upgrades = scene->way->state == CONNECTION_TUNNEL,
                                     .requests = 1};
    struct connection *connection = connection_of(w);

    scene->turns++;
    SIMULATOR_EXPECT(scene->turns < 2000, "state %u is not reached, or not left", scene->way->state);
    switch (scene->phase) {
    case PHASE_APPROACH:
        if (scene->client == NULL) {
            scene->client = world_connect(w, &plan, "192.0.2.1");
            scene->turns = 0;
        } else if (connection != NULL && connection->stage->state == scene->way->state && scene->turns > 10) {
            scene->phase = PHASE_EVENT;
        } else {
            approach(scene);
        }
        return;
    case PHASE_EVENT:
        cause(w, scene);
        scene->phase = PHASE_AFTER;
        scene->turns = 0;
        return;
    case PHASE_AFTER:
        if (scene->way->event == EVENT_DEADLINE && scene->turns == 20) {
            kernel_pass_ms(PASS_MS); /* bytes that were on their way have begun a tunnel's limit anew */
        }
        if (scene->turns > 40) {
            check(w, scene);
            scene->phase = PHASE_END;
            if (!w->ending) {
                world_stop(w);
            }
        }
        return;
    case PHASE_END:
        kernel_pass_ms(100);
        return;
    }
}

Test(states, each_way_out) {
    world_set_up();
    for (unsigned tls12 = 0; tls12 < 2; tls12++) {
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            struct scene scene = {.way = &ways[i], .tls12 = tls12};
            struct world_plan plan = {.seed = i + 1, .connections = 16, .load = 50, .step = step, .context = &scene};

            simulator_trace("state %u, event %u, TLS 1.%u", ways[i].state, ways[i].event, tls12 ? 2 : 3);
            world_run(&world, &plan);
            /* A shard that was told to end may have ended before the check, and has made its own: nothing is left over. */
            cr_assert(scene.phase == PHASE_END || (scene.phase == PHASE_AFTER && world.ending), "state %u, event %u",
                      ways[i].state, ways[i].event);
        }
    }
}
