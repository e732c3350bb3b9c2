#include "ring/mailbox.h"

#include "base/check.h"
#include "ring/operation.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_create(struct mailbox *mailbox) {
    *mailbox = (struct mailbox){.eventfd = eventfd(0, EFD_CLOEXEC)};
    return mailbox->eventfd < 0 ? -errno : 0;
}

static void arm(struct mailbox *mailbox) {
    struct io_uring_sqe *sqe = ring_submission(mailbox->ring, operation_of_pointer(OPERATION_MAILBOX, mailbox));

    io_uring_prep_read(sqe, mailbox->eventfd, &mailbox->count, sizeof mailbox->count, 0);
    mailbox->armed = true;
}

void mailbox_attach(struct mailbox *mailbox, struct ring *ring, void *owner) {
    mailbox->ring = ring;
    mailbox->owner = owner;
    arm(mailbox);
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail) {
    uint64_t one = 1;
    struct mail *first = atomic_load_explicit(&mailbox->first, memory_order_relaxed);

    do {
        mail->next = first;
    } while (
        !atomic_compare_exchange_weak_explicit(&mailbox->first, &first, mail, memory_order_release, memory_order_relaxed));
    /* Blocks only when the counter would overflow, which takes 2^64 - 2 undelivered messages. */
    CHECK(write(mailbox->eventfd, &one, sizeof one) == sizeof one);
}

void mailbox_complete(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct mailbox *mailbox = operation_pointer(name);

    mailbox->armed = false;
    if (mailbox->closing) {
        return; /* the mail stays in the stack */
    }
    struct mail *oldest = NULL;
    struct mail *newest = atomic_exchange_explicit(&mailbox->first, NULL, memory_order_acquire);
    while (newest != NULL) {
        struct mail *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct mail *mail = oldest;

        oldest = mail->next;
        mail->deliver(mail, mailbox->owner);
    }
    if (!mailbox->closing) {
        arm(mailbox);
    }
}

void mailbox_detach(struct mailbox *mailbox) {
    mailbox->closing = true;
    if (!mailbox->armed) {
        return;
    }
    struct io_uring_sqe *sqe = ring_submission(mailbox->ring, operation_of_pointer(OPERATION_IGNORED, NULL));
    io_uring_prep_cancel64(sqe, operation_of_pointer(OPERATION_MAILBOX, mailbox), 0);
}

void mailbox_destroy(struct mailbox *mailbox) {
    close(mailbox->eventfd);
}
