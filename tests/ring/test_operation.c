#include "ring/operation.h"
#include "ring/ring.h"

#include <criterion/criterion.h>

Test(operation, a_name_says_what_it_was_and_on_which_use_of_which_slot) {
    static const uint32_t slots[] = {0, 1, 65535, UINT32_MAX};
    static const uint32_t generations[] = {0, 1, 0xffffff, 0x1000000, UINT32_MAX};

    for (unsigned kind = 0; kind < OPERATIONS; kind++) {
        for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
            for (size_t j = 0; j < sizeof generations / sizeof generations[0]; j++) {
                uint64_t name = operation_of_slot((enum operation)kind, slots[i], generations[j]);

                cr_assert_eq(operation_kind(name), kind);
                cr_assert_eq(operation_slot(name), slots[i]);
                cr_assert(operation_is_of(name, generations[j]));
                cr_assert_not(operation_is_of(name, generations[j] + 1));
            }
        }
    }
}

Test(operation, a_name_holds_a_pointer) {
    int object = 0;
    uint64_t name = operation_of_pointer(OPERATION_ACCEPT, &object);

    cr_assert_eq(operation_kind(name), OPERATION_ACCEPT);
    cr_assert_eq(operation_pointer(name), &object);
}

/* More operations than the submission queue has room for. */
Test(operation, a_full_queue_is_submitted) {
    enum { SUBMISSIONS = 4, OPERATIONS_MADE = 50 };
    static struct ring ring;
    struct ring_options options = {
        .accepted = 16, .streams = 16, .receive_buffers = 16, .chunks = 16, .submissions = SUBMISSIONS};
    struct error error;

    cr_assert_eq(ring_create(&ring, &options, &error), 0, "%s", error.text);
    for (unsigned i = 0; i < OPERATIONS_MADE; i++) {
        io_uring_prep_nop(ring_submission(&ring, operation_of_pointer(OPERATION_IGNORED, NULL)));
    }
    cr_assert_eq(ring.in_flight, OPERATIONS_MADE);
    for (unsigned i = 0; i < 100 && ring.in_flight > 0; i++) {
        cr_assert_eq(ring_turn(&ring, 10), 0);
    }
    cr_assert_eq(ring.in_flight, 0);
    ring_destroy(&ring);
}
