/*
 * A client, as the modules that serve clients know one: under which site and host, with which TLS session, with which
 * verdict, and with which worth of its source and certificate. The connection owns its client and lives as long; a request
 * and its answer (exchange.h) know the client and not the connection.
 */
#ifndef EDGE_CLIENT_H
#define EDGE_CLIENT_H

#include "edge/shard.h"
#include "guard/sources.h"

#include <netinet/in.h>

enum {
    CLIENT_ADDRESS_SIZE = 46,
};

/* The certificates that the client has shown, and the verdict on them: verdict.c's. */
struct verdict {
    struct identity *identity; /* NULL before the handshake is complete, unless the chain or a ticket has come */
    uint8_t *chain;            /* the client's certificates, to be judged again: see verdict.c. NULL: none are kept */
    uint32_t chain_size;
    uint8_t chain_digest[IDENTITY_DIGEST_SIZE]; /* zeros: no chain, or one that was too large */
    bool resumable;                             /* the hello allows a ticket */
    bool is_new;    /* the identity is not in the cache, and goes there once possession of its key is proved */
    bool by_ticket; /* identity and chain are those of a ticket, not of this handshake */
    bool stale;     /* the identity was reached under another policy than the host's */
    bool lost;      /* the verdict was reached anew since the handshake, and does not let the client in any more */
};

/* The worth of the client's source and certificate, and its class by that: reputation.c's, and gate.c's. */
struct standing {
    uint64_t
        ticket; /* the name of the ticket that the client came with, if the gate has looked at one: see guard/replays.h */
    uint32_t source;      /* guard/sources' number of it; SOURCE_UNTRACKED: the source is allowed, or not tracked */
    uint32_t holder;      /* guard/holders' number of its certificate's holder, if `proved` */
    uint8_t class;        /* enum admission_class */
    bool proved;          /* the client has shown a valid certificate */
    bool credited;        /* and that counts for its source */
    bool first_of_holder; /* and no other connection of the certificate was open then */
    bool over_bound;      /* its certificate is used more than any device needs */
};

struct client {
    struct shard *shard;
    struct site *site;              /* with a reference */
    const struct config_host *host; /* of the site; the hello's name leads to it. NULL before that */
    const char *name;               /* the server name of the hello, "" when it had none */
    char *name_copy;                /* where `name` is, unless it is the host's own */
    struct tls_session *tls;        /* NULL before the hello is complete */
    struct verdict verdict;
    struct standing standing;
    struct relay_client origin; /* the connection to an origin that is this client's alone */
    uint64_t handshake_ns;      /* from accept to the end of the handshake */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } peer;                            /* where the client is: the connection's peer, or what a PROXY header says */
    uint8_t listener;                  /* its place in config->listen */
    bool by_proxy;                     /* it comes by a balancer, which sends a PROXY header */
    bool is_balancer;                  /* and is the balancer itself, by that header: a check of our health perhaps */
    char address[CLIENT_ADDRESS_SIZE]; /* of the peer, without port; once the handshake is complete */
};

/* The counters of the client's host in its shard. */
static inline struct stats_host *client_host_stats(const struct client *client) {
    return stats_hosts_at(client->site->stats, client->host->index, client->shard->index);
}

/* Writes an address without its port. */
void client_write_any_address(const struct sockaddr *any, char address[static CLIENT_ADDRESS_SIZE]);
/* Writes the address of the client's peer, without port. */
void client_write_address(const struct client *client, char address[static CLIENT_ADDRESS_SIZE]);
/* Describes the client for a line of the access log; `address` keeps a text of it. `host`: NULL where none is chosen. */
struct access_client client_describe(const struct client *client, const struct config_host *host,
                                     char address[static CLIENT_ADDRESS_SIZE]);
/* Returns the facts of the connection that headers can have. Its handshake is done. */
struct forward_connection client_facts(const struct client *client);
/*
 * Returns a hash of what the client is known by, the same on each machine: of the key of its valid certificate, else of its
 * address. So a device keeps it with a new certificate for its key, and from another address.
 */
uint64_t client_hash(const struct client *client, const struct identity *identity);
/* Describes the client's TLS connection, whose handshake is complete, and its certificate, of which `identity` tells. */
struct access_session client_describe_session(const struct client *client, const struct identity *identity);

#endif
