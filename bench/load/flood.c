#include "load/flood.h"

#include "load/load_connection.h"

enum {
    NOISE_MIN = 16,
    NOISE_MAX = 512,
    FRAGMENT_MAX = 32, /* bytes of the hello in a record */
};

void flood_say_noise(struct load_connection *connection) {
    struct noise *noise = &connection->shared->noise;
    size_t size = NOISE_MIN + noise_next(noise) % (NOISE_MAX - NOISE_MIN + 1);

    uint8_t data[NOISE_MAX];
    noise_fill(noise, data, size);
    load_connection_say(connection, bytes_of(data, size));
}

void flood_say_http(struct load_connection *connection) {
    load_connection_say(connection, connection->shared->request);
}

/* For who says a hello in pieces: what differs from one to the next means nothing to the server before it has all. */
static const struct client_hello *fresh_hello(struct load_shared *shared) {
    client_hello_refresh(&shared->hello, &shared->noise, shared->options->behaviour->tickets == TICKETS_JUNK);
    return &shared->hello;
}

void flood_say_hello(struct load_connection *connection) {
    load_connection_say(connection, client_hello_bytes(fresh_hello(connection->shared)));
}

void flood_say_nothing(struct load_connection *connection) {
    load_connection_pause(connection, 2000ULL * LOAD_OPTIONS_DURATION_MAX_S);
}

void flood_tire(struct load_connection *connection) {
    load_connection_conclude(connection, OUTCOME_TIMEOUT);
}

void flood_say_byte(struct load_connection *connection) {
    const struct client_hello *hello = fresh_hello(connection->shared);

    load_connection_say(connection, bytes_of(hello->data + connection->said, 1));
    connection->said++;
    if (connection->said < hello->size) {
        load_connection_pause(connection, connection->shared->options->interval_ms);
    } else {
        load_connection_expect(connection);
    }
}

void flood_say_fragment(struct load_connection *connection) {
    const struct client_hello *hello = fresh_hello(connection->shared);
    struct bytes message = bytes_of(hello->data + CLIENT_HELLO_RECORD_HEADER, hello->size - CLIENT_HELLO_RECORD_HEADER);
    uint8_t record[CLIENT_HELLO_RECORD_HEADER + FRAGMENT_MAX] = {0x16, 0x03, 0x01};
    size_t left = message.size - connection->said;
    size_t size = 1 + noise_next(&connection->shared->noise) % FRAGMENT_MAX;

    if (left == 0) {
        return;
    }
    size = size < left ? size : left;
    if (size == left && connection->incomplete) {
        return;
    }
    record[4] = (uint8_t)size;
    memcpy(record + CLIENT_HELLO_RECORD_HEADER, message.data + connection->said, size);
    connection->said += (uint32_t)size;
    load_connection_say(connection, bytes_of(record, CLIENT_HELLO_RECORD_HEADER + size));
}

void flood_intrude(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;

    client_hello_refresh(&shared->hello, &shared->noise, false);
    intruder_begin(connection->intruder, &shared->intruders);
    intruder_greet(connection->intruder, &shared->hello);
    load_connection_say(connection, client_hello_bytes(&shared->hello));
}

void flood_go_on_intruding(struct load_connection *connection, struct bytes data) {
    struct load_shared *shared = connection->shared;
    struct forge *forge;
    size_t size;

    switch (intruder_take(connection->intruder, &data, ring_now_ms(&shared->ring))) {
    case INTRUDER_WANT_INPUT:
        break;
    case INTRUDER_YOUR_TURN:
        forge = forges_next(&shared->forges, &shared->noise);
        size = intruder_present(connection->intruder, forge_message(forge), forge->signer, shared->request, shared->flight);
        load_connection_say(connection, bytes_of(shared->flight, size));
        load_connection_expect(connection);
        break;
    case INTRUDER_HEARD:
        load_connection_conclude(connection, outcome_of_bytes(connection->intruder->heard));
        break;
    case INTRUDER_CONCLUDED:
        load_connection_conclude(connection, connection->intruder->outcome);
        break;
    }
}

void flood_rest(struct load_connection *connection) {
    load_connection_pause(connection, connection->shared->options->interval_ms);
}

void flood_leave(struct load_connection *connection) {
    load_connection_conclude(connection, OUTCOME_LEFT);
}
