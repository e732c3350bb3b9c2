/* The server as a whole: shards, listeners, the admin listener, and their end. Used by `run` and `demo`. */
#ifndef EDGE_SERVER_H
#define EDGE_SERVER_H

#include "config/config.h"

enum { SERVER_ERROR_SIZE = 512 };

struct server;

/*
 * Binds every listener, starts one pinned thread for each shard and returns when all of them accept. Takes its own
 * reference to `config`. NULL with one line in `error` that says what to change.
 */
struct server *server_start(struct config *config, char error[static SERVER_ERROR_SIZE]);

/* Stops accepting, lets requests in flight end (idle connections close at once), at most `timeout_ms`. Does not wait. */
void server_drain(struct server *server, uint32_t timeout_ms);
/* Ends all connections at once. Does not wait. */
void server_stop(struct server *server);
/* Whether every shard has ended, so that server_join will not wait. */
bool server_has_ended(const struct server *server);
/* Waits until every shard has ended and frees the server. 0, or 1 when a shard failed or something was left over. */
int server_join(struct server *server);

#endif
