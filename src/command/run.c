#include "command/run.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "command/expiry.h"
#include "command/notify.h"
#include "command/options.h"
#include "command/startup.h"
#include "config/load.h"
#include "crypto/batch.h"
#include "server/server.h"
#include "tls/context.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char usage[] =
    "usage: sallyport run -c FILE\n"
    "\n"
    "Serves in the foreground what the configuration says, and logs to stderr.\n"
    "\n"
    "  -c, --config FILE   the configuration (YAML)\n"
    "  -h, --help          this text\n"
    "\n"
    "SIGHUP reads the file again and serves what it says from then on; with any problem in it the\n"
    "old configuration goes on serving.\n"
    "SIGUSR1 opens the access log again, for those who have moved it away.\n"
    "SIGTERM lets requests in flight end, for at most drain.timeout (30 s), and ends; SIGINT ends at once.\n"
    "Exit status: 0 ended by a signal, 1 cannot start or has failed, 2 wrong usage.\n";

enum phase {
    SERVING,
    LEAVING,  /* serves as before, and tells balancers not to count on it: drain.delay */
    DRAINING, /* accepts nothing more */
};

/* The server that runs, and what the signals need. */
struct run {
    struct server *server;
    const char *path; /* of the configuration */
    int end_asked;    /* can be read while a signal waits that asks for the end */
    struct config_drain drain;
    struct expiry expiry;
    enum phase phase;
    uint64_t drain_at_ms; /* while leaving: when the drain begins; monotonic */
};

static void notify(const char *state) {
    int result = notify_send(state);
    if (result != 0) {
        log_warning("cannot tell the service manager \"%s\": %s", state, strerror(-result));
    }
}

static void log_ready(const struct config *config) {
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer - 1);
    for (size_t i = 0; i < config->listen_count; i++) {
        text_append_format(&text, "%s%s", i == 0 ? "" : ", ", config->listen[i].address.text);
    }
    buffer[text.size] = '\0';
    log_info("ready: %zu %s on %s%s; sallyport %s, wolfSSL %s, %s crypto", config->host_count,
             config->host_count == 1 ? "host" : "hosts", buffer, text.overflow ? ", ..." : "", SALLYPORT_VERSION,
             tls_library_version(), tls_library_crypto());
}

/* Logs all but warnings of an end, which watch_expiry logs. */
static void log_problems(enum log_level level, const struct config_problems *problems) {
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *item = &problems->items[i];
        if (item->is_end) {
            continue;
        }
        char *text = problem_text(item, "");
        log_line(level, "%s", text);
        free(text);
    }
}

static void tell_expiry(const char *line) {
    log_warning("%s", line);
}

/* Begins to log the ends of certificates and lists. */
static void watch_expiry(struct expiry *expiry, const struct config *config) {
    int64_t now_s = clock_wall_seconds();
    struct expiry next;
    if (expiry_read(&next, config, now_s) != 0) {
        log_error("not enough memory to watch when certificates and revocation lists end");
        return;
    }
    expiry_take_over(&next, expiry);
    expiry_free(expiry);
    *expiry = next;
    expiry_tell(expiry, now_s, tell_expiry);
}

/* Notes what the run needs of a configuration, at the start and whenever another one was taken. */
static void note_config(struct run *run, const struct config *config) {
    run->drain = config->drain;
    watch_expiry(&run->expiry, config);
}

/* Tells systemd that a reload has begun; systemd is also to be told of its end, whether it succeeded or not. */
static void notify_reloading(void) {
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_monotonic_ns() / 1000);
    notify(state);
}

static void reload(struct run *run) {
    struct config_problems problems = {0};
    bool taken = false;
    notify_reloading();
    const struct config_surroundings surroundings = {
        .known = server_knows_name, .owner = run->server, .stop = run->end_asked};
    struct config *config = config_load_among(run->path, &surroundings, &problems);
    if (config != NULL && server_reload(run->server, config, &problems) == 0) {
        taken = true;
        log_info("SIGHUP: reloaded %s: %zu %s", run->path, config->host_count, config->host_count == 1 ? "host" : "hosts");
        log_problems(LOG_LEVEL_WARNING, &config->warnings);
        note_config(run, config);
    } else {
        log_problems(LOG_LEVEL_ERROR, &problems);
        log_error("SIGHUP: %s has %zu %s: nothing is changed, and the old configuration goes on serving", run->path,
                  problems.count, problems.count == 1 ? "problem" : "problems");
    }
    /* Behind the log: a count that has risen says that the reasons can be read. */
    server_count_reload(run->server, taken);
    if (config != NULL) {
        config_release(config);
    }
    config_problems_free(&problems);
    /* `systemctl status` shows this text. */
    notify(taken ? "READY=1\nSTATUS=The last reload was taken."
                 : "READY=1\nSTATUS=The last reload was refused: the old configuration is served. The log has the reason.");
}

/* Returns the next signal, or 0 when none came before something is due. */
static int wait_for_signal(const sigset_t *signals, const struct run *run) {
    enum { POLL_NS = 50 * 1000000 };
    struct timespec wait = {.tv_nsec = POLL_NS};
    if (run->phase == SERVING) {
        wait = (struct timespec){.tv_sec = expiry_wait_s(&run->expiry, clock_wall_seconds())};
    }
    int number = sigtimedwait(signals, NULL, &wait);
    CHECK(number > 0 || errno == EINTR || errno == EAGAIN);
    return number > 0 ? number : 0;
}

static void drain(struct run *run) {
    log_info("SIGTERM: draining, for at most %g s", run->drain.timeout_ms / 1000.0);
    server_drain(run->server, run->drain.timeout_ms);
    run->phase = DRAINING;
}

/* Begins the end. systemd is asked for the time that the configuration gives, however little the unit does. */
static void leave(struct run *run) {
    enum { MARGIN_MS = 10000 };
    char state[64];
    uint64_t most_ms = (uint64_t)run->drain.delay_ms + run->drain.timeout_ms + MARGIN_MS;
    snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu", (unsigned long long)most_ms * 1000);
    notify(state);
    if (run->drain.delay_ms == 0) {
        drain(run);
        return;
    }
    log_info("SIGTERM: not ready any more; serving for %g s as before, then draining", run->drain.delay_ms / 1000.0);
    server_leave(run->server);
    run->drain_at_ms = clock_monotonic_ms() + run->drain.delay_ms;
    run->phase = LEAVING;
}

/* Obeys signals until the server has ended. A second SIGTERM changes nothing; SIGINT hurries a drain. */
static void wait_for_end(struct run *run, const sigset_t *signals) {
    while (!server_has_ended(run->server)) {
        switch (wait_for_signal(signals, run)) {
        case SIGHUP:
            if (run->phase == SERVING) {
                reload(run);
            } else {
                log_warning("SIGHUP: %s: nothing is reloaded any more", run->phase == LEAVING ? "leaving" : "draining");
            }
            break;
        case SIGUSR1:
            server_reopen_logs(run->server);
            break;
        case SIGTERM:
            if (run->phase == SERVING) {
                leave(run);
            }
            break;
        case SIGINT:
            log_info("SIGINT: ending at once");
            notify("STOPPING=1");
            server_stop(run->server);
            return;
        default:
            if (run->phase == SERVING) {
                expiry_tell(&run->expiry, clock_wall_seconds(), tell_expiry);
            }
        }
        if (run->phase == LEAVING && clock_monotonic_ms() >= run->drain_at_ms) {
            drain(run);
        }
    }
}

static int serve(struct config *config, const char *path, const sigset_t *signals, int end_asked) {
    struct error error;
    struct run run = {.server = server_start(config, &error), .path = path, .end_asked = end_asked};
    if (run.server == NULL) {
        log_error("%s", error.text);
        return EXIT_FAILURE;
    }
    log_problems(LOG_LEVEL_WARNING, &config->warnings);
    note_config(&run, config);
    log_ready(config);
    notify("READY=1");
    wait_for_end(&run, signals);
    expiry_free(&run.expiry);
    int result = server_join(run.server);
    if (result == 0) {
        log_info("ended");
    } else {
        log_error("ended, but not cleanly: see above");
    }
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Returns a descriptor that can be read while SIGTERM or SIGINT waits, which must be blocked. It does not take them. */
static int watch_for_end(void) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    int descriptor = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    CHECK(descriptor >= 0);
    return descriptor;
}

static bool is_end_asked(int descriptor) {
    return poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, 0) > 0;
}

static int load_and_serve(const char *path) {
    /* The signals are blocked before any thread starts, so that only the main thread takes them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);

    int end_asked = watch_for_end();
    struct config_problems problems = {0};
    struct config *config = config_load_among(path, &(struct config_surroundings){.stop = end_asked}, &problems);
    int status = EXIT_FAILURE;
    if (config != NULL) {
        status = serve(config, path, &signals, end_asked);
        config_release(config);
    } else if (is_end_asked(end_asked)) {
        log_info("ended before anything was served");
        status = EXIT_SUCCESS;
    } else {
        log_problems(LOG_LEVEL_ERROR, &problems);
    }
    config_problems_free(&problems);
    close(end_asked);
    return status;
}

int command_run(int argc, char **argv) {
    const char *path = NULL;
    enum options_result parsed = options_read_config(argc, argv, usage, &path);
    if (parsed != OPTIONS_GO_ON) {
        return parsed == OPTIONS_HELP ? EXIT_SUCCESS : OPTIONS_EXIT_USAGE;
    }
    const char *fault = startup_begin();
    if (fault != NULL) {
        log_error("%s", fault);
        return EXIT_FAILURE;
    }
    if (batch_is_missed()) {
        log_warning("SALLYPORT_CRYPTO is 'batch', and this processor has no AVX-512 IFMA, or the kernel does not keep its "
                    "registers: public-key operations are computed one at a time, as with 'single'");
    }
    int status = load_and_serve(path);
    startup_end();
    return status;
}
