/* Reads the small files that a configuration names. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * Reads the whole content of a regular file of 1 to `size_max` bytes; nothing else is read, so a FIFO cannot block a reload.
 * Returns 0 and malloc'd `content`, or a negative errno and one line in `error` without the path.
 */
int file_read(const char *path, size_t size_max, struct bytes *content, struct error *error);

/* Wipes the content, which may be a private key, and frees it. */
void file_content_free(struct bytes *content);

#endif
