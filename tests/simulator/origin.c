#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 16 * 1024 };

void origin_begin(struct origin *origin, struct kernel_socket *socket, struct talk *talk, const bool *enforced,
                  bool faulty) {
    *origin = (struct origin){.socket = socket, .talk = talk, .enforced = enforced, .faulty = faulty};
}

void origin_leave(struct origin *origin, bool by_reset) {
    talk_free(&origin->in);
    talk_free(&origin->out);
    if (by_reset) {
        kernel_peer_reset(origin->socket);
    } else {
        kernel_peer_close(origin->socket);
    }
    origin->socket = NULL;
}

/* Checks that the shard tells the truth about the client, whatever the client has said of itself. */
static void expect_truth(const struct origin *origin, const char *head, size_t head_size) {
    static const char *const statuses[TALK_CERTIFICATES] = {"none", "valid", "invalid"};
    const struct talk_request *request = &origin->talk->requests[origin->number];
    const char *status = request->host == TALK_OFF ? "none" : statuses[request->certificate];
    char value[256];

    SIMULATOR_EXPECT(talk_header(head, head_size, "X-Client-Cert-Status", value, sizeof value) == 1 &&
                         strcmp(value, status) == 0,
                     "request %u is said to be %s, and is %s", origin->number, value, status);
    /* The expired certificate has none. */
    unsigned skis = talk_header(head, head_size, "X-Client-Cert-SKI", value, sizeof value);

    SIMULATOR_EXPECT(skis == (request->host != TALK_OFF && request->certificate == TALK_VALID) && strcmp(value, "00") != 0,
                     "request %u has %u SKIs, \"%s\"", origin->number, skis, value);
    SIMULATOR_EXPECT(talk_header(head, head_size, "X_Client_Cert.SKI", value, sizeof value) == 0, "a client's own header");
    SIMULATOR_EXPECT(!origin->enforced[request->host] || request->certificate == TALK_VALID,
                     "request %u should have been answered 403", origin->number);
}

static void begin_body(struct origin *origin, const char *head, size_t head_size) {
    const struct talk_request *request = &origin->talk->requests[origin->number];

    origin->body = (struct talk_body){.framing = TALK_NOTHING, .complete = true};
    char value[64];
    if (talk_header(head, head_size, "Transfer-Encoding", value, sizeof value) > 0) {
        origin->body = (struct talk_body){.framing = TALK_CHUNKED};
    } else if (talk_header(head, head_size, "Content-Length", value, sizeof value) > 0) {
        origin->body = (struct talk_body){.framing = TALK_LENGTH, .left = strtoul(value, NULL, 10)};
        origin->body.complete = origin->body.left == 0;
    }
    SIMULATOR_EXPECT((request->framing == TALK_CHUNKED) == (origin->body.framing == TALK_CHUNKED),
                     "the body of request %u is framed otherwise", origin->number);
}

/* The PROXY header of version 2 with which a connection of the tcp host begins; no request begins so. */
static bool take_proxy_header(struct origin *origin) {
    enum { FRONT = 16, ADDRESSES = 12, TYPE_SSL = 0x20, VECTOR = 3, VERIFY = 4 };
    const uint8_t *data = (const uint8_t *)origin->in.data;

    if (origin->in.size < FRONT || origin->in.size < FRONT + (size_t)(data[14] << 8 | data[15])) {
        return false;
    }
    size_t size = FRONT + (size_t)(data[14] << 8 | data[15]);
    size_t at = FRONT + ADDRESSES;

    while (at < size && data[at] != TYPE_SSL) {
        at += VECTOR + (size_t)(data[at + 1] << 8 | data[at + 2]);
    }
    SIMULATOR_EXPECT(at + VECTOR + VERIFY < size, "no facts of TLS in a header of %zu bytes", size);
    origin->verified = data[at + VECTOR + VERIFY] == 0;
    talk_drop(&origin->in, size);
    talk_print(&origin->out, TALK_GREETING);
    origin->stage = ORIGIN_GREETED;
    return true;
}

static void begin_bare_tunnel(struct origin *origin) {
    const char *end = memchr(origin->in.data, '\n', origin->in.size);

    origin->number = (uint32_t)strtoul(origin->in.data, NULL, 10);
    SIMULATOR_EXPECT(origin->number < origin->talk->count, "number %u was never sent", origin->number);
    struct talk_request *request = &origin->talk->requests[origin->number];

    simulator_trace("origin: number %u", origin->number);
    SIMULATOR_EXPECT(request->host == TALK_TCP && !request->reached, "number %u came twice", origin->number);
    SIMULATOR_EXPECT(origin->verified == (request->certificate == TALK_VALID), "number %u is said to be %s", origin->number,
                     origin->verified ? "valid" : "not valid");
    SIMULATOR_EXPECT(!origin->enforced[request->host] || origin->verified, "number %u should not have been let in",
                     origin->number);
    request->reached = true;
    talk_drop(&origin->in, (size_t)(end + 1 - origin->in.data));
    origin->body = (struct talk_body){.framing = TALK_NOTHING, .until_end = true};
    origin->stage = ORIGIN_TUNNEL;
}

static void step_greeted(struct origin *origin) {
    char data[64];

    talk_put(&origin->in, data, kernel_peer_receive(origin->socket, data, sizeof data));
    talk_drop(&origin->out, kernel_peer_send(origin->socket, origin->out.data, origin->out.size));
    if (origin->in.size > 0 && memchr(origin->in.data, '\n', origin->in.size) != NULL) {
        begin_bare_tunnel(origin);
    }
}

static bool take_head(struct origin *origin) {
    if (origin->in.size > 0 && origin->in.data[0] == '\r') {
        return take_proxy_header(origin);
    }
    size_t head_size = talk_head_size(&origin->in);

    if (head_size == 0) {
        return false;
    }
    char value[32];
    SIMULATOR_EXPECT(talk_header(origin->in.data, head_size, "X-Number", value, sizeof value) == 1, "no number");
    origin->number = (uint32_t)strtoul(value, NULL, 10);
    SIMULATOR_EXPECT(origin->number < origin->talk->count, "request %u was never sent", origin->number);
    struct talk_request *request = &origin->talk->requests[origin->number];

    SIMULATOR_EXPECT(!request->reached || request->framing == TALK_NOTHING, "request %u with a body came twice",
                     origin->number);
    SIMULATOR_EXPECT(!request->bad, "request %u should not have been relayed", origin->number);
    request->reached = true;
    simulator_trace("origin: request %u\n%.*s", origin->number, (int)head_size, origin->in.data);
    expect_truth(origin, origin->in.data, head_size);
    unsigned offers = talk_header(origin->in.data, head_size, "Upgrade", value, sizeof value);
    SIMULATOR_EXPECT(offers == request->upgrade && (offers == 0 || strcmp(value, "simulated") == 0), "an offer of %s",
                     value);
    begin_body(origin, origin->in.data, head_size);
    talk_drop(&origin->in, head_size);
    origin->stage = origin->body.complete ? ORIGIN_WAITING : ORIGIN_BODY;
    origin->silent = origin->faulty && kernel_chance(100);
    return true;
}

static bool take_body(struct origin *origin) {
    size_t before = origin->in.size;

    SIMULATOR_EXPECT(talk_take_body(&origin->body, &origin->in, origin->number, talk_body_byte),
                     "the body of request %u is not its own, at byte %zu", origin->number, origin->body.at);
    if (origin->body.complete) {
        SIMULATOR_EXPECT(origin->body.at == origin->talk->requests[origin->number].body_size,
                         "%zu bytes of a body of %zu were taken for all of it", origin->body.at,
                         origin->talk->requests[origin->number].body_size);
        origin->stage = ORIGIN_WAITING;
    }
    return origin->in.size != before;
}

static void put_answer(struct origin *origin) {
    const struct talk_request *request = &origin->talk->requests[origin->number];
    struct talk_buffer *out = &origin->out;
    unsigned style = kernel_below(4);

    if (kernel_chance(50)) {
        talk_print(out, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    }
    if (origin->faulty && kernel_chance(40)) {
        talk_print(out, "HTTP/1.1 abc\r\nX-Echo: %u\r\n\r\n", origin->number);
        origin->ends_after = true;
        return;
    }
    origin->delimited = style != 2;
    origin->ends_after = style == 2 || kernel_chance(100);
    talk_print(out, "HTTP/1.1 %s\r\nX-Echo: %u\r\n%s", style == 3 ? "204 No Content" : "200 OK", origin->number,
               origin->ends_after ? "Connection: close\r\n" : "");
    if (style == 0) {
        talk_print(out, "Content-Length: %zu\r\n", request->answer_size);
    } else if (style == 1) {
        talk_print(out, "Transfer-Encoding: chunked\r\n");
    }
    talk_print(out, "\r\n");
    if (!request->head && style != 3) {
        talk_put_body(out, style == 1, request->answer_size, origin->number, talk_answer_byte);
    }
}

static void begin_tunnel(struct origin *origin) {
    char early[16];

    SIMULATOR_EXPECT(origin->in.size == 0 && kernel_peer_receive(origin->socket, early, sizeof early) == 0,
                     "the tunnel of request %u has bytes before it begins", origin->number);
    talk_print(&origin->out,
               "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: simulated\r\nX-Echo: %u\r\n\r\n",
               origin->number);
    origin->body = (struct talk_body){.framing = TALK_NOTHING, .until_end = true};
    origin->stage = ORIGIN_TUNNEL;
}

static void answer(struct origin *origin) {
    if (origin->silent || !kernel_chance(500)) {
        return;
    }
    if (origin->talk->requests[origin->number].switches) {
        begin_tunnel(origin);
        return;
    }
    put_answer(origin);
    origin->stage = ORIGIN_ANSWER;
}

static void pull_tunnel(struct origin *origin) {
    char data[PIECE];
    size_t size = kernel_peer_receive(origin->socket, data, sizeof data);

    talk_put(&origin->in, data, size);
    SIMULATOR_EXPECT(talk_take_body(&origin->body, &origin->in, origin->number, talk_body_byte) &&
                         origin->body.at <= origin->talk->requests[origin->number].body_size,
                     "the tunnel of request %u does not have its client's bytes, at byte %zu", origin->number,
                     origin->body.at);
}

/* Each half ends when it is through, or with the other one: the client may say more after this origin has ended its own. */
static void step_tunnel(struct origin *origin) {
    size_t left = origin->talk->requests[origin->number].answer_size - origin->tunnelled;

    pull_tunnel(origin);
    if (origin->out.size == 0 && left > 0) {
        size_t most = 1 + kernel_below(PIECE);
        size_t size = left < most ? left : most;

        talk_put_bytes(&origin->out, origin->tunnelled, size, origin->number, talk_answer_byte);
        origin->tunnelled += size;
    }
    if (origin->out.size > 0) {
        talk_drop(&origin->out, kernel_peer_send(origin->socket, origin->out.data, origin->out.size));
    } else if (left == 0 && !origin->finished && kernel_chance(100)) {
        kernel_peer_finish(origin->socket);
        origin->finished = true;
    }
    if (kernel_peer_is_reset(origin->socket) || kernel_peer_is_closed(origin->socket) ||
        (origin->finished && kernel_peer_at_end(origin->socket))) {
        origin_leave(origin, false);
    }
}

static void push(struct origin *origin) {
    size_t most = kernel_chance(300) ? 1 + kernel_below(2000) : PIECE;
    size_t size = origin->out.size < most ? origin->out.size : most;

    talk_drop(&origin->out, kernel_peer_send(origin->socket, origin->out.data, size));
    if (origin->out.size > 0 || origin->stage != ORIGIN_ANSWER) {
        return;
    }
    origin->answered++;
    origin->stage = ORIGIN_HEAD;
    if (origin->ends_after) {
        origin_leave(origin, false);
    }
}

static void pull(struct origin *origin) {
    char data[PIECE];
    size_t size = kernel_peer_receive(origin->socket, data, sizeof data);

    SIMULATOR_EXPECT(size == 0 || origin->stage == ORIGIN_HEAD || origin->stage == ORIGIN_BODY,
                     "%zu bytes before request %u was answered", size, origin->number);
    if (size > 0) {
        talk_put(&origin->in, data, size);
    }
    while (origin->socket != NULL && ((origin->stage == ORIGIN_HEAD && take_head(origin)) ||
                                      (origin->stage == ORIGIN_BODY && origin->in.size > 0 && take_body(origin)))) {
    }
}

static void answer_connect(struct origin *origin) {
    if (kernel_peer_is_closed(origin->socket)) {
        origin_leave(origin, false);
    } else if (origin->faulty && kernel_chance(100)) {
        simulator_trace("origin: refuses");
        kernel_refuse(origin->socket);
        origin->socket = NULL;
    } else if (!origin->faulty || kernel_chance(900)) {
        kernel_accept(origin->socket);
        origin->connected = true;
    }
}

void origin_step(struct origin *origin) {
    if (!origin->connected) {
        answer_connect(origin);
        return;
    }
    if (origin->stage != ORIGIN_TUNNEL && (kernel_peer_is_reset(origin->socket) || kernel_peer_at_end(origin->socket))) {
        origin_leave(origin, false);
        return;
    }
    if (origin->faulty && !origin->silent && kernel_chance(20)) {
        simulator_trace("origin: breaks off at request %u", origin->number);
        bool by_reset = kernel_chance(500);

        if ((origin->stage == ORIGIN_TUNNEL || (origin->stage == ORIGIN_ANSWER && !origin->delimited)) && !by_reset) {
            origin->talk->requests[origin->number].cut = true;
        }
        origin_leave(origin, by_reset);
        return;
    }
    if (origin->stage == ORIGIN_TUNNEL) {
        step_tunnel(origin);
    } else if (origin->stage == ORIGIN_GREETED) {
        step_greeted(origin);
    } else if (origin->stage != ORIGIN_ANSWER && origin->stage != ORIGIN_WAITING) {
        pull(origin);
    } else if (origin->stage == ORIGIN_WAITING) {
        answer(origin);
    } else {
        push(origin);
    }
}
