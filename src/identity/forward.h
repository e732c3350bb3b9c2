/*
 * Headers that tell of a client, and their lines: those that depend on its certificate alone are rendered once for each
 * identity; those that depend on its connection too are rendered but for these facts, which are filled in for each message.
 */
#ifndef IDENTITY_FORWARD_H
#define IDENTITY_FORWARD_H

#include "identity/render.h"
#include "identity/template.h"

enum {
    IDENTITY_HEADER_VALUE_MAX = 8 * 1024, /* a header with a longer value is replaced, see IDENTITY_TOO_LARGE */
};

/* Stands behind a header's name where the value is too large and "true" comes in its place. */
#define IDENTITY_TOO_LARGE "-Too-Large"

/* One configured header: its name, and the field that it carries or the template of its value. */
struct forward_header {
    char *name;
    struct field field;        /* where there is no template */
    struct template *template; /* NULL: the value is the field's */
};

/* All headers of one direction that a host's configuration sets: of requests status and SKI are among them. Owned by the
 * configuration. */
struct forward {
    struct forward_header *headers;
    size_t count;
};

/* The sources that a header's value depends on. */
enum forward_kind {
    FORWARD_CONSTANT,      /* none: the configuration writes its line, and an identity has none of it */
    FORWARD_OF_IDENTITY,   /* the verdict and the certificate */
    FORWARD_OF_CONNECTION, /* a fact of the connection, and perhaps those too */
};
enum forward_kind forward_kind_of(const struct forward_header *header);

/*
 * Appends the header's value, as render_field does its fields; of each field of the connection a mark, which no value has
 * otherwise. False: one of its fields is absent, and so is the header.
 */
bool forward_render(struct text *value, const struct forward_header *header, const struct render_source *source);

/* The facts of a connection. NULL members are absent. */
struct forward_connection {
    const char *tls_version;
    const char *tls_cipher;
    const char *key_exchange_group;
    const char *sni;
};

/*
 * Appends `lines`, which have values of forward_render, with the facts of the connection instead of their marks. A line of
 * which a fact is absent is left out. Where a value is too large, or does not fit in `out`, its name with IDENTITY_TOO_LARGE
 * comes instead; where not even that fits, out->overflow.
 */
void forward_complete(struct bytes lines, const struct forward_connection *connection, struct text *out);

#endif
