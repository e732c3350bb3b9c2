/* The only way into a ring's thread from another one: a lock-free stack of messages and an eventfd that wakes the ring. */
#ifndef RING_MAILBOX_H
#define RING_MAILBOX_H

#include "ring/state.h"

#include <stdatomic.h>

struct mail {
    struct mail *next;
    void (*deliver)(struct mail *mail, void *owner); /* runs in the ring's thread, and owns the mail */
    void (*drop)(struct mail *mail);                 /* frees the mail instead, if it comes too late; NULL: free() does */
};

struct mailbox {
    _Atomic(struct mail *) first;
    int eventfd;
    uint64_t count; /* of the eventfd: its read writes here */
    struct ring *ring;
    void *owner;
    bool armed; /* the read of the eventfd is in flight */
    bool closing;
};

/* Makes the mailbox, before the ring's thread starts. 0 or a negative errno. */
int mailbox_create(struct mailbox *mailbox);
/* Begins to deliver messages from ring_turn, in the order in which they were posted. In the ring's thread. */
void mailbox_attach(struct mailbox *mailbox, struct ring *ring, void *owner);
/* Posts a message, from any thread. Never blocks. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);
/* Cancels the pending read (done when `armed` is false); mail posted later is not delivered. In the ring's thread. */
void mailbox_detach(struct mailbox *mailbox);
/* Closes the eventfd, after the ring's thread has ended. Messages that were not delivered are not freed. */
void mailbox_destroy(struct mailbox *mailbox);

/* Called by the loop. */
void mailbox_complete(struct ring *ring, uint64_t name, int result, unsigned flags);

#endif
