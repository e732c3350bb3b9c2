/*
 * A filter by which the kernel drops SYNs at a listening socket before it makes anything of them, which costs a hundredth of
 * accepting and resetting. It drops SYNs of listed sources, and of other sources all but a sample and those that are
 * familiar. The filter is a classic BPF program, which needs no privilege. In a program a source has a name of 32 bits: its
 * IPv4 address, or a keyed hash of its IPv6 /64. Two /64 have the same name by chance once in 2^32, and nobody outside can
 * tell which two.
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
    SYN_FILTER_ALL = 1 << 16, /* a sample of this size holds all sources */
};

/* The random numbers on which names and buckets depend. The multipliers are odd. */
struct syn_filter_secret {
    uint32_t multiply_high;
    uint32_t multiply_low;
    uint32_t multiply_bucket;
};

/*
 * The first 64 bits of an IPv6 network in host byte order; or an IPv4 network in `bits[0]` and `mask[0]`, with zeros in the
 * others.
 */
struct syn_filter_network {
    uint32_t bits[2];
    uint32_t mask[2];
};

struct syn_filter_rules {
    const struct syn_filter_secret *secret;
    bool ipv6;                                 /* the listening socket's family, of which all names are */
    const uint32_t *blocked;                   /* names of sources that are dropped, ascending, none twice */
    size_t blocked_count;                      /* up to SYN_FILTER_BLOCKED_MAX */
    const struct syn_filter_network *networks; /* networks that pass in any case, even when a name in them is blocked */
    size_t network_count;                      /* up to SYN_FILTER_NETWORKS_MAX */
    /* The members below have a meaning only while `sample` is below SYN_FILTER_ALL. */
    uint32_t sample;          /* how many of SYN_FILTER_ALL sources pass without being familiar */
    uint32_t salt;            /* determines which sources these are */
    const uint32_t *familiar; /* SYN_FILTER_WORDS: a bit for each bucket whose sources pass */
};

/* Returns the name of an IPv4 source, or of the /64 of an IPv6 one. */
uint32_t syn_filter_name(const struct syn_filter_secret *secret, const struct sockaddr *peer);
/* Returns the bucket of a name, below SYN_FILTER_BUCKETS. */
uint32_t syn_filter_bucket(const struct syn_filter_secret *secret, uint32_t name);

/*
 * Writes the program to `program` and returns its length; 0 when it would be too long. The program passes every segment that
 * is no SYN, because established connections inherit the program of their listener. The rules must block something or
 * sample.
 */
size_t syn_filter_compile(const struct syn_filter_rules *rules, struct sock_filter program[static SYN_FILTER_PROGRAM_MAX]);

/*
 * Attaches the program to a listening socket, in place of an earlier one. When the rules need more than the kernel's limit
 * (net.core.optmem_max) or the length of a program allows, fewer names are blocked, as many as fit, from the first on; and
 * when no number of them fits beside the sample, the program blocks names only and does not sample. Listed networks pass in
 * any case. Returns how many names are blocked, or a negative errno: then the socket has no program.
 */
int syn_filter_attach(int descriptor, const struct syn_filter_rules *rules);
/* Removes the program, if there is one. */
void syn_filter_detach(int descriptor);
/*
 * Returns how many segments, nearly all of them SYNs, were dropped at the socket since it was made; the number wraps. 0 when
 * the kernel does not say.
 */
uint32_t syn_filter_drops(int descriptor);

#endif
