/* Networks as operators write them: "192.0.2.0/24", "2001:db8::/32", or one address alone (RFC 4632, RFC 4291). */
#ifndef GUARD_PREFIX_H
#define GUARD_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { PREFIX_TEXT_SIZE = 50 /* of the longest network as text, with its NUL */ };

struct prefix {
    uint8_t address[16]; /* network byte order; 4 bytes used for AF_INET. Behind `bits` all is 0 */
    uint8_t bits;
    uint8_t family;
};

/* Reads a network. NULL, or what is wrong: a static text. Bits behind the length must be 0, so that a slip shows. */
const char *prefix_parse(const char *text, struct prefix *prefix);

/* Returns whether the network has the address. An IPv4 address mapped into IPv6 (::ffff:0:0/96) is one of IPv4. */
bool prefix_covers(const struct prefix *prefix, const struct sockaddr *address);
/* Returns whether one of `count` networks has the address. */
bool prefix_any_covers(const struct prefix *prefixes, size_t count, const struct sockaddr *address);

/* Writes the network with its length: "192.0.2.7/32". */
void prefix_write(const struct prefix *prefix, char text[static PREFIX_TEXT_SIZE]);

#endif
