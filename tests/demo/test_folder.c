#include "demo/folder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct demo_folder folder;
static struct error error;
static const char *const names[] = {"a", "b"};

static void set_up(void) {
    cr_assert_eq(demo_folder_open(&folder, NULL, &error), 0, "%s", error.text);
}

static void tear_down(void) {
    demo_folder_close(&folder, names, 2);
}

static mode_t mode_of(const char *name) {
    struct stat status;
    cr_assert_eq(fstatat(folder.descriptor, name, &status, 0), 0);
    return status.st_mode & 07777;
}

TestSuite(demo_folder, .init = set_up, .fini = tear_down);

Test(demo_folder, a_temporary_one_is_private_and_goes_away) {
    cr_assert_eq(mode_of("."), 0700);
    cr_assert_eq(demo_folder_write(&folder, "a", 0644, bytes_of_string("x"), &error), 0);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", folder.path);
    cr_assert_eq(access(path, F_OK), 0);
    demo_folder_close(&folder, names, 2);
    cr_assert_neq(access(path, F_OK), 0);
}

Test(demo_folder, what_others_put_there_stays) {
    cr_assert_eq(demo_folder_write(&folder, "foreign", 0644, bytes_of_string("x"), &error), 0);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", folder.path);
    demo_folder_close(&folder, names, 2);
    set_up();
    cr_assert_eq(access(path, F_OK), 0);
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/foreign", path);
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(rmdir(path), 0);
}

Test(demo_folder, modes_are_exact_whatever_the_umask) {
    umask(0);
    cr_assert_eq(demo_folder_write(&folder, "a", 0600, bytes_of_string("key"), &error), 0);
    umask(0077);
    cr_assert_eq(demo_folder_write(&folder, "b", 0644, bytes_of_string("certificate"), &error), 0);
    cr_assert_eq(mode_of("a"), 0600);
    cr_assert_eq(mode_of("b"), 0644);
}

Test(demo_folder, a_file_is_never_overwritten) {
    uint8_t content[DEMO_FILE_SIZE_MAX];
    cr_assert_eq(demo_folder_write(&folder, "a", 0644, bytes_of_string("first"), &error), 0);
    cr_assert_eq(demo_folder_write(&folder, "a", 0644, bytes_of_string("second"), &error), -EEXIST);
    cr_assert(strstr(error.text, "/a: ") != NULL, "%s", error.text);
    cr_assert_eq(demo_folder_read(&folder, "a", content), 5);
    cr_assert_eq(memcmp(content, "first", 5), 0);
    cr_assert_not(demo_folder_has(&folder, ".demo.part"));
}

Test(demo_folder, a_link_is_not_followed) {
    uint8_t content[DEMO_FILE_SIZE_MAX];
    cr_assert_eq(demo_folder_write(&folder, "a", 0644, bytes_of_string("# mark\n"), &error), 0);
    cr_assert_eq(symlinkat("a", folder.descriptor, "b"), 0);
    cr_assert_eq(demo_folder_write(&folder, "b", 0644, bytes_of_string("x"), &error), -EEXIST);
    cr_assert_eq(demo_folder_replace(&folder, "b", 0644, "# mark", bytes_of_string("x"), &error), -EEXIST);
    cr_assert_eq(demo_folder_read(&folder, "b", content), -ELOOP);
}

Test(demo_folder, only_a_marked_file_is_replaced) {
    uint8_t content[DEMO_FILE_SIZE_MAX];
    cr_assert_eq(demo_folder_replace(&folder, "a", 0644, "# mark", bytes_of_string("# mark 1"), &error), 0);
    cr_assert_eq(demo_folder_replace(&folder, "a", 0644, "# mark", bytes_of_string("# mark 22"), &error), 0);
    cr_assert_eq(demo_folder_read(&folder, "a", content), 9);
    cr_assert_eq(demo_folder_write(&folder, "b", 0644, bytes_of_string("# mar"), &error), 0);
    cr_assert(demo_folder_has_foreign(&folder, "b", "# mark"));
    cr_assert_not(demo_folder_has_foreign(&folder, "a", "# mark"));
    cr_assert_not(demo_folder_has_foreign(&folder, "absent", "# mark"));
    cr_assert_eq(demo_folder_replace(&folder, "b", 0644, "# mark", bytes_of_string("# mark"), &error), -EEXIST);
    cr_assert_eq(demo_folder_read(&folder, "b", content), 5);
}

Test(demo_folder, a_file_that_is_too_large_is_refused) {
    static uint8_t large[DEMO_FILE_SIZE_MAX];
    static uint8_t content[DEMO_FILE_SIZE_MAX];
    cr_assert_eq(demo_folder_write(&folder, "a", 0644, bytes_of(large, sizeof large - 1), &error), 0);
    cr_assert_eq(demo_folder_write(&folder, "b", 0644, bytes_of(large, sizeof large), &error), 0);
    cr_assert_eq(demo_folder_read(&folder, "a", content), DEMO_FILE_SIZE_MAX - 1);
    cr_assert_eq(demo_folder_read(&folder, "b", content), -EFBIG);
    cr_assert_eq(demo_folder_read(&folder, "absent", content), -ENOENT);
}

Test(demo_folder, a_path_that_is_no_folder_is_an_error) {
    struct demo_folder other;
    cr_assert_eq(demo_folder_write(&folder, "a", 0644, bytes_of_string("x"), &error), 0);
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/a", folder.path);
    cr_assert_eq(demo_folder_open(&other, path, &error), -ENOTDIR);
    snprintf(path, sizeof path, "%s/b/c", folder.path);
    cr_assert_eq(demo_folder_open(&other, path, &error), -ENOENT);
    cr_assert(strstr(error.text, "b/c") != NULL, "%s", error.text);
}

Test(demo_folder, a_folder_that_was_asked_for_stays) {
    struct demo_folder other;
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/b", folder.path);
    cr_assert_eq(demo_folder_open(&other, path, &error), 0, "%s", error.text);
    cr_assert_eq(demo_folder_write(&other, "a", 0644, bytes_of_string("x"), &error), 0);
    demo_folder_close(&other, names, 2);
    cr_assert_eq(demo_folder_open(&other, path, &error), 0);
    cr_assert(demo_folder_has(&other, "a"));
    other.temporary = true;
    demo_folder_close(&other, names, 2);
}
