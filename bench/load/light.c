#include "load/light.h"

#include "load/load_connection.h"

void light_greet(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    struct intruder *intruder = connection->intruder;
    struct client_hello *hello = &shared->hello;

    connection->resuming = intruder->ticket->size > 0;
    if (connection->resuming) {
        hello = &shared->resuming_hello;
        if (hello->ticket_size != intruder->ticket->size) {
            client_hello_build(hello, shared->options->name, intruder->ticket->size);
        }
    }
    client_hello_refresh(hello, &shared->noise, false);
    intruder_begin(intruder, &shared->intruders);
    if (connection->resuming) {
        intruder_greet_again(intruder, hello, ring_now_ms(&shared->ring));
    } else {
        intruder_greet(intruder, hello);
    }
    load_connection_say(connection, client_hello_bytes(hello));
    load_flush(shared);
}

static void present(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    struct forge *forge = forges_next(&shared->forges, &shared->noise);
    size_t size =
        intruder_present(connection->intruder, forge_message(forge), forge->signer, shared->request, shared->flight);

    if (!load_connection_establish(connection)) {
        return;
    }
    load_connection_await_answer(connection);
    load_connection_say(connection, bytes_of(shared->flight, size));
    load_flush(shared);
}

static void fail(struct load_connection *connection) {
    unsigned outcome = connection->intruder->outcome;
    char name[OUTCOME_NAME_SIZE];

    outcome_name(outcome, name);
    load_connection_fail(connection, outcome == OUTCOME_FIN ? TALLY_CLOSED : TALLY_TLS_FAILED, outcome, name);
}

void light_listen(struct load_connection *connection, struct bytes data) {
    struct intruder *intruder = connection->intruder;

    while (connection->state != CONNECTION_CLOSING) {
        switch (intruder_take(intruder, &data, ring_now_ms(&connection->shared->ring))) {
        case INTRUDER_WANT_INPUT:
            return;
        case INTRUDER_YOUR_TURN:
            present(connection);
            break;
        case INTRUDER_HEARD:
            load_connection_take_answer(connection, intruder->heard);
            break;
        case INTRUDER_CONCLUDED:
            fail(connection);
            break;
        }
    }
}
