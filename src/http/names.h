/*
 * Names of headers: how they are compared, what each means to a relay, and which no client may send. This module alone
 * decides that, because a spelling that this server lets pass and an origin reads as another name is a forged verdict.
 *
 * CGI (RFC 3875 section 4.1.18), FastCGI, WSGI, Rack and PHP make a variable of each header. They drop letter case, and turn
 * some or all characters that are no letter or digit into '_': lighttpd, HAProxy and Apache all of them, PHP '.' and ' ',
 * nginx and most Python servers '-' alone. So in a comparison all these characters are equal. Their number counts: none of
 * these servers drops or joins them, so X-Device- is another variable than X-Device. The prefix of the variables, HTTP_,
 * does not count: some servers add it, or take it off, once more than others.
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

/* The meaning of a header to a relay; decided by its name alone, letter case ignored. */
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

/* Returns `name` without "HTTP-" at its front, in any spelling and however often; never empty unless `name` is. */
struct bytes http_name_core(struct bytes name);
/* Returns whether an origin may take one name for the other: their cores are the same under the fold. */
bool http_names_alike(struct bytes a, struct bytes b);
/* Returns whether `name`, or its core, begins with `prefix` under the fold. */
bool http_name_begins(struct bytes name, struct bytes prefix);
/* Returns hash_bytes of the first 256 bytes of the folded core: equal for names that are alike. */
uint64_t http_name_hash(struct bytes name);

/*
 * Returns what the header means to a relay. The result is HTTP_HEADER_LOOKALIKE for every name that resembles a header that
 * frames or routes and is not its exact name (letter case ignored); such a likeness ignores characters at either end that
 * are no letter or digit too ("Host_").
 */
enum http_header_kind http_header_kind_of(struct bytes name);

/*
 * Names that are removed from what clients send, configured or not: an origin takes them for statements of its gateway.
 * X-Client-Cert-Status and -SKI are this server's; Client-Cert and Client-Cert-Chain are RFC 9440's (section 2.4 demands
 * it), X-Forwarded-Client-Cert is Envoy's; X-Forwarded-For, -Proto, -Host and RFC 7239's Forwarded say who the client is;
 * CGI makes of Proxy the variable that sets an HTTP client's proxy.
 */
size_t http_own_name_count(void);
const char *http_own_name(size_t index);

/*
 * True when the configuration may have `name` carry a field: it is a token (RFC 9110 section 5.6.2), and neither alike to a
 * name that frames or routes a message (Host, Connection, ...) nor to one that this server sets or uses by itself.
 */
bool http_name_may_be_set(struct bytes name);
/* True when the configuration may have `name` removed from requests: a token that does not frame or route a message. */
bool http_name_may_be_stripped(struct bytes name);

/*
 * True when the configuration may set `name` in answers: a token that is not alike to a name that frames a message, or says
 * how its content is coded, or that this server sets or uses by itself.
 */
bool http_name_may_be_set_in_answers(struct bytes name);
/*
 * True when the configuration may have `name` removed from the answers of origins, or, if `is_prefix`, all names that begin
 * with it: none that frames a message, says how its content is coded, or takes part in a handshake of WebSocket.
 */
bool http_name_may_be_removed_from_answers(struct bytes name, bool is_prefix);

#endif
