#include "load/flood_http2.h"

#include "load/load_connection.h"

#include <stdlib.h>

static const uint8_t last_ping[8] = {'t', 'h', 'e', ' ', 'l', 'a', 's', 't'};

static void rest(struct load_connection *connection) {
    load_connection_pause(connection, connection->shared->options->interval_ms);
}

void flood_http2_begin(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    const struct load_options *options = shared->options;

    *connection->attacker =
        (struct attacker){.attack = options->behaviour->attack, .authority = options->name, .path = options->path};
    load_connection_talk(connection);
    attack_begin(connection->attacker, &shared->frames);
    load_connection_say_frames(connection);
    if (connection->attacker->attack->repeat == NULL && connection->state != CONNECTION_CLOSING) {
        rest(connection);
    }
}

void flood_http2_go_on(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    struct attacker *attacker = connection->attacker;
    const struct attack *attack = attacker->attack;
    uint64_t repeats = shared->options->repeats;
    size_t room = ATTACK_REPEAT_MAX + strlen(attacker->authority) + strlen(attacker->path);

    if (attack->repeat == NULL || attacker->repeats == repeats) {
        return;
    }
    while (attacker->repeats < repeats && frames_room(&shared->frames) >= room) {
        attack_repeat(attacker, &shared->frames);
        load_count(shared, TALLY_REPEATS);
    }
    if (attacker->repeats == repeats && !attack->open_head) {
        frames_ping(&shared->frames, 0, last_ping);
    }
    load_connection_expect(connection);
    load_connection_say_frames(connection);
}

void flood_http2_hold(struct load_connection *connection) {
    attack_hold(connection->attacker, &connection->shared->frames);
    rest(connection);
    load_connection_say_frames(connection);
}

static void hear_frame(struct load_connection *connection) {
    const struct frame_reader *reader = &connection->http2.reader;
    struct load_shared *shared = connection->shared;
    bool ack = (reader->flags & FRAME_ACK) != 0;

    switch (reader->type) {
    case FRAME_GOAWAY:
        load_connection_conclude(connection, outcome_of_goaway(frame_reader_u32(reader, 4)));
        break;
    case FRAME_RST_STREAM:
        load_count(shared, TALLY_STREAMS_RESET);
        attack_note_end(connection->attacker, reader->stream, true);
        break;
    case FRAME_HEADERS:
    case FRAME_DATA:
        if ((reader->flags & FRAME_END_STREAM) != 0) {
            load_count(shared, TALLY_STREAMS_ANSWERED);
            attack_note_end(connection->attacker, reader->stream, false);
        }
        break;
    case FRAME_SETTINGS:
        /* Frames of another kind may not come before a head has ended. */
        if (!ack && !connection->attacker->attack->open_head) {
            frames_empty(&shared->frames, FRAME_SETTINGS, FRAME_ACK, 0);
            load_connection_say_frames(connection);
        }
        break;
    case FRAME_PING:
        if (ack && memcmp(reader->first, last_ping, sizeof last_ping) == 0) {
            load_connection_conclude(connection, OUTCOME_LEFT);
        }
        break;
    default:
        break;
    }
}

void flood_http2_hear(struct load_connection *connection, struct bytes data) {
    struct bytes piece;

    while (connection->state != CONNECTION_CLOSING) {
        enum frame_part part = frame_reader_next(&connection->http2.reader, &data, &piece);

        if (part == FRAME_MORE) {
            return;
        }
        if (part == FRAME_WHOLE) {
            hear_frame(connection);
        }
    }
}
