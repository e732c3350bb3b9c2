#include "base/hash.h"
#include "server/probe_answer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct probe_answer answer;

/* Reads the text in pieces of so many bytes. Returns the status, or 0 with `*reading` the last result. */
static unsigned read_pieces(const char *text, size_t piece, enum probe_reading *reading) {
    size_t size = strlen(text);

    probe_answer_begin(&answer);
    *reading = PROBE_MORE;
    for (size_t at = 0; at < size && *reading == PROBE_MORE; at += piece) {
        *reading = probe_answer_read(&answer, bytes_of(text + at, size - at < piece ? size - at : piece));
    }
    return *reading == PROBE_ANSWERED ? answer.message.status : 0;
}

/* Whatever the pieces: 0 is a head that never gets complete, 1 one that is no answer. */
static void expect(const char *text, unsigned status) {
    static const size_t pieces[] = {1, 2, 3, 7, 50, RING_RECEIVE_SIZE};
    enum probe_reading reading;

    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        unsigned found = read_pieces(text, pieces[i], &reading);

        cr_assert_eq(reading,
                     status == 0   ? PROBE_MORE
                     : status == 1 ? PROBE_MALFORMED
                                   : PROBE_ANSWERED,
                     "%s by %zu", text, pieces[i]);
        cr_assert(status < 2 || found == status, "%s by %zu", text, pieces[i]);
        cr_assert(status != 1 || answer.parser.error != NULL);
    }
}

Test(probe_answer, the_head_tells_the_status) {
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200);
    expect("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n", 503);
    expect("HTTP/1.0 404 Not Found\r\n\r\nbody until the end", 404);
    expect("HTTP/1.1 204 No Content\r\n\r\n", 204);
    expect("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", 200);
}

Test(probe_answer, heads_that_are_not_complete_tell_nothing) {
    expect("H", 0);
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", 0);
    expect("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0);
}

Test(probe_answer, informational_heads_come_before_the_final_one) {
    expect("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200);
    char many[64 * 40] = "";
    for (size_t i = 0; i < RELAY_INTERIM_MAX; i++) {
        strcat(many, "HTTP/1.1 102 Processing\r\n\r\n");
    }
    char *end = many + strlen(many);
    strcpy(end, "HTTP/1.1 200 OK\r\n\r\n");
    expect(many, 200);
    strcpy(end, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    expect(many, 1);
}

Test(probe_answer, garbage_is_no_answer) {
    expect("SSH-2.0-OpenSSH_9.2\r\n", 1);
    expect("<html><body>hello</body></html>", 1);
    expect("\x15\x03\x01\x02\x02\x50", 1);
    expect("HTTP/1.1 abc\r\n\r\n", 1);
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 1);
    expect("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 1);
    expect("HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", 1);
}

Test(probe_answer, what_is_not_http_is_told_from_what_is_wrong) {
    enum probe_reading reading;

    read_pieces("SSH-2.0-OpenSSH_9.2\r\n", 1000, &reading);
    cr_assert(reading == PROBE_MALFORMED && !probe_answer_is_http(&answer));
    read_pieces("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 1000, &reading);
    cr_assert(reading == PROBE_MALFORMED && probe_answer_is_http(&answer));
}

/* As relay/response does. */
Test(probe_answer, heads_as_old_origins_write_them_are_read) {
    expect("HTTP/1.1 200 OK\nContent-Length: 0\n\n", 200);
    expect("HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n\r\nbody", 200);
    expect("HTTP/1.1 503 Down\nRetry-After : 5\n\nbody", 503);
    expect("HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n", 200);
    expect("HTTP/1.1 200 OK\nContent-Length: 0\n", 0);
}

static char *head_of(size_t size, const char *line_end) {
    char *text = malloc(size + 1);
    size_t at = (size_t)sprintf(text, "HTTP/1.1 200 OK%sX: ", line_end);
    size_t tail = 2 * strlen(line_end);

    memset(text + at, 'a', size - at - tail);
    sprintf(text + size - tail, "%s%s", line_end, line_end);
    return text;
}

Test(probe_answer, a_head_has_64_kib_at_most) {
    static const char *const ends[] = {"\r\n", "\n"};

    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        enum probe_reading reading;
        char *fits = head_of(RELAY_RESPONSE_HEAD_MAX, ends[i]);
        char *beyond = head_of(RELAY_RESPONSE_HEAD_MAX + 1, ends[i]);
        static const size_t pieces[] = {1000, RING_RECEIVE_SIZE};

        for (size_t j = 0; j < ARRAY_LENGTH(pieces); j++) {
            read_pieces(fits, pieces[j], &reading);
            cr_expect(i == 1 || reading == PROBE_ANSWERED, "%zu %zu", i, j);
            read_pieces(beyond, pieces[j], &reading);
            cr_expect_eq(reading, PROBE_MALFORMED, "%zu %zu", i, j);
        }
        free(fits);
        free(beyond);
    }
}
