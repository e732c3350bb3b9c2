/*
 * Has the kernel drop SYNs at a listening socket before anything is made of them, which costs a hundredth of accepting and
 * resetting: those of listed sources, and of the others but the familiar all except for a sample. A classic BPF program,
 * which needs no privilege.
 *
 * A program calls a source by a name of 32 bits: its IPv4 address, or a keyed hash of its IPv6 /64. Two /64 share a name by
 * chance once in 2^32, and nobody outside can tell which.
 */
#ifndef RING_SYN_FILTER_H
#define RING_SYN_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    SYN_FILTER_BLOCKED_MAX = 2048,
    SYN_FILTER_WORDS = 512, /* of 32 bits, one for each bucket of sources */
    SYN_FILTER_BUCKETS = 32 * SYN_FILTER_WORDS,
    SYN_FILTER_NETWORKS_MAX = 256,
    SYN_FILTER_PROGRAM_MAX = BPF_MAXINSNS,
    SYN_FILTER_ALL = 1 << 16, /* a sample of this many is everybody */
};

/* The random numbers on which names and buckets depend. The multipliers are odd. */
struct syn_filter_secret {
    uint32_t multiply_high;
    uint32_t multiply_low;
    uint32_t multiply_bucket;
};

/* The first 64 bits of an address, in host byte order; of IPv4 the first 32, and `bits[1]` and `mask[1]` are 0. */
struct syn_filter_network {
    uint32_t bits[2];
    uint32_t mask[2];
};

struct syn_filter_rules {
    const struct syn_filter_secret *secret;
    bool ipv6;                                 /* the listening socket's family: names of the other mean nothing to it */
    const uint32_t *blocked;                   /* names, ascending, none twice: dropped */
    size_t blocked_count;                      /* up to SYN_FILTER_BLOCKED_MAX */
    const struct syn_filter_network *networks; /* that pass in any case, though a name of theirs is blocked */
    size_t network_count;                      /* up to SYN_FILTER_NETWORKS_MAX */
    /* The rest counts while `sample` is below SYN_FILTER_ALL. */
    uint32_t sample;          /* of SYN_FILTER_ALL: how many sources pass, whoever they are */
    uint32_t salt;            /* which they are */
    const uint32_t *familiar; /* SYN_FILTER_WORDS: a bit for each bucket whose sources pass */
};

/* The name of an IPv4 source, or of an IPv6 one's /64. */
uint32_t syn_filter_name(const struct syn_filter_secret *secret, const struct sockaddr *peer);
/* The bucket of a name, below SYN_FILTER_BUCKETS. */
uint32_t syn_filter_bucket(const struct syn_filter_secret *secret, uint32_t name);

/*
 * Writes the program to `program` and returns its length; 0 when it would be too long. It passes all that is no SYN:
 * established connections inherit the program of their listener. Something must be blocked or left out.
 */
size_t syn_filter_compile(const struct syn_filter_rules *rules, struct sock_filter program[static SYN_FILTER_PROGRAM_MAX]);

/*
 * Puts it on a listening socket, in place of an earlier one. Where the kernel's limit (net.core.optmem_max) or the length of
 * a program is lower than what the rules need, as many names are blocked as it takes, from the first on; and where that is
 * not enough, all sources are heard but those; listed networks always. How many were blocked, or a negative errno: then the
 * socket has no program.
 */
int syn_filter_attach(int descriptor, const struct syn_filter_rules *rules);
/* Nothing happens when there is none. */
void syn_filter_detach(int descriptor);
/* Segments that were dropped at the socket since it was made, SYNs above all; it wraps. 0 when the kernel does not tell. */
uint32_t syn_filter_drops(int descriptor);

#endif
