#include "stats/access_log.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "stats/lines.h"
#include "stats/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BUSY_WAIT_MS = 10, /* until the next look when there was something, and when there was nothing */
    IDLE_WAIT_MS = 100,
    CLOSE_WAIT_MS = 2000,
    WRITE_SIZE_MAX = 256 * 1024,
    PIPE_WRITE_SIZE_MAX = 4096, /* bytes that a pipe takes without a wait once poll says so (PIPE_BUF, pipe(7)) */
    LINE_SIZE_MAX = 64 * 1024,
    COMPLAINT_INTERVAL_S = 60,
    FILE_MODE = 0640,
};

/* One shard's lines: a ring of bytes; between tail and head there are whole lines only. */
struct buffer {
    _Alignas(LINES_SIZE) _Atomic uint64_t head; /* the shard's: bytes put in */
    stats_counter dropped;
    _Alignas(LINES_SIZE) _Atomic uint64_t tail; /* the thread's: bytes taken out */
    char *data;
};

struct access_log {
    char *path;
    struct buffer *buffers;
    unsigned shard_count;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the next three; `wake` tells of their changes */
    pthread_cond_t wake;
    bool reopen;
    atomic_bool closing;
    _Atomic uint64_t give_up_ms; /* while it is closing */
    stats_counter written;
    stats_counter lost; /* lines that could not be written */

    /* The thread's own. */
    int descriptor;
    bool is_file;
    bool torn;               /* the last line in the file has no end */
    uint64_t complained_s;   /* when the log last said that lines cannot be written; 0: they can */
    uint64_t lost_complaint; /* lines lost before that */
};

static int open_path(const char *path) {
    if (strcmp(path, "-") == 0) {
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    }
    /* Without O_NONBLOCK, open would wait for a reader of a FIFO. */
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
}

static void use_descriptor(struct access_log *log, int descriptor) {
    log->descriptor = descriptor;
    struct stat status;
    log->is_file = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    log->torn = false;
}

static uint64_t count_lines(struct bytes text) {
    uint64_t lines = 0;
    const uint8_t *end = text.data + text.size;
    for (const uint8_t *at = text.data; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        lines++;
    }
    return lines;
}

static void complain(struct access_log *log, int error) {
    uint64_t now_s = clock_monotonic_ns() / 1000000000 + 1;
    if (log->complained_s == 0 || now_s - log->complained_s >= COMPLAINT_INTERVAL_S) {
        if (log->complained_s == 0) {
            log->lost_complaint = stats_read(&log->lost);
        }
        log->complained_s = now_s;
        log_error("access log %s: %s: lines are dropped", log->path, strerror(error));
    }
}

static void be_content(struct access_log *log) {
    if (log->complained_s != 0) {
        log->complained_s = 0;
        log_info("access log %s: is written again; %llu lines were dropped", log->path,
                 (unsigned long long)(stats_read(&log->lost) - log->lost_complaint));
    }
}

/* Returns 0 when the file can be written without a wait, or a negative errno. */
static int wait_for_room(struct access_log *log) {
    struct pollfd poll_for = {.fd = log->descriptor, .events = POLLOUT};
    int wait_ms = log->closing ? BUSY_WAIT_MS : 0;
    if (log->is_file) {
        return 0;
    }
    for (;;) {
        int ready = poll(&poll_for, 1, wait_ms);
        if (ready > 0) {
            return 0;
        }
        if (!log->closing || clock_monotonic_ms() >= log->give_up_ms) {
            return -EAGAIN;
        }
    }
}

/* Writes a part of `text`. Returns how many bytes, or a negative errno. */
static ssize_t write_some(struct access_log *log, struct bytes text) {
    size_t most = log->is_file ? WRITE_SIZE_MAX : PIPE_WRITE_SIZE_MAX;
    int result = wait_for_room(log);
    if (result < 0) {
        return result;
    }
    ssize_t size = write(log->descriptor, text.data, text.size < most ? text.size : most);
    return size < 0 ? -errno : size;
}

/* Writes whole lines. Lines that cannot be written are lost; a line that was written in part is ended before the next. */
static void write_lines(struct access_log *log, struct bytes text) {
    const uint8_t *begin = text.data;
    if (log->torn) {
        log->torn = write_some(log, bytes_of_string("\n")) != 1;
    }
    while (text.size > 0) {
        ssize_t size = log->torn ? -EIO : write_some(log, text);
        if (size == -EINTR) {
            continue;
        }
        if (size <= 0) {
            stats_add(&log->lost, count_lines(text));
            log->torn = log->torn || (text.data > begin && text.data[-1] != '\n');
            complain(log, size == 0 ? EIO : (int)-size);
            return;
        }
        stats_add(&log->written, count_lines(bytes_of(text.data, (size_t)size)));
        text = bytes_of(text.data + size, text.size - (size_t)size);
    }
    be_content(log);
}

/* Writes the content of a buffer, up to its end at most. Returns how many bytes. */
static size_t drain(struct access_log *log, struct buffer *buffer) {
    uint64_t head = atomic_load_explicit(&buffer->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&buffer->tail, memory_order_relaxed);
    size_t at = tail % ACCESS_LOG_BUFFER_SIZE;
    size_t size = head - tail;
    if (size > ACCESS_LOG_BUFFER_SIZE - at) {
        size = ACCESS_LOG_BUFFER_SIZE - at;
    }
    if (size == 0) {
        return 0;
    }
    /* A NUL, which no line has, says that the rest up to the end is unused. */
    write_lines(log, bytes_of(buffer->data + at, strnlen(buffer->data + at, size)));
    atomic_store_explicit(&buffer->tail, tail + size, memory_order_release);
    return size;
}

static size_t drain_all(struct access_log *log) {
    size_t most = 0;
    for (unsigned i = 0; i < log->shard_count; i++) {
        size_t size = drain(log, &log->buffers[i]);
        size += size == 0 ? 0 : drain(log, &log->buffers[i]); /* the part behind the end */
        most = size > most ? size : most;
    }
    return most;
}

static void open_again(struct access_log *log) {
    int descriptor = open_path(log->path);
    if (descriptor < 0) {
        log_error("access log %s: cannot be opened again: %s: what was open is written on", log->path, strerror(errno));
        return;
    }
    close(log->descriptor);
    use_descriptor(log, descriptor);
    log_info("access log %s: opened again", log->path);
}

/* Sleeps, unless there is something to do. Returns whether the log is to be closed. */
static bool sleep_until_wanted(struct access_log *log, uint64_t wait_ms, bool *reopen) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)wait_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&log->lock);
    if (!log->closing && !log->reopen) {
        pthread_cond_timedwait(&log->wake, &log->lock, &until);
    }
    bool closing = log->closing;
    *reopen = log->reopen;
    log->reopen = false;
    pthread_mutex_unlock(&log->lock);
    return closing;
}

static void *run(void *argument) {
    struct access_log *log = argument;
    bool closing = false;
    while (!closing) {
        size_t most = drain_all(log);
        bool reopen = false;
        if (most < ACCESS_LOG_BUFFER_SIZE / 2) {
            closing = sleep_until_wanted(log, most > 0 ? BUSY_WAIT_MS : IDLE_WAIT_MS, &reopen);
        }
        if (reopen) {
            drain_all(log); /* lines from before the call belong to the old file */
            open_again(log);
        }
    }
    drain_all(log);
    return NULL;
}

static void free_log(struct access_log *log) {
    for (unsigned i = 0; log->buffers != NULL && i < log->shard_count; i++) {
        free(log->buffers[i].data);
    }
    if (log->descriptor >= 0) {
        close(log->descriptor);
    }
    free(log->buffers);
    free(log->path);
    free(log);
}

static bool make_buffers(struct access_log *log) {
    log->buffers = lines_allocate(log->shard_count, sizeof *log->buffers);
    for (unsigned i = 0; log->buffers != NULL && i < log->shard_count; i++) {
        log->buffers[i].data = malloc(ACCESS_LOG_BUFFER_SIZE);
        if (log->buffers[i].data == NULL) {
            return false;
        }
    }
    return log->buffers != NULL;
}

static int start(struct access_log *log) {
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&log->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int result = pthread_create(&log->thread, NULL, run, log);
    if (result == 0) {
        pthread_setname_np(log->thread, "access log");
    }
    return result;
}

struct access_log *access_log_open(const char *path, unsigned shard_count, struct error *error) {
    struct access_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        error_set(error, "access_log: not enough memory");
        return NULL;
    }
    log->descriptor = -1;
    log->shard_count = shard_count;
    log->path = strdup(path);
    if (log->path == NULL || !make_buffers(log)) {
        error_set(error, "access_log: not enough memory");
        free_log(log);
        return NULL;
    }
    int descriptor = open_path(path);
    int result = errno;
    if (descriptor >= 0) {
        use_descriptor(log, descriptor);
        result = start(log);
    }
    if (descriptor < 0 || result != 0) {
        error_set(error, "access_log: %s: %s", path, result == ENXIO ? "is a FIFO that nobody reads" : strerror(result));
        free_log(log);
        return NULL;
    }
    return log;
}

void access_log_close(struct access_log *log) {
    if (log == NULL) {
        return;
    }
    pthread_mutex_lock(&log->lock);
    log->give_up_ms = clock_monotonic_ms() + CLOSE_WAIT_MS;
    log->closing = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->lock);
    free_log(log);
}

bool access_log_write(struct access_log *log, unsigned shard, struct bytes line) {
    struct buffer *buffer = &log->buffers[shard];
    uint64_t head = atomic_load_explicit(&buffer->head, memory_order_relaxed);
    uint64_t used = head - atomic_load_explicit(&buffer->tail, memory_order_acquire);
    size_t at = head % ACCESS_LOG_BUFFER_SIZE;
    size_t skipped = line.size > ACCESS_LOG_BUFFER_SIZE - at ? ACCESS_LOG_BUFFER_SIZE - at : 0;
    CHECK(line.size > 0 && line.size <= LINE_SIZE_MAX);
    if (ACCESS_LOG_BUFFER_SIZE - used < skipped + line.size) {
        stats_add(&buffer->dropped, 1);
        return false;
    }
    if (skipped > 0) {
        buffer->data[at] = '\0';
        at = 0;
    }
    memcpy(buffer->data + at, line.data, line.size);
    atomic_store_explicit(&buffer->head, head + skipped + line.size, memory_order_release);
    return true;
}

void access_log_reopen(struct access_log *log) {
    pthread_mutex_lock(&log->lock);
    log->reopen = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
}

struct access_log_counts access_log_count(const struct access_log *log) {
    struct access_log_counts counts = {.written = stats_read(&log->written), .dropped = stats_read(&log->lost)};
    for (unsigned i = 0; i < log->shard_count; i++) {
        counts.dropped += stats_read(&log->buffers[i].dropped);
    }
    return counts;
}
