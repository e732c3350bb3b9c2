/* The facts that the headers of one head state together, of a request or a response. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/message.h"

/* Pointers are to the first header of that kind, or NULL. */
struct http_head_facts {
    unsigned hosts;
    unsigned content_lengths;
    unsigned transfer_encodings;
    unsigned expects;
    const struct http_header *host;
    const struct http_header *transfer_encoding;
    const struct http_header *expect;
    bool close;      /* Connection: close */
    bool keep_alive; /* Connection: keep-alive */
};

/*
 * Goes over the message's headers once: trims their values, sets their kinds and message->upgrades, counts
 * message->connection_names. False when these names are more than HTTP_CONNECTION_NAMES_MAX.
 */
bool http_head_examine(struct http_message *message, const char *head, struct http_head_facts *facts);

#endif
