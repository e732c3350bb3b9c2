#include "load/load_connection.h"

#include <stdio.h>

static void complete_answer(struct load_connection *connection, unsigned status) {
    struct load_shared *shared = connection->shared;

    connection->state = CONNECTION_READY;
    if (shared->options->behaviour->hostile) {
        if (shared->options->behaviour->answered == NULL) {
            load_connection_conclude(connection, outcome_of_status(status));
        } else {
            shared->options->behaviour->answered(connection);
        }
        return;
    }
    if (status != shared->options->expected_status) {
        char text[32];

        snprintf(text, sizeof text, "status %u", status);
        load_connection_fail(connection, TALLY_STATUS_FAILED, outcome_of_status(status), text);
        return;
    }
    load_count(shared, TALLY_ANSWERS);
    load_record(shared, LATENCY_REQUEST, connection->asked_ns);
    shared->options->behaviour->answered(connection);
}

/* The outcome for a hostile one when http2_take has found the connection broken. */
static unsigned http2_outcome(const struct http2 *http2) {
    bool goaway = http2->reader.type == FRAME_GOAWAY;

    return goaway ? outcome_of_goaway(frame_reader_u32(&http2->reader, 4)) : OUTCOME_GIBBERISH;
}

void load_connection_take_answer(struct load_connection *connection, struct bytes data) {
    struct load_shared *shared = connection->shared;
    bool http2 = shared->options->http2;
    const char *error = "bytes that nobody asked for";
    enum answer_result result = ANSWER_BROKEN;

    if (http2) {
        result = http2_take(&connection->http2, data, &shared->frames, &error);
        load_connection_say_frames(connection);
        if (connection->state == CONNECTION_CLOSING) {
            return;
        }
    } else if (connection->state == CONNECTION_ASKING) {
        result = answer_take(&connection->answer, &shared->room, data, &error);
    }
    if (result == ANSWER_COMPLETE && connection->upload_left > 0) {
        load_connection_fail(connection, TALLY_HTTP_FAILED, OUTCOME_GIBBERISH, "an answer before the whole upload");
    } else if (result == ANSWER_BROKEN || (result == ANSWER_COMPLETE && connection->state != CONNECTION_ASKING)) {
        load_connection_fail(connection, TALLY_HTTP_FAILED, http2 ? http2_outcome(&connection->http2) : OUTCOME_GIBBERISH,
                             error);
    } else if (result == ANSWER_COMPLETE) {
        complete_answer(connection, http2 ? connection->http2.status : connection->answer.status);
    }
}
