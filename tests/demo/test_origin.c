#include "base/clock.h"
#include "demo/origin.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct demo_origin *origin;

static void set_up(void) {
    struct error error;
    origin = demo_origin_start(&error);
    cr_assert_not_null(origin, "%s", error.text);
}

static void tear_down(void) {
    demo_origin_stop(origin);
}

TestSuite(demo_origin, .init = set_up, .fini = tear_down, .timeout = 30);

static int dial(void) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(demo_origin_port(origin)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static void say(int client, const char *text) {
    size_t size = strlen(text);
    cr_assert_eq(send(client, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Reads until `end` has come, or the connection has ended where `end` is NULL. A static text. */
static const char *hear(int client, const char *end) {
    static char heard[1024 * 1024];
    size_t size = 0;
    heard[0] = '\0';
    while (end == NULL || strstr(heard, end) == NULL) {
        ssize_t got = recv(client, heard + size, sizeof heard - 1 - size, 0);
        if (got == 0 && end == NULL) {
            break;
        }
        cr_assert_gt(got, 0, "after: %s", heard);
        size += (size_t)got;
        heard[size] = '\0';
    }
    return heard;
}

Test(demo_origin, the_request_comes_back_as_text) {
    int client = dial();
    say(client, "GET /a?b HTTP/1.1\r\nHost: x\r\nX-Client-Cert-Status: valid\r\nX-client_odd: 1\r\n\r\n");
    const char *answer = hear(client, "of body)\n");
    cr_assert_eq(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0, "%s", answer);
    cr_assert_not_null(strstr(answer, "\r\n\r\nThe origin received this request:\n\nGET /a?b HTTP/1.1\nHost: x\n"
                                      "X-Client-Cert-Status: valid\nX-client_odd: 1\n\n(0 bytes of body)\n"),
                       "%s", answer);
    close(client);
}

Test(demo_origin, or_as_json) {
    int client = dial();
    say(client, "GET /json HTTP/1.1\r\nHost: x\r\nA: \"quoted\"\r\nA: 2\r\n\r\n");
    const char *answer = hear(client, "\n]}\n");
    cr_assert_not_null(strstr(answer, "Content-Type: application/json\r\n"), "%s", answer);
    cr_assert_not_null(strstr(answer,
                              "{\"method\": \"GET\", \"target\": \"/json\", \"version\": \"HTTP/1.1\", \"body_size\": 0, "
                              "\"headers\": [\n  {\"name\": \"Host\", \"value\": \"x\"},\n"
                              "  {\"name\": \"A\", \"value\": \"\\\"quoted\\\"\"},\n"
                              "  {\"name\": \"A\", \"value\": \"2\"}\n]}\n"),
                       "%s", answer);
    close(client);
}

Test(demo_origin, a_connection_carries_many_requests_with_and_without_bodies) {
    int client = dial();
    for (int i = 0; i < 100; i++) {
        say(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
        say(client, "lo");
        hear(client, "(5 bytes of body)\n");
        say(client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
        hear(client, "(7 bytes of body)\n");
    }
    close(client);
}

Test(demo_origin, a_head_may_come_a_byte_at_a_time) {
    static const char request[] = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    int client = dial();
    setsockopt(client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &(int){1}, sizeof(int));
    for (size_t i = 0; i < strlen(request); i++) {
        cr_assert_eq(send(client, request + i, 1, MSG_NOSIGNAL), 1);
    }
    hear(client, "(0 bytes of body)\n");
    close(client);
}

Test(demo_origin, pipelined_requests_are_answered_in_turn) {
    int client = dial();
    say(client, "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const char *answers = hear(client, NULL);
    const char *first = strstr(answers, "POST /1 HTTP/1.1\n");
    const char *second = strstr(answers, "GET /2 HTTP/1.1\n");
    const char *third = strstr(answers, "GET /3 HTTP/1.1\n");
    cr_assert(first != NULL && first < second && second < third, "%s", answers);
    close(client);
}

Test(demo_origin, a_body_larger_than_any_buffer_is_counted) {
    enum { PIECE = 64 * 1024, PIECES = 256 };
    static char piece[PIECE];
    int client = dial();
    say(client, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\n\r\n");
    for (int i = 0; i < PIECES; i++) {
        for (size_t sent = 0; sent < PIECE;) {
            ssize_t got = send(client, piece + sent, PIECE - sent, MSG_NOSIGNAL);
            cr_assert_gt(got, 0);
            sent += (size_t)got;
        }
    }
    hear(client, "(16777216 bytes of body)\n");
    close(client);
}

Test(demo_origin, head_gets_no_body) {
    int client = dial();
    say(client, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const char *answer = hear(client, NULL);
    cr_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    close(client);
}

Test(demo_origin, what_is_no_http_is_refused_and_closed) {
    static const char *const requests[] = {"GET\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
                                           "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                           "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int client = dial();
        say(client, requests[i]);
        const char *answer = hear(client, NULL);
        cr_assert_eq(strncmp(answer, "HTTP/1.1 400 ", 13), 0, "%s: %s", requests[i], answer);
        close(client);
    }
}

Test(demo_origin, a_head_that_never_ends_is_refused) {
    static char header[1024];
    memset(header, 'a', sizeof header - 1);
    memcpy(header, "X: ", 3);
    memcpy(header + sizeof header - 3, "\r\n", 3);
    int client = dial();
    say(client, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 1024; i++) {
        if (send(client, header, strlen(header), MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    char first[16] = "";
    ssize_t got = recv(client, first, sizeof first - 1, 0);
    if (got > 0) /* else the reset came first */
    {
        cr_assert_eq(strncmp(first, "HTTP/1.1 431", 12), 0, "%s", first);
    }
    close(client);
}

Test(demo_origin, clients_that_go_away_leave_nothing_behind) {
    for (int i = 0; i < 3 * DEMO_ORIGIN_CONNECTIONS_MAX; i++) {
        int client = dial();
        if (i % 3 == 1) {
            say(client, "GET / HT");
        }
        if (i % 3 == 2) {
            say(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
        }
        close(client);
    }
    int client = dial();
    say(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(client, "(0 bytes of body)\n");
    close(client);
}

Test(demo_origin, more_connections_than_it_serves_have_to_wait) {
    enum { EXTRA = 4 };
    static int clients[DEMO_ORIGIN_CONNECTIONS_MAX + EXTRA];
    for (int i = 0; i < DEMO_ORIGIN_CONNECTIONS_MAX + EXTRA; i++) {
        clients[i] = dial();
        say(clients[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (int i = 0; i < DEMO_ORIGIN_CONNECTIONS_MAX; i++) {
        hear(clients[i], "(0 bytes of body)\n");
    }
    char byte;
    cr_assert_lt(recv(clients[DEMO_ORIGIN_CONNECTIONS_MAX], &byte, 1, MSG_DONTWAIT), 0);
    for (int i = 0; i < EXTRA; i++) {
        close(clients[i]);
    }
    for (int i = DEMO_ORIGIN_CONNECTIONS_MAX; i < DEMO_ORIGIN_CONNECTIONS_MAX + EXTRA; i++) {
        hear(clients[i], "(0 bytes of body)\n");
    }
    for (int i = EXTRA; i < DEMO_ORIGIN_CONNECTIONS_MAX + EXTRA; i++) {
        close(clients[i]);
    }
}

Test(demo_origin, stopping_cuts_connections_at_once) {
    int idle = dial();
    int half = dial();
    say(half, "GET / HT");
    say(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(idle, "(0 bytes of body)\n");
    uint64_t before = clock_monotonic_ns();
    demo_origin_stop(origin);
    origin = NULL;
    cr_assert_lt(clock_monotonic_ns() - before, 2000000000);
    hear(idle, NULL);
    close(idle);
    close(half);
}
