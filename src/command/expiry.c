#include "command/expiry.h"

#include "base/check.h"
#include "base/utf8.h"
#include "path/terms.h"

#include <errno.h>
#include <stdlib.h>

enum { NAME_SIZE_MAX = 400 }; /* of a name in a line, so that the rest of the line fits too */

void expiry_free(struct expiry *expiry) {
    for (size_t i = 0; i < expiry->count; i++) {
        free(expiry->items[i].host);
        free(expiry->items[i].name);
    }
    free(expiry->items);
    *expiry = (struct expiry){0};
}

static bool reserve(struct expiry *expiry) {
    if (expiry->count < expiry->capacity) {
        return true;
    }
    size_t capacity = expiry->capacity == 0 ? 16 : 2 * expiry->capacity;
    struct expiry_item *items = reallocarray(expiry->items, capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    expiry->items = items;
    expiry->capacity = capacity;
    return true;
}

int expiry_add(struct expiry *expiry, enum expiry_kind kind, const char *host, const char *name, int64_t end) {
    if (end == TERM_NEVER) {
        return 0;
    }
    struct expiry_item item = {.kind = kind, .host = strdup(host), .name = strdup(name), .end = end};
    if (item.host == NULL || item.name == NULL || !reserve(expiry)) {
        free(item.host);
        free(item.name);
        return -ENOMEM;
    }
    expiry->items[expiry->count++] = item;
    return 0;
}

/* Adds the terms, and frees them. `result` is that of the function that made them: when it is negative, nothing is added. */
static int add_terms(struct expiry *expiry, enum expiry_kind kind, const char *host, struct terms *terms, int result) {
    for (size_t i = 0; i < terms->count && result == 0; i++) {
        result = expiry_add(expiry, kind, host, terms->items[i].name, terms->items[i].end);
    }
    terms_free(terms);
    return result;
}

static int add_origin_tls(struct expiry *expiry, const struct config_host *host) {
    const struct config_certificate *own = &host->origin_tls->certificate;
    struct terms terms;
    int result = terms_of_roots(&terms, host->origin_tls->trust);
    result = add_terms(expiry, EXPIRY_ORIGIN_ROOT, host->name, &terms, result);
    if (result == 0 && own->credentials != NULL) {
        result = expiry_add(expiry, EXPIRY_EDGE, host->name, own->path, own->credentials->not_after);
    }
    return result;
}

static int add_host(struct expiry *expiry, const struct config_host *host, int64_t now_s) {
    enum expiry_kind kind_of_lists = host->policy.accept_stale_crls ? EXPIRY_LIST_ACCEPTED : EXPIRY_LIST;
    int result = 0;
    for (size_t i = 0; i < host->certificate_count && result == 0; i++) {
        const struct config_certificate *certificate = &host->certificates[i];
        result = expiry_add(expiry, EXPIRY_CERTIFICATE, host->name, certificate->path, certificate->credentials->not_after);
    }
    struct terms terms;
    if (result == 0) {
        result = terms_of_roots(&terms, host->trust);
        result = add_terms(expiry, EXPIRY_ROOT, host->name, &terms, result);
    }
    if (result == 0 && host->origin_tls != NULL) {
        result = add_origin_tls(expiry, host);
    }
    if (result == 0) {
        result = terms_of_lists(&terms, host->revocation, now_s);
        result = add_terms(expiry, kind_of_lists, host->name, &terms, result);
    }
    if (result == 0) {
        result = terms_of_delegates(&terms, host->revocation, host->trust);
        result = add_terms(expiry, EXPIRY_SIGNER, host->name, &terms, result);
    }
    return result;
}

int expiry_read(struct expiry *expiry, const struct config *config, int64_t now_s) {
    *expiry = (struct expiry){0};
    for (size_t i = 0; i < config->host_count; i++) {
        if (add_host(expiry, &config->hosts[i], now_s) < 0) {
            expiry_free(expiry);
            return -ENOMEM;
        }
    }
    expiry_sort(expiry);
    return 0;
}

/* Compares kind and name, which tell one thing from another. */
static int compare_things(const struct expiry_item *a, const struct expiry_item *b) {
    return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) : strcmp(a->name, b->name);
}

static int compare(const void *left, const void *right) {
    const struct expiry_item *a = left;
    const struct expiry_item *b = right;
    int order = compare_things(a, b);
    if (order == 0) {
        order = (a->end > b->end) - (a->end < b->end);
    }
    return order != 0 ? order : strcmp(a->host, b->host);
}

void expiry_sort(struct expiry *expiry) {
    if (expiry->count > 0) {
        qsort(expiry->items, expiry->count, sizeof *expiry->items, compare);
    }
}

/* Returns the index of the first item of the same kind and name, or of the first behind them when there is none. */
static size_t find(const struct expiry *expiry, const struct expiry_item *item) {
    size_t low = 0;
    size_t high = expiry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_things(&expiry->items[middle], item) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/*
 * Returns which stage was logged for this item; or else, when the thing has changed, the latest stage that was logged for a
 * thing of its name.
 */
static enum expiry_stage told_of(const struct expiry *expiry, const struct expiry_item *item) {
    enum expiry_stage told = EXPIRY_FAR;
    for (size_t i = find(expiry, item); i < expiry->count && compare_things(&expiry->items[i], item) == 0; i++) {
        const struct expiry_item *other = &expiry->items[i];
        if (strcmp(other->host, item->host) != 0) {
            continue;
        }
        if (other->end == item->end) {
            return other->told;
        }
        told = other->told > told ? other->told : told;
    }
    return told;
}

void expiry_take_over(struct expiry *expiry, const struct expiry *before) {
    for (size_t i = 0; i < expiry->count; i++) {
        enum expiry_stage told = told_of(before, &expiry->items[i]);
        expiry->items[i].told = told == EXPIRY_OVER ? EXPIRY_DAY : told;
    }
}

static enum expiry_stage stage_at(int64_t end, int64_t now_s) {
    if (end < now_s) {
        return EXPIRY_OVER;
    }
    int64_t left_s = end - now_s;
    return left_s <= EXPIRY_DAY_S ? EXPIRY_DAY : left_s <= EXPIRY_WEEK_S ? EXPIRY_WEEK : EXPIRY_FAR;
}

/* Appends the name, cut where a character ends. */
static void append_name(struct text *line, const char *name) {
    struct bytes whole = bytes_of_string(name);
    struct bytes shown = utf8_cut(whole, NAME_SIZE_MAX);
    text_append_bytes(line, shown);
    text_append_string(line, shown.size < whole.size ? "..." : "");
}

static void append_end(struct text *line, const struct expiry_item *item, enum expiry_stage stage) {
    text_append_string(line, stage == EXPIRY_OVER ? " has ended, at " : " ends at ");
    text_append_time(line, item->end);
    text_append_string(line, stage == EXPIRY_WEEK ? ", within 7 days" : stage == EXPIRY_DAY ? ", within a day" : "");
}

/* Returns the part of the line that says what follows from the end, and what to do. */
static const char *consequence(enum expiry_kind kind, enum expiry_stage stage) {
    static const char *const texts[][2] = {
        [EXPIRY_CERTIFICATE] = {"replace the file and reload", "clients refuse it: replace the file and reload"},
        [EXPIRY_ROOT] = {"from then on its clients are not valid: add its successor to client_auth.ca and reload",
                         "its clients are not valid: replace it in client_auth.ca and reload"},
        [EXPIRY_LIST] = {"without a new one clients of this issuer are not valid from then on: replace it and reload",
                         "clients of this issuer are not valid: replace it and reload"},
        [EXPIRY_LIST_ACCEPTED] = {"replace it and reload",
                                  "clients of this issuer are valid unless it names them, as crl_stale says: replace it and "
                                  "reload"},
        [EXPIRY_SIGNER] = {"the lists that it has signed do not count from then on: get one that its successor has signed, "
                           "with that certificate, and reload",
                           "the lists that it has signed do not count: get one that its successor has signed, with that "
                           "certificate, and reload"},
        [EXPIRY_ORIGIN_ROOT] = {"from then on its origins are refused: add its successor to origin_tls.ca and reload",
                                "its origins are refused: replace it in origin_tls.ca and reload"},
        [EXPIRY_EDGE] = {"replace the file and reload", "origins refuse it: replace the file and reload"},
    };
    return texts[kind][stage == EXPIRY_OVER];
}

/* Writes the line about one item. `others` hosts share the thing, beside the item's own. */
static void tell_one(const struct expiry_item *item, enum expiry_stage stage, size_t others,
                     void (*tell)(const char *line)) {
    static const char *const things[] = {
        [EXPIRY_CERTIFICATE] = "the certificate ",
        [EXPIRY_ROOT] = "the root of client_auth.ca ",
        [EXPIRY_LIST] = "the list of client_auth.crl of ",
        [EXPIRY_LIST_ACCEPTED] = "the list of client_auth.crl of ",
        [EXPIRY_SIGNER] = "the certificate in client_auth.crl that signs lists of ",
        [EXPIRY_ORIGIN_ROOT] = "the root of origin_tls.ca ",
        [EXPIRY_EDGE] = "the certificate of origin_tls ",
    };
    char buffer[EXPIRY_LINE_SIZE];
    struct text line = text_over(buffer, sizeof buffer - 1);
    text_append_format(&line, "host %s", item->host);
    if (others > 0) {
        text_append_format(&line, " and %zu %s", others, others == 1 ? "other" : "others");
    }
    text_append_string(&line, ": ");
    text_append_string(&line, things[item->kind]);
    append_name(&line, item->name);
    append_end(&line, item, stage);
    text_append_string(&line, ": ");
    text_append_string(&line, consequence(item->kind, stage));
    buffer[line.size] = '\0';
    tell(buffer);
}

void expiry_tell(struct expiry *expiry, int64_t now_s, void (*tell)(const char *line)) {
    for (size_t i = 0, next; i < expiry->count; i = next) {
        const struct expiry_item *first = &expiry->items[i];
        const struct expiry_item *news = NULL;
        enum expiry_stage stage = stage_at(first->end, now_s);
        size_t hosts = 0;
        for (next = i; next < expiry->count; next++) {
            struct expiry_item *item = &expiry->items[next];
            if (compare_things(item, first) != 0 || item->end != first->end) {
                break;
            }
            if (stage > item->told) {
                news = news == NULL ? item : news;
                hosts++;
            }
            item->told = stage; /* also to an earlier stage, when the clock was set or the thing renewed */
        }
        if (news != NULL) {
            tell_one(news, stage, hosts - 1, tell);
        }
    }
}

unsigned expiry_wait_s(const struct expiry *expiry, int64_t now_s) {
    int64_t wait_s = EXPIRY_WAIT_MAX_S;
    for (size_t i = 0; i < expiry->count; i++) {
        const int64_t end = expiry->items[i].end;
        const int64_t stages[] = {end - EXPIRY_WEEK_S, end - EXPIRY_DAY_S, end + 1};
        for (size_t j = 0; j < ARRAY_LENGTH(stages); j++) {
            if (stages[j] > now_s && stages[j] - now_s < wait_s) {
                wait_s = stages[j] - now_s;
            }
        }
    }
    return (unsigned)wait_s;
}
