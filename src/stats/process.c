#include "stats/process.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FIELD_START = 22, TEXT_SIZE = 2048 };

#define NS_PER_S UINT64_C(1000000000)

/* Reads a file as a NUL-terminated text. False when it cannot be read. */
static bool read_text(const char *path, char text[static TEXT_SIZE]) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    ssize_t size = read(file, text, TEXT_SIZE - 1);
    close(file);
    if (size <= 0) {
        return false;
    }
    text[size] = '\0';
    return true;
}

static void read_memory(struct process_reading *reading) {
    reading->has_memory = false;
    char text[TEXT_SIZE];
    if (read_text("/proc/self/statm", text)) {
        uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
        char *after_virtual;
        reading->virtual_bytes = strtoull(text, &after_virtual, 10) * page_size;
        char *after_resident;
        reading->resident_bytes = strtoull(after_virtual, &after_resident, 10) * page_size;
        reading->has_memory = after_virtual > text && after_resident > after_virtual;
    }
}

void process_list_descriptors(struct process_reading *reading, const char *folder, uint64_t now_ms) {
    if (reading->listed_ms > 0 && now_ms - reading->listed_ms < PROCESS_LISTING_MS) {
        return;
    }
    DIR *listing = opendir(folder);
    if (listing == NULL) {
        reading->has_descriptors = errno == EMFILE;
        reading->open_descriptors = reading->max_descriptors;
        return;
    }
    uint64_t names = 0;
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        names += entry->d_name[0] != '.';
    }
    closedir(listing);
    reading->has_descriptors = true;
    reading->open_descriptors = names > 0 ? names - 1 : 0;
    reading->listed_ms = now_ms;
}

static void read_descriptors(struct process_reading *reading, uint64_t now_ms) {
    static const char folder[] = "/proc/self/fd";
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    reading->max_descriptors = limit.rlim_cur;
    struct stat status;
    if (stat(folder, &status) == 0 && status.st_size > 0) { /* from Linux 6.2 on it is their number */
        reading->has_descriptors = true;
        reading->open_descriptors = (uint64_t)status.st_size;
    } else {
        process_list_descriptors(reading, folder, now_ms);
    }
}

bool process_parse_start(const char *text, uint64_t *ticks) {
    const char *at = strrchr(text, ')'); /* the end of the second field */
    for (unsigned field = 2; at != NULL && field < FIELD_START; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL || at[1] < '0' || at[1] > '9') {
        return false;
    }
    *ticks = strtoull(at + 1, NULL, 10);
    return true;
}

uint64_t process_start_ns(void) {
    char text[TEXT_SIZE];
    uint64_t ticks;
    struct timespec up;
    if (!read_text("/proc/self/stat", text) || !process_parse_start(text, &ticks) ||
        clock_gettime(CLOCK_BOOTTIME, &up) != 0) {
        return 0;
    }
    uint64_t hertz = (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t up_ns = (uint64_t)up.tv_sec * NS_PER_S + (uint64_t)up.tv_nsec;
    uint64_t start_ns = ticks / hertz * NS_PER_S + ticks % hertz * (NS_PER_S / hertz);
    return clock_wall_ms() * 1000000 - (up_ns - start_ns);
}

static uint64_t ns_of(const struct timeval *time) {
    return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * 1000;
}

void process_read(struct process_reading *reading, uint64_t now_ms) {
    struct rusage usage = {0};
    read_memory(reading);
    read_descriptors(reading, now_ms);
    getrusage(RUSAGE_SELF, &usage);
    reading->cpu_ns = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
}
