#include "edge/tunnel.h"

#include "base/clock.h"
#include "edge/verdict.h"

enum {
    JUDGE_MS = 60000,       /* the clock may be set: what ends by date is looked at this often at least */
    JUDGE_SPREAD_MS = 1000, /* a new policy may cost each tunnel's chain some signatures: they are not checked in one turn */
    JUDGE_STEP_MS = 7,
};

static uint64_t now_ms(const struct tunnel *tunnel) {
    return ring_now_ms(&tunnel->client->shard->ring);
}

static uint64_t idle_ms(const struct tunnel *tunnel) {
    const struct client *client = tunnel->client;
    uint64_t whole = client->host->tunnel_idle_ms;
    uint64_t half = client->site->config->limits.idle_timeout_ms;

    return (tunnel->client_ended || tunnel->origin_ended) && half < whole ? half : whole;
}

static void set_timer(struct tunnel *tunnel) {
    uint64_t due_ms = tunnel->active_ms + idle_ms(tunnel);
    uint64_t now = now_ms(tunnel);

    due_ms = due_ms < tunnel->judge_ms ? due_ms : tunnel->judge_ms;
    timer_set(&tunnel->client->shard->ring.timers, &tunnel->timer, now, due_ms > now ? due_ms - now : 0);
}

/* Has the verdict looked at when it ends by date, and before that once in a while. */
static void judge_in_time(struct tunnel *tunnel) {
    int64_t until = tunnel->client->verdict.identity->valid_until;
    int64_t now_s = clock_wall_seconds();
    uint64_t delay_ms = JUDGE_MS;

    if (until < now_s) {
        delay_ms = 0;
    } else if (until - now_s < JUDGE_MS / 1000) {
        delay_ms = (uint64_t)(until - now_s + 1) * 1000;
    }
    tunnel->judge_ms = now_ms(tunnel) + delay_ms;
}

/*
 * Returns whether the policy, as of now, lets the client go on. In mode report it lets everybody in, but an origin that was
 * told of a valid certificate has no other way to learn that it is valid no more.
 */
static bool is_welcome(struct tunnel *tunnel) {
    struct client *client = tunnel->client;
    const struct identity *identity = verdict_now(client);

    if (identity == NULL) {
        return false;
    }
    return identity->status == STATUS_VALID || client->host->mode == CONFIG_OFF ||
           (client->host->mode == CONFIG_REPORT && !tunnel->was_valid);
}

static void on_timer(struct timer *timer) {
    struct tunnel *tunnel = CONTAINER_OF(timer, struct tunnel, timer);
    uint64_t now = now_ms(tunnel);

    if (now >= tunnel->active_ms + idle_ms(tunnel)) {
        tunnel->over(tunnel, STATS_TUNNEL_IDLE);
        return;
    }
    if (now >= tunnel->judge_ms) {
        if (!is_welcome(tunnel)) {
            tunnel->over(tunnel, STATS_TUNNEL_VERDICT);
            return;
        }
        judge_in_time(tunnel);
    }
    set_timer(tunnel);
}

void tunnel_open(struct tunnel *tunnel, struct client *client, const struct identity *identity, bool is_websocket,
                 void (*over)(struct tunnel *tunnel, enum stats_tunnel_end why)) {
    *tunnel = (struct tunnel){
        .client = client,
        .over = over,
        .was_valid = identity->status == STATUS_VALID,
        .is_websocket = is_websocket,
    };
    timer_init(&tunnel->timer, on_timer);
    tunnel->active_ms = now_ms(tunnel);
    judge_in_time(tunnel);
    set_timer(tunnel);
}

void tunnel_close(struct tunnel *tunnel) {
    timer_clear(&tunnel->client->shard->ring.timers, &tunnel->timer);
}

void tunnel_pass(struct tunnel *tunnel) {
    tunnel->active_ms = now_ms(tunnel);
}

void tunnel_pass_to_client(struct tunnel *tunnel, struct bytes passed) {
    tunnel_pass(tunnel);
    if (tunnel->is_websocket) {
        websocket_follow(&tunnel->frames, passed);
    }
}

void tunnel_end_half(struct tunnel *tunnel, bool *half) {
    *half = true;
    tunnel_pass(tunnel);
    set_timer(tunnel);
}

void tunnel_judge_soon(struct tunnel *tunnel) {
    struct shard *shard = tunnel->client->shard;

    shard->judge_turn = (shard->judge_turn + JUDGE_STEP_MS) % JUDGE_SPREAD_MS;
    tunnel->judge_ms = now_ms(tunnel) + shard->judge_turn;
    set_timer(tunnel); /* the idle limit may be another too */
}

size_t tunnel_last_word(const struct tunnel *tunnel, enum stats_tunnel_end why, uint8_t frame[static WEBSOCKET_CLOSE_SIZE]) {
    if (!tunnel->is_websocket || tunnel->origin_ended || !websocket_takes_frame(&tunnel->frames)) {
        return 0;
    }
    websocket_write_close(why == STATS_TUNNEL_VERDICT ? WEBSOCKET_POLICY_VIOLATION : WEBSOCKET_GOING_AWAY, frame);
    return WEBSOCKET_CLOSE_SIZE;
}
