#include "kernel_state.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum {
    CALL_NS = 1000,          /* cost of each look at the clock */
    CALL_LOADED_NS = 400000, /* additional cost on a machine that is busy all the time */
};

/* Functions of libc that src/ calls, by the linker's --wrap. */

int __wrap_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol) {
    return socket_descriptor(socket_create(false));
}

int __real_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size) {
    return socket_is_simulated(descriptor) || descriptor == KERNEL_LISTENER
               ? 0
               : __real_setsockopt(descriptor, level, option, value, size);
}

ssize_t __wrap_recv(int descriptor, void *data, size_t size, int flags);
ssize_t __wrap_recv(int descriptor, void *data, size_t size, int flags) {
    struct kernel_socket *socket = socket_at(descriptor, false);

    SIMULATOR_EXPECT(flags == (MSG_PEEK | MSG_DONTWAIT) && size == 1, "recv with flags %d", flags);
    if (socket->to_shard.size > 0) {
        *(uint8_t *)data = socket->to_shard.data[0];
        return 1;
    }
    if (socket->to_shard_end && !socket->to_shard_reset) {
        return 0;
    }
    errno = socket->to_shard_reset ? ECONNRESET : EAGAIN;
    return -1;
}

int __wrap_ioctl(int descriptor, unsigned long request, int *value);
int __wrap_ioctl(int descriptor, unsigned long request, int *value) {
    SIMULATOR_EXPECT(request == SIOCOUTQ, "ioctl %lu", request);
    *value = (int)socket_at(descriptor, false)->unacknowledged;
    return 0;
}

/* No account of the thread's time: the shard falls back to its CPU clock. */
ssize_t __wrap_pread(int descriptor, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int descriptor, void *data, size_t size, off_t offset) {
    return -1;
}

static struct timespec at(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
    kernel.now_ns += CALL_NS + (uint64_t)kernel.load * CALL_LOADED_NS / 1000;
    switch (clock) {
    case CLOCK_REALTIME:
        *now = at(kernel_wall_ns());
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *now = at(kernel.busy_ns);
        return 0;
    default:
        *now = at(kernel.now_ns);
        return 0;
    }
}

time_t __wrap_time(time_t *now);
time_t __wrap_time(time_t *now) {
    time_t seconds = (time_t)(kernel_wall_ns() / 1000000000);

    if (now != NULL) {
        *now = seconds;
    }
    return seconds;
}

int __wrap_gettimeofday(struct timeval *now, void *zone);
int __wrap_gettimeofday(struct timeval *now, void *zone) {
    *now = (struct timeval){.tv_sec = (time_t)(kernel_wall_ns() / 1000000000),
                            .tv_usec = (long)(kernel_wall_ns() / 1000 % 1000000)};
    return 0;
}

static void fill(uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)kernel_draw(&kernel.secrets);
    }
}

ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags) {
    fill(data, size);
    return (ssize_t)size;
}

/* wolfSSL's: keys, nonces and the lengths of signatures follow the seed too. */
int __wrap_wc_RNG_GenerateBlock(void *generator, uint8_t *data, unsigned size);
int __wrap_wc_RNG_GenerateBlock(void *generator, uint8_t *data, unsigned size) {
    fill(data, size);
    return 0;
}
