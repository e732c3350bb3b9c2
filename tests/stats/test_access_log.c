#include "stats/access_log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/sallyport-access-log-XXXXXX";
static char path[256];
static struct error error;

static void begin(void) {
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/access.log", folder);
}

static void end(void) {
    char moved[300];
    snprintf(moved, sizeof moved, "%s.1", path);
    unlink(path);
    unlink(moved);
    rmdir(folder);
}

TestSuite(access_log, .init = begin, .fini = end);

static struct access_log *open_log(unsigned shards) {
    struct access_log *log = access_log_open(path, shards, &error);
    cr_assert_not_null(log, "%s", error.text);
    return log;
}

static bool put(struct access_log *log, unsigned shard, const char *line) {
    return access_log_write(log, shard, bytes_of_string(line));
}

static void wait_for(const struct access_log *log, uint64_t lines) {
    for (unsigned i = 0; i < 1000; i++) {
        struct access_log_counts counts = access_log_count(log);
        if (counts.written + counts.dropped >= lines) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    cr_assert(false, "%lu lines did not come", lines);
}

static size_t read_all(const char *from, char *text, size_t room) {
    FILE *file = fopen(from, "r");
    cr_assert_not_null(file);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
    return size;
}

static void expect_file(const char *from, const char *content) {
    char text[4096];
    read_all(from, text, sizeof text);
    cr_expect_str_eq(text, content);
}

Test(access_log, lines_come_to_the_file_in_order_and_it_is_appended_to) {
    struct access_log *log = open_log(1);
    cr_expect(put(log, 0, "one\n") && put(log, 0, "two\n"));
    access_log_close(log);
    log = open_log(2);
    cr_expect(put(log, 1, "three\n"));
    wait_for(log, 1);
    cr_expect_eq(access_log_count(log).written, 1);
    access_log_close(log);
    expect_file(path, "one\ntwo\nthree\n");
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777 & ~0640, 0);
    access_log_close(NULL);
}

Test(access_log, a_file_that_was_moved_keeps_what_was_before) {
    char moved[300];
    snprintf(moved, sizeof moved, "%s.1", path);
    struct access_log *log = open_log(1);
    cr_assert_eq(rename(path, moved), 0);
    cr_expect(put(log, 0, "before\n"));
    access_log_reopen(log);
    while (access(path, F_OK) != 0) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    cr_expect(put(log, 0, "after\n"));
    access_log_close(log);
    expect_file(moved, "before\n");
    expect_file(path, "after\n");
}

Test(access_log, what_a_full_disk_does_not_take_is_dropped_and_counted) {
    struct access_log *log = access_log_open("/dev/full", 1, &error);
    cr_assert_not_null(log, "%s", error.text);
    cr_expect(put(log, 0, "one\n") && put(log, 0, "two\n"));
    wait_for(log, 2);
    cr_expect_eq(access_log_count(log).dropped, 2);
    cr_expect_eq(access_log_count(log).written, 0);
    access_log_close(log);
}

Test(access_log, a_fifo_is_written_as_far_as_it_is_read) {
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_null(access_log_open(path, 1, &error));
    cr_expect_not_null(strstr(error.text, "nobody reads"), "%s", error.text);
    cr_expect_not_null(strstr(error.text, path));
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    struct access_log *log = open_log(1);
    char line[1000];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert(access_log_write(log, 0, bytes_of(line, sizeof line)));
    }
    wait_for(log, 1000);
    struct access_log_counts counts = access_log_count(log);
    cr_expect(counts.written >= 60 && counts.written < 100, "%lu: what a pipe holds", counts.written);
    cr_expect_eq(counts.written + counts.dropped, 1000);
    /* The lines that come when it is read again begin on a line of their own. */
    static char text[200000];
    size_t size = 0;
    ssize_t more;
    while ((more = read(reader, text + size, sizeof text - size)) > 0) {
        size += (size_t)more;
    }
    bool torn = text[size - 1] != '\n';
    cr_assert(put(log, 0, "again\n"));
    wait_for(log, 1001);
    more = read(reader, text, sizeof text);
    cr_expect_eq(more, torn ? 7 : 6);
    cr_expect_eq(memcmp(text + (torn ? 1 : 0), "again\n", 6), 0);
    access_log_close(log);
    close(reader);
}

Test(access_log, a_line_for_which_there_is_no_room_is_dropped) {
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    struct access_log *log = open_log(1);
    static char line[64 * 1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    uint64_t refused = 0;
    /* On a busy machine the log's thread may make room meanwhile, ten times a second. */
    for (unsigned i = 0; i < 64 * ACCESS_LOG_BUFFER_SIZE / sizeof line && refused == 0; i++) {
        refused += !access_log_write(log, 0, bytes_of(line, sizeof line));
    }
    cr_expect_gt(refused, 0);
    cr_expect_geq(access_log_count(log).dropped, refused);
    access_log_close(log);
    close(reader);
}

enum { LINES = 200000 };

static void *write_many(void *argument) {
    struct access_log *log = argument;
    char line[64];
    for (unsigned i = 0; i < LINES; i++) {
        int size = snprintf(line, sizeof line, "%0*u\n", 1 + (int)(i % 40), i);
        while (!access_log_write(log, 1, bytes_of(line, (size_t)size))) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
    return NULL;
}

Test(access_log, many_lines_around_the_buffers_end_come_whole_and_in_order) {
    pthread_t thread;
    struct access_log *log = open_log(2);
    cr_assert_eq(pthread_create(&thread, NULL, write_many, log), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    access_log_close(log);
    FILE *file = fopen(path, "r");
    char line[64];
    for (unsigned i = 0; i < LINES; i++) {
        cr_assert_not_null(fgets(line, sizeof line, file));
        cr_assert_eq(strtoul(line, NULL, 10), i, "%s", line);
    }
    cr_expect_null(fgets(line, sizeof line, file));
    fclose(file);
}

Test(access_log, a_path_that_cannot_be_opened_is_named) {
    cr_assert_null(access_log_open("/nowhere/access.log", 1, &error));
    cr_expect_not_null(strstr(error.text, "/nowhere/access.log"));
    cr_expect_not_null(strstr(error.text, "No such file"));
}
