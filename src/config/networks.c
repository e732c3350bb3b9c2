#include "config/networks.h"

#include "config/memory.h"

void networks_load(const struct loader *loader, const struct document_node *list, const char *key, size_t most,
                   struct prefix **networks, size_t *count) {
    if (!value_list(loader, list, key)) {
        return;
    }
    if (list->count > most) {
        loader_problem(loader, list, "%s has more than %zu items", key, most);
        return;
    }
    *networks = memory_allocate(list->count, sizeof **networks);
    *count = 0;
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        const char *text = value_string(loader, item, key);
        const char *fault = text == NULL ? NULL : prefix_parse(text, &(*networks)[*count]);
        if (fault != NULL) {
            loader_problem(loader, item, "%s: \"%s\" %s", key, text, fault);
        } else if (text != NULL) {
            (*count)++;
        }
    }
}
