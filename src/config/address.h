/* Addresses with ports, as the file has them ("host:port") and as the kernel does, and host names as DNS and TLS have them.
 */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include "base/error.h"
#include "dns/set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    ADDRESS_NAME_MAX = 253,  /* characters of a DNS name (RFC 1035 section 2.3.4, in presentation form) */
    ADDRESS_TEXT_SIZE = 128, /* bytes that hold the text of any address, as address_resolve makes it */
};

struct config_address {
    struct sockaddr_storage address;
    socklen_t size;
    char *text; /* "127.0.0.1:9000", for logs; owned */
};

/*
 * Checks a name that is to be served: the grammar of base/host_name, and what DNS demands beyond it (RFC 1035 section 2.3.4,
 * RFC 1123 section 2.1), because a name that breaks one of these rules can only be a slip: at most 253 characters in labels
 * of at most 63, no '-' at either end of a label, a last label that is no number, no dot at the end. Returns NULL, or what
 * is wrong: a static text.
 */
const char *address_check_name(const char *name);

/*
 * Reads "1.2.3.4:443" or "[::1]:443", with a port from 1 to 65535. Returns 0, or -EINVAL and one line in `error`. The
 * address has no text (NULL).
 */
int address_parse(const char *text, struct config_address *address, struct error *error);

enum { ADDRESS_IS_NAME = 1 };

/*
 * Reads what address_parse reads, and then gives the address its text, made from the numbers (free()): returns 0. For
 * "name:port" returns ADDRESS_IS_NAME, and there is no address. -EINVAL with one line in `error`.
 */
int address_read(const char *text, struct config_address *address, struct error *error);
/* Makes one of what was found in DNS, with its text (free()). */
void address_of_dns(const union dns_address *found, struct config_address *address);
/* Copies the name of a text for which address_is_name, and returns its port. */
uint16_t address_name(const char *text, char name[static ADDRESS_NAME_MAX + 1]);

/*
 * Reads "unix:/run/app.sock", of a path that is relative to `directory` (with its final '/', or empty) unless it is
 * absolute, and "unix:@name", a name in Linux's abstract space. The socket need not exist. Returns 0, with the address's
 * text (free()), in which the path is complete; or -EINVAL and one line in `error`. Only connections can be made to the
 * address: all other functions here are for those of TCP.
 */
int address_unix(const char *text, const char *directory, struct config_address *address, struct error *error);
/* Returns whether the text is one for address_unix, also if it has a fault. */
bool address_is_unix(const char *text);
/* Returns whether the text names a host, and is no address in digits. For texts that address_read accepts. */
bool address_is_name(const char *text);
/* Writes an IPv4 or IPv6 address with its port, as texts of addresses have them. */
void address_write(const struct config_address *address, char out[static ADDRESS_TEXT_SIZE]);
/* Returns whether address and port are the same. */
bool address_equal(const struct config_address *a, const struct config_address *b);
/* Returns whether only this machine can reach the address: 127.0.0.0/8, also mapped into IPv6, or ::1. */
bool address_is_loopback(const struct config_address *address);
/* Returns whether the address stands for all of a machine: 0.0.0.0 or ::. */
bool address_is_any(const struct config_address *address);
/* Returns whether the address is a multicast one, or 255.255.255.255: no TCP connection can be made to it. */
bool address_is_group(const struct config_address *address);
/*
 * Returns whether a listener on one address would receive connections to the other: port and family are the same, and so is
 * the address, or one of them is "any".
 */
bool address_overlaps(const struct config_address *a, const struct config_address *b);

#endif
