#include "ring/cores.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a small file. Returns its size, or -1. */
static long read_file(const char *path, char *text, size_t capacity) {
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return -1;
    }
    size_t size = fread(text, 1, capacity - 1, file);
    fclose(file);
    text[size] = '\0';
    return (long)size;
}

/*
 * Returns a quota of `quota_us` in each `period_us` as cores, rounded up, `limit` at most; `limit` when there is no quota.
 */
static int cores_of_quota(long long quota_us, long long period_us, int limit) {
    if (quota_us <= 0 || period_us <= 0) {
        return limit;
    }
    long long cores = (quota_us + period_us - 1) / period_us;
    return cores < limit ? (int)cores : limit;
}

static int limit_by_v2(const char *folder, int limit) {
    char path[4096 + 64];

    snprintf(path, sizeof path, "%s/cpu.max", folder);
    char text[128];
    long long quota;
    long long period;
    if (read_file(path, text, sizeof text) < 0 || sscanf(text, "%lld %lld", &quota, &period) != 2) {
        return limit; /* no such controller here, or "max" */
    }
    return cores_of_quota(quota, period, limit);
}

static int limit_by_v1(const char *folder, int limit) {
    char path[4096 + 64];

    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    char quota[64];
    if (read_file(path, quota, sizeof quota) < 0) {
        return limit;
    }
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    char period[64];
    if (read_file(path, period, sizeof period) < 0) {
        return limit;
    }
    return cores_of_quota(atoll(quota), atoll(period), limit);
}

/* Returns the tightest limit of the group at `mount` + `group` and of each ancestor up to the mount. */
static int limit_by_ancestors(const char *mount, const char *group, int (*limit_by)(const char *, int), int limit) {
    size_t mount_size = strlen(mount);

    char folder[4096];
    if ((size_t)snprintf(folder, sizeof folder, "%s%s", mount, group) >= sizeof folder) {
        return limit;
    }
    for (;;) {
        limit = limit_by(folder, limit);
        char *slash = strrchr(folder, '/');
        if (slash == NULL || (size_t)(slash - folder) < mount_size) {
            return limit;
        }
        *slash = '\0';
    }
}

/* /proc/self/cgroup has one line for each hierarchy: "0::/group" (v2), "4:cpu,cpuacct:/group" (v1). */
static int limit_by_cgroups(int limit) {
    char *save = NULL;

    char text[8192];
    if (read_file("/proc/self/cgroup", text, sizeof text) < 0) {
        return limit;
    }
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char *controllers = strchr(line, ':');
        char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');

        if (group == NULL) {
            continue;
        }
        *group++ = '\0';
        controllers++;
        if (*controllers == '\0') {
            limit = limit_by_ancestors("/sys/fs/cgroup", group, limit_by_v2, limit);
            limit = limit_by_ancestors("/sys/fs/cgroup/unified", group, limit_by_v2, limit);
        } else if (strcmp(controllers, "cpu") == 0 || strncmp(controllers, "cpu,", 4) == 0 ||
                   strstr(controllers, ",cpu,") != NULL) {
            limit = limit_by_ancestors("/sys/fs/cgroup/cpu", group, limit_by_v1, limit);
        }
    }
    return limit;
}

int cores_usable(int cores[static CORES_MAX]) {
    int count = 0;

    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) {
        cores[0] = 0;
        return 1;
    }
    for (int core = 0; core < CPU_SETSIZE && count < CORES_MAX; core++) {
        if (CPU_ISSET(core, &set)) {
            cores[count++] = core;
        }
    }
    int limit = limit_by_cgroups(count);
    return limit < count ? limit : count;
}

int cores_pin(int core) {
    if (core < 0 || core >= CPU_SETSIZE) {
        return -EINVAL;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}
