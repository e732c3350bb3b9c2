#include "demo/run.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct demo_folder folder;
static const struct demo_ports ports = {.https = 1, .admin = 1};
static const char *const names[] = {"curl", "ran"};

/* A folder that is all of PATH, where the test puts the curl that it wants. */
static void set_up(void) {
    struct error error;
    cr_redirect_stdout();
    cr_redirect_stderr();
    cr_assert_eq(demo_folder_open(&folder, NULL, &error), 0, "%s", error.text);
    setenv("PATH", folder.path, 1);
}

static void tear_down(void) {
    demo_folder_close(&folder, names, 2);
}

static void install(const char *script) {
    struct error error;
    cr_assert_eq(demo_folder_write(&folder, "curl", 0755, bytes_of_string(script), &error), 0, "%s", error.text);
}

TestSuite(demo_run, .init = set_up, .fini = tear_down, .timeout = 60);

Test(demo_run, without_curl_it_says_so) {
    cr_assert_eq(demo_run_lines(&folder, &ports, "00"), 1);
    fflush(stderr);
    FILE *errors = cr_get_redirected_stderr();
    char line[256] = "";
    cr_assert_not_null(fgets(line, sizeof line, errors));
    cr_assert_not_null(strstr(line, "--once needs curl"), "%s", line);
}

Test(demo_run, it_runs_in_the_folder_every_line_once) {
    uint8_t content[DEMO_FILE_SIZE_MAX];
    install("#!/bin/sh\nprintf x >>ran\nexit 7\n");
    cr_assert_eq(demo_run_lines(&folder, &ports, "00"), 1);
    cr_assert_eq(demo_folder_read(&folder, "ran", content), (ssize_t)demo_line_count);
}

Test(demo_run, output_without_end_is_cut_and_does_not_block) {
    install("#!/bin/sh\ni=0\nwhile [ $i -lt 12 ]; do\n  printf '%0200000d' 0\n  i=$((i + 1))\ndone\n");
    cr_assert_eq(demo_run_lines(&folder, &ports, "00"), 1);
}

Test(demo_run, an_interrupt_ends_it) {
    uint8_t content[DEMO_FILE_SIZE_MAX];
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    install("#!/bin/sh\nprintf x >>ran\n");
    pthread_kill(pthread_self(), SIGINT);
    cr_assert_eq(demo_run_lines(&folder, &ports, "00"), 1);
    cr_assert_lt(demo_folder_read(&folder, "ran", content), 0);
}

Test(demo_run, curl_gets_the_signals_that_we_block) {
    uint8_t content[DEMO_FILE_SIZE_MAX];
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    install("#!/bin/sh\nkill -INT $$\nprintf x >>ran\n");
    cr_assert_eq(demo_run_lines(&folder, &ports, "00"), 1);
    cr_assert_lt(demo_folder_read(&folder, "ran", content), 0);
}
