#include "edge/journal.h"

#include "base/clock.h"

#include <string.h>

/* Appends to a text of `size` bytes as much as fits. Returns the new size. */
static uint16_t keep(char *text, size_t size, size_t most, struct bytes from) {
    size_t part = from.size < most - size ? from.size : most - size;

    memcpy(text + size, from.data, part);
    return (uint16_t)(size + part);
}

static struct bytes without_query(struct bytes target) {
    const uint8_t *query = memchr(target.data, '?', target.size);

    return query == NULL ? target : bytes_of(target.data, (size_t)(query - target.data));
}

void journal_note_clear(struct journal_note *note) {
    note->method_size = 0;
    note->path_size = 0;
    note->request_id_size = 0;
}

void journal_note_request(struct journal_note *note, const struct http_message *request, struct bytes head) {
    struct bytes front = bytes_of_string(http_path_front(request, head.data));
    struct bytes path = without_query(http_view(head.data, request->path));

    note->method_size = keep(note->method, 0, sizeof note->method, http_view(head.data, request->method));
    note->path_size = keep(note->path, 0, sizeof note->path, front);
    note->path_size = keep(note->path, note->path_size, sizeof note->path, path);
}

static void put(struct journal *journal, const struct text *line) {
    access_log_write(journal->log, journal->shard, text_bytes(line));
}

void journal_request(struct journal *journal, const struct access_request *request) {
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    access_line_request(&line, request);
    put(journal, &line);
}

void journal_connection(struct journal *journal, const struct access_connection *connection) {
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    access_line_connection(&line, connection);
    put(journal, &line);
}

void journal_turn(struct journal *journal, uint64_t now_ns) {
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    if (!journal_is_on(journal) || journal->second == now_ns / 1000000000) {
        return;
    }
    if (journal->left_out > 0) {
        access_line_left_out(&line, clock_wall_ms(), journal->left_out);
        put(journal, &line);
    }
    journal->second = now_ns / 1000000000;
    journal->failures = 0;
    journal->left_out = 0;
}

bool journal_takes_failure(struct journal *journal, uint64_t now_ns) {
    if (!journal_is_on(journal)) {
        return false;
    }
    journal_turn(journal, now_ns);
    if (journal->failures >= JOURNAL_FAILURES_MAX) {
        journal->left_out++;
        return false;
    }
    journal->failures++;
    return true;
}

void journal_failure(struct journal *journal, const struct access_failure *failure) {
    char memory[ACCESS_LINE_SIZE];
    struct text line = text_over(memory, sizeof memory);

    access_line_failure(&line, failure);
    put(journal, &line);
}
