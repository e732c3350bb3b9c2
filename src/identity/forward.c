#include "identity/forward.h"

#include "base/check.h"

enum { MARK_FIRST = 1 }; /* of the fields of the connection, in the order of FIELDS: control bytes, which no value has */

_Static_assert(FIELD_SNI - FIELD_TLS_VERSION == 3, "the fields of the connection stand together");

static char mark_of(enum field_kind kind) {
    return (char)(MARK_FIRST + (int)kind - (int)FIELD_TLS_VERSION);
}

static bool is_mark(uint8_t c) {
    return c >= MARK_FIRST && c <= MARK_FIRST + (int)FIELD_SNI - (int)FIELD_TLS_VERSION;
}

enum forward_kind forward_kind_of(const struct forward_header *header) {
    const struct template *template = header->template;
    if (template != NULL && template->field_count == 0) {
        return FORWARD_CONSTANT;
    }
    bool of_connection =
        template != NULL ? template_has(template, FIELD_OF_CONNECTION) : field_source(&header->field) == FIELD_OF_CONNECTION;
    return of_connection ? FORWARD_OF_CONNECTION : FORWARD_OF_IDENTITY;
}

static bool render_one(struct text *value, const struct field *field, const struct render_source *source) {
    if (field_source(field) == FIELD_OF_CONNECTION) {
        text_append_char(value, mark_of(field->kind));
        return true;
    }
    return render_field(value, field, source);
}

bool forward_render(struct text *value, const struct forward_header *header, const struct render_source *source) {
    const struct template *template = header->template;
    if (template == NULL) {
        return render_one(value, &header->field, source);
    }
    for (size_t i = 0; i < template->field_count; i++) {
        text_append_bytes(value, template->parts[i].text);
        if (!render_one(value, &template->parts[i].field, source)) {
            return false;
        }
    }
    text_append_bytes(value, template->parts[template->field_count].text);
    return true;
}

static const char *fact_of(const struct forward_connection *connection, uint8_t mark) {
    switch ((enum field_kind)(mark - MARK_FIRST + (int)FIELD_TLS_VERSION)) {
    case FIELD_TLS_VERSION:
        return connection->tls_version;
    case FIELD_TLS_CIPHER:
        return connection->tls_cipher;
    case FIELD_KEY_EXCHANGE_GROUP:
        return connection->key_exchange_group;
    case FIELD_SNI:
        return connection->sni;
    default:
        CHECK(false);
        return NULL;
    }
}

/* Appends a value with its facts. False: one is absent. */
static bool complete_value(struct bytes value, const struct forward_connection *connection, struct text *out) {
    size_t from = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (!is_mark(value.data[i])) {
            continue;
        }
        const char *fact = fact_of(connection, value.data[i]);
        if (fact == NULL) {
            return false;
        }
        text_append(out, value.data + from, i - from);
        text_append_header_value(out, bytes_of_string(fact));
        from = i + 1;
    }
    text_append(out, value.data + from, value.size - from);
    return true;
}

static void complete_line(struct bytes line, const struct forward_connection *connection, struct text *out) {
    const uint8_t *colon = memchr(line.data, ':', line.size);
    CHECK(colon != NULL);
    size_t name_size = (size_t)(colon - line.data);
    size_t before = out->size;
    text_append(out, line.data, name_size + 2);
    size_t value_start = out->size;
    bool is_there = complete_value(bytes_of(line.data + name_size + 2, line.size - name_size - 2), connection, out);
    bool too_large = out->size - value_start > IDENTITY_HEADER_VALUE_MAX;
    text_append_string(out, "\r\n");
    if (is_there && !too_large && !out->overflow) {
        return;
    }
    out->size = before;
    out->overflow = false;
    if (is_there) {
        text_append(out, line.data, name_size);
        text_append_string(out, IDENTITY_TOO_LARGE ": true\r\n");
        out->size = out->overflow ? before : out->size;
    }
}

void forward_complete(struct bytes lines, const struct forward_connection *connection, struct text *out) {
    while (lines.size > 0 && !out->overflow) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        CHECK(end != NULL && end > lines.data);
        size_t size = (size_t)(end - lines.data) + 1;
        complete_line(bytes_of(lines.data, size - 2), connection, out);
        lines = bytes_of(lines.data + size, lines.size - size);
    }
}
