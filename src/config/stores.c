#include "config/stores.h"

#include "base/check.h"
#include "config/file.h"

#include <stdlib.h>

static bool add_file(const struct loader *loader, const struct document_node *node, const struct store_files *files,
                     void *store) {
    char *path = NULL;
    struct bytes content;
    bool good = value_file(loader, node, files->key, files->size_max, &path, &content);
    struct error error;
    if (good && files->add(store, content, &error) < 0) {
        if (!advice_report(loader, node, files->key, path, content, files->wanted)) {
            loader_problem(loader, node, "%s: %s: %s", files->key, path, error.text);
        }
        good = false;
    }
    file_content_free(&content);
    free(path);
    return good;
}

bool stores_add(const struct loader *loader, const struct document_node *list, const struct store_files *files,
                void *store) {
    bool good = true;
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        good = add_file(loader, item, files, store) && good;
    }
    return good;
}

static int add_roots(void *trust, struct bytes content, struct error *error) {
    return trust_add_file(trust, content, error);
}

struct trust *stores_load_trust(const struct loader *loader, const struct document_node *list, const char *key) {
    const struct store_files files = {key, VALUES_PEM_SIZE_MAX, ADVICE_ROOTS, add_roots};
    if (!value_list(loader, list, key)) {
        return NULL;
    }
    struct trust *trust = trust_create();
    CHECK(trust != NULL);
    if (stores_add(loader, list, &files, trust)) {
        return trust;
    }
    trust_free(trust);
    return NULL;
}
