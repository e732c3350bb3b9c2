#include "edge/passage.h"

#include "http/trailers.h"

struct passage_room *passage_begin(struct shard *shard, struct http_message *request, struct bytes head) {
    request->trailers_wanted = request->minor > 0 && http_takes_trailers(request, head.data);
    if (request->framing != HTTP_CHUNKED) {
        return NULL;
    }
    struct passage_room *room = slab_take(&shard->rooms);
    if (room == NULL) {
        return NULL;
    }
    struct text announced = text_over(room->announced, sizeof room->announced);
    http_gather_announced(&announced, request, head.data);
    if (announced.overflow || announced.size == 0) {
        passage_end(shard, room);
        return NULL;
    }
    room->announced_size = (uint32_t)announced.size;
    request->trailers_pass = true;
    return room;
}

static struct bytes write_trailers(struct shard *shard, struct bytes section, struct bytes announced,
                                   const struct http_forwarding *forwarding) {
    struct text out = text_over(shard->scratch.head, HTTP_TRAILERS_MAX);

    http_write_trailers(&out, section, announced, forwarding);
    return out.overflow ? (struct bytes){0} : text_bytes(&out);
}

struct bytes passage_trailers(struct shard *shard, const struct passage_room *room, struct bytes section,
                              const struct http_forwarding *forwarding) {
    if (room == NULL) {
        return (struct bytes){0};
    }
    return write_trailers(shard, section, bytes_of(room->announced, room->announced_size), forwarding);
}

struct bytes passage_all_trailers(struct shard *shard, struct bytes section, const struct http_forwarding *forwarding) {
    return write_trailers(shard, section, (struct bytes){0}, forwarding);
}

void passage_end(struct shard *shard, struct passage_room *room) {
    if (room != NULL) {
        slab_give(&shard->rooms, room);
    }
}
