/* Gets a session of a valid client, which floods of tickets need before they begin. */
#ifndef BENCH_LOAD_STOLEN_SESSIONS_H
#define BENCH_LOAD_STOLEN_SESSIONS_H

#include "load/load_shared.h"

/* Returns whether the connections of a behaviour need one. */
bool stolen_session_is_needed(const struct behaviour *behaviour);
/*
 * Lets a client with the certificates of the options, from an address that the kernel chooses, shake hands and ask once, and
 * takes its ticket. 0, or -1 with one line in `error`. `stolen` is zeroed memory.
 */
int stolen_session_get(struct stolen_session *stolen, const struct load_options *options,
                       char error[static PEM_FILE_ERROR_SIZE]);
/* Also when there is none. */
void stolen_session_free(struct stolen_session *stolen);

#endif
