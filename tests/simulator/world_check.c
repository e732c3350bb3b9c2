#include "world_check.h"

#include "edge/http1_exchange.h"
#include "edge/http2_stream.h"
#include "edge/tcp.h"
#include "stats/hosts.h"

static bool is_early(const struct connection *connection) {
    return connection->stage->is_early;
}

static void expect_tunnel(const struct connection *connection, const struct tunnel *tunnel) {
    const struct client *client = &connection->client;
    uint64_t now_ms = ring_now_ms(&client->shard->ring);

    SIMULATOR_EXPECT(timer_is_set(&tunnel->timer), "a tunnel without a clock");
    SIMULATOR_EXPECT(client->verdict.stale || client->host->mode != CONFIG_ENFORCE ||
                         client->verdict.identity->status == STATUS_VALID,
                     "a tunnel of a client that is not welcome");
    SIMULATOR_EXPECT(!client->verdict.stale || tunnel->judge_ms < now_ms + 1000,
                     "a tunnel with a verdict of an earlier policy");
}

/* The answer has ended with its head, where the client needs no more, and the origin has still to end its own. */
static bool awaits_origin(const struct http2_exchange *http2) {
    return http2->closed && http2->ended && !http2->answered && http2->exchange.relay != NULL;
}

static void expect_stream(const struct connection *connection, struct http2_exchange *http2) {
    const struct http2_stream *stream = &http2->stream;

    SIMULATOR_EXPECT(http2->exchange.owner == connection && stream->session == connection->http2.session,
                     "stream %d of another connection", stream->id);
    SIMULATOR_EXPECT(stream->id > 0 && !(stream->gone && kernel_may_sleep() && !awaits_origin(http2)), "stream %d is gone",
                     stream->id);
    SIMULATOR_EXPECT(timer_is_set(&http2->pace.timer), "no deadline for stream %d", stream->id);
    SIMULATOR_EXPECT(!http2->over || http2->answered, "stream %d is over without an answer", stream->id);
    SIMULATOR_EXPECT(!http2->over || http2->exchange.request_done || stream->refused, "stream %d is over before its request",
                     stream->id);
    SIMULATOR_EXPECT(!http2->answered || http2->exchange.relay == NULL, "stream %d is answered, and is relayed", stream->id);
}

static void expect_streams(const struct connection *connection) {
    struct connection_http2 http2 = connection->http2;
    uint32_t count = 0, awaiting = 0;

    if (http2.session == NULL) {
        SIMULATOR_EXPECT(http2.open == 0, "%u streams without a session", http2.open);
        return;
    }
    const struct list *streams = &connection->http2.streams;
    for (struct list *link = list_first(streams); link != NULL; link = list_after(streams, link)) {
        struct http2_exchange *exchange = CONTAINER_OF(link, struct http2_exchange, in_connection);

        expect_stream(connection, exchange);
        awaiting += awaits_origin(exchange);
        count++;
    }
    SIMULATOR_EXPECT(count == http2.open, "%u streams are listed, counted as %u", count, http2.open);
    SIMULATOR_EXPECT(!kernel_may_sleep() || count - awaiting == http2_session_streams(http2.session),
                     "%u streams, and the session has %u", count - awaiting, http2_session_streams(http2.session));
    SIMULATOR_EXPECT(!kernel_may_sleep() || list_is_empty(&connection->http2.gone), "streams that are gone are still there");
}

static void expect_state(const struct connection *connection) {
    bool in_tunnel = connection->stage->state == CONNECTION_TUNNEL;
    bool has_exchange =
        in_tunnel || connection->stage->state == CONNECTION_HEAD || connection->stage->state == CONNECTION_EXCHANGE;

    SIMULATOR_EXPECT(connection->stage->state < CONNECTION_STATES, "state %u", connection->stage->state);
    SIMULATOR_EXPECT((connection->http1.exchange != NULL) == has_exchange, "exchange in state %u", connection->stage->state);
    bool is_http2 = connection->stage->state == CONNECTION_QUIET || connection->stage->state == CONNECTION_FRAMES ||
                    connection->stage->state == CONNECTION_STREAMS;
    bool is_tcp = connection->stage->state == CONNECTION_TCP;
    SIMULATOR_EXPECT((connection->tcp != NULL) == is_tcp, "a tunnel in state %u", connection->stage->state);
    SIMULATOR_EXPECT((connection->http2.session != NULL) == is_http2, "session in state %u", connection->stage->state);
    bool has_streams = connection->http2.open > 0;
    SIMULATOR_EXPECT(list_is_linked(&connection->http2.in_turn) ||
                         has_streams == (connection->stage->state == CONNECTION_STREAMS),
                     "%u streams in state %u", connection->http2.open, connection->stage->state);
    SIMULATOR_EXPECT(connection->http2.inside == 0, "a session is at work in state %u", connection->stage->state);
    SIMULATOR_EXPECT(!kernel_may_sleep() || !list_is_linked(&connection->http2.in_turn),
                     "frames wait in state %u while the shard sleeps", connection->stage->state);
    expect_streams(connection);
    SIMULATOR_EXPECT(connection->stream->owner == connection, "a stream of another owner");
    if (connection->stage->state == CONNECTION_CLOSING) {
        SIMULATOR_EXPECT(connection->held.data == NULL && connection->kept.counted == 0 &&
                             !connection->queue.counts_for_source,
                         "a connection that ends holds %u bytes", connection->kept.counted);
        SIMULATOR_EXPECT(!timer_is_set(&connection->pace.timer), "a connection that ends has a deadline");
    } else {
        SIMULATOR_EXPECT(timer_is_set(&connection->pace.timer) == !(in_tunnel || is_tcp), "no deadline in state %u",
                         connection->stage->state);
        SIMULATOR_EXPECT(connection->client.host != NULL || connection->stage->state <= CONNECTION_QUEUED,
                         "no host in state %u", connection->stage->state);
        SIMULATOR_EXPECT(connection->client.verdict.identity != NULL || is_early(connection), "no identity in state %u",
                         connection->stage->state);
    }
    if (in_tunnel) {
        SIMULATOR_EXPECT(connection->http1.exchange->exchange.is_tunnel, "an exchange in state %u",
                         connection->stage->state);
        expect_tunnel(connection, &connection->http1.exchange->exchange.tunnel);
    }
    if (is_tcp) {
        expect_tunnel(connection, &connection->tcp->clock);
    }
}

void world_expect_sums(struct world *world) {
    struct shard *shard = world->shard;
    uint32_t count = 0, exchanges = 0, streams = 0, lingering = 0;
    size_t early = 0, late = 0;

    for (struct list *link = list_first(&shard->all); link != NULL; link = list_after(&shard->all, link)) {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_shard);
        SIMULATOR_EXPECT(link->next->previous == link, "the list is broken");
        expect_state(connection);
        world->states[connection->stage->state]++;
        count++;
        exchanges += connection->http1.exchange != NULL;
        streams += connection->http2.open;
        lingering += connection->lingers;
        if (is_early(connection)) {
            early += connection->kept.counted;
        } else {
            late += connection->kept.counted;
        }
    }
    SIMULATOR_EXPECT(!kernel_may_sleep() || (shard->output.owner == NULL && list_is_empty(&shard->ring.tasks)),
                     "the shard sleeps with work to do");
    SIMULATOR_EXPECT(count == shard->connections.in_use, "%u connections of %u are listed", count,
                     shard->connections.in_use);
    SIMULATOR_EXPECT(count == stats_read(&shard->stats->connections), "%u connections, counted as %llu", count,
                     (unsigned long long)stats_read(&shard->stats->connections));
    SIMULATOR_EXPECT(exchanges == shard->exchanges.in_use, "%u exchanges of %u belong to connections", exchanges,
                     shard->exchanges.in_use);
    SIMULATOR_EXPECT(streams == shard->streams.in_use, "%u streams of %u belong to connections", streams,
                     shard->streams.in_use);
    SIMULATOR_EXPECT(lingering == shard->lingering, "%u connections linger, counted as %u", lingering, shard->lingering);
    SIMULATOR_EXPECT(early == shard->early_bytes && late == shard->late_bytes,
                     "%zu and %zu bytes are held, counted as %zu and %zu", early, late, shard->early_bytes,
                     shard->late_bytes);
    SIMULATOR_EXPECT(count <= shard->connections_capacity + SHARD_SPARE, "%u connections", count);
}

uint64_t world_rejected(const struct world *world, enum stats_stage stage) {
    uint64_t sum = 0;

    for (unsigned why = 0; why < STATS_REJECTION_COUNT; why++) {
        sum += why == STATS_REJECT_BLOCKED ? 0 : stats_read(&world->stats.shards[0].rejected[stage][why]);
    }
    return sum;
}

uint64_t world_handshakes(const struct world *world, enum stats_result result) {
    uint64_t sum = 0;

    for (unsigned kind = 0; kind < STATS_KIND_COUNT; kind++) {
        sum += stats_handshakes(&world->stats.shards[0], result, (enum stats_kind)kind);
    }
    return sum;
}

void world_expect_all_counted(const struct world *world) {
    uint64_t accepted = stats_read(&world->stats.shards[0].connections_total);
    uint64_t ends = world_handshakes(world, STATS_OK);

    for (unsigned stage = STATS_AT_ACCEPT; stage <= STATS_AT_HANDSHAKE; stage++) {
        ends += world_rejected(world, (enum stats_stage)stage);
    }
    SIMULATOR_EXPECT(ends <= accepted, "%llu connections have %llu ends", (unsigned long long)accepted,
                     (unsigned long long)ends);
    /* Connections of plain HTTP end without a handshake. */
    SIMULATOR_EXPECT(ends == accepted || world->stopped || world->plan.listener == WORLD_REDIRECT,
                     "%llu connections have only %llu ends", (unsigned long long)accepted, (unsigned long long)ends);
    SIMULATOR_EXPECT(world->counts.handshakes <= accepted, "more handshakes than connections");
}

static uint64_t answers_counted(const struct world *world, enum stats_protocol protocol, unsigned slot) {
    struct stats_hosts *hosts = world->stats.hosts;
    uint64_t sum = 0;

    for (size_t host = 0; host < stats_hosts_count(hosts); host++) {
        sum += stats_read(&stats_hosts_at(hosts, host, 0)->requests[slot][protocol]);
    }
    return sum;
}

static uint64_t streams_counted(const struct world *world) {
    struct stats_hosts *hosts = world->stats.hosts;
    uint64_t sum = 0;

    for (size_t host = 0; host < stats_hosts_count(hosts); host++) {
        sum += stats_read(&stats_hosts_at(hosts, host, 0)->streams);
    }
    return sum;
}

void world_expect_answers_counted(const struct world *world) {
    for (size_t host = 0; host < stats_hosts_count(world->stats.hosts); host++) {
        SIMULATOR_EXPECT(stats_read(&stats_hosts_at(world->stats.hosts, host, 0)->tunnels) == 0, "a tunnel without end");
    }
    for (unsigned protocol = 0; protocol < STATS_PROTOCOL_COUNT && !world->forgot; protocol++) {
        uint64_t got[STATS_CODES] = {0};

        for (unsigned status = 101; status < 600; status++) {
            got[stats_code_slot(status)] += world->counts.answers[protocol][status];
        }
        for (unsigned slot = 0; slot < STATS_CODES; slot++) {
            uint64_t counted = answers_counted(world, (enum stats_protocol)protocol, slot);

            SIMULATOR_EXPECT(got[slot] <= counted, "clients got %llu answers of slot %u by protocol %u, %llu are counted",
                             (unsigned long long)got[slot], slot, protocol, (unsigned long long)counted);
        }
    }
}

void world_expect_streams_counted(const struct world *world) {
    const struct client_counts *counts = &world->counts;
    uint64_t ends = 0, answers = 0;

    for (unsigned end = 0; end < CLIENT_STREAM_ENDS; end++) {
        ends += counts->stream_ends[end];
    }
    SIMULATOR_EXPECT(ends == counts->streams, "%llu streams have %llu ends", (unsigned long long)counts->streams,
                     (unsigned long long)ends);
    if (world->forgot) {
        return;
    }
    for (unsigned slot = 0; slot < STATS_CODES; slot++) {
        answers += answers_counted(world, STATS_HTTP2, slot);
    }
    SIMULATOR_EXPECT(answers <= streams_counted(world) && streams_counted(world) <= counts->streams + counts->raw_frames,
                     "%llu streams begun, %llu counted, %llu answered", (unsigned long long)counts->streams,
                     (unsigned long long)streams_counted(world), (unsigned long long)answers);
    SIMULATOR_EXPECT(
        counts->stream_ends[CLIENT_STREAM_ANSWERED] + counts->stream_ends[CLIENT_STREAM_RESET_US] <= streams_counted(world),
        "%llu streams have ends by the shard, and %llu were counted",
        (unsigned long long)(counts->stream_ends[CLIENT_STREAM_ANSWERED] + counts->stream_ends[CLIENT_STREAM_RESET_US]),
        (unsigned long long)streams_counted(world));
}
