/*
 * Keeps listed IPv4 addresses from connecting to a listening socket: the kernel drops their SYNs before anything is made of
 * them, which costs a hundredth of accepting and resetting. A classic BPF program, which needs no privilege.
 */
#ifndef RING_SYN_FILTER_H
#define RING_SYN_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SYN_FILTER_ADDRESSES_MAX = 2048,
    SYN_FILTER_PROGRAM_MAX = BPF_MAXINSNS,
};

/*
 * Writes the program that drops SYNs of `addresses` (host byte order, ascending, none twice, at least 1) to `program` and
 * returns its length. It passes every other segment: established connections inherit the program of their listener.
 */
size_t syn_filter_compile(const uint32_t *addresses, size_t count,
                          struct sock_filter program[static SYN_FILTER_PROGRAM_MAX]);

/*
 * Puts it on a listening IPv4 socket, in place of an earlier one. With a kernel whose limit (net.core.optmem_max) is lower,
 * for as many of the addresses as it takes, from the first on. How many that were, or a negative errno.
 */
int syn_filter_attach(int descriptor, const uint32_t *addresses, size_t count);
/* Nothing happens when there is none. */
void syn_filter_detach(int descriptor);
/* Segments that were dropped at the socket since it was made, SYNs above all; it wraps. 0 when the kernel does not tell. */
uint32_t syn_filter_drops(int descriptor);

#endif
