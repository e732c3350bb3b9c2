#include "http/upgrade.h"

#include "base/check.h"
#include "http/syntax.h"

/* Goes over the protocols that the lines of Upgrade list. */
struct protocols {
    const struct http_message *message;
    const void *head;
    uint32_t next; /* header */
    struct bytes list;
};

static bool next_protocol(struct protocols *protocols, struct bytes *protocol) {
    const struct http_message *message = protocols->message;
    while (!http_list_next(&protocols->list, protocol)) {
        while (protocols->next < message->header_count && message->headers[protocols->next].kind != HTTP_HEADER_UPGRADE) {
            protocols->next++;
        }
        if (protocols->next == message->header_count) {
            return false;
        }
        protocols->list = http_view(protocols->head, message->headers[protocols->next++].value);
    }
    return true;
}

/* Splits a protocol at its slash. False when it is not `name` or `name/version`, both tokens. */
static bool is_protocol(struct bytes protocol, struct bytes *name) {
    const uint8_t *slash = memchr(protocol.data, '/', protocol.size);
    *name = slash == NULL ? protocol : bytes_of(protocol.data, (size_t)(slash - protocol.data));
    return http_is_token(*name) && (slash == NULL || http_is_token(bytes_of(slash + 1, protocol.size - name->size - 1)));
}

/* Returns whether the protocol may be offered to an origin. A name is judged by how it begins: drafts had h2c-14. */
static bool may_pass(struct bytes protocol) {
    static const char *const refused[] = {"http", "h2", "h3", "tls"};
    struct bytes name;
    if (!is_protocol(protocol, &name)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        size_t size = strlen(refused[i]);
        if (name.size >= size && http_text_is(bytes_of(name.data, size), refused[i])) {
            return false;
        }
    }
    return true;
}

void http_upgrade_offer(struct text *out, const struct http_message *request, const void *head) {
    char memory[HTTP_UPGRADE_MAX];
    struct text offer = text_over(memory, sizeof memory);
    struct protocols protocols = {.message = request, .head = head};
    struct bytes protocol;
    if (request->protocol.size > 0) {
        protocol = http_view(head, request->protocol);
        text_append_bytes(out, may_pass(protocol) && protocol.size <= HTTP_UPGRADE_MAX ? protocol : bytes_of(NULL, 0));
        return;
    }
    if (!request->upgrades || request->minor == 0 || request->method_kind == HTTP_METHOD_CONNECT ||
        http_content_may_be_left(request)) {
        return;
    }
    while (next_protocol(&protocols, &protocol)) {
        if (may_pass(protocol)) {
            text_append_string(&offer, offer.size > 0 ? ", " : "");
            text_append_bytes(&offer, protocol);
        }
    }
    if (!offer.overflow) {
        text_append_bytes(out, text_bytes(&offer));
    }
}

static bool is_in(struct bytes list, struct bytes protocol) {
    struct bytes element;
    while (http_list_next(&list, &element)) {
        if (bytes_equal_ignoring_case(element, protocol)) {
            return true;
        }
    }
    return false;
}

bool http_upgrade_is_of(const struct http_message *response, const void *head, struct bytes offer) {
    struct protocols protocols = {.message = response, .head = head};
    struct bytes protocol;
    bool any = false;
    while (next_protocol(&protocols, &protocol)) {
        if (!is_in(offer, protocol)) {
            return false;
        }
        any = true;
    }
    return any;
}

bool http_upgrade_names(const struct http_message *message, const void *head, const char *protocol) {
    struct protocols protocols = {.message = message, .head = head};
    struct bytes named;
    while (next_protocol(&protocols, &named)) {
        if (http_text_is(named, protocol)) {
            return true;
        }
    }
    return false;
}
