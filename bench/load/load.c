#include "load/load.h"

#include "base/check.h"
#include "base/clock.h"
#include "load/request.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

enum {
    SUBMISSIONS = 16, /* the kernel is not preempted in a call, and others share the core with a flood */
    TURN_MS_MAX = 20,
    CLOSING_MS_MAX = 5000,
    CHUNKS_EACH =
        INTRUDER_FLIGHT_MAX / RING_RECEIVE_SIZE + 2, /* the most that a connection sends at a time, of address space */
    JUNK_TICKET_SIZE = 192,
    FAILURES_HOPELESS = 100, /* with not one answer */
};

static volatile sig_atomic_t stopped;

void load_stop(int signal) {
    stopped = 1;
}

static void enter(struct load *load, enum load_phase phase) {
    load->phase = phase;
    load->shared.measures = phase == LOAD_MEASURING;
}

static int give_up(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int give_up(struct load *load, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(load->fatal, sizeof load->fatal, format, arguments);
    va_end(arguments);
    enter(load, LOAD_ENDING);
    return -1;
}

bool load_is_good(const struct load *load) {
    const uint64_t *counters = load->shared.tally.counters;

    return load->fatal[0] == '\0' && tally_failures(NULL, counters) == 0 && counters[TALLY_UNEXPECTED] == 0;
}

static void start(struct load *load, struct load_connection *connection, uint64_t due_ns) {
    int error = load_connection_start(connection, due_ns);

    if (error < 0) {
        give_up(load, "cannot open another connection beside %u: %s", load->open, strerror(-error));
        return;
    }
    load->open++;
    load->opening++;
}

static void set_free(struct load *load, struct load_connection *connection) {
    connection->next_free = NULL;
    if (load->free_first == NULL) {
        load->free_first = connection;
    } else {
        load->free_last->next_free = connection;
    }
    load->free_last = connection;
}

/* A hostile run makes exactly as many connections as --count has; others count answers. */
static bool may_start(const struct load *load) {
    const struct load_options *options = load->shared.options;
    uint32_t opening_max = options->behaviour->opening_max;

    return load->phase != LOAD_ENDING && load->free_first != NULL && (opening_max == 0 || load->opening < opening_max) &&
           (!options->behaviour->hostile || options->count == 0 || load->schedule.begun < options->count);
}

static void start_more(struct load *load) {
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t due_ns;

    while (may_start(load) && schedule_is_due(&load->schedule, now_ns, &due_ns)) {
        struct load_connection *connection = load->free_first;

        load->free_first = connection->next_free;
        load->schedule.begun++;
        start(load, connection, due_ns);
    }
}

static void on_established(void *owner, struct load_connection *connection) {
    struct load *load = owner;

    load_count(&load->shared, TALLY_HANDSHAKES);
    if (load_connection_resumed(connection)) {
        load_count(&load->shared, TALLY_RESUMED);
    }
    load_record(&load->shared, LATENCY_HANDSHAKE, connection->started_ns);
    if (load->tls[0] == '\0') {
        load_connection_describe(connection, load->tls, sizeof load->tls);
    }
}

static void on_stands(void *owner) {
    struct load *load = owner;

    load->opening--;
    load->stand++;
    start_more(load);
}

static void on_closed(void *owner, struct load_connection *connection) {
    struct load *load = owner;

    load->open--;
    if (load->phase == LOAD_ENDING) {
        return;
    }
    if (connection->stood) {
        load->stand--;
        return;
    }
    load->opening--;
    if (!load->shared.options->behaviour->holds) {
        set_free(load, connection);
    }
    start_more(load);
}

static const struct load_events events = {.established = on_established, .stands = on_stands, .closed = on_closed};

static void mark(const struct load *load, struct load_mark *mark) {
    struct timespec cpu;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    mark->ns = clock_monotonic_ns();
    mark->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
    memcpy(mark->counters, load->shared.tally.counters, sizeof mark->counters);
    memcpy(mark->outcomes, load->shared.tally.outcomes, sizeof mark->outcomes);
}

static void begin_measuring(struct load *load) {
    enter(load, LOAD_MEASURING);
    tally_reset_latencies(&load->shared.tally);
    mark(load, &load->begin);
    load->phase_end_ns = load->begin.ns + (load->shared.options->behaviour->holds ? LOAD_OPENING_MAX_S * 1000000000ULL
                                                                                  : load->shared.options->duration_ns);
}

static void end_measuring(struct load *load) {
    mark(load, &load->end);
    for (uint32_t i = 0; i < load->shared.options->connections; i++) {
        const struct load_connection *connection = &load->connections[i];
        uint64_t since = connection->state == CONNECTION_ASKING ? connection->asked_ns : connection->started_ns;

        if (connection->state >= CONNECTION_CONNECTING && connection->state <= CONNECTION_ASKING) {
            load->in_flight_at_end++;
            if (load->end.ns - since > load->oldest_in_flight_ns) {
                load->oldest_in_flight_ns = load->end.ns - since;
            }
        }
    }
}

static bool is_hopeless(const struct load *load) {
    const uint64_t *counters = load->shared.tally.counters;
    const uint64_t *outcomes = load->shared.tally.outcomes;
    enum tally_counter success = load->shared.options->behaviour->resumes ? TALLY_RESUMED : TALLY_ANSWERS;

    if (load->shared.options->behaviour->hostile) {
        return counters[TALLY_OUTCOMES] == outcomes[OUTCOME_REFUSED] + outcomes[OUTCOME_CONNECT_FAILED] &&
               counters[TALLY_OUTCOMES] >= FAILURES_HOPELESS + load->shared.options->connections;
    }
    return counters[success] == 0 && !load->shared.options->behaviour->holds &&
           tally_failures(NULL, counters) >= FAILURES_HOPELESS + load->shared.options->connections;
}

/* The full handshakes that fetch the first tickets are not measured. */
static bool is_warm(const struct load *load) {
    return !load->shared.options->behaviour->resumes || load->shared.ticketed == load->shared.options->connections;
}

static bool is_measured(const struct load *load, uint64_t now_ns) {
    enum tally_counter counted = load->shared.options->behaviour->hostile ? TALLY_OUTCOMES : TALLY_ANSWERS;

    if (load->shared.options->behaviour->holds) {
        return (load->opening == 0 && load->schedule.begun == load->shared.options->connections) ||
               now_ns >= load->phase_end_ns;
    }
    return now_ns >= load->phase_end_ns ||
           (load->shared.options->count > 0 &&
            load->shared.tally.counters[counted] - load->begin.counters[counted] >= load->shared.options->count);
}

static const char *what_counts(const struct behaviour *behaviour) {
    if (behaviour->hostile) {
        return "connection";
    }
    return behaviour->resumes ? "resumed handshake" : "answer";
}

static void advance(struct load *load) {
    uint64_t now_ns = clock_monotonic_ns();

    if (is_hopeless(load)) {
        give_up(load, "given up: not one %s on %llu connections, the first failure was: %s",
                what_counts(load->shared.options->behaviour),
                (unsigned long long)load->shared.tally.counters[TALLY_CONNECTIONS], load->shared.first_error);
        return;
    }
    if (stopped && load->phase == LOAD_WARMING) {
        give_up(load, "stopped before the measurement began");
    } else if (stopped && load->phase_end_ns > now_ns) {
        load->phase_end_ns = now_ns;
    }
    switch (load->phase) {
    case LOAD_WARMING:
        if (now_ns >= load->phase_end_ns && is_warm(load)) {
            begin_measuring(load);
        } else if (now_ns >= load->phase_end_ns + LOAD_OPENING_MAX_S * 1000000000ULL) {
            give_up(load, "given up: only %u of %u connections have got a ticket, the first failure was: %s",
                    load->shared.ticketed, load->shared.options->connections, load->shared.first_error);
        }
        break;
    case LOAD_MEASURING:
        if (!is_measured(load, now_ns)) {
            break;
        }
        enter(load, LOAD_ENDING);
        if (load->shared.options->behaviour->holds) {
            end_measuring(load);
            enter(load, LOAD_HOLDING);
            load->phase_end_ns = now_ns + load->shared.options->duration_ns;
            if (load->shared.options->duration_ns > 0) {
                fprintf(stderr, "standing %u of %u\n", load->stand, load->shared.options->connections);
            }
        }
        break;
    case LOAD_HOLDING:
        if (now_ns >= load->phase_end_ns) {
            enter(load, LOAD_ENDING);
        }
        break;
    case LOAD_ENDING:
        break;
    }
}

static void turn(struct load *load) {
    uint64_t wait_ms = TURN_MS_MAX;

    if (may_start(load) && !schedule_sleep(&load->schedule, &load->shared.ring, clock_monotonic_ns())) {
        wait_ms = 0;
    }
    int error = ring_turn(&load->shared.ring, wait_ms);
    if (error < 0) {
        give_up(load, "the ring is broken: %s", strerror(-error));
    }
}

static void close_all(struct load *load) {
    uint64_t limit_ns = clock_monotonic_ns() + CLOSING_MS_MAX * 1000000ULL;

    for (uint32_t i = 0; i < load->shared.options->connections; i++) {
        if (load->connections[i].stream != NULL) {
            load_connection_end(&load->connections[i], LOAD_OPTIONS_CLOSE_RESET);
        }
    }
    while ((load->open > 0 || load->shared.ring.in_flight > 0) && clock_monotonic_ns() < limit_ns) {
        turn(load);
    }
    CHECK(load->open == 0);
}

/* A descriptor for each connection, and some; the soft limit is raised as far as the hard one allows. */
static int ensure_descriptors(struct load *load) {
    rlim_t need = load->shared.options->connections + 64;
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < need) {
        limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < need) {
        return give_up(load, "%u connections need %llu file descriptors, the limit is %llu: raise it (ulimit -n)",
                       load->shared.options->connections, (unsigned long long)need, (unsigned long long)limit.rlim_cur);
    }
    return 0;
}

static int load_certificates(struct load *load) {
    const struct load_options *options = load->shared.options;
    const struct behaviour *behaviour = options->behaviour;

    if (behaviour->forgery != FORGE_NONE) {
        const struct forge_settings settings = {
            .kind = behaviour->forgery, .issuer = options->issuer, .identities = options->identities};

        if (forges_load(&load->shared.forges, &settings, options->certs, options->cert_count, load->fatal) < 0) {
            return -1;
        }
        return intruder_shared_init(&load->shared.intruders) == 0 ? 0 : give_up(load, "wolfCrypt has no X25519");
    }
    if (behaviour->connected != NULL) {
        return 0;
    }
    const struct client_settings settings = {.name = options->name, .group = options->group, .tls12 = options->tls12};
    return load->shared.stolen != NULL
               ? certs_load_none(&load->shared.certs, &settings, load->fatal)
               : certs_load(&load->shared.certs, options->certs, options->cert_count, &settings, load->fatal);
}

static void prepare_hello(struct load *load) {
    switch (load->shared.options->behaviour->tickets) {
    case TICKETS_JUNK:
        client_hello_build(&load->shared.hello, load->shared.options->name, JUNK_TICKET_SIZE);
        break;
    case TICKETS_STOLEN:
        client_hello_build(&load->shared.hello, load->shared.options->name, load->shared.stolen->size);
        client_hello_set_ticket(&load->shared.hello, bytes_of(load->shared.stolen->data, load->shared.stolen->size));
        break;
    default:
        client_hello_build(&load->shared.hello, load->shared.options->name, 0);
    }
}

static int prepare(struct load *load) {
    const struct load_options *options = load->shared.options;
    /* Sockets that are on their way to closed count as streams too. */
    struct ring_options ring = {.accepted = 16,
                                .streams = options->connections + 64,
                                .receive_buffers = options->connections <= 64 ? 64 : 256,
                                .chunks = CHUNKS_EACH * options->connections + 64,
                                .submissions = SUBMISSIONS};

    if (ensure_descriptors(load) < 0 || load_certificates(load) < 0) {
        return -1;
    }
    load->connections = calloc(options->connections, sizeof *load->connections);
    char *request = malloc(REQUEST_SIZE_MAX);
    if (load->connections == NULL || request == NULL || tally_create(&load->shared.tally) < 0) {
        free(request);
        return give_up(load, "out of memory");
    }
    load->shared.request = bytes_of(request, request_write(options, 0, request));
    for (uint32_t i = 0; i < options->connections; i++) {
        load_connection_init(&load->connections[i], &load->shared);
        set_free(load, &load->connections[i]);
    }
    prepare_hello(load);
    if (getrandom(&load->shared.noise, sizeof load->shared.noise, 0) != sizeof load->shared.noise) {
        return give_up(load, "no random numbers: %s", strerror(errno));
    }
    struct error error;
    return ring_create(&load->shared.ring, &ring, &error) < 0 ? give_up(load, "%s", error.text) : 0;
}

int load_run(struct load *load, const struct load_options *options, const struct stolen_session *stolen) {
    load->shared.options = options;
    load->shared.events = &events;
    load->shared.owner = load;
    load->shared.stolen = stolen;
    if (prepare(load) < 0) {
        return -1;
    }
    enter(load, LOAD_WARMING);
    uint64_t now_ns = clock_monotonic_ns();
    load->phase_end_ns = now_ns + options->warmup_ns;
    schedule_begin(&load->schedule, options->rate, now_ns);
    progress_begin(&load->progress, now_ns);
    advance(load);
    start_more(load);
    while (load->phase != LOAD_ENDING) {
        turn(load);
        start_more(load);
        advance(load);
        progress_tell(&load->progress, &load->shared, load->open, clock_monotonic_ns());
    }
    if (load->begin.ns != 0 && load->end.ns == 0) {
        end_measuring(load);
    }
    if (load->fatal[0] == '\0' && options->behaviour->hostile &&
        load->shared.tally.counters[TALLY_OUTCOMES] < options->count) {
        give_up(load, "time is over: only %llu of %llu connections have come to an outcome",
                (unsigned long long)load->shared.tally.counters[TALLY_OUTCOMES], (unsigned long long)options->count);
    }
    close_all(load);
    ring_destroy(&load->shared.ring);
    return 0;
}

void load_destroy(struct load *load) {
    for (uint32_t i = 0; load->connections != NULL && i < load->shared.options->connections; i++) {
        load_connection_destroy(&load->connections[i]);
    }
    free(load->connections);
    certs_free(&load->shared.certs);
    forges_free(&load->shared.forges);
    free((void *)(uintptr_t)load->shared.request.data);
    tally_destroy(&load->shared.tally);
}
