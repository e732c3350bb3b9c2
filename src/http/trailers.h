/*
 * Trailers (RFC 9110 section 6.5) on their way through: which go on, and how they are written. A recipient may merge them
 * into the headers, so none may bear a name that frames, routes, modifies, authenticates or describes a message (section
 * 6.5.1), nor one that no client may set.
 */
#ifndef HTTP_TRAILERS_H
#define HTTP_TRAILERS_H

#include "base/text.h"
#include "http/forward.h"

/* Whether the request says that its sender takes trailers: `TE: trailers` (RFC 9110 section 10.1.4). */
bool http_takes_trailers(const struct http_message *request, const void *head);

/*
 * Appends the names in the message's Trailer headers, with commas between them, but for those alike to what its Connection
 * names, which is between two neighbours (RFC 9110 section 7.6.1). `out->overflow` when they do not fit; nothing when there
 * are none.
 */
void http_gather_announced(struct text *out, const struct http_message *message, const void *head);

/* Appends what the message's Connection headers list, with commas between: no more bytes than those headers have. */
void http_gather_connection_names(struct text *out, const struct http_message *message, const void *head);
/* Drops from a trailer section, in place, the fields whose names are alike to one of the list `names`. The new size. */
size_t http_trailers_drop(uint8_t *section, size_t size, struct bytes names);

/*
 * Appends those fields of a trailer section, as http_parser_trailers gives it, that may go on, a line each that ends in CRLF
 * and no empty one. `announced`: a list that must have their names; one without data: any will do. Of
 * `forwarding` its names that are removed count alone, as http_forwarding_removes says.
 */
void http_write_trailers(struct text *out, struct bytes section, struct bytes announced,
                         const struct http_forwarding *forwarding);

#endif
