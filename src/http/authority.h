/* Authorities: a host and maybe a port, in Host and in request targets (RFC 3986 section 3.2, RFC 9110 section 7.2). */
#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include "base/host_name.h"

enum { HTTP_NAME_SIZE = HOST_NAME_SIZE };

/*
 * Takes an authority apart: a DNS name, an IPv4 address or an IPv6 literal (without its brackets) to `*host`; its port must
 * be empty or 0 to 65535. False for anything else: user information, percent-encoding, other characters, empty.
 */
bool http_authority_host(struct bytes authority, struct bytes *host);

/*
 * Writes the host name in an authority, as names are compared: lower case, without port and one trailing dot,
 * NUL-terminated, never empty. False when there is none: an IP literal in brackets, user information, percent-encoding, a
 * bad port.
 */
bool http_authority_name(struct bytes authority, char name[static HTTP_NAME_SIZE]);

/* Returns whether the host in an authority is an IP address: IPv4 with four decimal numbers, or IPv6 in brackets. */
bool http_authority_is_address(struct bytes authority);

#endif
