/*
 * Who comes in, and when: joins what guard/ knows of sources and of a shard's load with the lives of connections. Each
 * connection passes at accept, when its hello is complete, and with each flight of its handshake: it goes on, waits, or is
 * turned away. Waiting ones are taken up once a turn, when all events are through.
 */
#ifndef EDGE_GATE_H
#define EDGE_GATE_H

#include "edge/connection.h"
#include "guard/hello.h"

/* For the shard's thread, before it accepts, and when it has ended. */
void gate_open(struct shard *shard);
void gate_close(struct shard *shard);

/*
 * A connection from `peer` wants in. True: it is counted for its source, which *source and *class tell, until
 * reputation_leave. False: it was counted as rejected.
 */
bool gate_arrive(struct shard *shard, const struct sockaddr *peer, uint32_t *source, uint8_t *class);
/* It will not begin any more. */
void gate_forget(struct connection *connection);

/*
 * The hello is complete and good; `received` holds it. Begins the handshake, or keeps the bytes and waits, or ends the
 * connection.
 */
void gate_hello(struct connection *connection, const struct hello *hello, struct bytes received);
/*
 * More has come while its hello waits. True: it may be early data, or what stands for it, and is kept behind the hello.
 * False: nothing else is to be said before the server has spoken.
 */
bool gate_keep_early(struct connection *connection, struct bytes data);
/* A part of its handshake has come: goes on with it, or keeps it and waits. */
void gate_flight(struct connection *connection, struct bytes data);

/*
 * Handshakes' CPU time: from gate_work_begin to gate_work_end is that of the class which the connection has at the
 * beginning. Its certificate may cost it that class on the way, but it was admitted and charged under it.
 */
struct gate_work {
    uint64_t began_ns;
    enum admission_class class;
};
struct gate_work gate_work_begin(const struct connection *connection);
void gate_work_end(struct connection *connection, struct gate_work work);

/*
 * Whether the handshake has brought more than a client's certificates may be while there is no time to hear it out. While
 * there is, that leads to the verdict `too_large`.
 */
bool gate_has_enough(const struct connection *connection);

/* Once a turn: gives up on those who have waited too long, and takes up those for whom there is time. */
void gate_turn(struct shard *shard);
/* How long the shard may sleep, in milliseconds, up to `most`. */
uint64_t gate_sleep_ms(const struct shard *shard, uint64_t most);

#endif
