#include "scene.h"

#include "base/check.h"
#include "base/hash.h"
#include "tls/context.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

void scene_make(struct scene *scene) {
    hash_init();
    CHECK(tls_library_init() == 0);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/sallyport-test-XXXXXX");
    CHECK(mkdtemp(scene->folder) != NULL);
    snprintf(scene->path, sizeof scene->path, "%s/config.yaml", scene->folder);
    DIR *data = opendir(TEST_DATA);
    CHECK(data != NULL);
    for (const struct dirent *entry; (entry = readdir(data)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char target[1024];
        snprintf(target, sizeof target, "%s/%s", TEST_DATA, entry->d_name);
        char link[512];
        snprintf(link, sizeof link, "%s/%s", scene->folder, entry->d_name);
        CHECK(symlink(target, link) == 0);
    }
    closedir(data);
}

void scene_write(const struct scene *scene, const char *name, const void *data, size_t size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", scene->folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fwrite(data, 1, size, file) == size);
    CHECK(fclose(file) == 0);
}

struct config *scene_load(const struct scene *scene, const char *yaml, struct config_problems *problems) {
    scene_write(scene, "config.yaml", yaml, strlen(yaml));
    return config_load(scene->path, problems);
}

void scene_remove(struct scene *scene) {
    DIR *folder = opendir(scene->folder);
    CHECK(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", scene->folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(path) < 0) {
            CHECK(rmdir(path) == 0);
        }
    }
    closedir(folder);
    CHECK(rmdir(scene->folder) == 0);
    tls_library_cleanup();
}

char *scene_replace(const char *text, const char *find, const char *replacement) {
    const char *place = strstr(text, find);
    CHECK(place != NULL);
    char *result = NULL;
    CHECK(asprintf(&result, "%.*s%s%s", (int)(place - text), text, replacement, place + strlen(find)) >= 0);
    return result;
}
