/* Stages: which may follow which, and what a refusal counts. */
#include "base/check.h"
#include "edge/handshake.h"
#include "edge/proxy.h"
#include "edge/queue.h"
#include "edge/redirect.h"
#include "edge/tcp.h"
#include "served.h"

#include <sys/wait.h>
#include <unistd.h>

TestSuite(connection, .init = served_open, .fini = served_close);

/* Linked with --wrap: how a stream ends. */
void __wrap_stream_close(struct stream *stream);
void __wrap_stream_reset(struct stream *stream);
void __wrap_stream_finish(struct stream *stream);
void __wrap_stream_finish_briefly(struct stream *stream);

static unsigned closed, reset, finished, finished_briefly;

void __wrap_stream_close(struct stream *stream) {
    closed++;
}

void __wrap_stream_reset(struct stream *stream) {
    reset++;
}

void __wrap_stream_finish(struct stream *stream) {
    finished++;
}

void __wrap_stream_finish_briefly(struct stream *stream) {
    finished_briefly++;
}

static const struct stage *const stages[CONNECTION_STATES] = {
    [CONNECTION_PROXY] = &proxy_stage,  [CONNECTION_REDIRECT] = &redirect_stage,    [CONNECTION_HELLO] = &hello_stage,
    [CONNECTION_QUEUED] = &queue_stage, [CONNECTION_HANDSHAKE] = &handshake_stage,  [CONNECTION_WAITING] = &http1_waiting,
    [CONNECTION_HEAD] = &http1_head,    [CONNECTION_EXCHANGE] = &http1_answering,   [CONNECTION_TUNNEL] = &http1_tunnelling,
    [CONNECTION_QUIET] = &http2_quiet,  [CONNECTION_FRAMES] = &http2_frames,        [CONNECTION_STREAMS] = &http2_streams,
    [CONNECTION_TCP] = &tcp_stage,      [CONNECTION_CLOSING] = &connection_closing,
};

#define OF_HTTP2                                                                                                            \
    { [CONNECTION_QUIET] = true, [CONNECTION_FRAMES] = true, [CONNECTION_STREAMS] = true, [CONNECTION_CLOSING] = true, }

/* From each state, in a row, to each. */
static const bool allowed[CONNECTION_STATES][CONNECTION_STATES] = {
    [CONNECTION_PROXY] = {[CONNECTION_HELLO] = true, [CONNECTION_REDIRECT] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_REDIRECT] = {[CONNECTION_REDIRECT] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_HELLO] = {[CONNECTION_QUEUED] = true, [CONNECTION_HANDSHAKE] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_QUEUED] = {[CONNECTION_HANDSHAKE] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_HANDSHAKE] =
        {[CONNECTION_WAITING] = true, [CONNECTION_QUIET] = true, [CONNECTION_TCP] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_WAITING] = {[CONNECTION_HEAD] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_HEAD] = {[CONNECTION_EXCHANGE] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_EXCHANGE] = {[CONNECTION_WAITING] = true, [CONNECTION_TUNNEL] = true, [CONNECTION_CLOSING] = true},
    [CONNECTION_TUNNEL] = {[CONNECTION_CLOSING] = true},
    [CONNECTION_QUIET] = OF_HTTP2,
    [CONNECTION_FRAMES] = OF_HTTP2,
    [CONNECTION_STREAMS] = OF_HTTP2,
    [CONNECTION_TCP] = {[CONNECTION_CLOSING] = true},
    [CONNECTION_CLOSING] = {false},
};

/* True: the process that goes from one stage to the other goes on; else it aborts. */
static bool may_enter(struct connection *connection, const struct stage *from, const struct stage *to) {
    int status;
    pid_t child = fork();

    if (child == 0) {
        fclose(stderr); /* where CHECK says why */
        connection->stage = from;
        connection_enter(connection, to);
        _exit(connection->stage == to ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGABRT);
    return WIFEXITED(status);
}

Test(connection, enters_the_stages_that_may_follow_and_no_other) {
    struct connection *connection = served_connect();

    for (unsigned from = 0; from < CONNECTION_STATES; from++) {
        cr_expect_eq(stages[from]->state, from);
        for (unsigned to = 0; to < CONNECTION_STATES; to++) {
            cr_expect_eq(may_enter(connection, stages[from], stages[to]), allowed[from][to], "from %s to %s",
                         stages[from]->name, stages[to]->name);
        }
    }
}

Test(connection, each_stage_has_a_way_out_for_each_event) {
    for (unsigned state = 0; state < CONNECTION_CLOSING; state++) {
        const struct stage *stage = stages[state];

        cr_expect(stage->received != NULL && stage->finished != NULL && stage->failed != NULL && stage->timed_out != NULL,
                  "%s", stage->name);
        cr_expect_eq(stage->is_early, state <= CONNECTION_HANDSHAKE, "%s", stage->name);
        cr_expect_eq(stage->plaintext != NULL, state > CONNECTION_HANDSHAKE, "%s", stage->name);
        cr_expect(stage->taken_up != NULL || (stage != &queue_stage && stage != &handshake_stage), "%s", stage->name);
    }
}

Test(connection, a_stage_without_a_deadline_of_its_own_keeps_the_one_before) {
    struct connection *connection = served_connect();

    connection->stage = NULL;
    connection_enter(connection, &hello_stage);
    uint64_t deadline_ms = connection->pace.deadline_ms;
    cr_expect_eq(deadline_ms, ring_now_ms(&scene.shard.ring) + 1000);
    scene_pass(500);
    connection_enter(connection, &queue_stage);
    connection_enter(connection, &handshake_stage);
    cr_expect_eq(connection->pace.deadline_ms, deadline_ms);
    connection_enter(connection, &http1_waiting);
    cr_expect_eq(connection->pace.deadline_ms, deadline_ms + 500 - 1000 + 2000, "that of a first request");
    scene_pass(100);
    connection_progress(connection);
    cr_expect_eq(connection->pace.deadline_ms, deadline_ms + 1500, "a client that waits does not progress");
    connection_end(connection, CONNECTION_ABRUPTLY);
}

/* A balancer's header is a part of the handshake. */
Test(connection, a_hello_has_what_is_left_of_the_handshakes_time) {
    struct connection *connection = served_connect();

    connection->stage = NULL;
    connection_enter(connection, &proxy_stage);
    uint64_t deadline_ms = connection->pace.deadline_ms;
    cr_expect_eq(deadline_ms, ring_now_ms(&scene.shard.ring) + 1000);
    scene_pass(700);
    connection_enter(connection, &hello_stage);
    cr_expect_eq(connection->pace.deadline_ms, deadline_ms);
    connection->stage = &proxy_stage;
    scene_pass(700);
    connection_enter(connection, &hello_stage);
    cr_expect_eq(connection->pace.deadline_ms, deadline_ms + 400, "now");
    connection_end(connection, CONNECTION_ABRUPTLY);
}

struct refusal {
    const struct stage *stage;
    enum stats_stage at;
    enum stats_rejection why;
    bool failed; /* a handshake */
    bool timed_out;
};

static const struct refusal refusals[] = {
    {&proxy_stage, STATS_AT_ACCEPT, STATS_REJECT_PROXY_HEADER, false, false},
    {&proxy_stage, STATS_AT_ACCEPT, STATS_REJECT_TIMEOUT, false, false},
    {&proxy_stage, STATS_AT_ACCEPT, STATS_REJECT_CLOSED, false, false},
    {&redirect_stage, STATS_AT_REQUEST, STATS_REJECT_MALFORMED, false, false},
    {&redirect_stage, STATS_AT_REQUEST, STATS_REJECT_TIMEOUT, false, false},
    {&hello_stage, STATS_AT_HELLO, STATS_REJECT_NOT_TLS, false, false},
    {&hello_stage, STATS_AT_HELLO, STATS_REJECT_PLAIN_HTTP, false, false},
    {&hello_stage, STATS_AT_HELLO, STATS_REJECT_CLOSED, false, false},
    {&hello_stage, STATS_AT_HELLO, STATS_REJECT_EVICTED, false, false},
    {&hello_stage, STATS_AT_HELLO, STATS_REJECT_MALFORMED, true, false},
    {&hello_stage, STATS_AT_HELLO, STATS_REJECT_TIMEOUT, false, true},
    {&hello_stage, STATS_AT_ADMISSION, STATS_REJECT_SUSPECT, true, false},
    {&queue_stage, STATS_AT_ADMISSION, STATS_REJECT_CLOSED, true, false},
    {&queue_stage, STATS_AT_ADMISSION, STATS_REJECT_MALFORMED, true, false},
    {&queue_stage, STATS_AT_ADMISSION, STATS_REJECT_EVICTED, true, false},
    {&queue_stage, STATS_AT_ADMISSION, STATS_REJECT_TIMEOUT, false, true},
    {&handshake_stage, STATS_AT_HANDSHAKE, STATS_REJECT_TLS_ERROR, true, false},
    {&handshake_stage, STATS_AT_HANDSHAKE, STATS_REJECT_TIMEOUT, false, true},
};

Test(connection, a_refusal_is_counted_once_and_so_is_its_handshake) {
    for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        struct connection *connection = served_connect();
        stats_counter *rejected = &scene.stats.rejected[refusal->at][refusal->why];
        uint64_t before = *rejected;

        memset(scene.stats.handshakes, 0, sizeof scene.stats.handshakes);
        connection->stage = refusal->stage;
        for (unsigned twice = 0; twice < 2; twice++) {
            connection_refuse(connection, refusal->at, refusal->why, CONNECTION_BLAME_NONE, CONNECTION_BY_RESET);
        }
        cr_expect_eq(*rejected - before, 1, "%zu", i);
        cr_expect_eq(scene.stats.handshakes[STATS_FAILED][STATS_FULL][STATS_TLS_NONE][KEY_GROUP_NONE], refusal->failed,
                     "%zu", i);
        cr_expect_eq(scene.stats.handshakes[STATS_TIMEOUT][STATS_FULL][STATS_TLS_NONE][KEY_GROUP_NONE], refusal->timed_out,
                     "%zu", i);
        cr_expect(connection_is_closing(connection));
        cr_expect_eq(reset, i + 1);
    }
}

static enum source_standing refuse_often(const char *from, enum connection_blame blame, uint64_t waits_ms) {
    struct connection *connection = NULL;

    for (unsigned i = 0; i < SOURCES_SUSPECT_FAILURES; i++) {
        connection = scene_connect(from);
        pace_init(&connection->pace, NULL);
        connection->stage = &queue_stage;
        connection->queue.entry.waits = true;
        connection->queue.entry.since_ns = scene.shard.ring.now_ns - waits_ms * 1000000;
        connection->stage = &hello_stage; /* which leaves no queue, where none is */
        connection_refuse(connection, STATS_AT_ADMISSION, STATS_REJECT_CLOSED, blame, CONNECTION_ABRUPTLY);
    }
    return scene_standing(connection);
}

Test(connection, a_refusal_blames_the_source_as_it_says) {
    cr_expect_eq(refuse_often("192.0.2.2", CONNECTION_BLAME_NONE, 0), SOURCE_UNKNOWN);
    cr_expect_eq(refuse_often("192.0.2.3", CONNECTION_BLAME_FAILURE, 0), SOURCE_SUSPECT);
    cr_expect_eq(refuse_often("192.0.2.4", CONNECTION_BLAME_IMPATIENCE, 100), SOURCE_SUSPECT);
    cr_expect_eq(refuse_often("192.0.2.5", CONNECTION_BLAME_IMPATIENCE, 600), SOURCE_UNKNOWN, "it has waited for us");
}

Test(connection, few_may_linger_to_read_their_alert) {
    scene.shard.connections_max = 64;
    for (unsigned i = 0; i < 2; i++) {
        struct connection *connection = served_connect();

        connection->stage = &hello_stage;
        connection_end(connection, CONNECTION_AFTER_ALERT);
        cr_expect(connection->lingers);
    }
    cr_expect_eq(scene.shard.lingering, 2);
    cr_expect_eq(finished_briefly, 2);
    cr_expect_eq(closed + finished, 0);
}
