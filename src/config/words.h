/* Dates and names as messages about a configuration have them. */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include "base/bytes.h"

enum {
    WORDS_TIME_SIZE = 32,
    WORDS_NAME_SIZE = 512,
};

/* RFC 3339 in UTC. `seconds` since the epoch, years 0 to 9999. Returns `buffer`. */
const char *words_time(int64_t seconds, char buffer[static WORDS_TIME_SIZE]);
/* A Name in DER as RFC 4514 has it, as far as it fits. Returns `buffer`. */
const char *words_name(struct bytes name, char buffer[static WORDS_NAME_SIZE]);

#endif
