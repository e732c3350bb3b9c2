#include "demo/run.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TITLE_WIDTH = 36, /* the table has 80 columns at most */
    ANSWER_WIDTH = 27,
    NOT_INSTALLED = 127, /* exit status of a spawned child that found no program */
};

/* Output and exit status of one curl. */
struct run {
    uint8_t output[DEMO_RUN_OUTPUT_MAX];
    size_t size;
    int exit_status; /* curl's; -1 when a signal ended it */
};

/* A line that failed, which is shown in full after the table. */
struct failure {
    const struct demo_line *line;
    struct demo_verdict verdict;
    int exit_status;
    char *output; /* owned, NUL-terminated */
};

/* Lets curl have none of the signals blocked or ignored that this process blocks and ignores. */
static int set_up_signals(posix_spawnattr_t *attributes) {
    sigset_t none;
    sigemptyset(&none);
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    int result = posix_spawnattr_setsigmask(attributes, &none);
    if (result == 0) {
        result = posix_spawnattr_setsigdefault(attributes, &pipe_only);
    }
    if (result == 0) {
        result = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return result;
}

static int set_up_files(posix_spawn_file_actions_t *actions, const struct demo_folder *folder, int output) {
    int result = posix_spawn_file_actions_addfchdir_np(actions, folder->descriptor);
    if (result == 0) {
        result = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    if (result == 0) {
        result = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    }
    if (result == 0) {
        result = posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
    }
    return result;
}

/* Starts a program with its output in the pipe. 0, or a negative errno: -ENOENT when there is no such program. */
static int spawn(const struct demo_folder *folder, const char *const *arguments, int output, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    int result = set_up_files(&actions, folder, output);
    if (result == 0) {
        result = set_up_signals(&attributes);
    }
    if (result == 0) {
        result = posix_spawnp(child, arguments[0], &actions, &attributes, (char *const *)(uintptr_t)arguments, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -result;
}

/* Reads to the end of the pipe, also the bytes that do not fit, so that the child does not block on it. */
static void read_output(int pipe, struct run *run) {
    run->size = 0;
    char beyond[4096];
    for (;;) {
        size_t room = sizeof run->output - run->size;
        ssize_t got = room > 0 ? read(pipe, run->output + run->size, room) : read(pipe, beyond, sizeof beyond);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return;
        }
        if (got > 0 && room > 0) {
            run->size += (size_t)got;
        }
    }
}

static int run_line(const struct demo_line *line, const struct demo_folder *folder, const struct demo_ports *ports,
                    struct run *run) {
    /* curl is not to use the user's proxy and curlrc. */
    static const char *const extra[] = {"-q", "-sS", "--noproxy", "*", "--max-time", "20", NULL};
    _Static_assert(DEMO_RUN_TIMEOUT_S == 20, "as in `extra`");
    char url[DEMO_LINE_URL_SIZE];
    const char *arguments[DEMO_LINE_ARGUMENTS_MAX];
    demo_line_arguments(line, ports, extra, url, arguments);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    pid_t child = -1;
    int result = spawn(folder, arguments, ends[1], &child);
    close(ends[1]);
    if (result == 0) {
        read_output(ends[0], run);
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        run->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (run->exit_status == NOT_INSTALLED) {
            result = -ENOENT;
        }
    }
    close(ends[0]);
    return result;
}

static bool interrupted(void) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    return sigtimedwait(&ends, NULL, &(struct timespec){0}) > 0;
}

static struct failure failure_of(const struct demo_line *line, const struct demo_verdict *verdict, const struct run *run) {
    return (struct failure){line, *verdict, run->exit_status, strndup((const char *)run->output, run->size)};
}

static void print_failure(const struct failure *failure, const struct demo_ports *ports) {
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer);
    demo_line_write(failure->line, ports, &text);
    printf("\n%s\n  %.*s\n", failure->line->title, (int)text.size, text.data);
    if (failure->exit_status != 0) {
        printf("  curl ended with status %d\n", failure->exit_status);
    }
    if (strcmp(failure->verdict.got, failure->line->expected) != 0) {
        printf("  expected \"%s\", got \"%s\"\n", failure->line->expected, failure->verdict.got);
    }
    if (failure->verdict.missing != NULL) {
        printf("  should be there and is not: %s\n", failure->verdict.missing);
    }
    if (failure->verdict.unwanted != NULL) {
        printf("  should not be there: %s\n", failure->verdict.unwanted);
    }
    for (const char *next = failure->output; next != NULL && *next != '\0';) {
        size_t length = strcspn(next, "\r\n");
        printf("  | %.*s\n", (int)length, next);
        next += length;
        next += *next == '\r';
        next += *next == '\n';
    }
}

static int summarize(const struct failure *failures, size_t failure_count, size_t run_count,
                     const struct demo_ports *ports) {
    for (size_t i = 0; i < failure_count; i++) {
        print_failure(&failures[i], ports);
    }
    if (failure_count == 0 && run_count == demo_line_count) {
        printf("\nAll %zu answers are as expected.\n", run_count);
    } else if (failure_count > 0) {
        printf("\n%zu of %zu answers are not as expected.\n", failure_count, run_count);
    }
    fflush(stdout);
    return failure_count == 0 && run_count == demo_line_count ? 0 : 1;
}

int demo_run_lines(const struct demo_folder *folder, const struct demo_ports *ports, const char *ski) {
    struct run *run = calloc(1, sizeof *run);
    struct failure *failures = calloc(demo_line_count, sizeof *failures);
    size_t failure_count = 0;
    size_t count = 0;
    int result = run == NULL || failures == NULL ? -ENOMEM : 0;
    if (result == 0) {
        printf("%-*s  %-*s  as expected\n", TITLE_WIDTH, "what", ANSWER_WIDTH, "answer");
    }
    while (count < demo_line_count && result == 0 && !interrupted()) {
        const struct demo_line *line = &demo_lines[count];
        result = run_line(line, folder, ports, run);
        if (result != 0) {
            break;
        }
        struct demo_verdict verdict = demo_line_judge(line, bytes_of(run->output, run->size), ski);
        verdict.ok = verdict.ok && run->exit_status == 0;
        printf("%-*s  %-*s  %s\n", TITLE_WIDTH, line->title, ANSWER_WIDTH, verdict.got, verdict.ok ? "yes" : "NO");
        fflush(stdout);
        if (!verdict.ok) {
            failures[failure_count++] = failure_of(line, &verdict, run);
        }
        count++;
    }
    if (result != 0) {
        fprintf(stderr, "sallyport demo: curl: %s%s\n", strerror(-result),
                result == -ENOENT ? ": --once needs curl 7.77 or later (apt-get install curl)" : "");
    }
    int status = failures == NULL ? 1 : summarize(failures, failure_count, count, ports);
    for (size_t i = 0; i < failure_count; i++) {
        free(failures[i].output);
    }
    free(failures);
    free(run);
    return status;
}
