#include "ring/ring.h"

#include "base/check.h"
#include "base/clock.h"
#include "ring/listener.h"
#include "ring/mailbox.h"
#include "ring/operation.h"
#include "ring/stream_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
    SUBMISSIONS_DEFAULT = 2048,
    COMPLETIONS_MIN = 8192,
    COMPLETIONS_MAX = 65536, /* the kernel's own limit */
    BUFFER_GROUP = 0,
};

static void describe_setup_error(int result, struct error *error) {
    const char *advice;

    switch (-result) {
    case ENOSYS:
        advice = "this kernel has no io_uring, Linux 6.1 or newer is needed";
        break;
    case EINVAL:
        advice = "this kernel's io_uring is too old, Linux 6.1 or newer is needed";
        break;
    case EPERM:
    case EACCES:
        advice = "io_uring is forbidden here: set the sysctl kernel.io_uring_disabled to 0, or allow it in the container's "
                 "seccomp profile";
        break;
    case ENOMEM:
        advice = "not enough locked memory: raise it (ulimit -l, or LimitMEMLOCK= in the systemd unit)";
        break;
    case EMFILE:
    case ENFILE:
        advice = "too few file descriptors: raise the limit " RING_DESCRIPTORS_ADVICE;
        break;
    default:
        advice = "unexpected";
    }
    error_set(error, "io_uring: %s (%s)", advice, strerror(-result));
}

static unsigned completions_for(uint32_t streams) {
    unsigned entries = COMPLETIONS_MIN;

    while (entries < COMPLETIONS_MAX && entries < streams * 2) {
        entries *= 2;
    }
    return entries;
}

static int uring_setup(struct ring *ring, struct error *error) {
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
        .cq_entries = completions_for(ring->options.streams),
    };
    unsigned submissions = ring->options.submissions == 0 ? SUBMISSIONS_DEFAULT : ring->options.submissions;
    int result = io_uring_queue_init_params(submissions, &ring->uring, &params);

    if (result < 0) {
        describe_setup_error(result, error);
        return result;
    }
    result = io_uring_register_ring_fd(&ring->uring);
    if (result < 0) {
        describe_setup_error(result, error);
        io_uring_queue_exit(&ring->uring);
        return result;
    }
    result = io_uring_register_files_sparse(&ring->uring, ring->options.accepted);
    if (result < 0) {
        struct rlimit limit = {0};

        getrlimit(RLIMIT_NOFILE, &limit);
        if (result == -EMFILE) {
            error_set(error,
                      "%u connections need as many file descriptors, the limit is %llu: raise it " RING_DESCRIPTORS_ADVICE
                      " or lower limits.connections",
                      ring->options.accepted, (unsigned long long)limit.rlim_cur);
        } else {
            describe_setup_error(result, error);
        }
        io_uring_queue_exit(&ring->uring);
        return result;
    }
    return 0;
}

static void buffer_give(struct ring *ring, unsigned index) {
    io_uring_buf_ring_add(ring->buffer_ring, ring->buffers + (size_t)index * RING_RECEIVE_SIZE, RING_RECEIVE_SIZE,
                          (unsigned short)index, io_uring_buf_ring_mask(ring->options.receive_buffers), 0);
    io_uring_buf_ring_advance(ring->buffer_ring, 1);
}

/* Returns the size of the memory that all receive buffers are in, the large one last. */
static size_t buffers_size(const struct ring *ring) {
    return (size_t)ring->options.receive_buffers * RING_RECEIVE_SIZE + RING_LARGE_MAX;
}

static int buffers_setup(struct ring *ring, struct error *error) {
    size_t size = buffers_size(ring);

    ring->buffers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ring->buffers == MAP_FAILED) {
        error_set(error, "not enough memory for %u receive buffers", ring->options.receive_buffers);
        return -ENOMEM;
    }
    ring->large_buffer = ring->buffers + size - RING_LARGE_MAX;
    int result;
    ring->buffer_ring = io_uring_setup_buf_ring(&ring->uring, ring->options.receive_buffers, BUFFER_GROUP, 0, &result);
    if (ring->buffer_ring == NULL) {
        describe_setup_error(result, error);
        munmap(ring->buffers, size);
        return result;
    }
    for (unsigned i = 0; i < ring->options.receive_buffers; i++) {
        buffer_give(ring, i);
    }
    return 0;
}

static void buffers_teardown(struct ring *ring) {
    io_uring_free_buf_ring(&ring->uring, ring->buffer_ring, ring->options.receive_buffers, BUFFER_GROUP);
    munmap(ring->buffers, buffers_size(ring));
}

int ring_create(struct ring *ring, const struct ring_options *options, struct error *error) {
    memset(ring, 0, sizeof *ring);
    ring->options = *options;
    list_init(&ring->tasks);
    int result = uring_setup(ring, error);
    if (result < 0) {
        return result;
    }
    result = buffers_setup(ring, error);
    if (result < 0) {
        goto fail_buffers;
    }
    result = slab_create(&ring->streams, sizeof(struct stream), options->streams);
    if (result < 0) {
        goto fail_streams;
    }
    result = slab_create(&ring->chunks, RING_CHUNK_SIZE, options->chunks);
    if (result < 0) {
        goto fail_chunks;
    }
    ring->now_ns = clock_monotonic_ns();
    timer_wheel_init(&ring->timers, ring_now_ms(ring));
    return 0;

fail_chunks:
    slab_destroy(&ring->streams);
fail_streams:
    error_set(error, "not enough address space for %u connections: lower limits.connections", options->streams);
    buffers_teardown(ring);
fail_buffers:
    io_uring_queue_exit(&ring->uring);
    return result;
}

void ring_destroy(struct ring *ring) {
    CHECK(ring->in_flight == 0);
    CHECK(ring->streams.in_use == 0);
    CHECK(ring->chunks.in_use == 0);
    CHECK(list_is_empty(&ring->tasks));
    slab_destroy(&ring->chunks);
    slab_destroy(&ring->streams);
    buffers_teardown(ring);
    io_uring_queue_exit(&ring->uring);
}

static void ignore(struct ring *ring, uint64_t name, int result, unsigned flags) {}

/* Handles the completion of an operation by what the operation was. */
static void (*const handlers[OPERATIONS])(struct ring *ring, uint64_t name, int result, unsigned flags) = {
    [OPERATION_RECEIVE] = stream_complete_receive,
    [OPERATION_READABLE] = stream_complete_readable,
    [OPERATION_RECEIVE_LARGE] = stream_complete_large,
    [OPERATION_SEND] = stream_complete_send,
    [OPERATION_CONNECT] = stream_complete_connect,
    [OPERATION_SHUTDOWN] = stream_complete_aside,
    [OPERATION_CANCEL] = stream_complete_aside,
    [OPERATION_CLOSE] = stream_complete_close,
    [OPERATION_ACCEPT] = listener_complete,
    [OPERATION_MAILBOX] = mailbox_complete,
    [OPERATION_WATCH] = stream_complete_watch,
    [OPERATION_IGNORED] = ignore,
};

static void complete(struct ring *ring, uint64_t name, int result, unsigned flags) {
    ring->in_flight--;
    handlers[operation_kind(name)](ring, name, result, flags);
    /* Handlers have copied what they want to keep, so a buffer goes back before the next completion is looked at. */
    if (flags & IORING_CQE_F_BUFFER) {
        buffer_give(ring, flags >> IORING_CQE_BUFFER_SHIFT);
    }
}

/* Sleeps until there is a completion or `wait_ms` have passed. */
static int submit_and_wait(struct ring *ring, uint64_t wait_ms) {
    struct __kernel_timespec timeout = {.tv_sec = (long long)(wait_ms / 1000),
                                        .tv_nsec = (long long)(wait_ms % 1000) * 1000000};
    struct io_uring_cqe *cqe;
    int result;

    if (wait_ms == 0) {
        result = io_uring_submit_and_get_events(&ring->uring);
    } else {
        result = io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1, &timeout, NULL);
    }
    /* EBUSY and EAGAIN: the kernel wants completions taken first, which the caller does next. */
    if (result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
        return result;
    }
    return 0;
}

void ring_defer(struct ring *ring, struct ring_task *task) {
    if (!list_is_linked(&task->link)) {
        list_append(&ring->tasks, &task->link);
    }
}

void ring_forget(struct ring_task *task) {
    if (list_is_linked(&task->link)) {
        list_remove(&task->link);
    }
}

bool ring_run_tasks(struct ring *ring) {
    bool any = !list_is_empty(&ring->tasks);
    struct list now;

    list_init(&now);
    list_move_all(&now, &ring->tasks);
    for (struct list *first; (first = list_first(&now)) != NULL;) {
        list_remove(first);
        struct ring_task *task = CONTAINER_OF(first, struct ring_task, link);
        task->run(task);
    }
    return any;
}

void ring_submit(struct ring *ring) {
    stream_flush_all(ring);
    io_uring_submit(&ring->uring);
}

bool ring_has_more(struct ring *ring) {
    return io_uring_get_events(&ring->uring) >= 0 && io_uring_cq_ready(&ring->uring) > 0;
}

void ring_complete_ready(struct ring *ring) {
    unsigned ready = io_uring_cq_ready(&ring->uring);

    for (unsigned i = 0; i < ready; i++) {
        struct io_uring_cqe *cqe;

        if (io_uring_peek_cqe(&ring->uring, &cqe) != 0) {
            break;
        }
        uint64_t name = cqe->user_data;
        unsigned flags = cqe->flags;
        int result = cqe->res;
        io_uring_cq_advance(&ring->uring, 1);
        complete(ring, name, result, flags);
    }
}

int ring_turn(struct ring *ring, uint64_t wait_ms_max) {
    bool ran = ring_run_tasks(ring);
    stream_feed_starved(ring);
    stream_flush_all(ring);
    if (ring->stream_freed) {
        ring->stream_freed = false;
        listener_resume_all(ring);
    }
    uint64_t wait_ms = timer_wheel_wait_ms(&ring->timers, ring_now_ms(ring), wait_ms_max);
    if (ring->starved[false].first != NULL || ring->starved[true].first != NULL || ring->large.first != NULL || ran ||
        !list_is_empty(&ring->tasks)) {
        wait_ms = 0;
    }
    int result = submit_and_wait(ring, wait_ms);
    if (result < 0) {
        return result;
    }
    ring->now_ns = clock_monotonic_ns();
    /* Only completions that are there now are handled: those that handlers cause wait for the next turn, behind the
       timers. */
    ring_complete_ready(ring);
    timer_wheel_advance(&ring->timers, ring_now_ms(ring));
    stream_receive_large(ring);
    return 0;
}
