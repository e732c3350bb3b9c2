/* Upgrade to another protocol (RFC 9110 section 7.8): what a request offers, as far as it is passed on, and a 101. */
#ifndef HTTP_UPGRADE_H
#define HTTP_UPGRADE_H

#include "base/text.h"
#include "http/message.h"

enum {
    HTTP_STATUS_SWITCHING = 101,
    HTTP_UPGRADE_MAX = 64, /* bytes of an offer; a longer one is ignored, as any offer may be */
};

/*
 * Appends the protocols that the request offers and an origin may take up, as the value of Upgrade: nothing when there are
 * none, or when the offer does not count (HTTP/1.0, no option in Connection, content that the origin may leave unread), or
 * when they are more than HTTP_UPGRADE_MAX bytes. Left out are the protocols that would carry requests past this server,
 * with headers that nobody has looked at (HTTP, h2c and the like), and TLS. An extended CONNECT offers its :protocol alone.
 */
void http_upgrade_offer(struct text *out, const struct http_message *request, const void *head);

/* Returns whether a 101 goes on with protocols of the offer alone, and with one at least. */
bool http_upgrade_is_of(const struct http_message *response, const void *head, struct bytes offer);

/* Returns whether Upgrade of the message names `protocol`, which has no capitals, as one of its protocols. */
bool http_upgrade_names(const struct http_message *message, const void *head, const char *protocol);

#endif
