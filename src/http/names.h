/*
 * Names of headers: how they are compared, what each means to whoever relays a message, and which are not for clients to
 * send. It is decided here alone, because a spelling that this edge lets pass and an origin reads as another name is a
 * forged verdict.
 *
 * CGI (RFC 3875 section 4.1.18), FastCGI, WSGI, Rack and PHP make a variable of each header, and on that way lose letter
 * case and some or all of the characters that are no letter or digit: lighttpd, HAProxy and Apache turn every one of them to
 * '_', PHP '.' and ' ', nginx and most Python servers '-' alone. So for a comparison all of them are one. They count one by
 * one: none of these drops or joins them, so that X-Device- is another variable than X-Device. The variables' own prefix,
 * HTTP_, does not count: it is there, or taken off, once more or less often than one would think.
 */
#ifndef HTTP_NAMES_H
#define HTTP_NAMES_H

#include "base/ascii.h"
#include "base/bytes.h"

/* The headers that this server sets. Those of requests are among the names of http_own_name, but for X-Request-Id and Via.
 */
#define HTTP_NAME_STATUS          "X-Client-Cert-Status" /* this and the next: unless the configuration renames them */
#define HTTP_NAME_SKI             "X-Client-Cert-SKI"
#define HTTP_NAME_FORWARDED_FOR   "X-Forwarded-For"
#define HTTP_NAME_FORWARDED_PROTO "X-Forwarded-Proto"
#define HTTP_NAME_FORWARDED_HOST  "X-Forwarded-Host"
#define HTTP_NAME_REQUEST_ID      "X-Request-Id"
#define HTTP_NAME_VIA             "Via"

/* What a header means to a relay; decided by its name alone, letter case ignored. */
enum http_header_kind {
    HTTP_HEADER_END_TO_END,
    HTTP_HEADER_HOST,
    HTTP_HEADER_CONNECTION,
    HTTP_HEADER_CONTENT_LENGTH,
    HTTP_HEADER_TRANSFER_ENCODING,
    HTTP_HEADER_EXPECT,
    HTTP_HEADER_UPGRADE,
    HTTP_HEADER_REQUEST_ID,
    HTTP_HEADER_HOP_BY_HOP, /* Keep-Alive, Proxy-Connection, TE, Trailer, HTTP2-Settings */
    HTTP_HEADER_LOOKALIKE,  /* has no meaning here, but an origin may read it as one of the above */
};

/* Returns the character by which names are compared: A-Z as a-z, and any other character but letters and digits as '-'. */
static inline uint8_t http_name_fold(uint8_t c) {
    return ascii_is_alphanumeric(c) ? ascii_lower(c) : '-';
}

/* `name` without "HTTP-" in any spelling before it, however often it stands there; never empty unless `name` is. */
struct bytes http_name_core(struct bytes name);
/* Whether an origin may take one for the other: their cores are the same under the fold. */
bool http_names_alike(struct bytes a, struct bytes b);
/* Whether `name`, or its core, begins with `prefix` under the fold. */
bool http_name_begins(struct bytes name, struct bytes prefix);
/* hash_bytes of the folded core, of its first 256 bytes where it is longer: equal for names that are alike. */
uint64_t http_name_hash(struct bytes name);

/*
 * Returns what the header means to a relay. The result is HTTP_HEADER_LOOKALIKE for every name that resembles a header that
 * frames or routes and is not its exact name (letter case ignored); such a likeness ignores characters at either end that
 * are no letter or digit too ("Host_").
 */
enum http_header_kind http_header_kind_of(struct bytes name);

/*
 * Names that are removed from what clients send, configured or not: those that an origin takes for a statement of its edge.
 * X-Client-Cert-Status and -SKI are ours; Client-Cert and Client-Cert-Chain are RFC 9440's (section 2.4 demands it),
 * X-Forwarded-Client-Cert is Envoy's; X-Forwarded-For, -Proto, -Host and RFC 7239's Forwarded say for whom the edge speaks;
 * CGI makes of Proxy the variable that sets an HTTP client's proxy.
 */
size_t http_own_name_count(void);
const char *http_own_name(size_t index);

/*
 * True when the configuration may have `name` carry a field: it is a token (RFC 9110 section 5.6.2), and neither alike to a
 * name that frames or routes a message (Host, Connection, ...) nor to one that this edge sets or uses by itself.
 */
bool http_name_may_be_set(struct bytes name);
/* True when the configuration may have `name` removed from requests: a token that does not frame or route a message. */
bool http_name_may_be_stripped(struct bytes name);

#endif
