/* A ticket that a valid client got, in the hands of others: what floods of tickets need before they can begin. */
#ifndef BENCH_LOAD_LOOT_H
#define BENCH_LOAD_LOOT_H

#include "load/file.h"
#include "load/hello.h"

struct client_ticket;

struct loot {
    struct client_ticket *ticket; /* NULL: there is none */
    uint8_t data[HELLO_TICKET_MAX];
    size_t size;
};

/*
 * Lets a client with the certificates of the options, from an address that the kernel chooses, shake hands and ask once, and
 * takes its ticket. 0, or -1 with one line in `error`.
 */
int loot_get(struct loot *loot, const struct options *options, char error[static FILE_ERROR_SIZE]);
void loot_free(struct loot *loot);

#endif
