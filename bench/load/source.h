/* The address that a connection comes from. */
#ifndef BENCH_LOAD_SOURCE_H
#define BENCH_LOAD_SOURCE_H

#include <stdint.h>

/*
 * Binds a socket to an IPv4 address, host byte order, with a port that is chosen when it connects. The connect leaves at the
 * earliest with the next submission of the ring, so a socket that stream_connect has just made may still be bound. 0, or a
 * negative errno.
 */
int source_bind(int descriptor, uint32_t address);

#endif
