/*
 * sallyport-limit: the least that a server's work can cost. `crypto` times bare operations; `echo` has a server of nothing
 * but io_uring take and give the bytes that its scripts name, and tells its CPU time for each exchange.
 */
#include "base/check.h"
#include "base/clock.h"
#include "limit/bare.h"
#include "limit/party.h"
#include "tls/context.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, WARMUP_MS = 200, BACKLOG = 4096, ORIGINS_SPARE = 64 };

static const char usage[] = "usage: sallyport-limit crypto [--rounds N]\n"
                            "       sallyport-limit echo --server SCRIPT --client SCRIPT [--origin SCRIPT] [OPTION]...\n"
                            "\n"
                            "crypto times operations of wolfCrypt, one at a time, and echo exchanges of bytes by io_uring "
                            "without TLS: one JSON object,\n"
                            "CPU time in nanoseconds.\n"
                            "\n"
                            "  --rounds N         1 to 1000, of which the medians count (default: 21)\n"
                            "  --connections N    at the same time, 1 to 2000 (default: 64)\n"
                            "  --ms N             measured time, 100 to 60000 (default: 1000)\n"
                            "  --server-core N    where the server runs (default: anywhere)\n"
                            "  --load-core N      where its clients and its origin run (default: anywhere)\n"
                            "  --help             this text\n"
                            "\n"
                            "A script is steps and an end: rN and sN receive and send N bytes, RN and SN the same on a "
                            "connection to the origin, fN\n"
                            "forwards N bytes from there and FN to there; l begins again, c closes with a reset, w waits "
                            "for the other side to close.\n"
                            "A handshake with a request: --server 'r300 s1200 r900 S400 R90 s180 w' --client 's300 r1200 "
                            "s900 r180 c' --origin 'r400 s90 "
                            "l'.\n";

struct options {
    const char *command;
    uint64_t rounds;
    uint64_t connections;
    uint64_t ms;
    uint64_t cores[2]; /* UINT64_MAX: any */
    struct script server;
    struct script client;
    struct script origin;
};

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number) {
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= min && *number <= max;
}

static bool read_option(struct options *options, int letter, const char *text) {
    switch (letter) {
    case 'r':
        return read_number(text, 1, MEASURE_ROUNDS_MAX, &options->rounds);
    case 'n':
        return read_number(text, 1, 2000, &options->connections);
    case 'm':
        return read_number(text, 100, 60000, &options->ms);
    case 'a':
        return read_number(text, 0, CPU_SETSIZE - 1, &options->cores[0]);
    case 'b':
        return read_number(text, 0, CPU_SETSIZE - 1, &options->cores[1]);
    case 's':
        return script_parse(&options->server, text);
    case 'c':
        return script_parse(&options->client, text);
    case 'o':
        return script_parse(&options->origin, text);
    default:
        return false;
    }
}

static bool parse(struct options *options, int argc, char **argv) {
    static const struct option names[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"connections", required_argument, NULL, 'n'},
        {"ms", required_argument, NULL, 'm'},
        {"server-core", required_argument, NULL, 'a'},
        {"load-core", required_argument, NULL, 'b'},
        {"server", required_argument, NULL, 's'},
        {"client", required_argument, NULL, 'c'},
        {"origin", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };

    *options = (struct options){.rounds = 21, .connections = 64, .ms = 1000, .cores = {UINT64_MAX, UINT64_MAX}};
    for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (!read_option(options, letter, optarg)) {
            return false;
        }
    }
    if (optind + 1 != argc) {
        return false;
    }
    options->command = argv[optind];
    bool echo = strcmp(options->command, "echo") == 0 && options->server.count > 0 && options->client.count > 0;
    return echo || strcmp(options->command, "crypto") == 0;
}

static void measure_crypto(const struct options *options) {
    static struct series series[BARES];

    CHECK(tls_library_init() == 0);
    struct bare_work *work = bare_create();
    for (uint64_t round = 0; round < options->rounds; round++) {
        bare_measure(work, series);
    }
    bare_free(work);
    for (int i = 0; i < BARES; i++) {
        printf("%s\"%s\":%.1f", i == 0 ? "{" : ",", bare_name((enum bare)i), series_median(&series[i]));
    }
    puts("}");
    tls_library_cleanup();
}

static void stay_on(uint64_t core) {
    cpu_set_t cores;

    if (core == UINT64_MAX) {
        return;
    }
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    CHECK(sched_setaffinity(0, sizeof cores, &cores) == 0);
}

/* On a free port of 127.0.0.1, which is written to *address. */
static int listen_anywhere(struct sockaddr_in *address) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(descriptor >= 0 && bind(descriptor, (const struct sockaddr *)address, sizeof *address) == 0);
    CHECK(listen(descriptor, BACKLOG) == 0 && getsockname(descriptor, (struct sockaddr *)address, &size) == 0);
    return descriptor;
}

static uint64_t cpu_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Another process, which ends with this one. */
static pid_t start_load(const struct options *options, const struct sockaddr_in *server, int origin) {
    static struct party load;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child > 0) {
        return child;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stay_on(options->cores[1]);
    party_init(&load);
    if (options->origin.count > 0) {
        party_listen(&load, origin, &options->origin);
    }
    party_connect(&load, server, &options->client, (unsigned)options->connections);
    party_play(&load, UINT64_MAX);
    _exit(EXIT_SUCCESS);
}

static int measure_echo(const struct options *options) {
    static struct party party;
    struct sockaddr_in server;
    struct sockaddr_in origin;
    int server_socket = listen_anywhere(&server);
    int origin_socket = listen_anywhere(&origin);
    pid_t child = start_load(options, &server, origin_socket);

    stay_on(options->cores[0]);
    party_init(&party);
    if (options->origin.count > 0) {
        party_open_origins(&party, &origin, (unsigned)options->connections + ORIGINS_SPARE);
    }
    party_listen(&party, server_socket, &options->server);
    party_play(&party, clock_monotonic_ns() + WARMUP_MS * 1000000ULL);
    uint64_t cpu = cpu_ns();
    uint64_t exchanges = party.exchanges;
    uint64_t failures = party.failures;
    party_play(&party, clock_monotonic_ns() + options->ms * 1000000);
    cpu = cpu_ns() - cpu;
    exchanges = party.exchanges - exchanges;
    failures = party.failures - failures;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("{\"exchanges\":%llu,\"failures\":%llu,\"ns\":%.1f,\"busy\":%.4f}\n", (unsigned long long)exchanges,
           (unsigned long long)failures, exchanges == 0 ? 0 : (double)cpu / (double)exchanges,
           (double)cpu / ((double)options->ms * 1e6));
    return exchanges > 0 && failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct options options;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (!parse(&options, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_SUCCESS;
    if (strcmp(options.command, "echo") == 0) {
        status = measure_echo(&options);
    } else {
        measure_crypto(&options);
    }
    return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
