#include "config/protocol.h"

#include "base/check.h"

/* A key that has no meaning without HTTP. */
struct http_key {
    const char *key;
    const char *instead;
};

static const struct http_key of_host[] = {
    {"forward", "there are no headers, and origin_proxy_protocol: v2 tells the origin of the client's certificate"},
    {"request_headers", "there are no headers"},
    {"response_headers", "there are no headers"},
    {"strict_transport_security", "there are no headers, and no browsers"},
    {"methods", "there are no requests"},
    {"http2", "clients may speak any protocol, and ALPN is not answered"},
    {"origin_pool", "each client's connection has its own to the origin"},
    {"retry", "there are no requests to send again; an address that cannot be connected to is followed by the next anyway"},
    {"origin_protocol", "the origin gets the client's bytes as they are"},
};
static const struct http_key of_client_auth[] = {
    {"deny", "there is no page, and a client that is turned away gets the TLS alert access_denied"},
};
static const struct http_key of_timeouts[] = {
    {"response", "there are no answers, and timeouts.tunnel_idle ends what is silent"},
    {"body", "there are no bodies, and timeouts.tunnel_idle ends what is silent"},
};

static const struct http_key of_health[] = {
    {"path", "the origin is not asked, and a connection is enough"},
};

/* `path`: of the mapping, in messages, with what separates it from the key. */
static void refuse(const struct loader *loader, const struct document_node *mapping, const char *path,
                   const struct http_key *keys, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct document_node *value = document_value(mapping, keys[i].key);

        if (value != NULL) {
            loader_problem(loader, value, "%s%s does not go with protocol: tcp, where %s; leave it out", path, keys[i].key,
                           keys[i].instead);
        }
    }
}

static void refuse_keys_of_http(const struct loader *loader, const struct document_node *host) {
    const struct document_node *origins = document_value(host, "origin");

    refuse(loader, host, "", of_host, ARRAY_LENGTH(of_host));
    refuse(loader, document_value(host, "client_auth"), "client_auth.", of_client_auth, ARRAY_LENGTH(of_client_auth));
    refuse(loader, document_value(host, "timeouts"), "timeouts.", of_timeouts, ARRAY_LENGTH(of_timeouts));
    refuse(loader, document_value(host, "health"), "health.", of_health, ARRAY_LENGTH(of_health));
    if (origins != NULL && origins->type == DOCUMENT_LIST) {
        for (const struct document_node *item = origins->first; item != NULL; item = item->next) {
            refuse(loader, document_value(item, "timeouts"), "an origin's timeouts.", of_timeouts,
                   ARRAY_LENGTH(of_timeouts));
        }
    }
}

void protocol_load(const struct loader *loader, const struct document_node *node, const struct document_node *host_node,
                   struct config_host *host) {
    static const char *const words[] = {"http", "tcp"};
    size_t index = 0;

    value_choice(loader, node, "protocol", words, ARRAY_LENGTH(words), &index);
    host->is_tcp = index == 1;
    if (host->is_tcp) {
        refuse_keys_of_http(loader, host_node);
    }
}
