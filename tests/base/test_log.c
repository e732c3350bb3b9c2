#include "base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char logged[1 << 20];

/* Where stderr goes now; to be read by end(). */
static int begin(void) {
    int file = memfd_create("log", MFD_CLOEXEC);
    cr_assert_geq(file, 0);
    cr_assert_eq(fcntl(file, F_SETFL, O_APPEND), 0);
    cr_assert_eq(dup2(file, STDERR_FILENO), STDERR_FILENO);
    return file;
}

/* "2026-11-27T16:45:06.123Z " */
enum { TIME_SIZE = 25 };

static size_t end(int file) {
    ssize_t size = pread(file, logged, sizeof logged - 1, 0);
    cr_assert_geq(size, 0);
    logged[size] = '\0';
    close(file);
    return (size_t)size;
}

static bool is_time(const char *at) {
    static const char form[] = "0000-00-00T00:00:00.000Z ";
    for (size_t i = 0; i < TIME_SIZE; i++) {
        if (form[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != form[i]) {
            return false;
        }
    }
    return true;
}

/* Takes the time off each line. */
static void end_without_times(int file) {
    end(file);
    char *to = logged;
    for (const char *from = logged; *from != '\0';) {
        cr_assert(is_time(from), "%.40s", from);
        const char *line = from + TIME_SIZE;
        size_t size = strcspn(line, "\n") + 1;
        memmove(to, line, size);
        to += size;
        from = line + size;
    }
    *to = '\0';
}

Test(log, a_line_has_its_level_and_message) {
    int file = begin();
    log_error("cannot open %s: %d", "x.pem", 7);
    log_warning("w");
    log_info("%s", "");
    end_without_times(file);
    cr_assert_str_eq(logged, "ERROR cannot open x.pem: 7\nWARNING w\nINFO \n");
}

Test(log, a_line_has_its_time_in_utc) {
    struct tm parts = {0};
    cr_assert_eq(setenv("TZ", "Asia/Kathmandu", 1), 0);
    time_t before = time(NULL);
    int file = begin();
    log_info("now");
    end(file);
    cr_assert(is_time(logged), "%s", logged);
    cr_assert(strptime(logged, "%Y-%m-%dT%H:%M:%S", &parts) != NULL);
    time_t said = timegm(&parts);
    cr_assert(said >= before && said <= time(NULL), "%s", logged);
}

static void name_as_journal(int file, int more) {
    struct stat status;
    cr_assert_eq(fstat(file, &status), 0);
    char text[64];
    snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino + more);
    cr_assert_eq(setenv("JOURNAL_STREAM", text, 1), 0);
}

Test(log, in_the_journal_a_line_has_its_priority_instead) {
    int file = begin();
    name_as_journal(file, 0);
    log_error("e");
    log_warning("w");
    log_info("i");
    end(file);
    cr_assert_str_eq(logged, "<3>ERROR e\n<4>WARNING w\n<6>INFO i\n");
}

Test(log, an_inherited_variable_makes_no_journal) {
    int file = begin();
    name_as_journal(file, 1);
    log_warning("w");
    cr_assert_eq(setenv("JOURNAL_STREAM", "9", 1), 0);
    log_warning("w");
    end_without_times(file);
    cr_assert_str_eq(logged, "WARNING w\nWARNING w\n");
}

Test(log, lines_above_the_level_are_dropped) {
    int file = begin();
    log_set_level(LOG_LEVEL_ERROR);
    log_info("i");
    log_warning("w");
    log_error("e");
    log_set_level(LOG_LEVEL_WARNING);
    log_info("i");
    log_warning("w");
    end_without_times(file);
    cr_assert_str_eq(logged, "ERROR e\nWARNING w\n");
}

Test(log, control_bytes_cannot_forge_a_line) {
    int file = begin();
    log_info("a\nERROR forged\r\t\x1b[2J\x7f end \xc3\xa9");
    end_without_times(file);
    cr_assert_str_eq(logged, "INFO a?ERROR forged???[2J? end \xc3\xa9\n");
}

Test(log, a_long_line_is_cut_at_1024_bytes_with_its_newline) {
    char message[5000];
    memset(message, 'm', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    enum { BESIDE = TIME_SIZE + 6 /* "INFO " and the newline */ };
    for (size_t size = 1024 - BESIDE - 2; size <= 1024 - BESIDE + 4; size++) {
        int file = begin();
        log_info("%.*s", (int)size, message);
        size_t written = end(file);
        cr_assert_eq(written, size + BESIDE < 1024 ? size + BESIDE : 1024, "a message of %zu", size);
        cr_assert_eq(logged[written - 1], '\n');
        cr_assert_eq(strspn(logged + TIME_SIZE + 5, "m"), written - BESIDE);
    }
    int file = begin();
    log_error("%s", message);
    cr_assert_eq(end(file), 1024);
}

static void *chatter(void *argument) {
    char message[200];
    memset(message, *(const char *)argument, sizeof message - 1);
    message[sizeof message - 1] = '\0';
    for (int i = 0; i < 500; i++) {
        log_info("%s", message);
    }
    return NULL;
}

Test(log, lines_of_several_threads_do_not_mix) {
    static const char letters[] = "abcd";
    int file = begin();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, chatter, (void *)(uintptr_t)&letters[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    }
    cr_assert_eq(end(file), 4u * 500 * (TIME_SIZE + 5 + 199 + 1));
    for (const char *line = logged; *line != '\0'; line += 5 + 199 + 1) {
        cr_assert(is_time(line));
        line += TIME_SIZE;
        char letter[] = {line[5], '\0'};
        cr_assert_eq(strncmp(line, "INFO ", 5), 0);
        cr_assert_eq(strspn(line + 5, letter), 199);
        cr_assert_eq(line[5 + 199], '\n');
    }
}

Test(log, a_kind_has_a_burst_and_then_one_in_ten_seconds) {
    struct log_kind kind = LOG_KIND_INITIALIZER;
    uint64_t left_out;
    for (unsigned i = 0; i < LOG_KIND_BURST; i++) {
        cr_expect(log_kind_allows(&kind, 1000, &left_out), "%u", i);
        cr_expect_eq(left_out, 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        cr_expect_not(log_kind_allows(&kind, 1000 + i / 11, &left_out));
    }
    cr_expect(log_kind_allows(&kind, 1000 + LOG_KIND_INTERVAL_S, &left_out));
    cr_expect_eq(left_out, 100);
    cr_expect_not(log_kind_allows(&kind, 1000 + LOG_KIND_INTERVAL_S, &left_out));
    /* After a quiet time there is the whole burst again, and no more. */
    for (unsigned i = 0; i < LOG_KIND_BURST; i++) {
        cr_expect(log_kind_allows(&kind, 100000, &left_out));
        cr_expect_eq(left_out, i == 0 ? 1 : 0);
    }
    cr_expect_not(log_kind_allows(&kind, 100000, &left_out));
}

Test(log, a_kind_with_news_has_a_larger_burst) {
    struct log_kind kind = LOG_KIND_OF(LOG_NEWS_BURST);
    uint64_t left_out;
    for (unsigned i = 0; i < LOG_NEWS_BURST; i++) {
        cr_expect(log_kind_allows(&kind, 1000, &left_out), "%u", i);
    }
    cr_expect_not(log_kind_allows(&kind, 1000, &left_out));
    cr_expect(log_kind_allows(&kind, 1000 + LOG_KIND_INTERVAL_S, &left_out));
    cr_expect_eq(left_out, 1);
}

Test(log, what_was_left_out_is_said_by_the_next_that_is_not) {
    struct log_kind kind = LOG_KIND_INITIALIZER;
    uint64_t left_out;
    int file = begin();
    for (unsigned i = 0; i < LOG_KIND_BURST + 3; i++) {
        log_line_of_kind(&kind, LOG_LEVEL_WARNING, "line %u", i);
    }
    kind.spent = 0; /* as if time had passed */
    log_line_of_kind(&kind, LOG_LEVEL_WARNING, "later");
    end_without_times(file);
    cr_assert_str_eq(logged, "WARNING line 0\nWARNING line 1\nWARNING line 2\nWARNING line 3\nWARNING line 4\n"
                             "WARNING later (3 lines like this were left out)\n");
    cr_assert(log_kind_allows(&kind, 1, &left_out));
}
