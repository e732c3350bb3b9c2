#include "config/health.h"

#include "base/check.h"
#include "config/memory.h"
#include "config/units.h"

#include <string.h>

enum { STATUS_MIN = 200 /* below it nothing is answered yet */, STATUS_MAX = 599, STATUS_DIGITS = 3 };

static void load_path(const struct loader *loader, const struct document_node *node, struct config_health *health) {
    const char *path = value_string(loader, node, "health.path");
    if (path == NULL) {
        return;
    }
    bool good = path[0] == '/' && strlen(path) <= HEALTH_PATH_MAX;
    for (const char *c = path; *c != '\0' && good; c++) {
        good = *c > ' ' && *c < 0x7f && *c != '#';
    }
    if (!good) {
        loader_problem(
            loader, node,
            "health.path must begin with \"/\", and have at most %d characters of ASCII without spaces and \"#\", "
            "as \"/healthz\" or \"/status?full=1\"",
            HEALTH_PATH_MAX);
        return;
    }
    health->path = memory_copy_string(path);
}

/* Reads three digits. */
static bool read_status(const char *text, uint16_t *status) {
    *status = 0;
    for (size_t i = 0; i < STATUS_DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *status = (uint16_t)(*status * 10 + (text[i] - '0'));
    }
    return *status >= STATUS_MIN && *status <= STATUS_MAX;
}

/* Reads "200" or "200-399". */
static bool read_statuses(const char *text, struct config_statuses *statuses) {
    if (!read_status(text, &statuses->first)) {
        return false;
    }
    text += STATUS_DIGITS;
    statuses->last = statuses->first;
    if (*text == '-') {
        if (!read_status(text + 1, &statuses->last)) {
            return false;
        }
        text += 1 + STATUS_DIGITS;
    }
    return *text == '\0' && statuses->first <= statuses->last;
}

static void load_statuses(const struct loader *loader, const struct document_node *list, struct config_health *health) {
    if (list == NULL || !value_list(loader, list, "health.status")) {
        return;
    }
    if (health->path == NULL) {
        loader_problem(loader, list,
                       "health.status is of answers, and without health.path nothing is asked: add the path, or "
                       "leave out the status");
        return;
    }
    if (list->count > CONFIG_STATUSES_MAX) {
        loader_problem(loader, list, "health.status has more than %d items", CONFIG_STATUSES_MAX);
        return;
    }
    health->status_count = 0;
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        struct config_statuses *statuses = &health->statuses[health->status_count];
        if (item->type != DOCUMENT_SCALAR || !read_statuses(item->text, statuses)) {
            loader_problem(loader, item, "health.status must have statuses from %d to %d, as 204, and ranges, as 200-399",
                           STATUS_MIN, STATUS_MAX);
            continue;
        }
        health->status_count++;
    }
}

void health_load(const struct loader *loader, const struct health_nodes *nodes, struct config_host *host) {
    value_boolean(loader, nodes->required, "required", &host->required);
    if (nodes->health == NULL && !host->required) {
        return;
    }
    struct config_health *health = host->health = memory_allocate(1, sizeof *health);
    const struct document_node *path = NULL;
    const struct document_node *status = NULL;
    const struct value_key keys[] = {
        value_key_optional("path", &path),
        value_key_duration("interval", &health->interval_ms, 5 * UNITS_SECOND_MS, 100, 1 * UNITS_HOUR_MS),
        value_key_duration("timeout", &health->timeout_ms, 2 * UNITS_SECOND_MS, 10, 1 * UNITS_MINUTE_MS),
        value_key_number("rise", &health->rise, 2, 1, 100),
        value_key_number("fall", &health->fall, 3, 1, 100),
        value_key_optional("status", &status),
    };
    value_mapping(loader, nodes->health, "health", keys, ARRAY_LENGTH(keys));
    load_path(loader, path, health);
    if (health->path != NULL) {
        health->statuses[health->status_count++] = (struct config_statuses){200, 399};
    }
    load_statuses(loader, status, health);
}

bool health_takes_status(const struct config_health *health, unsigned status) {
    for (size_t i = 0; i < health->status_count; i++) {
        if (status >= health->statuses[i].first && status <= health->statuses[i].last) {
            return true;
        }
    }
    return false;
}

bool health_asks_the_same(const struct config_health *a, const struct config_health *b) {
    if ((a->path == NULL) != (b->path == NULL) || (a->path != NULL && strcmp(a->path, b->path) != 0) ||
        a->status_count != b->status_count) {
        return false;
    }
    for (size_t i = 0; i < a->status_count; i++) {
        if (a->statuses[i].first != b->statuses[i].first || a->statuses[i].last != b->statuses[i].last) {
            return false;
        }
    }
    return true;
}
