#include "demo/folder.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name of a file until it is whole. */
static const char part[] = ".demo.part";

static int open_temporary(struct demo_folder *folder, struct error *error) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0') {
        parent = "/tmp";
    }
    int length = snprintf(folder->path, sizeof folder->path, "%s/sallyport-demo.XXXXXX", parent);
    if (length < 0 || (size_t)length >= sizeof folder->path) {
        return error_fail(error, -ENAMETOOLONG, "the path in TMPDIR is too long: give a folder with --dir");
    }
    if (mkdtemp(folder->path) == NULL) {
        int code = errno;
        return error_fail(error, -code, "%s: cannot make a folder there (%s): give one with --dir", parent, strerror(code));
    }
    return 0;
}

int demo_folder_open(struct demo_folder *folder, const char *path, struct error *error) {
    *folder = (struct demo_folder){.descriptor = -1, .temporary = path == NULL};
    if (path == NULL) {
        int result = open_temporary(folder, error);
        if (result != 0) {
            return result;
        }
    } else if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        int code = errno;
        return error_fail(error, -code, "%s: cannot make this folder: %s", path, strerror(code));
    } else if (realpath(path, folder->path) == NULL) {
        int code = errno;
        return error_fail(error, -code, "%s: %s", path, strerror(code));
    }
    folder->descriptor = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->descriptor < 0) {
        int code = errno;
        return error_fail(error, -code, "%s: cannot open this folder: %s", folder->path, strerror(code));
    }
    return 0;
}

void demo_folder_close(struct demo_folder *folder, const char *const *names, size_t count) {
    if (folder->descriptor < 0) {
        return;
    }
    if (folder->temporary) {
        for (size_t i = 0; i < count; i++) {
            unlinkat(folder->descriptor, names[i], 0);
        }
        rmdir(folder->path);
    }
    close(folder->descriptor);
    folder->descriptor = -1;
}

bool demo_folder_has(const struct demo_folder *folder, const char *name) {
    struct stat status;
    return fstatat(folder->descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_all(int file, struct bytes content) {
    while (content.size > 0) {
        ssize_t written = write(file, content.data, content.size);
        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        if (written > 0) {
            content = bytes_of(content.data + written, content.size - (size_t)written);
        }
    }
    return 0;
}

static int write_part(const struct demo_folder *folder, mode_t mode, struct bytes content) {
    unlinkat(folder->descriptor, part, 0);
    int file = openat(folder->descriptor, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (file < 0) {
        return -errno;
    }
    int result = write_all(file, content);
    if (result == 0 && fchmod(file, mode) != 0) {
        result = -errno;
    }
    if (close(file) != 0 && result == 0) {
        result = -errno;
    }
    if (result != 0) {
        unlinkat(folder->descriptor, part, 0);
    }
    return result;
}

static int failed(const struct demo_folder *folder, const char *name, int code, struct error *error) {
    const char *advice = code == -EEXIST ? ": the demo did not write this file; remove it or choose another folder" : "";
    return error_fail(error, code, "%s/%s: %s%s", folder->path, name, strerror(-code), advice);
}

int demo_folder_write(const struct demo_folder *folder, const char *name, mode_t mode, struct bytes content,
                      struct error *error) {
    int result = write_part(folder, mode, content);
    if (result != 0) {
        return failed(folder, name, result, error);
    }
    /* linkat, unlike renameat, refuses a name that exists. */
    if (linkat(folder->descriptor, part, folder->descriptor, name, 0) != 0) {
        result = failed(folder, name, -errno, error);
    }
    unlinkat(folder->descriptor, part, 0);
    return result;
}

bool demo_folder_has_foreign(const struct demo_folder *folder, const char *name, const char *mark) {
    if (!demo_folder_has(folder, name)) {
        return false;
    }
    uint8_t content[DEMO_FILE_SIZE_MAX];
    ssize_t size = demo_folder_read(folder, name, content);
    size_t mark_size = strlen(mark);
    return size < (ssize_t)mark_size || memcmp(content, mark, mark_size) != 0;
}

int demo_folder_replace(const struct demo_folder *folder, const char *name, mode_t mode, const char *mark,
                        struct bytes content, struct error *error) {
    if (!demo_folder_has(folder, name)) {
        return demo_folder_write(folder, name, mode, content, error);
    }
    if (demo_folder_has_foreign(folder, name, mark)) {
        return failed(folder, name, -EEXIST, error);
    }
    int result = write_part(folder, mode, content);
    if (result == 0 && renameat(folder->descriptor, part, folder->descriptor, name) != 0) {
        result = -errno;
        unlinkat(folder->descriptor, part, 0);
    }
    return result == 0 ? 0 : failed(folder, name, result, error);
}

ssize_t demo_folder_read(const struct demo_folder *folder, const char *name, uint8_t buffer[static DEMO_FILE_SIZE_MAX]) {
    int file = openat(folder->descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        return -errno;
    }
    ssize_t size = 0;
    for (;;) {
        ssize_t got = read(file, buffer + size, (size_t)(DEMO_FILE_SIZE_MAX - size));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            size = -errno;
        }
        if (got <= 0) {
            break;
        }
        size += got;
        if (size == DEMO_FILE_SIZE_MAX) {
            size = -EFBIG;
            break;
        }
    }
    close(file);
    return size;
}
