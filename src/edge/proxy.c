#include "edge/proxy.h"

#include "base/log.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/held.h"
#include "edge/hello.h"
#include "edge/place.h"
#include "edge/redirect.h"
#include "guard/proxy_header.h"

#include <string.h>

_Static_assert((int)PROXY_HEADER_SIZE_MAX + (int)RING_RECEIVE_SIZE <= (int)SHARD_HELD_MAX, "a header can be held");

bool proxy_is_welcome(struct shard *shard, const struct config_listener *listener, const struct sockaddr *peer) {
    if (prefix_any_covers(listener->proxies, listener->proxy_count, peer)) {
        return true;
    }
    char address[CLIENT_ADDRESS_SIZE];
    client_write_any_address(peer, address);
    log_limited(LOG_LEVEL_WARNING, "%s: refused %s, which is not in proxy_protocol", listener->address.text, address);
    stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_PROXY_PEER], 1);
    return false;
}

/* Returns whether the client is the balancer itself, which checks our health perhaps. */
static bool is_balancer(const struct client *client, const struct proxy_header *header) {
    if (header->client.any.sa_family != client->peer.any.sa_family) {
        return false;
    }
    return header->client.any.sa_family == AF_INET
               ? header->client.in.sin_addr.s_addr == client->peer.in.sin_addr.s_addr
               : IN6_ARE_ADDR_EQUAL(&header->client.in6.sin6_addr, &client->peer.in6.sin6_addr);
}

/* Takes the client's address and finds its source and class. False: the gate has turned it away, and has counted that. */
static bool identify(struct client *client, const struct proxy_header *header) {
    switch (header->sender) {
    case PROXY_HEADER_LOCAL:
        client->is_balancer = true;
        client->standing.class = ADMISSION_KNOWN;
        return true;
    case PROXY_HEADER_NAMELESS:
        return true; /* all such clients of a balancer are not one source */
    case PROXY_HEADER_CLIENT:
        break;
    }
    bool is_own = is_balancer(client, header);
    if (header->client.any.sa_family == AF_INET) {
        client->peer.in = header->client.in;
    } else {
        client->peer.in6 = header->client.in6;
    }
    if (is_own) {
        client->is_balancer = true;
        client->standing.class = ADMISSION_KNOWN;
        return true;
    }
    return gate_arrive(client->shard, &client->peer.any, false, &client->standing.source, &client->standing.class);
}

/* Lets the client in as one that is accepted now: its place is another than that of a balancer's silent connection. */
static bool let_in(struct connection *connection, const struct proxy_header *header) {
    struct client *client = &connection->client;

    if (!identify(client, header)) {
        connection_end(connection, CONNECTION_BY_RESET);
        return false;
    }
    place_leave(connection);
    if (!eviction_make_place(client->shard, (enum admission_class)client->standing.class)) {
        connection_refuse(connection, STATS_AT_ACCEPT, STATS_REJECT_LIMIT, CONNECTION_BLAME_NONE, CONNECTION_BY_RESET);
        return false;
    }
    return true;
}

static bool is_plain(const struct client *client) {
    return client->site->config->listen[client->listener].redirect_port > 0;
}

/* The header is complete, and `rest`, which the connection holds perhaps, is what the client has sent. */
static void go_on(struct connection *connection, const struct proxy_header *header, struct bytes rest) {
    struct connection_held held = held_take(connection);

    if (let_in(connection, header)) {
        connection_enter(connection, is_plain(&connection->client) ? &redirect_stage : &hello_stage);
        place_update(connection);
        if (rest.size > 0) {
            place_has_spoken(connection);
            connection->stage->received(connection, rest);
        }
    }
    held_give_back(connection, &held);
}

static void refuse_header(struct connection *connection, const char *fault) {
    char address[CLIENT_ADDRESS_SIZE];

    client_write_address(&connection->client, address);
    log_limited(LOG_LEVEL_WARNING, "the PROXY header of %s is malformed: %s", address, fault);
    connection_refuse(connection, STATS_AT_ACCEPT, STATS_REJECT_PROXY_HEADER, CONNECTION_BLAME_NONE, CONNECTION_BY_RESET);
}

static void received_header(struct connection *connection, struct bytes data) {
    struct bytes received = data;

    if (connection->held.data != NULL) {
        held_add(connection, data);
        received = bytes_of(connection->held.data, connection->held.size);
    }
    struct proxy_header header;
    switch (proxy_header_parse(received, &header)) {
    case PROXY_HEADER_OK:
        go_on(connection, &header, bytes_of(received.data + header.size, received.size - header.size));
        break;
    case PROXY_HEADER_INCOMPLETE:
        if (connection->held.data == NULL) {
            held_add(connection, data);
        }
        break;
    case PROXY_HEADER_MALFORMED:
        refuse_header(connection, header.fault);
        break;
    }
}

static uint32_t deadline_ms(const struct connection *connection) {
    return connection_limits(connection)->handshake_timeout_ms;
}

/* The deadline is that of the whole handshake: see hello.c. */
const struct stage proxy_stage = {
    .name = "proxy",
    .state = CONNECTION_PROXY,
    .next = STAGE_BIT(CONNECTION_HELLO) | STAGE_BIT(CONNECTION_REDIRECT) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_ACCEPT,
    .is_early = true,
    .may_switch_site = true,
    .pauses = true,
    .deadline_ms = deadline_ms,
    .received = received_header,
    .finished = connection_finish_early,
    .failed = connection_lose_early,
    .timed_out = connection_time_out_early,
};
