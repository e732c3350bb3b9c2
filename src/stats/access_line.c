#include "stats/access_line.h"

#include "base/check.h"
#include "base/utf8.h"

static void append_key(struct text *out, const char *key) {
    text_append_format(out, ",\"%s\":", key);
}

/* Appends at most `most` bytes of `value`, cut at a character's end; nothing where there is none. */
static void append_text(struct text *out, const char *key, struct bytes value, size_t most) {
    if (value.size > 0) {
        append_key(out, key);
        text_append_json(out, utf8_cut(value, most));
    }
}

static void append_string(struct text *out, const char *key, const char *value) {
    if (value != NULL) {
        append_text(out, key, bytes_of_string(value), ACCESS_HOST_MAX);
    }
}

static void append_number(struct text *out, const char *key, uint64_t value) {
    text_append_format(out, ",\"%s\":%llu", key, (unsigned long long)value);
}

/* Appends seconds, to the microsecond. */
static void append_duration(struct text *out, const char *key, uint64_t ns) {
    uint64_t us = ns / 1000;
    text_append_format(out, ",\"%s\":%llu.%06llu", key, (unsigned long long)(us / 1000000),
                       (unsigned long long)(us % 1000000));
}

static void begin(struct text *out, const char *event, uint64_t time_ms) {
    text_append_string(out, "{\"time\":\"");
    text_append_time(out, (int64_t)(time_ms / 1000));
    CHECK(out->overflow || (out->size > 0 && out->data[out->size - 1] == 'Z'));
    out->size -= out->overflow ? 0 : 1;
    text_append_format(out, ".%03uZ\",\"event\":\"%s\"", (unsigned)(time_ms % 1000), event);
}

static void append_client(struct text *out, const struct access_client *client) {
    append_text(out, "source", client->address, ACCESS_HOST_MAX);
    append_number(out, "port", client->port);
    append_text(out, "host", client->host, ACCESS_HOST_MAX);
}

static void end(struct text *out) {
    text_append_string(out, "}\n");
    CHECK(!out->overflow);
}

static bool has_tls(const struct access_session *session) {
    return session->tls_version != NULL;
}

static void append_times(struct text *out, const struct access_session *session, uint64_t origin_ns, uint64_t total_ns) {
    if (has_tls(session)) {
        append_duration(out, "handshake", session->handshake_ns);
    }
    if (origin_ns > 0) {
        append_duration(out, "origin", origin_ns);
    }
    append_duration(out, "total", total_ns);
}

static void append_session(struct text *out, const struct access_session *session) {
    if (!has_tls(session)) {
        return;
    }
    append_string(out, "tls_version", session->tls_version);
    append_string(out, "tls_cipher", session->tls_cipher);
    append_string(out, "key_exchange_group", session->key_exchange_group);
    text_append_format(out, ",\"resumed\":%s", session->resumed ? "true" : "false");
    append_string(out, "status", session->status);
    append_string(out, "reason", session->reason);
    append_text(out, "ski", session->ski, ACCESS_SKI_MAX);
    append_text(out, "serial", session->serial, ACCESS_SERIAL_MAX);
    append_text(out, "issuer", session->issuer, ACCESS_ISSUER_MAX);
    if (session->fingerprint.size > 0) {
        text_append_string(out, ",\"fingerprint\":\"");
        text_append_hex(out, session->fingerprint);
        text_append_string(out, "\"");
    }
}

void access_line_request(struct text *out, const struct access_request *request) {
    begin(out, "request", request->client.time_ms);
    append_client(out, &request->client);
    append_text(out, "method", request->method, ACCESS_METHOD_MAX);
    append_text(out, "path", request->path, ACCESS_PATH_MAX);
    if (request->http != NULL) {
        append_key(out, "http");
        text_append_string(out, request->http);
    }
    if (request->stream != 0) {
        append_number(out, "stream", request->stream);
    }
    append_number(out, "code", request->code);
    if (request->tries > 1) {
        append_number(out, "tries", request->tries);
    }
    append_string(out, "origin_error", request->origin_error);
    append_number(out, "body_in", request->body_in);
    append_number(out, "body_out", request->body_out);
    append_times(out, &request->session, request->origin_ns, request->total_ns);
    append_session(out, &request->session);
    append_text(out, "request_id", request->request_id, ACCESS_REQUEST_ID_MAX);
    end(out);
}

void access_line_connection(struct text *out, const struct access_connection *connection) {
    begin(out, "connection", connection->client.time_ms);
    append_client(out, &connection->client);
    append_string(out, "end", connection->end);
    append_string(out, "origin_address", connection->origin_address);
    append_string(out, "origin_error", connection->origin_error);
    append_number(out, "bytes_in", connection->bytes_in);
    append_number(out, "bytes_out", connection->bytes_out);
    append_times(out, &connection->session, connection->origin_ns, connection->total_ns);
    append_session(out, &connection->session);
    end(out);
}

void access_line_failure(struct text *out, const struct access_failure *failure) {
    begin(out, "handshake_failed", failure->client.time_ms);
    append_client(out, &failure->client);
    append_string(out, "stage", failure->stage);
    append_string(out, "reason", failure->reason);
    append_duration(out, "total", failure->total_ns);
    end(out);
}

void access_line_left_out(struct text *out, uint64_t time_ms, uint64_t count) {
    begin(out, "handshakes_left_out", time_ms);
    append_number(out, "count", count);
    end(out);
}
