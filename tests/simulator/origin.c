#include "origin.h"

#include "origin_http2.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 16 * 1024 };

/* How the connection goes, by the seed: mostly well. */
static struct origin_link_plan some_plan(const struct origin *origin) {
    struct origin_link_plan plan = {
        .tls = (origin->speech & ORIGIN_TLS) != 0,
        .proxy = (origin->speech & ORIGIN_PROXY) != 0,
        .protocol = (origin->speech & ORIGIN_HTTP2) != 0 ? "h2" : NULL,
        .cut_at = ORIGIN_NEVER,
        .spoilt_at = ORIGIN_NEVER,
    };

    if (!plan.tls) {
        return plan;
    }
    plan.tls12 = (ntohl(kernel_connects_to(origin->socket)->sin_addr.s_addr) & 1) == 0; /* for good, by the address */
    plan.record_max = kernel_chance(200) ? 1 + kernel_below(600) : 0;
    if (plan.protocol == NULL && kernel_chance(500)) {
        plan.protocol = "http/1.1";
    }
    if (!origin->faulty) {
        return plan;
    }
    plan.identity = kernel_chance(150) ? (enum origin_identity)kernel_below(ORIGIN_IDENTITIES) : ORIGIN_ITSELF;
    plan.protocol = kernel_chance(50) ? NULL : plan.protocol;
    if (kernel_chance(200)) {
        plan.cut_at = kernel_below(kernel_chance(500) ? 1500 : 30000);
        plan.cut = (enum origin_end)kernel_below(ORIGIN_ENDS);
    } else if (kernel_chance(100)) {
        plan.spoilt_at = kernel_below(kernel_chance(500) ? 1500 : 30000);
    }
    return plan;
}

static void note(struct origin *origin, enum origin_misdeed misdeed) {
    *origin->misdeeds |= (uint32_t)misdeed;
}

static void note_plan(struct origin *origin, const struct origin_link_plan *plan) {
    if (plan->identity == ORIGIN_OTHER) {
        note(origin, ORIGIN_WAS_ANOTHER);
    } else if (plan->identity != ORIGIN_ITSELF) {
        note(origin, ORIGIN_WAS_EXPIRED);
    }
    if ((origin->speech & ORIGIN_HTTP2) != 0 && plan->tls && plan->protocol == NULL) {
        note(origin, ORIGIN_AGREED_ON_NOTHING);
    }
    if (plan->cut_at != ORIGIN_NEVER) {
        note(origin, ORIGIN_CUT_TLS);
    }
    if (plan->spoilt_at != ORIGIN_NEVER) {
        note(origin, ORIGIN_SPOILT_TLS);
    }
}

void origin_begin(struct origin *origin, struct kernel_socket *socket, const struct origin_place *place,
                  uint32_t *misdeeds) {
    uint32_t address = ntohl(kernel_connects_to(socket)->sin_addr.s_addr);

    *origin = (struct origin){
        .socket = socket,
        .talk = place->talk,
        .enforced = place->enforced,
        .faulty = place->faulty,
        .speech = (uint8_t)(address >> 16),
        .misdeeds = misdeeds,
        .counts = place->counts,
    };
    struct origin_link_plan plan = place->plan != NULL ? *place->plan : some_plan(origin);
    note_plan(origin, &plan);
    origin_link_begin(&origin->link, socket, &plan);
}

/* Frees what it has: its connection is gone. */
static void forget(struct origin *origin) {
    origin_http2_end(origin);
    talk_free(&origin->in);
    talk_free(&origin->out);
    origin->socket = NULL;
}

void origin_leave(struct origin *origin, bool by_reset) {
    origin_link_leave(&origin->link, by_reset);
    forget(origin);
}

/* Ends the connection well, behind what is to be sent. */
static void close_well(struct origin *origin) {
    origin_link_finish(&origin->link);
    origin->stage = ORIGIN_CLOSING;
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

/* The PROXY header has named the client whose request comes on this connection. */
static void expect_named(const struct origin *origin, const struct talk_request *request) {
    SIMULATOR_EXPECT(!origin->link.names_client || origin->link.client.s_addr == request->from.s_addr,
                     "request %u is another client's than the one that its connection names", origin->number);
}

static void begin_bare_tunnel(struct origin *origin) {
    const char *end = memchr(origin->in.data, '\n', origin->in.size);

    origin->number = (uint32_t)strtoul(origin->in.data, NULL, 10);
    SIMULATOR_EXPECT(origin->number < origin->talk->count, "number %u was never sent", origin->number);
    struct talk_request *request = &origin->talk->requests[origin->number];

    simulator_trace("origin: number %u", origin->number);
    SIMULATOR_EXPECT(request->host == TALK_TCP && !request->reached, "number %u came twice", origin->number);
    SIMULATOR_EXPECT(origin->link.verified == (request->certificate == TALK_VALID), "number %u is said to be %s",
                     origin->number, origin->link.verified ? "valid" : "not valid");
    SIMULATOR_EXPECT(!origin->enforced[request->host] || origin->link.verified, "number %u should not have been let in",
                     origin->number);
    expect_named(origin, request);
    request->reached = true;
    talk_drop(&origin->in, (size_t)(end + 1 - origin->in.data));
    origin->body = (struct talk_body){.framing = TALK_NOTHING, .until_end = true};
    origin->stage = ORIGIN_TUNNEL;
}

static void step_greeted(struct origin *origin) {
    char data[64];

    talk_put(&origin->in, data, origin_link_receive(&origin->link, data, sizeof data));
    talk_drop(&origin->out, origin_link_send(&origin->link, origin->out.data, origin->out.size));
    if (origin->in.size > 0 && memchr(origin->in.data, '\n', origin->in.size) != NULL) {
        begin_bare_tunnel(origin);
    }
}

struct talk_request *origin_take_request(struct origin *origin, const char *head, size_t head_size) {
    char value[32];

    SIMULATOR_EXPECT(talk_header(head, head_size, "X-Number", value, sizeof value) == 1, "no number");
    origin->number = (uint32_t)strtoul(value, NULL, 10);
    SIMULATOR_EXPECT(origin->number < origin->talk->count, "request %u was never sent", origin->number);
    struct talk_request *request = &origin->talk->requests[origin->number];

    SIMULATOR_EXPECT(!request->reached || request->framing == TALK_NOTHING, "request %u with a body came twice",
                     origin->number);
    SIMULATOR_EXPECT(!request->bad, "request %u should not have been relayed", origin->number);
    request->reached = true;
    simulator_trace("origin: request %u\n%.*s", origin->number, (int)head_size, head);
    expect_truth(origin, head, head_size);
    expect_named(origin, request);
    return request;
}

static bool take_head(struct origin *origin) {
    size_t head_size = talk_head_size(&origin->in);

    if (head_size == 0) {
        return false;
    }
    char value[32];
    const struct talk_request *request = origin_take_request(origin, origin->in.data, head_size);
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
                     "the body of request %u is not its own, at byte %zu: %.*s", origin->number, origin->body.at,
                     (int)origin->in.size, origin->in.data);
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
        note(origin, ORIGIN_WROTE_NONSENSE);
        talk_print(out, "HTTP/1.1 abc\r\nX-Echo: %u\r\n\r\n", origin->number);
        origin->ends_after = true;
        return;
    }
    if (origin->faulty && kernel_chance(60)) {
        origin->delimited = true;
        talk_print(out, "HTTP/1.1 503 Busy\r\nX-Echo: %u\r\nContent-Length: 0\r\n\r\n", origin->number);
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

    SIMULATOR_EXPECT(origin->in.size == 0 && origin_link_receive(&origin->link, early, sizeof early) == 0,
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
    size_t size = origin_link_receive(&origin->link, data, sizeof data);

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
        talk_drop(&origin->out, origin_link_send(&origin->link, origin->out.data, origin->out.size));
    } else if (left == 0 && !origin->finished && kernel_chance(100)) {
        origin_link_finish(&origin->link);
        origin->finished = true;
    }
    if (kernel_peer_is_reset(origin->socket) || kernel_peer_is_closed(origin->socket) || origin->link.failed ||
        (origin->finished && origin_link_is_through(&origin->link) && origin_link_is_over(&origin->link))) {
        origin_leave(origin, false);
    }
}

static void push(struct origin *origin) {
    size_t most = kernel_chance(300) ? 1 + kernel_below(2000) : PIECE;
    size_t size = origin->out.size < most ? origin->out.size : most;

    talk_drop(&origin->out, origin_link_send(&origin->link, origin->out.data, size));
    if (origin->out.size > 0 || origin->stage != ORIGIN_ANSWER) {
        return;
    }
    origin->answered++;
    origin->stage = ORIGIN_HEAD;
    if (origin->ends_after) {
        close_well(origin);
    }
}

static void pull(struct origin *origin) {
    char data[PIECE];
    size_t size = origin_link_receive(&origin->link, data, sizeof data);

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
        note(origin, ORIGIN_REFUSED);
        kernel_refuse(origin->socket);
        origin_link_forget(&origin->link);
        forget(origin);
    } else if (!origin->faulty || kernel_chance(900)) {
        kernel_accept(origin->socket);
        origin->connected = true;
    }
}

/* By FIN, with TLS also by close_notify before it, or by a reset. */
static void break_off(struct origin *origin) {
    bool by_reset = kernel_chance(500);
    bool politely = !by_reset && (origin->link.tls == NULL || kernel_chance(500));

    simulator_trace("origin: breaks off at request %u%s", origin->number, politely ? ", politely" : "");
    note(origin, ORIGIN_BROKE_OFF);
    /* Nobody can tell: but a FIN without close_notify is no end of what is said in TLS. */
    if (politely && (origin->stage == ORIGIN_TUNNEL || (origin->stage == ORIGIN_ANSWER && !origin->delimited))) {
        origin->talk->requests[origin->number].cut = true;
    }
    if (politely && origin->link.tls != NULL) {
        close_well(origin);
    } else {
        origin_leave(origin, by_reset);
    }
}

static void step_closing(struct origin *origin) {
    if (origin_link_is_through(&origin->link) || origin->link.is_cut || kernel_peer_is_closed(origin->socket)) {
        origin_leave(origin, false);
    }
}

/* The handshake is done, and a PROXY header has come. */
static void begin_speaking(struct origin *origin) {
    bool agrees = (origin->speech & ORIGIN_HTTP2) == 0 || origin->link.plan.protocol != NULL; /* with the shard, on h2 */

    if (origin->link.tls != NULL && !origin->link.plan.tls12 && agrees) {
        origin->counts->handshakes++;
        origin->counts->resumed += origin->link.resumed;
    }
    if ((origin->speech & ORIGIN_BARE) != 0) {
        talk_print(&origin->out, TALK_GREETING);
        origin->stage = ORIGIN_GREETED;
    } else if ((origin->speech & ORIGIN_HTTP2) != 0) {
        origin_http2_begin(origin);
        origin->stage = ORIGIN_STREAMS;
    }
}

static void step_stage(struct origin *origin) {
    switch (origin->stage) {
    case ORIGIN_TUNNEL:
        step_tunnel(origin);
        return;
    case ORIGIN_GREETED:
        step_greeted(origin);
        return;
    case ORIGIN_STREAMS:
        origin_http2_step(origin);
        return;
    case ORIGIN_WAITING:
        answer(origin);
        return;
    case ORIGIN_ANSWER:
        push(origin);
        return;
    case ORIGIN_CLOSING:
        step_closing(origin);
        return;
    case ORIGIN_HEAD:
    case ORIGIN_BODY:
        pull(origin);
        return;
    }
}

void origin_step(struct origin *origin) {
    if (!origin->connected) {
        answer_connect(origin);
        return;
    }
    if (!origin_link_work(&origin->link)) {
        forget(origin);
        return;
    }
    if (origin->stage != ORIGIN_TUNNEL && origin->stage != ORIGIN_CLOSING && origin_link_is_over(&origin->link)) {
        close_well(origin);
    }
    if (origin->faulty && !origin->silent && origin->stage != ORIGIN_CLOSING && kernel_chance(20)) {
        break_off(origin);
        return;
    }
    if (origin->stage == ORIGIN_CLOSING) {
        step_closing(origin);
        return;
    }
    if (origin->link.failed) {
        close_well(origin);
        return;
    }
    if (!origin_link_is_open(&origin->link)) {
        return;
    }
    if (!origin->spoken) {
        origin->spoken = true;
        begin_speaking(origin);
    }
    step_stage(origin);
}
