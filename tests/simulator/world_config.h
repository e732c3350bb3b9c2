/*
 * The configurations of a world. Of each kind there are three: the second is stricter, sends more headers and has a host
 * without HTTP/2; the third has two hosts fewer and other limits.
 */
#ifndef TESTS_SIMULATOR_WORLD_CONFIG_H
#define TESTS_SIMULATOR_WORLD_CONFIG_H

#include "config/config.h"
#include "talk.h"

enum { WORLD_CONFIGS = 3 };

/* An address that the configurations allow (admission.allow): its clients are known. */
#define WORLD_KNOWN_CLIENT "198.51.100.1"
/* The balancer from which the listener takes PROXY headers, where the plan says so. */
#define WORLD_BALANCER "203.0.113.1"

enum world_listener {
    WORLD_DIRECT,   /* for clients themselves */
    WORLD_BALANCED, /* for a balancer, but in the last configuration */
    WORLD_REDIRECT, /* for plain HTTP, which is sent on to https */
    WORLD_LISTENERS,
};

enum world_origins {
    WORLD_PLAIN,  /* two addresses that all hosts have, in the clear */
    WORLD_VARIED, /* of TLS, HTTP/2, PROXY headers, names, health checks, backups and bounds, each host has some */
    WORLD_ORIGINS,
};

/* The names of a varied world: each host has one origin that is a name, and a backup of which WORLD_BACKUP is the last byte.
 */
enum { WORLD_NAME = 0, WORLD_ADDRESSES = 4, WORLD_BACKUP = 9 };

/* Once for the process. */
void world_config_set_up(void);
struct config *world_config(enum world_listener listener, enum world_origins origins, unsigned number);
/* Returns whether a host of a configuration is in mode enforce. */
bool world_config_enforces(unsigned number, enum talk_host host);
/* Returns an address of a host: `speech` is an enum origin_speech. */
struct sockaddr_in world_address(uint8_t speech, enum talk_host host, unsigned number);

#endif
