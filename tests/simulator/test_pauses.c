/*
 * Steps of handshakes that are paused, in company with everything that can come to their connections meanwhile. Within one
 * turn of the ring the client's bytes come first, so that its step pauses; the event comes behind them.
 */
#include "base/log.h"
#include "crypto/batch.h"
#include "world.h"

#include <criterion/criterion.h>

enum moment { AT_HELLO, AT_FLIGHT };

enum event {
    EVENT_NONE,
    EVENT_ACCEPT,
    EVENT_EVICTION,
    EVENT_DEADLINE,
    EVENT_FAILURE, /* of the stream, as a send has that finds a reset */
    EVENT_FIN,     /* behind the bytes */
    EVENT_RESET,
    EVENT_DRAIN,
    EVENT_STOP,
    EVENT_RELOAD,
    EVENT_RELOAD_WITHOUT, /* to a configuration that does not have the host */
};

enum {
    EVICTABLE_MS = 1100, /* a little more than a stranger has for its handshake before its place may be taken */
    PASS_MS = 6000,      /* more than handshake_timeout */
};

/* The fate of the client, when the step that was paused has ended. */
enum outcome {
    IS_SERVED,
    IS_REFUSED, /* counted with a reason */
    IS_DONE,    /* the handshake is complete, and the connection ends */
    IS_CUT,     /* ended, and counted as nothing */
};

struct way {
    enum moment moment;
    enum event event;
    enum outcome outcome;
    enum stats_rejection why; /* where it is refused, at the handshake */
};

#define NO_REASON STATS_REJECTION_COUNT

static const struct way ways[] = {
    {AT_HELLO, EVENT_NONE, IS_SERVED, NO_REASON},
    {AT_HELLO, EVENT_ACCEPT, IS_SERVED, NO_REASON},
    {AT_HELLO, EVENT_EVICTION, IS_REFUSED, STATS_REJECT_EVICTED},
    {AT_HELLO, EVENT_DEADLINE, IS_REFUSED, STATS_REJECT_TIMEOUT},
    {AT_HELLO, EVENT_FAILURE, IS_REFUSED, STATS_REJECT_CLOSED},
    {AT_HELLO, EVENT_FIN, IS_REFUSED, STATS_REJECT_CLOSED},
    {AT_HELLO, EVENT_RESET, IS_REFUSED, STATS_REJECT_CLOSED},
    {AT_HELLO, EVENT_DRAIN, IS_SERVED, NO_REASON},
    {AT_HELLO, EVENT_STOP, IS_CUT, NO_REASON},
    {AT_HELLO, EVENT_RELOAD, IS_SERVED, NO_REASON},
    {AT_HELLO, EVENT_RELOAD_WITHOUT, IS_DONE, NO_REASON},
    {AT_FLIGHT, EVENT_NONE, IS_SERVED, NO_REASON},
    {AT_FLIGHT, EVENT_ACCEPT, IS_SERVED, NO_REASON},
    {AT_FLIGHT, EVENT_EVICTION, IS_REFUSED, STATS_REJECT_EVICTED},
    {AT_FLIGHT, EVENT_DEADLINE, IS_SERVED, NO_REASON}, /* the bytes have come in time */
    {AT_FLIGHT, EVENT_FAILURE, IS_REFUSED, STATS_REJECT_CLOSED},
    {AT_FLIGHT, EVENT_FIN, IS_DONE, NO_REASON},
    {AT_FLIGHT, EVENT_RESET, IS_DONE, NO_REASON},
    {AT_FLIGHT, EVENT_DRAIN, IS_SERVED, NO_REASON},
    {AT_FLIGHT, EVENT_STOP, IS_CUT, NO_REASON},
    {AT_FLIGHT, EVENT_RELOAD, IS_SERVED, NO_REASON},
    {AT_FLIGHT, EVENT_RELOAD_WITHOUT, IS_DONE, NO_REASON},
};

static const struct talk_request plain = {.framing = TALK_NOTHING, .answer_size = 10};

enum phase { PHASE_HELLO, PHASE_FLIGHT, PHASE_EVENT, PHASE_AFTER, PHASE_END };

struct scene {
    const struct way *way;
    bool tls12;
    struct simulated_client *client;
    struct simulated_client *newcomer;
    enum phase phase;
    unsigned turns;                /* of the world in this phase */
    bool watches;                  /* the event is to come in this turn */
    bool met;                      /* it has met the paused step */
    struct connection *connection; /* the client's, as long as it is watched */
};

static struct world world;

static struct connection *oldest_of(struct world *w) {
    struct list *last = w->shard->all.previous;

    return last == &w->shard->all ? NULL : CONTAINER_OF(last, struct connection, in_shard);
}

/* All operations of the turn are through: reload, drain, stop and eviction have come behind the client's bytes. */
static void handled(struct world *w, void *context) {
    struct scene *scene = context;
    struct connection *connection = scene->connection;

    if (!scene->watches || connection->step == NULL) {
        return;
    }
    scene->watches = false;
    scene->met = true;
    switch (scene->way->event) {
    case EVENT_FAILURE:
        connection->stream->handler->failed(connection->stream, -1);
        /* fall through */
    case EVENT_EVICTION:
    case EVENT_STOP:
        SIMULATOR_EXPECT(connection_is_closing(connection), "event %u: the connection is open", scene->way->event);
        break;
    case EVENT_DEADLINE:
        SIMULATOR_EXPECT(connection->pace.deadline_ms <= ring_now_ms(&w->shard->ring), "the time is not over");
        break;
    case EVENT_DRAIN:
        SIMULATOR_EXPECT(w->shard->draining, "no drain");
        break;
    case EVENT_RELOAD:
    case EVENT_RELOAD_WITHOUT:
        SIMULATOR_EXPECT(w->shard->site != connection->client.site, "no other site");
        break;
    case EVENT_ACCEPT:
        SIMULATOR_EXPECT(w->shard->connections.in_use == 2, "nobody was accepted");
        break;
    default:
        break;
    }
}

static void cause(struct world *w, struct scene *scene) {
    const struct client_plan silent = {.kind = CLIENT_SILENT};
    struct simulated_client *client = scene->client;

    scene->watches = true;
    scene->connection = oldest_of(w);
    kernel_set_orderly(true);
    client_push(client, SIZE_MAX);
    switch (scene->way->event) {
    case EVENT_ACCEPT:
    case EVENT_EVICTION:
        scene->newcomer = world_connect(w, &silent, "192.0.2.2");
        return;
    case EVENT_DEADLINE:
        kernel_pass_ms(PASS_MS);
        return;
    case EVENT_FIN:
        kernel_peer_finish(client->socket);
        client->finished = true;
        return;
    case EVENT_RESET:
        client_leave(client, true);
        return;
    case EVENT_DRAIN:
        world_drain(w, 3000);
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
    default:
        return;
    }
}

static void enter(struct scene *scene, enum phase phase) {
    scene->phase = phase;
    scene->turns = 0;
}

static uint64_t answers(const struct world *w) {
    uint64_t sum = 0;

    for (unsigned status = 0; status < 600; status++) {
        sum += w->counts.answers[STATS_HTTP1][status];
    }
    return sum;
}

/* A shard that was told to end may do so before the scene is over. */
static void check(struct world *w, void *context) {
    const struct scene *scene = context;
    const struct way *way = scene->way;
    bool served = way->outcome == IS_SERVED;
    bool done = served || way->outcome == IS_DONE;
    uint64_t refused = world_rejected(w, STATS_AT_HANDSHAKE);

    SIMULATOR_EXPECT(scene->met, "moment %u, event %u: has met no pause", way->moment, way->event);
    SIMULATOR_EXPECT(refused == (way->outcome == IS_REFUSED), "moment %u, event %u: %llu rejections", way->moment,
                     way->event, (unsigned long long)refused);
    if (way->outcome == IS_REFUSED) {
        SIMULATOR_EXPECT(stats_read(&w->stats.shards[0].rejected[STATS_AT_HANDSHAKE][way->why]) == 1,
                         "moment %u, event %u: another reason", way->moment, way->event);
    }
    SIMULATOR_EXPECT(world_handshakes(w, STATS_OK) == done, "moment %u, event %u: %llu handshakes", way->moment, way->event,
                     (unsigned long long)world_handshakes(w, STATS_OK));
    SIMULATOR_EXPECT(answers(w) == served, "moment %u, event %u: %llu answers", way->moment, way->event,
                     (unsigned long long)answers(w));
}

static void approach(struct world *w, struct scene *scene) {
    struct simulated_client *client = scene->client;

    if (scene->phase == PHASE_HELLO && scene->turns == 1) {
        client_pull(client); /* makes the hello */
        client_push(client, 20);
    } else if (scene->phase == PHASE_HELLO && scene->turns == 20) {
        if (scene->way->moment == AT_HELLO) {
            kernel_pass_ms(scene->way->event == EVENT_EVICTION ? EVICTABLE_MS : 0);
            cause(w, scene);
            enter(scene, PHASE_EVENT);
        } else {
            client_push(client, SIZE_MAX);
            enter(scene, PHASE_FLIGHT);
        }
    } else if (scene->phase == PHASE_FLIGHT && client->out.size == 0) {
        client_pull(client);
    } else if (scene->phase == PHASE_FLIGHT && scene->turns == 20) {
        kernel_pass_ms(scene->way->event == EVENT_EVICTION ? EVICTABLE_MS : 0);
    } else if (scene->phase == PHASE_FLIGHT && scene->turns > 30) {
        cause(w, scene);
        enter(scene, PHASE_EVENT);
    }
}

static void step(struct world *w, void *context) {
    struct scene *scene = context;
    const struct client_plan plan = {.certificate = TALK_VALID,
                                     .host = scene->way->event == EVENT_RELOAD_WITHOUT ? TALK_OFF : TALK_ENFORCE,
                                     .tls12 = scene->tls12,
                                     .request = &plain,
                                     .requests = 1};

    scene->turns++;
    SIMULATOR_EXPECT(scene->turns < 2000, "phase %u does not end", scene->phase);
    switch (scene->phase) {
    case PHASE_HELLO:
    case PHASE_FLIGHT:
        if (scene->client == NULL) {
            scene->client = world_connect(w, &plan, "192.0.2.1");
            scene->turns = 0;
        } else {
            approach(w, scene);
        }
        return;
    case PHASE_EVENT:
        kernel_set_orderly(false);
        enter(scene, PHASE_AFTER);
        return;
    case PHASE_AFTER:
        if (scene->client->socket != NULL) {
            client_step(scene->client);
        }
        world_act_for_origins(w);
        if (scene->turns == 300 && scene->newcomer != NULL && scene->newcomer->socket != NULL) {
            client_leave(scene->newcomer, true);
        }
        if (scene->turns > 400) {
            enter(scene, PHASE_END);
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

static void meet(const struct way *way, uint64_t seed, bool tls12) {
    struct scene scene = {.way = way, .tls12 = tls12};
    struct world_plan plan = {.seed = seed,
                              .connections = way->event == EVENT_EVICTION ? 1 : 16,
                              .load = 50,
                              .step = step,
                              .handled = handled,
                              .ended = check,
                              .context = &scene};

    simulator_trace("moment %u, event %u, TLS 1.%u", way->moment, way->event, tls12 ? 2 : 3);
    world_run(&world, &plan);
}

Test(pauses, meet_each_event) {
    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    for (unsigned tls12 = 0; tls12 < 2; tls12++) {
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            /*
             * Neither pauses: the hello of TLS 1.2 needs a share and a signature, which are made ahead, and a flight of
             * TLS 1.3 to a host that asks for no certificate, which is that of the last event, needs no operation.
             */
            if (tls12 ? ways[i].moment != AT_HELLO : ways[i].moment != AT_FLIGHT || ways[i].event != EVENT_RELOAD_WITHOUT) {
                meet(&ways[i], i + 1, tls12);
            }
        }
    }
}

/* The step of a flight checks the signatures of the chain, and the client's own. */
Test(pauses, follow_each_other_in_a_step) {
    static const struct way way = {AT_FLIGHT, EVENT_NONE, IS_SERVED, NO_REASON};

    world_set_up();
    meet(&way, 1, false);
    cr_assert_geq(world.pauses.of_one, 3);
}

enum { CROWD = BATCH_TASKS_MAX + 10 };

/* Known clients, whose flights go at once: all in one turn, and more than may be paused. */
struct crowd {
    struct simulated_client *clients[CROWD];
    unsigned count;
    unsigned turns;
    unsigned after; /* turns since the flights were sent; 0: they are not */
    bool tls12;
};

static bool all_have_flights(const struct crowd *crowd) {
    for (unsigned i = 0; i < crowd->count; i++) {
        if (crowd->clients[i]->out.size == 0) {
            return false;
        }
    }
    return crowd->count == CROWD;
}

static void gather(struct world *w, void *context) {
    struct crowd *crowd = context;
    const struct client_plan plan = {
        .certificate = TALK_VALID, .host = TALK_ENFORCE, .tls12 = crowd->tls12, .request = &plain, .requests = 1};

    SIMULATOR_EXPECT(crowd->turns++ < 5000, "the crowd does not end");
    if (crowd->after > 0) {
        kernel_set_orderly(false);
        crowd->after++;
        world_act_for_origins(w);
        for (unsigned i = 0; i < CROWD; i++) {
            if (crowd->clients[i]->socket != NULL) {
                client_step(crowd->clients[i]);
            }
        }
        if (!w->ending && answers(w) == CROWD) {
            world_stop(w);
        }
        return;
    }
    if (crowd->count < CROWD) {
        struct simulated_client *client = world_connect(w, &plan, WORLD_KNOWN_CLIENT);

        if (client != NULL) {
            crowd->clients[crowd->count++] = client;
            client_pull(client);
            client_push(client, SIZE_MAX);
        }
    }
    if (all_have_flights(crowd)) {
        kernel_set_orderly(true);
        for (unsigned i = 0; i < CROWD; i++) {
            client_push(crowd->clients[i], SIZE_MAX);
        }
        crowd->after = 1;
        return;
    }
    for (unsigned i = 0; i < crowd->count; i++) {
        if (crowd->clients[i]->out.size == 0) {
            client_pull(crowd->clients[i]);
        }
    }
}

static void expect_all_served(struct world *w, void *context) {
    SIMULATOR_EXPECT(world_handshakes(w, STATS_OK) == CROWD && answers(w) == CROWD, "%llu handshakes, %llu answers",
                     (unsigned long long)world_handshakes(w, STATS_OK), (unsigned long long)answers(w));
}

Test(pauses, fill_a_batch) {
    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    for (unsigned tls12 = 0; tls12 < 2; tls12++) {
        struct crowd crowd = {.tls12 = tls12};
        struct world_plan plan = {
            .seed = 1, .connections = 2 * CROWD, .load = 50, .step = gather, .ended = expect_all_served, .context = &crowd};

        world_run(&world, &plan);
        cr_assert_eq(world.pauses.at_once, BATCH_TASKS_MAX);
    }
}
