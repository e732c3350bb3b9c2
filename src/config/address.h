/* "host:port" as the file has it, and host names as DNS and TLS have them. */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include "config/config.h"

enum {
    ADDRESS_ERROR_SIZE = 128,
    ADDRESS_NAME_MAX = 253, /* characters of a DNS name (RFC 1035 section 2.3.4, in presentation form) */
};

/*
 * A name as a TLS client may send it (RFC 6066 section 3, RFC 1123 section 2.1; '_' is let in as browsers do): labels of 1
 * to 63 letters, digits, '-' and '_', the last not a number, no trailing dot. NULL, or what is wrong: a static text.
 */
const char *address_check_name(const char *name);

/* "1.2.3.4:443" or "[::1]:443", port 1 to 65535. 0, or -EINVAL and one line in `error`. `text` is left NULL. */
int address_parse(const char *text, struct config_address *address, char error[static ADDRESS_ERROR_SIZE]);

/*
 * As address_parse, and host names too, resolved now: all their addresses, at most `capacity`, none twice; further ones are
 * left out. The number of addresses, or -EINVAL and one line in `error`. Each has its `text` made (free()).
 */
int address_resolve(const char *text, struct config_address *addresses, size_t capacity,
                    char error[static ADDRESS_ERROR_SIZE]);

/* The same address and port. */
bool address_equal(const struct config_address *a, const struct config_address *b);
/* Whether only this machine can reach it: 127.0.0.0/8, ::1, and the former mapped into IPv6. */
bool address_is_loopback(const struct config_address *address);
/* Whether one would receive what is meant for the other: the same port and family, and the same address or one is "any". */
bool address_overlaps(const struct config_address *a, const struct config_address *b);

#endif
