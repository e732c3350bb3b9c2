#include "load/flood.h"

#include "load/connection.h"

enum {
    NOISE_MIN = 16,
    NOISE_MAX = 512,
    FRAGMENT_MAX = 32, /* bytes of the hello in a record */
};

void flood_say_noise(struct connection *connection) {
    struct noise *noise = &connection->run->noise;
    uint8_t data[NOISE_MAX];
    size_t size = NOISE_MIN + noise_next(noise) % (NOISE_MAX - NOISE_MIN + 1);

    noise_fill(noise, data, size);
    connection_say(connection, bytes_of(data, size));
}

void flood_say_http(struct connection *connection) {
    connection_say(connection, connection->run->request);
}

/* For who says a hello in pieces: what differs from one to the next means nothing to the server before it has all. */
static const struct hello *fresh_hello(struct run *run) {
    hello_refresh(&run->hello, &run->noise, run->options->behaviour->tickets == TICKETS_JUNK);
    return &run->hello;
}

void flood_say_hello(struct connection *connection) {
    connection_say(connection, hello_bytes(fresh_hello(connection->run)));
}

void flood_say_nothing(struct connection *connection) {
    connection_pause(connection, 2000ULL * OPTIONS_DURATION_MAX_S);
}

void flood_tire(struct connection *connection) {
    connection_conclude(connection, OUTCOME_TIMEOUT);
}

void flood_say_byte(struct connection *connection) {
    const struct hello *hello = fresh_hello(connection->run);

    connection_say(connection, bytes_of(hello->data + connection->said, 1));
    connection->said++;
    if (connection->said < hello->size) {
        connection_pause(connection, connection->run->options->interval_ms);
    } else {
        connection_expect(connection);
    }
}

void flood_say_fragment(struct connection *connection) {
    const struct hello *hello = fresh_hello(connection->run);
    struct bytes message = bytes_of(hello->data + HELLO_RECORD_HEADER, hello->size - HELLO_RECORD_HEADER);
    uint8_t record[HELLO_RECORD_HEADER + FRAGMENT_MAX] = {0x16, 0x03, 0x01};
    size_t left = message.size - connection->said;
    size_t size = 1 + noise_next(&connection->run->noise) % FRAGMENT_MAX;

    if (left == 0) {
        return;
    }
    size = size < left ? size : left;
    if (size == left && connection->incomplete) {
        return;
    }
    record[4] = (uint8_t)size;
    memcpy(record + HELLO_RECORD_HEADER, message.data + connection->said, size);
    connection->said += (uint32_t)size;
    connection_say(connection, bytes_of(record, HELLO_RECORD_HEADER + size));
}

void flood_intrude(struct connection *connection) {
    struct run *run = connection->run;

    hello_refresh(&run->hello, &run->noise, false);
    intruder_begin(connection->intruder, &run->school);
    intruder_greet(connection->intruder, &run->hello);
    connection_say(connection, hello_bytes(&run->hello));
}

void flood_go_on_intruding(struct connection *connection, struct bytes data) {
    struct run *run = connection->run;
    struct forge *forge;
    size_t size;

    switch (intruder_take(connection->intruder, data)) {
    case INTRUDER_WANT_INPUT:
        break;
    case INTRUDER_YOUR_TURN:
        forge = forges_next(&run->forges, &run->noise);
        size = intruder_present(connection->intruder, forge_message(forge), forge->signer, run->request, run->flight);
        connection_say(connection, bytes_of(run->flight, size));
        connection_expect(connection);
        break;
    case INTRUDER_CONCLUDED:
        connection_conclude(connection, connection->intruder->outcome);
        break;
    }
}

void flood_rest(struct connection *connection) {
    connection_pause(connection, connection->run->options->interval_ms);
}

void flood_leave(struct connection *connection) {
    connection_conclude(connection, OUTCOME_LEFT);
}
