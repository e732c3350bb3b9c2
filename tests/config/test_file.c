#include "config/file.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct scene scene;

static void set_up(void) {
    scene_make(&scene);
}
static void tear_down(void) {
    scene_remove(&scene);
}

static void assert_fails(const char *name, size_t size_max, int code, const char *fragment) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", scene.folder, name);
    struct bytes content;
    struct error error = {""};
    cr_assert_eq(file_read(path, size_max, &content, &error), code, "%s: %s", name, error.text);
    cr_assert_not_null(strstr(error.text, fragment), "%s: %s", name, error.text);
    cr_assert_null(content.data);
    cr_assert_eq(content.size, 0);
}

Test(file, reads_up_to_its_bound, .init = set_up, .fini = tear_down) {
    scene_write(&scene, "four", "1234", 4);
    char path[512];
    snprintf(path, sizeof path, "%s/four", scene.folder);
    struct bytes content;
    struct error error;
    cr_assert_eq(file_read(path, 4, &content, &error), 0);
    cr_assert(bytes_equal(content, bytes_of_string("1234")));
    file_content_free(&content);
    cr_assert_null(content.data);
    assert_fails("four", 3, -EFBIG, "larger than 3 bytes");
}

Test(file, refuses_what_is_no_file, .init = set_up, .fini = tear_down) {
    assert_fails("missing", 10, -ENOENT, "cannot be opened: No such file");
    assert_fails("empty.pem", 10, -EINVAL, "is empty");
    assert_fails("", 10, -EINVAL, "is a directory");
    char path[128];
    snprintf(path, sizeof path, "%s/fifo", scene.folder);
    cr_assert_eq(mkfifo(path, 0600), 0);
    assert_fails("fifo", 10, -EINVAL, "not a regular file");
    struct bytes content;
    struct error error;
    cr_assert_eq(file_read("", 10, &content, &error), -ENOENT);
    cr_assert_eq(file_read("/dev/zero", 10, &content, &error), -EINVAL);
}

/* As one that is written to while it is read: files of /proc say that they are empty. */
Test(file, reads_on_when_a_file_is_longer_than_it_said) {
    struct bytes content;
    struct bytes again;
    struct error error = {""};
    cr_assert_eq(file_read("/proc/version", 4096, &content, &error), 0, "%s", error.text);
    cr_assert_eq(strncmp((const char *)content.data, "Linux version ", 14), 0);
    cr_assert_eq(file_read("/proc/version", content.size, &again, &error), 0, "%s", error.text);
    cr_assert(bytes_equal(content, again));
    file_content_free(&again);
    cr_assert_eq(file_read("/proc/version", content.size - 1, &again, &error), -EFBIG);
    file_content_free(&content);
}
