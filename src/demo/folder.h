/*
 * The folder that the demo writes its files to. A file that is there already is never overwritten, unless the demo wrote it.
 */
#ifndef DEMO_FOLDER_H
#define DEMO_FOLDER_H

#include "base/bytes.h"
#include "base/error.h"

#include <limits.h>
#include <sys/types.h>

enum { DEMO_FILE_SIZE_MAX = 64 * 1024 /* no file of the demo is nearly as large */ };

struct demo_folder {
    int descriptor;
    bool temporary; /* made by the demo under TMPDIR or /tmp, and removed at the end */
    char path[PATH_MAX];
};

/*
 * Opens the folder `path`, and makes it when it does not exist; for NULL makes a temporary folder that only its owner may
 * enter. 0, or a negative errno with one line in `error`.
 */
int demo_folder_open(struct demo_folder *folder, const char *path, struct error *error);
/*
 * Closes the folder. A temporary one is removed with the `count` files named; when another file is in it, that file and the
 * folder stay.
 */
void demo_folder_close(struct demo_folder *folder, const char *const *names, size_t count);

bool demo_folder_has(const struct demo_folder *folder, const char *name);
/* Returns whether there is a file of that name that does not begin with `mark`, or cannot be read. */
bool demo_folder_has_foreign(const struct demo_folder *folder, const char *name, const char *mark);
/* Makes a new file with exactly these permissions. -EEXIST when there is one of that name; `error` as above. */
int demo_folder_write(const struct demo_folder *folder, const char *name, mode_t mode, struct bytes content,
                      struct error *error);
/* As demo_folder_write, but replaces a file that begins with `mark`; any other file of that name is -EEXIST. */
int demo_folder_replace(const struct demo_folder *folder, const char *name, mode_t mode, const char *mark,
                        struct bytes content, struct error *error);
/* Reads a whole file: its size, or a negative errno (-EFBIG beyond the buffer). */
ssize_t demo_folder_read(const struct demo_folder *folder, const char *name, uint8_t buffer[static DEMO_FILE_SIZE_MAX]);

#endif
