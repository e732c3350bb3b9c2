#include "client.h"

#include "client_http2.h"
#include "client_tunnel.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4096, READ_SIZE = 16 * 1024 };

static WOLFSSL_CTX *contexts[TALK_CERTIFICATES][2];

static int receive(WOLFSSL *tls, char *data, int capacity, void *owner) {
    struct simulated_client *client = owner;
    size_t size = client->in.size < (size_t)capacity ? client->in.size : (size_t)capacity;

    if (size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    memcpy(data, client->in.data, size);
    talk_drop(&client->in, size);
    return (int)size;
}

static int send_out(WOLFSSL *tls, char *data, int size, void *owner) {
    talk_put(&((struct simulated_client *)owner)->out, data, (size_t)size);
    return size;
}

static void use(WOLFSSL_CTX *context, const char *name) {
    char path[512];

    snprintf(path, sizeof path, "%s/client-%s.pem", TLS_TEST_DATA, name);
    SIMULATOR_EXPECT(wolfSSL_CTX_use_certificate_chain_file(context, path) == WOLFSSL_SUCCESS, "%s", path);
    snprintf(path, sizeof path, "%s/client-%s.key", TLS_TEST_DATA, name);
    SIMULATOR_EXPECT(wolfSSL_CTX_use_PrivateKey_file(context, path, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS, "%s", path);
}

void client_set_up(void) {
    static const char *const names[TALK_CERTIFICATES] = {NULL, "p256", "expired"};

    for (unsigned certificate = 0; certificate < TALK_CERTIFICATES; certificate++) {
        for (unsigned tls12 = 0; tls12 < 2; tls12++) {
            WOLFSSL_CTX *context = wolfSSL_CTX_new(tls12 ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());

            SIMULATOR_EXPECT(context != NULL, "no context");
            wolfSSL_CTX_SetIORecv(context, receive);
            wolfSSL_CTX_SetIOSend(context, send_out);
            wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, NULL);
            wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
            if (names[certificate] != NULL) {
                use(context, names[certificate]);
            }
            contexts[certificate][tls12] = context;
        }
    }
}

static void begin_tls(struct simulated_client *client) {
    const char *name = talk_host_names[client->plan.host];

    client->tls = wolfSSL_new(contexts[client->plan.certificate][client->plan.tls12]);
    SIMULATOR_EXPECT(client->tls != NULL, "no client");
    wolfSSL_SetIOReadCtx(client->tls, client);
    wolfSSL_SetIOWriteCtx(client->tls, client);
    wolfSSL_UseSNI(client->tls, WOLFSSL_SNI_HOST_NAME, name, (unsigned short)strlen(name));
    if (client->plan.http2) {
        static char offer[] = "h2,http/1.1";

        wolfSSL_UseALPN(client->tls, offer, sizeof offer - 1, WOLFSSL_ALPN_FAILED_ON_MISMATCH);
    }
    if (client->plan.tls12) {
        wolfSSL_UseSessionTicket(client->tls);
    }
    if (*client->session != NULL && kernel_chance(700)) {
        wolfSSL_set_session(client->tls, *client->session);
    }
}

void client_begin(struct simulated_client *client, struct kernel_socket *socket, const struct client_plan *plan,
                  struct in_addr from, struct talk *talk, struct client_counts *counts, WOLFSSL_SESSION **session) {
    *client = (struct simulated_client){
        .socket = socket,
        .plan = *plan,
        .from = from,
        .talk = talk,
        .counts = counts,
        .session = session,
        .requests_left = plan->requests,
    };
    if (plan->behind != NULL) {
        inet_pton(AF_INET, plan->behind, &client->from);
        talk_put_proxy_header(&client->out, plan->behind);
    }
    switch (plan->kind) {
    case CLIENT_TLS:
        begin_tls(client);
        break;
    case CLIENT_PLAIN_HTTP:
        talk_print(&client->out, "GET / HTTP/1.1\r\nHost: report.test\r\n\r\n");
        break;
    case CLIENT_GARBAGE:
        for (size_t i = 0, size = 1 + kernel_below(600); i < size; i++) {
            uint8_t byte = (uint8_t)(kernel_chance(300) ? 22 : kernel_below(256));

            talk_put(&client->out, &byte, 1);
        }
        break;
    case CLIENT_SILENT:
        break;
    }
}

void client_leave(struct simulated_client *client, bool by_reset) {
    client_http2_end(client);
    if (client->tls != NULL) {
        wolfSSL_free(client->tls);
    }
    talk_free(&client->out);
    talk_free(&client->in);
    talk_free(&client->text);
    if (by_reset) {
        kernel_peer_reset(client->socket);
    } else {
        kernel_peer_close(client->socket);
    }
    client->socket = NULL;
}

static bool tls_wants_more(struct simulated_client *client, int result) {
    int error = wolfSSL_get_error(client->tls, result);

    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

static void keep_session(struct simulated_client *client) {
    if (*client->session != NULL) {
        wolfSSL_SESSION_free(*client->session);
    }
    *client->session = wolfSSL_get1_session(client->tls);
}

static bool has_chosen_http2(struct simulated_client *client) {
    char *name = NULL;
    unsigned short size = 0;

    return wolfSSL_ALPN_GetProtocol(client->tls, &name, &size) == WOLFSSL_SUCCESS && size == 2 && memcmp(name, "h2", 2) == 0;
}

static void handshake(struct simulated_client *client) {
    int result = wolfSSL_connect(client->tls);

    if (result == WOLFSSL_SUCCESS) {
        client->secured = true;
        client->counts->handshakes++;
        client->counts->resumed += (uint64_t)wolfSSL_session_reused(client->tls);
        simulator_trace("client: handshake done, %s", wolfSSL_session_reused(client->tls) ? "resumed" : "full");
        if (client->plan.http2 && has_chosen_http2(client)) {
            client_http2_begin(client);
        }
    } else if (!tls_wants_more(client, result)) {
        simulator_trace("client: handshake failed: %d", wolfSSL_get_error(client->tls, result));
        client->broken = true;
    }
}

/* Answers. */

static bool is_final(unsigned status) {
    return status >= 200;
}

/* Sallyport's own answers need no origin; what they may be depends on the request and on who has asked. */
void client_expect_own_answer(const struct talk *talk, const struct talk_request *request, unsigned status) {
    bool may_be_denied = request->certificate != TALK_VALID && request->host != TALK_OFF;

    switch (status) {
    case 400:
        SIMULATOR_EXPECT(request->bad || request->short_body, "400 for a request without fault");
        return;
    case 403:
        SIMULATOR_EXPECT(may_be_denied, "403 for a client with a valid certificate, or of a host that asks for none");
        return;
    case 503:
        SIMULATOR_EXPECT(talk->may_be_busy, "503 where origins take any number of requests");
        return;
    case 408:
    case 421:
    case 500:
    case 502:
    case 504:
        return;
    default:
        SIMULATOR_EXPECT(false, "status %u, which no origin has sent", status);
    }
}

static void begin_answer(struct simulated_client *client, size_t head_size) {
    const char *head = client->text.data;
    uint32_t number = client->asked_count > 0 ? client->asked[0] : 0;
    const struct talk_request *request = &client->talk->requests[number];

    SIMULATOR_EXPECT(head_size > 12 && memcmp(head, "HTTP/1.1 ", 9) == 0, "no status line: %.12s", head);
    client->status = (unsigned)strtoul(head + 9, NULL, 10); /* ends at the space behind it */
    simulator_trace("client: status %u for request %u", client->status, number);
    if (client->status == 101) {
        client_tunnel_begin(client, head_size);
        return;
    }
    if (!is_final(client->status)) {
        talk_drop(&client->text, head_size);
        return;
    }
    if (client->asked_count == 0) {
        SIMULATOR_EXPECT(client->status == 408 || client->status == 400, "status %u that nobody has asked for",
                         client->status);
    }
    char echo[32];
    client->by_origin = talk_header(head, head_size, "X-Echo", echo, sizeof echo) > 0;
    if (client->by_origin) {
        SIMULATOR_EXPECT(client->asked_count > 0 && (uint32_t)strtoul(echo, NULL, 10) == number,
                         "the answer to %s came for request %u", echo, number);
    } else if (client->asked_count > 0) {
        client_expect_own_answer(client->talk, request, client->status);
    }
    char value[64];
    SIMULATOR_EXPECT(talk_header(head, head_size, "Date", value, sizeof value) == 1, "an answer without Date");
    talk_header(head, head_size, "Connection", value, sizeof value);
    client->last = strcasecmp(value, "close") == 0;
    client->body = (struct talk_body){.framing = TALK_LENGTH};
    if (talk_header(head, head_size, "Transfer-Encoding", value, sizeof value) > 0) {
        client->body.framing = TALK_CHUNKED;
    } else if (talk_header(head, head_size, "Content-Length", value, sizeof value) > 0) {
        client->body.left = strtoul(value, NULL, 10);
    } else {
        client->body.until_end = client->status != 204 && client->status != 304;
    }
    if ((client->asked_count > 0 && request->head) || client->status == 204 || client->status == 304) {
        client->body = (struct talk_body){.framing = TALK_LENGTH};
    }
    client->in_body = true;
    talk_drop(&client->text, head_size);
}

static void end_answer(struct simulated_client *client) {
    client->in_body = false;
    client->counts->answers[STATS_HTTP1][client->status < 600 ? client->status : 0]++;
    if (client->by_origin && !client->talk->requests[client->asked[0]].head && client->status == 200) {
        SIMULATOR_EXPECT(client->talk->requests[client->asked[0]].cut ||
                             client->body.at == client->talk->requests[client->asked[0]].answer_size,
                         "%zu bytes of an answer of %zu were taken for all of it", client->body.at,
                         client->talk->requests[client->asked[0]].answer_size);
    }
    if (client->asked_count > 0) {
        memmove(client->asked, client->asked + 1, --client->asked_count * sizeof *client->asked);
    }
    if (client->last) {
        client->requests_left = 0;
    }
}

/* A body of our own is skipped; one of an origin is checked byte by byte. */
static void take_body(struct simulated_client *client) {
    uint32_t number = client->asked_count > 0 ? client->asked[0] : 0;

    if (client->by_origin) {
        SIMULATOR_EXPECT(talk_take_body(&client->body, &client->text, number, talk_answer_byte),
                         "the body of the answer to request %u is not its own, at byte %zu", number, client->body.at);
    } else {
        size_t size = client->text.size < client->body.left ? client->text.size : client->body.left;

        SIMULATOR_EXPECT(client->body.framing == TALK_LENGTH && !client->body.until_end,
                         "an answer of our own without length");
        client->body.left -= size;
        client->body.complete = client->body.left == 0;
        talk_drop(&client->text, size);
    }
    if (client->body.complete) {
        end_answer(client);
    }
}

static void understand(struct simulated_client *client) {
    for (;;) {
        size_t before = client->text.size;
        bool in_body = client->in_body;

        if (client->in_tunnel) {
            client_tunnel_take(client);
            return;
        }
        if (client->in_body) {
            take_body(client);
        } else {
            size_t head_size = talk_head_size(&client->text);

            if (head_size == 0) {
                return;
            }
            begin_answer(client, head_size);
        }
        if (client->text.size == before && client->in_body == in_body) {
            return;
        }
    }
}

static void read_answers(struct simulated_client *client) {
    char text[READ_SIZE];
    int size;

    while ((size = wolfSSL_read(client->tls, text, sizeof text)) > 0) {
        if (client->http2 != NULL) {
            client_http2_take(client, text, (size_t)size);
            continue;
        }
        talk_put(&client->text, text, (size_t)size);
        understand(client);
    }
    keep_session(client);
    if (client->in_tunnel && wolfSSL_get_error(client->tls, size) == WOLFSSL_ERROR_ZERO_RETURN) {
        client_tunnel_end(client);
    }
    if (!tls_wants_more(client, size)) {
        client->broken = true;
    }
}

/* Requests. */

static void put_request(struct simulated_client *client, struct talk_buffer *text, uint32_t number) {
    const struct talk_request *request = &client->talk->requests[number];
    const char *method = request->head ? "HEAD" : request->framing == TALK_NOTHING ? "GET" : "POST";

    talk_print(text, "%s /%u HTTP/1.1\r\nHost: %s\r\nX-Number: %u\r\n", method, number, talk_host_names[request->host],
               number);
    /* Headers in which a client speaks of itself must not count. */
    talk_print(text, "X-Client-Cert-Status: valid\r\nX_Client_Cert.SKI: 00\r\n");
    if (request->upgrade) {
        talk_print(text, "Connection: Upgrade\r\nUpgrade: h2c, simulated\r\n");
    }
    if (request->framing == TALK_LENGTH) {
        talk_print(text, "Content-Length: %zu\r\n", request->body_size);
    } else if (request->framing == TALK_CHUNKED) {
        talk_print(text, "Transfer-Encoding: chunked\r\n");
    }
    if (request->framing != TALK_NOTHING && kernel_chance(100)) {
        talk_print(text, "Expect: 100-continue\r\n");
    }
    if (client->requests_left == 0 && !request->upgrade && kernel_chance(300)) {
        talk_print(text, "Connection: close\r\n");
    }
    talk_print(text, "\r\n");
    if (request->upgrade && kernel_chance(300)) {
        /* In haste: for the tunnel, if there will be one. */
        size_t most = kernel_below(60);

        client->tunnelled = request->body_size < most ? request->body_size : most;
        talk_put_bytes(text, 0, client->tunnelled, number, talk_body_byte);
    }
    if (request->framing != TALK_NOTHING) {
        talk_put_body(text, request->framing == TALK_CHUNKED, request->body_size, number, talk_body_byte);
    }
}

static size_t some_size(void) {
    return kernel_chance(100) ? kernel_below(200000) : kernel_chance(500) ? kernel_below(3000) : kernel_below(20);
}

uint32_t client_plan_request(struct simulated_client *client) {
    uint32_t number = client->talk->count;

    if (number == TALK_REQUESTS_MAX || client->requests_left == 0) {
        return TALK_REQUESTS_MAX;
    }
    client->talk->count++;
    client->requests_left--;
    struct talk_request *request = &client->talk->requests[number];

    *request = (struct talk_request){
        .certificate = client->plan.certificate,
        .from = client->from,
        .host = client->plan.host,
        .framing = client->plan.upgrades || kernel_chance(600) ? TALK_NOTHING
                   : kernel_chance(500)                        ? TALK_LENGTH
                                                               : TALK_CHUNKED,
        .body_size = some_size(),
        .answer_size = some_size(),
    };
    request->head = !client->plan.upgrades && request->framing == TALK_NOTHING && kernel_chance(100);
    if (client->plan.request != NULL) {
        request->framing = client->plan.request->framing;
        request->body_size = client->plan.request->body_size;
        request->answer_size = client->plan.request->answer_size;
        request->head = client->plan.request->head;
    }
    simulator_trace("client: request %u to %s, certificate %u, body %u of %zu", number, talk_host_names[request->host],
                    request->certificate, request->framing, request->body_size);
    return number;
}

static void plan_upgrade(struct simulated_client *client, struct talk_request *request) {
    request->upgrade = client->plan.upgrades || (!request->head && request->framing == TALK_NOTHING && kernel_chance(200));
    request->switches = request->upgrade && (client->plan.upgrades || kernel_chance(700));
    if (request->upgrade) {
        client->requests_left = 0;
    }
}

void client_ask(struct simulated_client *client) {
    struct talk_buffer text = {0};

    if (client->asked_count == CLIENT_PIPELINE_MAX) {
        return;
    }
    uint32_t number = client_plan_request(client);
    if (number == TALK_REQUESTS_MAX) {
        return;
    }
    client->asked[client->asked_count++] = number;
    if (client->plan.host == TALK_TCP) {
        client_tunnel_ask(client, &text, number);
    } else {
        plan_upgrade(client, &client->talk->requests[number]);
        put_request(client, &text, number);
    }
    bool in_pieces = kernel_chance(200);

    for (size_t at = 0; at < text.size;) {
        size_t most = in_pieces && at < 400 ? 1 + kernel_below(60) : 16384;
        size_t part = text.size - at < most ? text.size - at : most;
        int written = wolfSSL_write(client->tls, text.data + at, (int)part);

        if (written <= 0) {
            client->broken = true;
            break;
        }
        at += (size_t)written;
    }
    talk_free(&text);
}

/* The network. */

void client_push(struct simulated_client *client, size_t size) {
    if (size > client->out.size) {
        size = client->out.size;
    }
    if (size > 0) {
        talk_drop(&client->out, kernel_peer_send(client->socket, client->out.data, size));
    }
}

static size_t some_piece(const struct simulated_client *client) {
    if (client->plan.sluggish) {
        return 1 + kernel_below(40);
    }
    return kernel_chance(200) ? 1 + kernel_below(500) : PIECE;
}

void client_pull(struct simulated_client *client) {
    char data[READ_SIZE];
    size_t size = kernel_peer_receive(client->socket, data, sizeof data);

    if (client->tls == NULL || client->broken) {
        return;
    }
    talk_put(&client->in, data, size);
    if (!client->secured) {
        handshake(client);
    }
    if (client->secured) {
        read_answers(client);
    }
    if (client->http2 != NULL) {
        client_http2_write(client, client->plan.sluggish ? 1 + kernel_below(60) : SIZE_MAX);
    }
}

static void misbehave(struct simulated_client *client) {
    switch (kernel_below(5)) {
    case 0:
        simulator_trace("client: resets");
        client_leave(client, true);
        return;
    case 1:
        simulator_trace("client: closes");
        client_leave(client, false);
        return;
    case 2:
        simulator_trace("client: sends FIN");
        kernel_peer_finish(client->socket);
        client->finished = true;
        return;
    case 3:
        talk_print(&client->out, "no record of TLS");
        return;
    default:
        client->plan.deaf = true;
        return;
    }
}

static void say_goodbye(struct simulated_client *client) {
    client->said_goodbye = true;
    if (client->secured && !client->broken) {
        wolfSSL_shutdown(client->tls);
    }
}

/* Nothing more can come, or is wanted. In a tunnel the other half may go on. */
static bool is_over(const struct simulated_client *client) {
    return kernel_peer_is_reset(client->socket) || kernel_peer_at_end(client->socket) ||
           (client->said_goodbye && client->out.size == 0 && (!client->in_tunnel || client->broken));
}

void client_step(struct simulated_client *client) {
    bool idle = client->secured && client->requests_left == 0 && client->asked_count == 0 &&
                (client->http2 == NULL || client_http2_is_idle(client));

    if (client->plan.rude && kernel_chance(20)) {
        misbehave(client);
        if (client->socket == NULL) {
            return;
        }
    }
    if (!client->finished) {
        client_push(client, some_piece(client));
    }
    if (!client->plan.deaf) {
        client_pull(client);
    }
    if (client->secured && !client->broken && !client->finished && !client->said_goodbye && kernel_chance(300)) {
        if (client->http2 != NULL) {
            client_http2_step(client);
        } else if (client->in_tunnel) {
            if (!client_tunnel_speak(client) && kernel_chance(100)) {
                say_goodbye(client);
            }
        } else {
            client_ask(client);
        }
    }
    if (idle && !client->said_goodbye && kernel_chance(100)) {
        say_goodbye(client);
    }
    if (is_over(client)) {
        client_pull(client);
        if (client->asked_count > 0 && client->body.until_end && client->in_body && kernel_peer_at_end(client->socket)) {
            simulator_trace("client: the answer ends with the connection");
        }
        client_leave(client, false);
    } else if (client->plan.kind != CLIENT_TLS && client->out.size == 0 && kernel_chance(20)) {
        client_leave(client, kernel_chance(500));
    }
}
