/*
 * The trailers of a request on their way to the origin: only as far as the client announced them. An exchange that has
 * announced some has a room for them.
 */
#ifndef EDGE_PASSAGE_H
#define EDGE_PASSAGE_H

#include "edge/shard.h"
#include "http/forward.h"
#include "http/parser.h"

enum { PASSAGE_ANNOUNCED_MAX = 1024 /* bytes; a request that announces more has its trailers dropped */ };

struct passage_room {
    uint32_t announced_size;
    char announced[PASSAGE_ANNOUNCED_MAX];
    uint8_t section[HTTP_TRAILERS_MAX]; /* as the trailers came */
};

/*
 * The request goes to an origin: sets what its head will say of trailers. Returns a room, when the request announces
 * trailers of its own; NULL: they are to be dropped.
 */
struct passage_room *passage_begin(struct shard *shard, struct http_message *request, struct bytes head);
/*
 * Returns those trailers of `section`, as they came, that may go to the origin, as lines in the shard's memory for a head.
 * Empty mostly. `room`: may be NULL.
 */
struct bytes passage_trailers(struct shard *shard, const struct passage_room *room, struct bytes section,
                              const struct http_forwarding *forwarding);
/* Likewise, but of a request that has not announced its trailers and need not: they may have any name that may pass. */
struct bytes passage_all_trailers(struct shard *shard, struct bytes section, const struct http_forwarding *forwarding);
/* Gives the room back; NULL is allowed. */
void passage_end(struct shard *shard, struct passage_room *room);

#endif
