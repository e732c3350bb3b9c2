#include "config/file.h"

#include "config/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct error *error, const char *what) {
    int code = errno;
    char text[64];
    return error_fail(error, -code, "%s: %s", what, strerror_r(code, text, sizeof text));
}

/* Moves the content to a larger buffer; wipes the old one, since it may hold a private key. */
static void grow(struct bytes *content, size_t capacity) {
    size_t size = content->size;
    uint8_t *larger = memory_allocate(1, capacity);
    memcpy(larger, content->data, size);
    file_content_free(content);
    *content = bytes_of(larger, size);
}

/* One byte more than `size_max` is read, to see that there is none. */
static size_t capacity_for(size_t size, size_t size_max) {
    return (size < size_max ? size : size_max) + 1;
}

/* Reads until the end of the file, which may have grown or shrunk since its size was read. */
static int read_content(int descriptor, size_t size_expected, size_t size_max, struct bytes *content, struct error *error) {
    size_t capacity = capacity_for(size_expected, size_max);
    *content = bytes_of(memory_allocate(1, capacity), 0);
    ssize_t got = 0;
    do {
        if (content->size == capacity) {
            capacity = capacity_for(2 * capacity, size_max);
            grow(content, capacity);
        }
        got = read(descriptor, (uint8_t *)content->data + content->size, capacity - content->size);
        if (got > 0) {
            content->size += (size_t)got;
        }
    } while ((got > 0 && content->size <= size_max) || (got < 0 && errno == EINTR));
    int result = 0;
    if (got < 0) {
        result = fail_errno(error, "cannot be read");
    } else if (content->size > size_max) {
        result = error_fail(error, -EFBIG, "is larger than %zu bytes", size_max);
    } else if (content->size == 0) {
        result = error_fail(error, -EINVAL, "is empty");
    }
    if (result < 0) {
        file_content_free(content);
    }
    return result;
}

int file_read(const char *path, size_t size_max, struct bytes *content, struct error *error) {
    *content = bytes_of(NULL, 0);
    if (*path == '\0') {
        return error_fail(error, -ENOENT, "the path is empty");
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        return fail_errno(error, "cannot be opened");
    }
    int result = 0;
    struct stat status;
    if (fstat(descriptor, &status) < 0) {
        result = fail_errno(error, "cannot be read");
    } else if (!S_ISREG(status.st_mode)) {
        result = error_fail(error, -EINVAL, "%s",
                            S_ISDIR(status.st_mode) ? "is a directory, not a file" : "is not a regular file");
    } else {
        result = read_content(descriptor, (size_t)status.st_size, size_max, content, error);
    }
    close(descriptor);
    return result;
}

void file_content_free(struct bytes *content) {
    void *data = (void *)(uintptr_t)content->data;
    if (data != NULL) {
        explicit_bzero(data, content->size);
    }
    free(data);
    *content = bytes_of(NULL, 0);
}
