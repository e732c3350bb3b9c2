#include "load/pem_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

uint8_t *pem_file_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return NULL;
    }
    uint8_t *data = malloc(PEM_FILE_SIZE_MAX);
    *size = data == NULL ? 0 : fread(data, 1, PEM_FILE_SIZE_MAX, file);
    if (data != NULL && (ferror(file) || *size == PEM_FILE_SIZE_MAX)) {
        errno = ferror(file) ? EIO : EFBIG;
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

static int is_pem(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".pem") == 0;
}

static int each_in_folder(const char *folder, pem_file_fn *take, void *owner, char error[static PEM_FILE_ERROR_SIZE]) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_pem, alphasort);
    int result = 0;

    if (count <= 0) {
        snprintf(error, PEM_FILE_ERROR_SIZE, "%s: %s", folder, count == 0 ? "no *.pem in this folder" : strerror(errno));
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];

        if (result == 0 && snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) >= (int)sizeof path) {
            snprintf(error, PEM_FILE_ERROR_SIZE, "%s: the path is too long", folder);
            result = -1;
        }
        if (result == 0) {
            result = take(owner, path, error);
        }
        free(entries[i]);
    }
    free(entries);
    return result;
}

int pem_file_each(const char *const *paths, unsigned count, pem_file_fn *take, void *owner,
                  char error[static PEM_FILE_ERROR_SIZE]) {
    int result = 0;

    for (unsigned i = 0; i < count && result == 0; i++) {
        const char *path = paths[i];
        struct stat status;

        if (stat(path, &status) < 0) {
            snprintf(error, PEM_FILE_ERROR_SIZE, "%s: %s", path, strerror(errno));
            return -1;
        }
        result = S_ISDIR(status.st_mode) ? each_in_folder(path, take, owner, error) : take(owner, path, error);
    }
    return result;
}
