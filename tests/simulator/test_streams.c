/* Streams of HTTP/2 whose time is over, and connections that end without the loss of a stream. */
#include "client_http2.h"
#include "edge/http2_stream.h"
#include "world.h"

#include <criterion/criterion.h>

enum {
    TURN_MS = 50,
    SECOND = 1000 / TURN_MS, /* in turns */
    HEADER_TIMEOUT = 4 * SECOND,
    IDLE_TIMEOUT = 8 * SECOND,
    GRACE = 2 * SECOND, /* for what takes a few turns */
};

/* One client, and what it does in each turn. */
struct play {
    struct client_plan plan;
    uint64_t seed; /* 0: 1 */
    void (*act)(struct world *world, struct play *play);
    unsigned length; /* in turns; then the shard stops */
    struct simulated_client *client;
    unsigned turns; /* since the handshake was complete */
    unsigned open;  /* ... of these, in which the connection was open */
    unsigned timeouts, rejected;
    enum connection_state state; /* when the connection was open last */
    bool pauses;                 /* the client neither sends nor reads */
};

static struct world world;
static const struct talk_request get = {.framing = TALK_NOTHING, .answer_size = 1000};
static const struct talk_request post = {.framing = TALK_LENGTH, .body_size = 1000, .answer_size = 10};

static void note(const struct world *w, struct play *play) {
    struct list *first = list_first(&w->shard->all);
    const struct connection *connection = first == NULL ? NULL : CONTAINER_OF(first, struct connection, in_shard);

    if (connection != NULL && connection->stage->state != CONNECTION_CLOSING) {
        play->open = play->turns;
        play->state = connection->stage->state;
    }
    play->timeouts = (unsigned)stats_read(&w->stats.shards[0].rejected[STATS_AT_REQUEST][STATS_REJECT_TIMEOUT]);
    play->rejected = 0;
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        play->rejected += (unsigned)world_rejected(w, (enum stats_stage)stage);
    }
}

static void step(struct world *w, void *context) {
    struct play *play = context;
    struct simulated_client *client = play->client;

    if (client == NULL) {
        play->client = world_connect(w, &play->plan, "192.0.2.1");
        return;
    }
    kernel_pass_ms(TURN_MS);
    note(w, play);
    if (client->http2 != NULL) {
        play->turns++;
    }
    play->act(w, play);
    if (!play->pauses) {
        client_pull(client);
        client_push(client, SIZE_MAX);
    }
    world_act_for_origins(w);
    if (play->turns >= play->length && !w->ending) {
        world_stop(w);
    }
}

static void run(struct play *play) {
    const struct world_plan plan = {.seed = play->seed == 0 ? 1 : play->seed,
                                    .connections = 16,
                                    .load = 50,
                                    .steps = 100000,
                                    .step = step,
                                    .context = play};

    play->plan.http2 = true;
    world_run(&world, &plan);
    cr_assert_geq(play->turns, 1, "no handshake");
}

static uint64_t ends(enum client_stream_end end) {
    return world.counts.stream_ends[end];
}

static void ask_once(struct world *w, struct play *play) {
    if (play->turns == 1) {
        cr_assert_not_null(client_http2_ask(play->client));
    }
}

TestSuite(streams, .init = world_set_up);

static void say_nothing_but_tls(struct world *w, struct play *play) {
    play->client->said_goodbye = true; /* so that no byte of HTTP/2 is written, the preface neither */
}

Test(streams, a_preface_that_never_comes) {
    struct play play = {.plan = {.certificate = TALK_VALID}, .act = say_nothing_but_tls, .length = IDLE_TIMEOUT};

    run(&play);
    cr_expect_geq(play.open, HEADER_TIMEOUT - GRACE);
    cr_expect_lt(play.open, HEADER_TIMEOUT + GRACE);
    cr_expect_eq(play.state, CONNECTION_QUIET);
    cr_expect_eq(play.rejected, 0);
    cr_expect_eq(world.counts.farewells, 1);
    cr_expect_eq(world.counts.faults, 0);
}

static void dribble(struct world *w, struct play *play) {
    static const char head[9] = {0, 1, 0, (char)0xfa};

    if (play->turns == 1) {
        talk_put(&play->client->http2->frames, head, sizeof head); /* of a type that means nothing */
    } else if (play->turns > 1 && play->turns % 4 == 0) {
        talk_put(&play->client->http2->frames, "x", 1);
    }
}

Test(streams, a_frame_that_is_dribbled) {
    struct play play = {.plan = {.certificate = TALK_VALID}, .act = dribble, .length = IDLE_TIMEOUT};

    run(&play);
    cr_expect_geq(play.open, HEADER_TIMEOUT - GRACE);
    cr_expect_lt(play.open, HEADER_TIMEOUT + GRACE);
    cr_expect_eq(play.state, CONNECTION_FRAMES);
    cr_expect_eq(play.timeouts, 1);
    cr_expect_eq(play.rejected, 1);
}

static void ping_in_halves(struct world *w, struct play *play) {
    static const char ping[17] = {0, 0, 8, 6};

    if (play->turns >= SECOND && play->turns % SECOND == 0) {
        talk_put(&play->client->http2->frames, ping, 5);
    } else if (play->turns >= SECOND && play->turns % SECOND == SECOND / 2) {
        talk_put(&play->client->http2->frames, ping + 5, sizeof ping - 5);
    }
}

Test(streams, frames_that_ask_for_nothing) {
    struct play play = {.plan = {.certificate = TALK_VALID}, .act = ping_in_halves, .length = 3 * IDLE_TIMEOUT};

    run(&play);
    cr_expect_lt(play.open, HEADER_TIMEOUT + GRACE, "PING frames in halves keep a connection for ever");
}

static void ask_and_be_refused(struct world *w, struct play *play) {
    if (play->turns > 0 && play->turns % SECOND == 0) {
        client_http2_ask(play->client);
    }
}

Test(streams, requests_that_are_answered_at_once) {
    struct play play = {.plan = {.certificate = TALK_EXPIRED, .requests = 9, .request = &get},
                        .act = ask_and_be_refused,
                        .length = 10 * SECOND};

    run(&play);
    cr_expect_geq(play.open, play.length - 1, "each of them begins the time of an idle connection anew");
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 9);
}

static void begin_head(struct world *w, struct play *play) {
    if (play->turns == 10) {                   /* the client has no frame of its own to send any more */
        play->client->http2->is_faulty = true; /* its session knows no such stream */
        talk_put(&play->client->http2->frames, "\0\0\1\1\1\0\0\0\1\x82", 10);
        play->client->counts->raw_frames++;
    } else if (play->turns == 12) {
        play->client->http2->stuck = true;
    }
}

Test(streams, a_head_that_is_never_complete) {
    struct play play = {.plan = {.certificate = TALK_VALID}, .act = begin_head, .length = 3 * HEADER_TIMEOUT};

    run(&play);
    cr_expect_geq(play.open, HEADER_TIMEOUT - 1);
    cr_expect_lt(play.open, HEADER_TIMEOUT + GRACE, "no other frame may come before the rest of the head");
    cr_expect_eq(play.timeouts, 1);
    cr_expect_eq(play.rejected, 1);
}

static void send_half(struct world *w, struct play *play) {
    ask_once(w, play);
    if (play->turns == 2) {
        client_http2_feed(play->client, &play->client->http2->streams[0], 500);
    }
}

Test(streams, a_body_that_stalls) {
    struct play play = {.plan = {.certificate = TALK_VALID, .requests = 1, .request = &post},
                        .act = send_half,
                        .length = IDLE_TIMEOUT + GRACE};

    run(&play);
    cr_expect_eq(world.counts.answers[STATS_HTTP2][408], 1);
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 1);
    cr_expect_eq(play.timeouts, 1);
    cr_expect_eq(play.rejected, 1);
    cr_expect_eq(play.state, CONNECTION_QUIET);
    cr_expect_geq(play.open, play.length - 1, "the connection is none the worse");
}

Test(streams, an_answer_that_is_not_taken) {
    uint64_t resets = 0;

    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct play play = {.plan = {.certificate = TALK_VALID, .requests = 1, .request = &get, .shut = true},
                            .seed = seed,
                            .act = ask_once,
                            .length = IDLE_TIMEOUT + GRACE};

        run(&play);
        cr_expect_eq(ends(CLIENT_STREAM_RESET_US) + world.counts.answers[STATS_HTTP2][204], 1);
        cr_expect_eq(play.timeouts, ends(CLIENT_STREAM_RESET_US));
        resets += ends(CLIENT_STREAM_RESET_US);
        if (ends(CLIENT_STREAM_RESET_US) == 1) {
            cr_expect_eq(play.state, CONNECTION_QUIET);
            cr_expect_geq(play.open, play.length - 1);
        }
    }
    cr_expect_gt(resets, 2, "most answers have a body");
}

Test(streams, an_answer_of_ours_that_is_not_taken) {
    struct play play = {.plan = {.certificate = TALK_EXPIRED, .requests = 1, .request = &get, .shut = true},
                        .act = ask_once,
                        .length = IDLE_TIMEOUT + GRACE};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_RESET_US), 1);
    cr_expect_eq(play.timeouts, 1);
    cr_expect_eq(play.rejected, 2, "the other says that it was denied");
    cr_expect_eq(play.state, CONNECTION_QUIET);
}

Test(streams, a_refusal_that_is_not_taken) {
    struct play play = {.plan = {.certificate = TALK_VALID, .requests = 1, .request = &post, .shut = true},
                        .act = send_half,
                        .length = 2 * IDLE_TIMEOUT + GRACE};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_RESET_US), 1);
    cr_expect_eq(play.timeouts, 2, "for the body, and for the answer");
    cr_expect_eq(play.state, CONNECTION_QUIET);
}

Test(streams, a_client_that_asks_no_more) {
    struct play play = {
        .plan = {.certificate = TALK_VALID, .requests = 1, .request = &get}, .act = ask_once, .length = 2 * IDLE_TIMEOUT};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 1);
    cr_expect_geq(play.open, IDLE_TIMEOUT - GRACE);
    cr_expect_lt(play.open, IDLE_TIMEOUT + GRACE);
    cr_expect_eq(play.rejected, 0);
    cr_expect_eq(world.counts.farewells, 1);
    cr_expect_eq(world.counts.faults, 0);
}

/* The stream's head is written, and still on its way when the first GOAWAY leaves. */
static void cross(struct world *w, struct play *play, void (*event)(struct world *world)) {
    if (play->turns == SECOND) {
        cr_assert_not_null(client_http2_ask(play->client));
        client_http2_write(play->client, SIZE_MAX);
        play->pauses = true;
        event(w);
    } else if (play->turns == SECOND + 10) {
        play->pauses = false;
    }
}

static void drain(struct world *w) {
    world_drain(w, 20000);
}

static void turn_http2_off(struct world *w) {
    world_reload(w, 1);
}

static void cross_drain(struct world *w, struct play *play) {
    cross(w, play, drain);
}

static void cross_reload(struct world *w, struct play *play) {
    cross(w, play, turn_http2_off);
}

Test(streams, none_is_lost_by_a_drain) {
    struct play play = {
        .plan = {.certificate = TALK_VALID, .requests = 1, .request = &get}, .act = cross_drain, .length = 20 * SECOND};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 1);
    cr_expect_eq(world.counts.farewells, 2);
    cr_expect_lt(play.turns, 5 * SECOND, "the shard ends with its last stream");
    cr_expect_eq(play.rejected, 0);
}

Test(streams, none_is_lost_by_a_reload) {
    struct play play = {.plan = {.certificate = TALK_VALID, .host = TALK_REPORT, .requests = 1, .request = &get},
                        .act = cross_reload,
                        .length = 5 * SECOND};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 1);
    cr_expect_eq(world.counts.farewells, 2);
    cr_expect_lt(play.open, 3 * SECOND, "the connection ends with its last stream");
    cr_expect_eq(play.rejected, 0);
}

static void fall_silent_and_drain(struct world *w, struct play *play) {
    if (play->turns == SECOND) {
        play->pauses = true;
        drain(w);
    }
}

Test(streams, a_goaway_that_nobody_answers) {
    struct play play = {.plan = {.certificate = TALK_VALID}, .act = fall_silent_and_drain, .length = 20 * SECOND};

    run(&play);
    cr_expect_geq(play.open, SECOND + HEADER_TIMEOUT - GRACE);
    cr_expect_lt(play.open, SECOND + HTTP2_LAST_WORD_MS / TURN_MS + GRACE);
    cr_expect_eq(play.rejected, 0);
}

static void drain_in_handshake(struct world *w, struct play *play) {
    struct list *first = list_first(&w->shard->all);

    if (first != NULL && CONTAINER_OF(first, struct connection, in_shard)->stage->state == CONNECTION_HANDSHAKE &&
        !w->ending) {
        drain(w);
    }
    ask_once(w, play);
}

Test(streams, a_drain_in_the_handshake) {
    struct play play = {.plan = {.certificate = TALK_VALID, .requests = 1, .request = &get},
                        .act = drain_in_handshake,
                        .length = 20 * SECOND};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 1);
    cr_expect_eq(world.counts.farewells, 2);
    cr_expect_lt(play.turns, 5 * SECOND);
}

static void reload_in_handshake(struct world *w, struct play *play) {
    struct list *first = list_first(&w->shard->all);

    if (first != NULL && CONTAINER_OF(first, struct connection, in_shard)->stage->state == CONNECTION_HANDSHAKE &&
        w->reloads == 0) {
        turn_http2_off(w);
    }
    ask_once(w, play);
}

Test(streams, a_reload_in_the_handshake) {
    struct play play = {.plan = {.certificate = TALK_VALID, .host = TALK_REPORT, .requests = 1, .request = &get},
                        .act = reload_in_handshake,
                        .length = 5 * SECOND};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_ANSWERED), 1);
    cr_expect_eq(world.counts.farewells, 2);
    cr_expect_lt(play.open, 3 * SECOND);
}

static void reset_once(struct world *w, struct play *play) {
    ask_once(w, play);
    if (play->turns == 5) {
        client_http2_reset(play->client, &play->client->http2->streams[0]);
    }
}

Test(streams, a_stream_that_is_reset) {
    struct play play = {
        .plan = {.certificate = TALK_VALID, .requests = 1, .request = &post}, .act = reset_once, .length = 2 * SECOND};

    run(&play);
    cr_expect_eq(ends(CLIENT_STREAM_RESET), 1);
    cr_expect_eq(play.state, CONNECTION_QUIET);
    cr_expect_eq(play.rejected, 0);
}
