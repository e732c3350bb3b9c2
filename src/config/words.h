/* Writes dates and names for messages about a configuration. */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include "base/bytes.h"

enum {
    WORDS_TIME_SIZE = 32,
    WORDS_NAME_SIZE = 512,
};

/* Writes a time as RFC 3339 has it, in UTC. `seconds` since the epoch, years 0 to 9999. Returns `buffer`. */
const char *words_time(int64_t seconds, char buffer[static WORDS_TIME_SIZE]);
/* Writes a Name in DER as RFC 4514 has it, as far as it fits. Returns `buffer`. */
const char *words_name(struct bytes name, char buffer[static WORDS_NAME_SIZE]);

#endif
