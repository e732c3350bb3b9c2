#include "ring/operation.h"

#include "base/check.h"

#include <errno.h>

struct io_uring_sqe *ring_submission(struct ring *ring, uint64_t name) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

    while (sqe == NULL) {
        int result = io_uring_submit(&ring->uring);

        CHECK(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    io_uring_sqe_set_data64(sqe, name);
    ring->in_flight++;
    return sqe;
}
