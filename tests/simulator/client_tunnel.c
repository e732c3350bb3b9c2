#include "client_tunnel.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 16 * 1024 };

void client_tunnel_begin(struct simulated_client *client, size_t head_size) {
    const char *head = client->text.data;
    char value[64];

    SIMULATOR_EXPECT(client->asked_count == 1 && client->talk->requests[client->asked[0]].switches,
                     "101 that nobody has asked for, or no origin has sent");
    SIMULATOR_EXPECT(talk_header(head, head_size, "X-Echo", value, sizeof value) == 1 &&
                         (uint32_t)strtoul(value, NULL, 10) == client->asked[0],
                     "the 101 for %s came for request %u", value, client->asked[0]);
    SIMULATOR_EXPECT(talk_header(head, head_size, "Upgrade", value, sizeof value) == 1 && strcmp(value, "simulated") == 0,
                     "101 with %s", value);
    client->counts->answers[STATS_HTTP1][101]++;
    client->body = (struct talk_body){.framing = TALK_NOTHING, .until_end = true};
    client->in_tunnel = true;
    talk_drop(&client->text, head_size);
}

/* Returns whether the origin of the tcp host has said its first word, or need not. */
static bool is_greeted(struct simulated_client *client) {
    size_t size = strlen(TALK_GREETING);

    if (client->plan.host != TALK_TCP || client->greeted) {
        return true;
    }
    if (client->text.size < size) {
        return false;
    }
    SIMULATOR_EXPECT(memcmp(client->text.data, TALK_GREETING, size) == 0, "another greeting");
    talk_drop(&client->text, size);
    client->greeted = true;
    return true;
}

void client_tunnel_take(struct simulated_client *client) {
    const struct talk_request *request = &client->talk->requests[client->asked[0]];

    if (!is_greeted(client)) {
        return;
    }
    SIMULATOR_EXPECT(talk_take_body(&client->body, &client->text, client->asked[0], talk_answer_byte) &&
                         client->body.at <= request->answer_size,
                     "the tunnel of request %u does not have its origin's bytes, at byte %zu", client->asked[0],
                     client->body.at);
}

void client_tunnel_end(const struct simulated_client *client) {
    const struct talk_request *request = &client->talk->requests[client->asked[0]];

    bool unreached = client->plan.host == TALK_TCP && !request->reached;

    SIMULATOR_EXPECT(request->cut || unreached || client->body.at == request->answer_size,
                     "%zu bytes of a tunnel of %zu were taken for all of it", client->body.at, request->answer_size);
}

void client_tunnel_ask(struct simulated_client *client, struct talk_buffer *text, uint32_t number) {
    struct talk_request *request = &client->talk->requests[number];

    request->framing = TALK_NOTHING;
    request->head = false;
    client->requests_left = 0;
    client->in_tunnel = true;
    client->body = (struct talk_body){.framing = TALK_NOTHING, .until_end = true};
    talk_print(text, "%u\n", number);
}

bool client_tunnel_speak(struct simulated_client *client) {
    const struct talk_request *request = &client->talk->requests[client->asked[0]];
    size_t left = request->body_size - client->tunnelled;
    size_t most = 1 + kernel_below(PIECE_MAX);
    struct talk_buffer text = {0};

    if (left == 0) {
        return false;
    }
    talk_put_bytes(&text, client->tunnelled, left < most ? left : most, client->asked[0], talk_body_byte);
    client->broken = wolfSSL_write(client->tls, text.data, (int)text.size) != (int)text.size;
    client->tunnelled += text.size;
    talk_free(&text);
    return true;
}
