#include "edge/journal.h"

#include "base/clock.h"
#include "edge/exchange.h"
#include "edge/shard.h"

#include <arpa/inet.h>
#include <string.h>

static uint16_t keep(char *to, size_t most, struct bytes from) {
    size_t size = from.size < most ? from.size : most;

    memcpy(to, from.data, size);
    return (uint16_t)size;
}

static struct bytes without_query(struct bytes target) {
    const uint8_t *query = memchr(target.data, '?', target.size);

    return query == NULL ? target : bytes_of(target.data, (size_t)(query - target.data));
}

void journal_note_request(struct exchange *exchange, struct bytes head) {
    struct journal_note *note = &exchange->note;
    const struct http_message *request = &exchange->request;

    if (exchange->connection->client.shard->journal.log != NULL && !exchange->refused) {
        note->method_size = keep(note->method, sizeof note->method, http_view(head.data, request->method));
        note->path_size = keep(note->path, sizeof note->path, without_query(http_view(head.data, request->path)));
    }
}

static void put(struct journal *journal, unsigned shard, const struct text *line) {
    access_log_write(journal->log, shard, text_bytes(line));
}

/* `address` has room for the client's. */
static struct access_client client_of(const struct connection *connection, char address[static CLIENT_ADDRESS_SIZE]) {
    bool ipv6 = connection->client.peer.any.sa_family == AF_INET6;
    const void *binary = ipv6 ? (const void *)&connection->client.peer.in6.sin6_addr : &connection->client.peer.in.sin_addr;

    inet_ntop(connection->client.peer.any.sa_family, binary, address, CLIENT_ADDRESS_SIZE);
    return (struct access_client){
        .time_ms = clock_wall_ms(),
        .address = bytes_of_string(address),
        .port = ntohs(ipv6 ? connection->client.peer.in6.sin6_port : connection->client.peer.in.sin_port),
        .host = connection->client.host == NULL ? bytes_of(NULL, 0) : bytes_of_string(connection->client.host->name),
    };
}

void journal_request(const struct exchange *exchange) {
    const struct connection *connection = exchange->connection;
    const struct identity *identity = connection->client.verdict.identity;
    const struct journal_note *note = &exchange->note;
    struct shard *shard = connection->client.shard;
    char address[CLIENT_ADDRESS_SIZE];
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    if (shard->journal.log == NULL) {
        return;
    }
    access_line_request(
        &line, &(struct access_request){
                   .client = client_of(connection, address),
                   .method = bytes_of(note->method, note->method_size),
                   .path = bytes_of(note->path, note->path_size),
                   .request_id = bytes_of(note->request_id, note->request_id_size),
                   .code = exchange->code,
                   .origin_error = relay_fault_name(exchange->origin_fault),
                   .body_in = exchange->body_in,
                   .body_out = exchange->body_out,
                   .handshake_ns = connection->client.handshake_ns,
                   .origin_ns = exchange->origin_ns,
                   .total_ns = clock_monotonic_ns() - exchange->started_ns,
                   .tls_version = tls_session_version(connection->client.tls),
                   .tls_cipher = tls_session_cipher(connection->client.tls),
                   .resumed = connection->client.verdict.by_ticket,
                   .status = status_name(identity->status),
                   .reason = reason_name(identity->reason),
                   .ski = identity->ski,
                   .serial = identity->serial,
                   .issuer = identity->issuer,
                   .fingerprint =
                       bytes_of(identity->fingerprint, identity->status == STATUS_NONE ? 0 : sizeof identity->fingerprint),
               });
    put(&shard->journal, shard->index, &line);
}

void journal_turn(struct journal *journal, unsigned shard, uint64_t now_ns) {
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    if (journal->log == NULL || journal->second == now_ns / 1000000000) {
        return;
    }
    if (journal->left_out > 0) {
        access_line_left_out(&line, clock_wall_ms(), journal->left_out);
        put(journal, shard, &line);
    }
    journal->second = now_ns / 1000000000;
    journal->failures = 0;
    journal->left_out = 0;
}

void journal_failure(struct connection *connection, enum stats_stage stage, enum stats_rejection why) {
    struct shard *shard = connection->client.shard;
    struct journal *journal = &shard->journal;
    char address[CLIENT_ADDRESS_SIZE];
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    if (journal->log == NULL) {
        return;
    }
    journal_turn(journal, shard->index, shard->ring.now_ns);
    if (journal->failures >= JOURNAL_FAILURES_MAX) {
        journal->left_out++;
        return;
    }
    journal->failures++;
    access_line_failure(&line, &(struct access_failure){
                                   .client = client_of(connection, address),
                                   .stage = stats_stage_name(stage),
                                   .reason = stats_rejection_name(why),
                                   .total_ns = shard->ring.now_ns - connection->accepted_ns,
                               });
    put(journal, shard->index, &line);
}
