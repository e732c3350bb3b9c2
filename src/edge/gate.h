/*
 * Decides who comes in, and when: joins what guard/ knows of sources and of a shard's load with the lives of connections. A
 * connection passes at accept, when its hello is complete (queue.h), and with each flight of its handshake: it goes on,
 * waits, or is turned away. Waiting connections are taken up once a turn, when all events are through.
 */
#ifndef EDGE_GATE_H
#define EDGE_GATE_H

#include "edge/connection.h"

/* For the shard's thread, before it accepts, and when it has ended. */
void gate_open(struct shard *shard);
void gate_close(struct shard *shard);

/*
 * A connection of the client with that address wants in. `direct`: it comes from that address, and not by a balancer. True:
 * it is counted for its source, which *source and *class tell, until reputation_leave. False: it was counted as rejected,
 * and *source is SOURCE_UNTRACKED.
 */
bool gate_arrive(struct shard *shard, const struct sockaddr *client, bool direct, uint32_t *source, uint8_t *class);
/* Returns the class of a client whose source stands so. */
enum admission_class gate_class_of(enum source_standing standing);

/* Refuses the connection for want of time. */
void gate_refuse(struct connection *connection, enum stats_rejection why);
/*
 * Has the connection wait until its stage's `taken_up` is called, with what is held; or refuses it, or another one in its
 * favour.
 */
void gate_wait(struct connection *connection, enum admission_step step);
/* Ends the connection's wait, if it waits. */
void gate_forget(struct connection *connection);
/* Ends what the connection counts for among those of its source that wait, if it does. */
void gate_stop_counting(struct connection *connection);

/*
 * Handshakes' CPU time: that from gate_work_begin to gate_work_end is charged to the class which the connection has at the
 * beginning. The client's certificate may cost it that class on the way, but it was admitted under the class.
 */
struct gate_work {
    uint64_t began_ns;
    uint64_t spent_ns; /* before that */
    enum admission_class class;
    struct admission_charge charge; /* while it is put off */
};
struct gate_work gate_work_begin(const struct connection *connection);
/* The work pauses; and is taken up again for its end, when it has cost `spent_ns` meanwhile. */
void gate_work_put_off(const struct connection *connection, struct gate_work *work);
void gate_work_take_up(const struct connection *connection, struct gate_work *work, uint64_t spent_ns);
void gate_work_end(struct connection *connection, struct gate_work work);

/* Once a turn: gives up on those that have waited too long, and takes up those for which there is time. */
void gate_turn(struct shard *shard);
/* Returns how long the shard may sleep, in milliseconds, up to `most`. */
uint64_t gate_sleep_ms(const struct shard *shard, uint64_t most);

#endif
