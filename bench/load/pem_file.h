/* Files that the command line names. */
#ifndef BENCH_LOAD_PEM_FILE_H
#define BENCH_LOAD_PEM_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { PEM_FILE_ERROR_SIZE = 512, PEM_FILE_SIZE_MAX = 256 * 1024 };

/* The whole of a file below PEM_FILE_SIZE_MAX bytes, malloc'd. NULL with errno. */
uint8_t *pem_file_read(const char *path, size_t *size);

/* Takes one file: 0, or -1 with one line in `error`. */
typedef int pem_file_fn(void *owner, const char *path, char error[static PEM_FILE_ERROR_SIZE]);

/*
 * Calls `take` for each of `count` paths: for a file, and for each *.pem in a folder, by name. 0, or -1 as soon as one call
 * returned that.
 */
int pem_file_each(const char *const *paths, unsigned count, pem_file_fn *take, void *owner,
                  char error[static PEM_FILE_ERROR_SIZE]);

#endif
