/*
 * Reads the answer to a question for SRV records (RFC 2782) as it came from a server: a reader that allocates nothing and
 * believes nothing. An answer that breaks a rule of DNS, or is none to the question, is refused as a whole.
 */
#ifndef DNS_SRV_H
#define DNS_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SRV_TYPE = 33,
    SRV_NAME_SIZE = 254,    /* a name of 253 characters, without the dot at its end, and NUL (RFC 1035 section 2.3.4) */
    SRV_ALIASES_MAX = 8,    /* CNAME records between the name that was asked for and the records */
    SRV_RECORDS_MAX = 1024, /* that a look-up uses */
};

struct srv_record {
    uint16_t priority;
    uint16_t weight;
    uint16_t port;
    char target[SRV_NAME_SIZE]; /* lower case; "": the root, which says that there is no service */
};

struct srv_reader {
    const uint8_t *message;
    size_t size;
    size_t at;
    uint32_t left;             /* records of the answer that are to be read */
    char owner[SRV_NAME_SIZE]; /* of the SRV records: the name that was asked for, or what it is an alias of */
    uint32_t ttl_s;            /* the least of the aliases and of the records that have been read, in seconds */
};

/*
 * Begins to read `message`, of `size` bytes, which must stay: the answer to a question for `name`, in any case of letters
 * and without a dot at its end. False: it is none.
 */
bool srv_begin(struct srv_reader *reader, const uint8_t *message, size_t size, const char *name);
/* Reads the next record. 1, 0 behind the last one, or -EPROTO: the answer is malformed. */
int srv_next(struct srv_reader *reader, struct srv_record *record);

#endif
