#include "load/upload.h"

enum { PIECE_SIZE = 16 * 1024, RECORD_OVERHEAD_MAX = 64 };

static const uint8_t piece[PIECE_SIZE];

void upload_push(struct load_connection *connection) {
    while (connection->state == CONNECTION_ASKING && connection->upload_left > 0 &&
           stream_room(connection->stream) >= PIECE_SIZE + RECORD_OVERHEAD_MAX) {
        size_t size = connection->upload_left < PIECE_SIZE ? connection->upload_left : PIECE_SIZE;

        connection->upload_left -= (uint32_t)size;
        load_connection_say(connection, bytes_of(piece, size));
    }
}
