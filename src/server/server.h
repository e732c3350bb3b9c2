/* The process as a server: start, reload and end of the shards and of the control thread. Used by `run` and `demo`. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/error.h"
#include "config/config.h"
#include "dns/set.h"

struct server;

/*
 * Binds every listener, starts one pinned thread for each shard and the control thread, and returns when all of them accept.
 * Takes its own reference to `config`. NULL with one line in `error` that says what to change.
 */
struct server *server_start(struct config *config, struct error *error);

/*
 * Replaces the configuration, for new connections at once and for open ones from their next request on; no connection is
 * dropped but those whose host is gone. Takes its own reference to `config`. 0, or -1 with what is in the way added to
 * `problems`; then nothing has changed. Not after server_drain or server_stop. From the thread that called server_start.
 */
int server_reload(struct server *server, struct config *config, struct config_problems *problems);
/* As names_known, for a configuration that is loaded to replace this one. `server` is a struct server. */
bool server_knows_name(void *server, const char *text, struct dns_set *set);
/* Counts a reload: one that server_reload has taken, or one that it refused or whose file could not be loaded. */
void server_count_reload(struct server *server, bool taken);

/* Opens the access log's path again, once the lines so far are written. */
void server_reopen_logs(struct server *server);

/* Says by /readyz that this server is about to end, and serves as before. */
void server_leave(struct server *server);
/* Stops accepting, lets requests in flight end (idle connections close at once), at most `timeout_ms`. Does not wait. */
void server_drain(struct server *server, uint32_t timeout_ms);
/* Ends all connections at once. Does not wait. */
void server_stop(struct server *server);
/* Returns whether every shard has ended, so that server_join will not wait. */
bool server_has_ended(const struct server *server);
/* Waits until every shard has ended and frees the server. 0, or 1 when a shard failed or something was left over. */
int server_join(struct server *server);

#endif
