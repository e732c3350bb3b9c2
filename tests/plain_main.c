/*
 * Runs Criterion's tests without Criterion, for ThreadSanitizer: the memory that Criterion shares with the processes of its
 * tests is where ThreadSanitizer has its own. Each test runs in a child, and the tests that are to end by a signal are left
 * out. An argument is a pattern for `suite/test`, as --filter has it.
 */
#include <criterion/criterion.h>
#include <criterion/event.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_FAILED = 1, STATUS_SKIPPED = 77 };

/* The linker's names for the sections in which Criterion's macros list tests and suites. */
extern struct criterion_test *__start_cr_tst[];
extern struct criterion_test *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak));
extern struct criterion_suite *__stop_cr_sts[] __attribute__((weak));

static bool failed;

/* These take the place of Criterion's, which the macros of assertions call. */

void cri_asserts_passed_incr(void) {}

void criterion_send_assert(struct criterion_assert_stats *stats) {
    if (!stats->passed) {
        fprintf(stderr, "%s:%u: %s\n", stats->file, stats->line, stats->message);
        failed = true;
    }
}

void criterion_abort_test(void) {
    exit(STATUS_FAILED);
}

void criterion_skip_test(const char *format, ...) {
    exit(STATUS_SKIPPED);
}

/* And these the macro of tests, around each test's own function. */
void criterion_internal_test_setup(void);
void criterion_internal_test_main(void (*test)(void));
void criterion_internal_test_teardown(void);

void criterion_internal_test_setup(void) {}

void criterion_internal_test_main(void (*test)(void)) {
    test();
}

void criterion_internal_test_teardown(void) {}

static const struct criterion_test_extra_data *suite_of(const struct criterion_test *test) {
    for (struct criterion_suite **suite = __start_cr_sts; suite < __stop_cr_sts; suite++) {
        if (*suite != NULL && strcmp((*suite)->name, test->category) == 0) {
            return (*suite)->data;
        }
    }
    return NULL;
}

static void run(const struct criterion_test *test) {
    const struct criterion_test_extra_data *suite = suite_of(test);
    void (*init)(void) = test->data->init != NULL ? test->data->init : suite != NULL ? suite->init : NULL;
    void (*fini)(void) = test->data->fini != NULL ? test->data->fini : suite != NULL ? suite->fini : NULL;

    if (init != NULL) {
        init();
    }
    test->test();
    if (fini != NULL) {
        fini();
    }
    exit(failed ? STATUS_FAILED : EXIT_SUCCESS);
}

/* Returns the status of the test's process; -1: it was ended by a signal. */
static int status_of(const struct criterion_test *test) {
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        run(test);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv) {
    unsigned passed = 0, failing = 0, left_out = 0;

    for (struct criterion_test **each = __start_cr_tst; each < __stop_cr_tst; each++) {
        const struct criterion_test *test = *each;
        char name[256];

        if (test == NULL) {
            continue;
        }
        snprintf(name, sizeof name, "%s/%s", test->category, test->name);
        if (argc > 1 && fnmatch(argv[argc - 1], name, 0) != 0) {
            continue;
        }
        if (test->data->signal != 0 || test->data->kind_ != CR_TEST_NORMAL) {
            left_out++;
            continue;
        }
        int status = status_of(test);
        if (status == STATUS_SKIPPED) {
            left_out++;
        } else if (status == EXIT_SUCCESS) {
            passed++;
        } else {
            failing++;
            fprintf(stderr, "[FAIL] %s: status %d\n", name, status);
        }
    }
    printf("%u passed, %u failed, %u left out\n", passed, failing, left_out);
    return failing == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
