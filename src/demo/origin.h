/*
 * The demo's own origin: plain HTTP/1.1 on a free port of 127.0.0.1. It answers every request with the request that it
 * received, as text, or as JSON for the path /json, so that one sees what the server in front has made of the client's.
 */
#ifndef DEMO_ORIGIN_H
#define DEMO_ORIGIN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    DEMO_ORIGIN_CONNECTIONS_MAX = 512, /* a thread each; more wait in the kernel's backlog */
    DEMO_ORIGIN_IDLE_S = 60,
};

struct demo_origin;

/* Starts the origin. NULL with one line in `error`. Its threads inherit the caller's signal mask. */
struct demo_origin *demo_origin_start(struct error *error);
uint16_t demo_origin_port(const struct demo_origin *origin);
/* Closes all connections and waits for the origin's threads. NULL is allowed. */
void demo_origin_stop(struct demo_origin *origin);

#endif
