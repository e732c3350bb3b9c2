/*
 * The thread that looks the names of origins up again, as their TTL runs out, and tells the shards, and the control thread
 * for its probes, which addresses have come and gone. A look-up that fails changes nothing: the old addresses are kept, and
 * the name is asked for again soon.
 */
#ifndef SERVER_NAMES_H
#define SERVER_NAMES_H

#include "config/config.h"
#include "dns/set.h"
#include "server/control.h"
#include "server/shard_thread.h"
#include "stats/stats.h"

enum { NAMES_LOOKUPS_MAX = 32 /* at once; others wait */ };

struct names;

/*
 * Begins to look after the names of `config`, which has been loaded just now. The shards, which stay the caller's, the
 * control thread and `stats` must outlive it. NULL with one line in `error`.
 */
struct names *names_start(struct config *config, struct shard_thread *const *shards, unsigned shard_count,
                          struct control *control, struct stats *stats, struct error *error);
/*
 * Looks after the names of this configuration instead, once all shards have it, and it was posted to the control thread.
 * Takes its own reference.
 */
void names_post_config(struct names *names, struct config *config);
/*
 * Sets the addresses, one at least, that the text of an origin stands for now; the caller frees the set. False: no
 * configuration that is looked after has that text, or none has an address. From any thread.
 */
bool names_known(struct names *names, const char *text, struct dns_set *set);
/* Ends the thread, waits for that, and frees `names`. Before the shards' threads are joined. NULL is allowed. */
void names_stop(struct names *names);

#endif
