/* Plaintext on its way into records: what is gathered, and what leaves as it lies. */
#include "edge/output.h"
#include "scene.h"

#include <string.h>

/* Linked with --wrap. */
enum tls_result __wrap_tls_session_write(struct tls_session *session, struct bytes plaintext);
void __wrap_connection_end(struct connection *connection, enum connection_end how);
void __wrap_place_update(struct connection *connection);

enum { WRITES_MAX = 16 };

static struct bytes writes[WRITES_MAX];
static unsigned count, fails_at; /* fails_at: this write, from 1; 0: none */
static uint8_t written[1024 * 1024];
static size_t written_size;
static uint8_t piece[5 * SHARD_OUT_SIZE];

enum tls_result __wrap_tls_session_write(struct tls_session *session, struct bytes plaintext) {
    cr_assert_lt(count, (unsigned)WRITES_MAX);
    writes[count++] = plaintext;
    if (count == fails_at) {
        return TLS_FAILED;
    }
    memcpy(written + written_size, plaintext.data, plaintext.size);
    written_size += plaintext.size;
    return TLS_DONE;
}

void __wrap_connection_end(struct connection *connection, enum connection_end how) {
    cr_assert_eq(how, CONNECTION_ABRUPTLY);
    connection->stage = &connection_closing;
}

void __wrap_place_update(struct connection *connection) {}

static struct connection *connection;

static void open_all(void) {
    scene_open();
    for (size_t i = 0; i < sizeof piece; i++) {
        piece[i] = (uint8_t)(i * 31 + i / 251);
    }
    connection = scene_connect("192.0.2.1");
}

TestSuite(output, .init = open_all, .fini = scene_close);

Test(output, a_piece_of_whole_records_leaves_at_once_from_where_it_lies) {
    cr_assert(output_send(connection, bytes_of(piece, 4 * SHARD_OUT_SIZE)));
    cr_assert_eq(count, 1);
    cr_assert_eq(writes[0].data, piece);
    cr_assert_eq(writes[0].size, 4 * SHARD_OUT_SIZE);
    output_flush(&scene.shard);
    cr_assert_eq(count, 1, "nothing is left");
}

Test(output, what_is_less_than_a_record_is_gathered) {
    cr_assert(output_send(connection, bytes_of(piece, 100)));
    cr_assert(output_send(connection, bytes_of(piece + 100, 200)));
    cr_assert_eq(count, 0);
    output_flush(&scene.shard);
    cr_assert_eq(count, 1);
    cr_assert_eq(writes[0].size, 300);
}

Test(output, a_piece_fills_the_record_that_was_begun_and_leaves_its_rest) {
    const size_t sizes[] = {SHARD_OUT_SIZE, 3 * SHARD_OUT_SIZE, 100};

    cr_assert(output_send(connection, bytes_of(piece, 100)));
    cr_assert(output_send(connection, bytes_of(piece + 100, 4 * SHARD_OUT_SIZE)));
    output_flush(&scene.shard);
    cr_assert_eq(count, 3);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(writes[i].size, sizes[i], "%u", i);
    }
    cr_assert_eq(writes[1].data, piece + SHARD_OUT_SIZE);
    cr_assert_eq(written_size, 4 * SHARD_OUT_SIZE + 100);
    cr_assert_arr_eq(written, piece, written_size);
}

Test(output, another_connection_s_bytes_leave_first) {
    struct connection *other = scene_connect("192.0.2.2");

    cr_assert(output_send(other, bytes_of(piece, 7)));
    cr_assert(output_send(connection, bytes_of(piece, SHARD_OUT_SIZE)));
    cr_assert_eq(count, 2);
    cr_assert_eq(writes[0].size, 7);
    cr_assert_eq(writes[1].size, SHARD_OUT_SIZE);
}

Test(output, nothing_leaves_behind_a_failure) {
    fails_at = 2;
    cr_assert(output_send(connection, bytes_of(piece, 100)));
    cr_assert_not(output_send(connection, bytes_of(piece + 100, 4 * SHARD_OUT_SIZE)));
    cr_assert_eq(count, 2);
    cr_assert(connection_is_closing(connection));
    cr_assert_not(output_send(connection, bytes_of(piece, 1)));
    output_flush(&scene.shard);
    cr_assert_eq(count, 2);
}
