/* The only way into a shard from another thread: a lock-free stack of messages and an eventfd that wakes its ring. */
#ifndef RING_MAILBOX_H
#define RING_MAILBOX_H

#include "ring/ring.h"

#include <stdatomic.h>

struct mail {
    struct mail *next;
    void (*deliver)(struct mail *mail, void *owner); /* runs in the shard's thread, and owns the mail */
};

struct mailbox {
    _Atomic(struct mail *) first;
    int eventfd;
    uint64_t count; /* what the read of the eventfd yields */
    struct ring *ring;
    void *owner;
    bool armed; /* the read of the eventfd is in flight */
    bool closing;
};

/* Before the shard's thread starts. 0 or a negative errno. */
int mailbox_create(struct mailbox *mailbox);
/* In the shard's thread: messages are delivered in the order they were posted, from ring_turn. */
void mailbox_attach(struct mailbox *mailbox, struct ring *ring, void *owner);
/* From any thread. Never blocks. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);
/* In the shard's thread: cancels the pending read (done when `armed` is false); mail posted later is not delivered. */
void mailbox_detach(struct mailbox *mailbox);
/* After the shard's thread has ended. */
void mailbox_destroy(struct mailbox *mailbox);

#endif
