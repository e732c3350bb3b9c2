/*
 * Relays trailers (RFC 9110 section 6.5). A recipient may merge trailers into the headers, so none is relayed whose name
 * frames, routes, modifies, authenticates or describes a message (section 6.5.1), nor one that no client may set.
 */
#ifndef HTTP_TRAILERS_H
#define HTTP_TRAILERS_H

#include "base/text.h"
#include "http/forward.h"

/* Returns whether the sender of the request takes trailers: `TE: trailers` (RFC 9110 section 10.1.4). */
bool http_takes_trailers(const struct http_message *request, const void *head);

/*
 * Appends the names in the message's Trailer headers, with commas between them. Names alike to one that Connection names are
 * left out: they are for the next hop alone (RFC 9110 section 7.6.1). `out->overflow` when the names do not fit; nothing
 * when there are none.
 */
void http_gather_announced(struct text *out, const struct http_message *message, const void *head);

/* Appends the names in the message's Connection headers, with commas between: no more bytes than those headers have. */
void http_gather_connection_names(struct text *out, const struct http_message *message, const void *head);
/* Drops the fields whose names are alike to one in the list `names` from a trailer section, in place. Returns the new size.
 */
size_t http_trailers_drop(uint8_t *section, size_t size, struct bytes names);

/*
 * Appends the fields of a trailer section (http_parser_trailers) that may be relayed: a line for each, which ends in CRLF,
 * and no empty line. `announced` is a list that must have their names; without data it allows any name. `forwarding` gives
 * the names that are removed, as http_forwarding_removes says.
 */
void http_write_trailers(struct text *out, struct bytes section, struct bytes announced,
                         const struct http_forwarding *forwarding);

#endif
