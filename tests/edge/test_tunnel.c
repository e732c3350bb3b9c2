/* The clock of a tunnel: how long it may be idle, and when its client is judged anew. */
#include "edge/tunnel.h"
#include "edge/verdict.h"
#include "served.h"

/* Linked with --wrap. */
int64_t __wrap_clock_wall_seconds(void);
const struct identity *__wrap_verdict_now(struct client *client);

static int64_t wall_s;
static unsigned judged, ended;
static enum stats_tunnel_end reason;
static bool is_judged; /* else there is no memory for that */
static struct client *client;
static struct tunnel tunnel;

int64_t __wrap_clock_wall_seconds(void) {
    return wall_s;
}

const struct identity *__wrap_verdict_now(struct client *whom) {
    cr_expect_eq(whom, client);
    judged++;
    return is_judged ? &scene.identity : NULL;
}

static void over(struct tunnel *which, enum stats_tunnel_end why) {
    cr_expect_eq(which, &tunnel);
    ended++;
    reason = why;
}

static void set_up(void) {
    served_open();
    client = &served_connect()->client;
    scene.host.tunnel_idle_ms = 600000;
    scene.config.limits.idle_timeout_ms = 5000;
    wall_s = 1000000;
    is_judged = true;
}

static void tear_down(void) {
    tunnel_close(&tunnel);
    cr_expect_eq(scene.shard.ring.timers.set, 0);
    served_close();
}

TestSuite(tunnel, .init = set_up, .fini = tear_down);

static void open_tunnel(bool is_websocket) {
    tunnel_open(&tunnel, client, &scene.identity, is_websocket, over);
}

static void pass(uint64_t ms) {
    for (uint64_t step = 0; step < ms; step += 1000) {
        uint64_t part = ms - step < 1000 ? ms - step : 1000;

        scene_pass(part);
        wall_s += part == 1000;
        timer_wheel_advance(&scene.shard.ring.timers, ring_now_ms(&scene.shard.ring));
    }
}

Test(tunnel, ends_when_nothing_passes_for_long) {
    open_tunnel(false);
    pass(599000);
    cr_expect_eq(ended, 0);
    pass(2000);
    cr_expect_eq(ended, 1);
    cr_expect_eq(reason, STATS_TUNNEL_IDLE);
}

Test(tunnel, goes_on_while_bytes_pass_in_either_direction) {
    open_tunnel(true);
    for (unsigned i = 0; i < 10; i++) {
        pass(400000);
        if (i % 2 == 0) {
            tunnel_pass(&tunnel);
        } else {
            tunnel_pass_to_client(&tunnel, bytes_of_string("\x81\x01x"));
        }
    }
    cr_expect_eq(ended, 0);
    pass(601000);
    cr_expect_eq(ended, 1);
}

Test(tunnel, has_the_limit_of_a_connection_once_a_half_has_ended) {
    open_tunnel(false);
    pass(100000);
    tunnel_end_half(&tunnel, &tunnel.client_ended);
    pass(4000);
    tunnel_pass(&tunnel);
    pass(4000);
    cr_expect_eq(ended, 0);
    pass(2000);
    cr_expect_eq(reason, STATS_TUNNEL_IDLE);
    cr_expect_eq(ended, 1);
}

Test(tunnel, has_no_longer_limit_for_that) {
    scene.host.tunnel_idle_ms = 2000;
    open_tunnel(false);
    tunnel_end_half(&tunnel, &tunnel.origin_ended);
    pass(3000);
    cr_expect_eq(ended, 1);
}

Test(tunnel, is_judged_when_its_verdict_ends) {
    scene.identity.valid_until = wall_s + 30;
    open_tunnel(false);
    pass(30000);
    cr_expect_eq(judged, 0);
    scene.identity.status = STATUS_INVALID;
    scene.host.mode = CONFIG_ENFORCE;
    pass(2000);
    cr_expect_eq(judged, 1);
    cr_expect_eq(reason, STATS_TUNNEL_VERDICT);
    cr_expect_eq(ended, 1);
}

/* An operator, or the network's time, may set it. */
Test(tunnel, notices_within_a_minute_that_the_clock_was_set) {
    scene.host.mode = CONFIG_ENFORCE;
    scene.identity.valid_until = wall_s + 100000;
    open_tunnel(false);
    pass(5000);
    wall_s += 200000;
    scene.identity.status = STATUS_INVALID; /* as verdict_now would find */
    pass(60000);
    cr_expect_eq(ended, 1);
    cr_expect_eq(reason, STATS_TUNNEL_VERDICT);
}

Test(tunnel, is_judged_soon_behind_a_reload) {
    open_tunnel(false);
    tunnel_judge_soon(&tunnel);
    pass(1010);
    cr_expect_eq(judged, 1);
    cr_expect_eq(ended, 0);
    pass(30000);
    cr_expect_eq(judged, 1);
}

Test(tunnel, those_of_a_shard_are_not_judged_at_once) {
    uint64_t first_ms, last_ms;

    open_tunnel(false);
    tunnel_judge_soon(&tunnel);
    first_ms = tunnel.judge_ms;
    for (unsigned i = 0; i < 100; i++) {
        tunnel_judge_soon(&tunnel);
    }
    last_ms = tunnel.judge_ms;
    cr_expect_neq(first_ms, last_ms);
    cr_expect_lt(last_ms, ring_now_ms(&scene.shard.ring) + 1000);
}

struct welcome {
    enum config_mode mode;
    enum status then; /* as the origin was told */
    enum status now;
    bool stays;
};

static const struct welcome welcomes[] = {
    {CONFIG_ENFORCE, STATUS_VALID, STATUS_VALID, true},    {CONFIG_ENFORCE, STATUS_VALID, STATUS_INVALID, false},
    {CONFIG_ENFORCE, STATUS_NONE, STATUS_NONE, false},     {CONFIG_ENFORCE, STATUS_INVALID, STATUS_VALID, true},
    {CONFIG_REPORT, STATUS_VALID, STATUS_VALID, true},     {CONFIG_REPORT, STATUS_VALID, STATUS_INVALID, false},
    {CONFIG_REPORT, STATUS_VALID, STATUS_NONE, false},     {CONFIG_REPORT, STATUS_NONE, STATUS_NONE, true},
    {CONFIG_REPORT, STATUS_INVALID, STATUS_INVALID, true}, {CONFIG_OFF, STATUS_VALID, STATUS_NONE, true},
    {CONFIG_OFF, STATUS_NONE, STATUS_NONE, true},
};

Test(tunnel, stays_open_to_those_who_are_welcome) {
    for (size_t i = 0; i < sizeof welcomes / sizeof welcomes[0]; i++) {
        ended = 0;
        scene.identity.status = welcomes[i].then;
        open_tunnel(false);
        scene.host.mode = welcomes[i].mode;
        scene.identity.status = welcomes[i].now;
        tunnel_judge_soon(&tunnel);
        pass(1010);
        cr_expect_eq(ended == 0, welcomes[i].stays, "%zu", i);
        tunnel_close(&tunnel);
    }
}

Test(tunnel, ends_if_nobody_can_say) {
    open_tunnel(false);
    is_judged = false;
    tunnel_judge_soon(&tunnel);
    pass(1010);
    cr_expect_eq(reason, STATS_TUNNEL_VERDICT);
    cr_expect_eq(ended, 1);
}

static size_t last_word(bool is_websocket, const char *passed, enum stats_tunnel_end why, uint8_t frame[static 4]) {
    open_tunnel(is_websocket);
    tunnel_pass_to_client(&tunnel, bytes_of_string(passed));
    size_t size = tunnel_last_word(&tunnel, why, frame);

    tunnel_close(&tunnel);
    return size;
}

Test(tunnel, tells_a_websocket_why_it_ends) {
    uint8_t frame[WEBSOCKET_CLOSE_SIZE];

    cr_expect_eq(last_word(true, "", STATS_TUNNEL_VERDICT, frame), sizeof frame);
    cr_expect_eq(frame[2] << 8 | frame[3], 1008);
    cr_expect_eq(last_word(true, "\x81\x01x", STATS_TUNNEL_IDLE, frame), sizeof frame);
    cr_expect_eq(frame[2] << 8 | frame[3], 1001);
    cr_expect_eq(last_word(true, "", STATS_TUNNEL_DRAIN, frame), sizeof frame);
    cr_expect_eq(frame[2] << 8 | frame[3], 1001);
    cr_expect_eq(last_word(true, "\x81\x02x", STATS_TUNNEL_DRAIN, frame), 0);
    cr_expect_eq(last_word(false, "", STATS_TUNNEL_DRAIN, frame), 0);
}
