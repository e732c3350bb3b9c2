#include "load/schedule.h"

/* For a timeout that is finer than the milliseconds of ring_turn. */
#include "ring/operation.h"

enum { WORTH_SLEEPING_NS = 20000, SLEEP_NS_MAX = 20000000 };

void schedule_begin(struct schedule *schedule, uint64_t rate, uint64_t now_ns) {
    *schedule = (struct schedule){.rate = rate, .first_ns = now_ns};
}

static uint64_t next_due_ns(const struct schedule *schedule) {
    return schedule->first_ns + (uint64_t)((double)schedule->begun * 1e9 / (double)schedule->rate);
}

bool schedule_is_due(const struct schedule *schedule, uint64_t now_ns, uint64_t *due_ns) {
    *due_ns = schedule->rate == 0 ? now_ns : next_due_ns(schedule);
    return *due_ns <= now_ns;
}

bool schedule_sleep(struct schedule *schedule, struct ring *ring, uint64_t now_ns) {
    if (schedule->rate == 0) {
        return true;
    }
    uint64_t due_ns = next_due_ns(schedule);
    if (due_ns < now_ns + WORTH_SLEEPING_NS) {
        return false;
    }
    if (schedule->wake_ns > now_ns) {
        return true;
    }
    schedule->wake_ns = due_ns < now_ns + SLEEP_NS_MAX ? due_ns : now_ns + SLEEP_NS_MAX;
    struct __kernel_timespec when = (struct __kernel_timespec){.tv_sec = (long long)(schedule->wake_ns / 1000000000),
                                                               .tv_nsec = (long long)(schedule->wake_ns % 1000000000)};
    struct io_uring_sqe *sqe = ring_submission(ring, operation_of_pointer(OPERATION_IGNORED, NULL));
    io_uring_prep_timeout(sqe, &when, 0, IORING_TIMEOUT_ABS);
    /* Now: the kernel copies `when` as it takes the entry. */
    io_uring_submit(&ring->uring);
    return true;
}
