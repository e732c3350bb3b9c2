#include "server/capacity.h"

#include "base/check.h"
#include "base/text.h"
#include "config/problems.h"
#include "config/settings.h"
#include "edge/shard.h"
#include "ring/cores.h"
#include "server/admin.h"
#include "server/prober.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    /* Standard streams, the access log, files that a reload reads, look-ups of names, the control thread's ring and
       mailbox; inherited ones; and probes of origins. */
    DESCRIPTORS_APART = 64 + PROBER_PROBES_MAX,
    DESCRIPTORS_OF_SHARD = 8, /* its ring, its mailbox, its account of CPU time */
    FACTOR = 2,               /* the factor by which a reload may raise limits.connections, if the descriptors allow it */
};

static uint32_t at_shard(const struct capacity_need *need, uint32_t connections) {
    return (connections + need->shards - 1) / need->shards;
}

uint64_t capacity_descriptors(const struct capacity_need *need, uint32_t connections, uint32_t idle) {
    uint64_t each = at_shard(need, connections);
    uint64_t spare = each < SHARD_SPARE ? each : SHARD_SPARE;
    /* Connections to origins for the clients above the limit, and as many that are being closed. */
    uint64_t shard = each + 2 * spare + idle + DESCRIPTORS_OF_SHARD + need->listeners;
    uint64_t all = DESCRIPTORS_APART + need->shards * shard;
    uint64_t direct = each + SHARD_SPARE + LISTENER_ACCEPTS * need->listeners;

    direct = direct > ADMIN_STREAMS_MAX ? direct : ADMIN_STREAMS_MAX;
    return all > direct ? all : direct;
}

static uint32_t least_idle(const struct capacity_need *need, uint32_t connections) {
    uint32_t each = at_shard(need, connections);

    return each < RELAY_IDLE_TOTAL_MAX ? each : RELAY_IDLE_TOTAL_MAX;
}

static uint64_t least_descriptors(const struct capacity_need *need, uint32_t connections) {
    return capacity_descriptors(need, connections, least_idle(need, connections));
}

/*
 * Returns the largest number of connections that fits, the same for each shard, need->connections at most; 0 when not even
 * one for each shard fits.
 */
static uint32_t largest(const struct capacity_need *need, uint64_t descriptors) {
    uint32_t fits = 0;
    uint32_t beyond = need->connections / need->shards + 1;

    while (beyond - fits > 1) {
        uint32_t middle = fits + (beyond - fits) / 2;

        if (least_descriptors(need, middle * need->shards) <= descriptors) {
            fits = middle;
        } else {
            beyond = middle;
        }
    }
    return fits * need->shards;
}

static uint32_t raised(uint32_t connections) {
    return connections > SETTINGS_CONNECTIONS_MAX / FACTOR ? SETTINGS_CONNECTIONS_MAX : connections * FACTOR;
}

struct capacity capacity_plan(const struct capacity_need *need, uint64_t descriptors) {
    uint32_t wanted = need->connections;
    struct capacity capacity = {wanted, wanted, SETTINGS_CONNECTIONS_DEFAULT, RELAY_IDLE_TOTAL_MAX};

    if (capacity_descriptors(need, raised(wanted), RELAY_IDLE_TOTAL_MAX) <= descriptors) {
        capacity.connections_max = raised(wanted);
    } else if (capacity_descriptors(need, wanted, RELAY_IDLE_TOTAL_MAX) > descriptors) {
        if (least_descriptors(need, wanted) > descriptors) {
            capacity.connections = capacity.connections_max = largest(need, descriptors);
        }
        capacity.idle = least_idle(need, capacity.connections);
    }
    if (!need->is_set) {
        capacity.unset = capacity.connections;
    }
    return capacity;
}

/* Returns the kernel's bound on the limit of any process (fs.nr_open); UINT64_MAX when it cannot be read. */
static uint64_t kernel_limit(void) {
    FILE *file = fopen("/proc/sys/fs/nr_open", "re");
    char text[32] = "";

    if (file == NULL) {
        return UINT64_MAX;
    }
    uint64_t number = fgets(text, sizeof text, file) == NULL ? 0 : strtoull(text, NULL, 10);
    fclose(file);
    return number == 0 ? UINT64_MAX : number;
}

static bool set_limit(rlim_t soft, rlim_t hard) {
    return setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, hard}) == 0;
}

/*
 * Raises the limit to `wanted`, or as near to that as is allowed; only CAP_SYS_RESOURCE allows to raise a hard limit.
 * Returns the limit that results.
 */
static uint64_t obtain(uint64_t wanted) {
    uint64_t kernel = kernel_limit();

    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur < wanted) {
        uint64_t most = wanted < kernel ? wanted : kernel;

        if (!(most > limit.rlim_max ? set_limit(most, most) : set_limit(most, limit.rlim_max))) {
            set_limit(limit.rlim_max, limit.rlim_max);
        }
        CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    return limit.rlim_cur < kernel ? limit.rlim_cur : kernel;
}

/*
 * Returns whether systemd runs this process as the command of a unit: SYSTEMD_EXEC_PID is then its own process id
 * (systemd.exec(5)); in a shell that was started from a unit it is another.
 */
static bool is_of_unit(void) {
    const char *command = getenv("SYSTEMD_EXEC_PID");

    return getenv("NOTIFY_SOCKET") != NULL || (command != NULL && strtoull(command, NULL, 10) == (uint64_t)getpid());
}

/* Appends what the operator can do so that the process may have so many descriptors. */
static void append_advice(struct text *text, uint64_t descriptors) {
    if (descriptors > kernel_limit()) {
        text_append_format(text, "sysctl fs.nr_open=%llu, and then ", (unsigned long long)descriptors);
    }
    if (is_of_unit()) {
        text_append_format(text, "LimitNOFILE=%llu in the systemd unit (systemctl edit, then restart) raises that",
                           (unsigned long long)descriptors);
    } else {
        text_append_format(text, "`ulimit -n %llu` as root, before the start, raises that (in a systemd unit LimitNOFILE=)",
                           (unsigned long long)descriptors);
    }
}

static void describe_shards(struct text *text, const struct capacity_need *need, uint64_t descriptors) {
    uint64_t least = least_descriptors(need, need->shards);

    text_append_format(
        text, "%u shards need %llu file descriptors at least, and this process may have %llu: set `shards` lower, or ",
        need->shards, (unsigned long long)least, (unsigned long long)descriptors);
    append_advice(text, least);
}

/* Writes that fewer connections fit than are wanted. */
static void describe(struct text *text, const struct capacity_need *need, const struct capacity *capacity,
                     uint64_t descriptors) {
    uint64_t wanted = need->is_set ? least_descriptors(need, need->connections)
                                   : capacity_descriptors(need, need->connections, RELAY_IDLE_TOTAL_MAX);

    if (capacity->connections == 0) {
        describe_shards(text, need, descriptors);
    } else if (need->is_set) {
        text_append_format(
            text,
            "limits.connections: %u needs %llu file descriptors, and this process may have %llu, enough for %u: "
            "set that, or ",
            need->connections, (unsigned long long)wanted, (unsigned long long)descriptors, capacity->connections);
        append_advice(text, wanted);
    } else {
        text_append_format(
            text, "limits.connections is not set, and is %u instead of %u: this process may have %llu file descriptors; ",
            capacity->connections, need->connections, (unsigned long long)descriptors);
        append_advice(text, wanted);
    }
}

static struct capacity_need need_of(const struct config *config, unsigned shards) {
    return (struct capacity_need){
        .connections = config->limits.connections,
        .is_set = config->limits.connections_line > 0,
        .shards = shards,
        .listeners = config->listen_count,
    };
}

/* Plans with the descriptors that can be had. False, with a description, when not all wanted connections fit. */
static bool settle(const struct capacity_need *need, struct capacity *capacity, struct text *text) {
    uint64_t descriptors = obtain(capacity_descriptors(need, raised(need->connections), RELAY_IDLE_TOTAL_MAX));

    *capacity = capacity_plan(need, descriptors);
    if (capacity->connections == need->connections) {
        return true;
    }
    describe(text, need, capacity, descriptors);
    return false;
}

int capacity_settle(const struct config *config, unsigned shards, struct capacity *capacity,
                    char buffer[static CAPACITY_TEXT_SIZE]) {
    struct capacity_need need = need_of(config, shards);
    struct text text = text_over(buffer, CAPACITY_TEXT_SIZE - 1);
    bool all = settle(&need, capacity, &text);

    buffer[text.size] = '\0';
    return all || (!need.is_set && capacity->connections > 0) ? 0 : -1;
}

void capacity_warn(struct config *config) {
    static int cores[CORES_MAX];
    struct capacity_need need = need_of(config, config->shards > 0 ? config->shards : (unsigned)cores_usable(cores));
    char buffer[CAPACITY_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof buffer - 1);

    struct capacity capacity;
    if (!settle(&need, &capacity, &text)) {
        buffer[text.size] = '\0';
        problems_add(&config->warnings, config->path, config->limits.connections_line,
                     "%s. A server that is started otherwise may have another limit", buffer);
    }
}

uint32_t capacity_connections(const struct capacity *capacity, const struct config *config) {
    return config->limits.connections_line > 0 ? config->limits.connections : capacity->unset;
}
