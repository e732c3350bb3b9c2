#include "ring/mailbox.h"
#include "ring/ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

enum { POSTS = 20000 };

struct numbered {
    struct mail mail;
    unsigned number;
};

struct receiver {
    struct ring ring;
    struct mailbox mailbox;
    unsigned expected;
};

static void deliver(struct mail *mail, void *owner) {
    struct receiver *receiver = owner;
    struct numbered *numbered = (struct numbered *)mail;

    cr_assert_eq(numbered->number, receiver->expected);
    receiver->expected++;
    free(numbered);
}

static void *post_all(void *argument) {
    struct receiver *receiver = argument;

    for (unsigned i = 0; i < POSTS; i++) {
        struct numbered *numbered = malloc(sizeof *numbered);

        numbered->mail.deliver = deliver;
        numbered->number = i;
        mailbox_post(&receiver->mailbox, &numbered->mail);
    }
    return NULL;
}

Test(mailbox, delivers_all_in_order) {
    static struct receiver receiver;
    struct ring_options options = {.accepted = 16, .streams = 16, .receive_buffers = 16, .chunks = 16};
    struct error error;
    pthread_t thread;

    cr_assert_eq(mailbox_create(&receiver.mailbox), 0);
    cr_assert_eq(ring_create(&receiver.ring, &options, &error), 0, "%s", error.text);
    mailbox_attach(&receiver.mailbox, &receiver.ring, &receiver);
    cr_assert_eq(pthread_create(&thread, NULL, post_all, &receiver), 0);
    for (unsigned i = 0; i < 100000 && receiver.expected < POSTS; i++) {
        cr_assert_eq(ring_turn(&receiver.ring, 10), 0);
    }
    pthread_join(thread, NULL);
    cr_assert_eq(receiver.expected, POSTS);
    mailbox_detach(&receiver.mailbox);
    for (unsigned i = 0; i < 100 && receiver.ring.in_flight > 0; i++) {
        cr_assert_eq(ring_turn(&receiver.ring, 10), 0);
    }
    cr_assert_not(receiver.mailbox.armed);
    ring_destroy(&receiver.ring);
    mailbox_destroy(&receiver.mailbox);
}
