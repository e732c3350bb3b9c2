#include "path/terms.h"

#include "path/revocation_delegate.h"
#include "path/revocation_list.h"
#include "x509/name.h"

#include <errno.h>
#include <stdlib.h>

enum { TEXT_GROWTH = 4, TEXT_EXTRA = 64 }; /* the text of a name is rarely longer than that many times its DER */

/* Returns the text of a Name, malloc'd; NULL when out of memory. */
static char *text_of_name(struct bytes name) {
    for (size_t capacity = TEXT_GROWTH * name.size + TEXT_EXTRA;; capacity *= 2) {
        char *buffer = malloc(capacity + 1);
        if (buffer == NULL) {
            return NULL;
        }
        struct text text = text_over(buffer, capacity);
        name_append_text(&text, name);
        if (!text.overflow) {
            buffer[text.size] = '\0';
            return buffer;
        }
        free(buffer);
    }
}

static int compare_names(const void *left, const void *right) {
    const struct term *a = left;
    const struct term *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->end > b->end) - (a->end < b->end);
}

static int compare_ends(const void *left, const void *right) {
    const struct term *a = left;
    const struct term *b = right;
    return a->end != b->end ? (a->end > b->end) - (a->end < b->end) : strcmp(a->name, b->name);
}

static int begin(struct terms *terms, size_t count) {
    *terms = (struct terms){.items = calloc(count + 1, sizeof *terms->items)};
    return terms->items == NULL ? -ENOMEM : 0;
}

static int add(struct terms *terms, struct bytes name, int64_t begins, int64_t end) {
    char *text = text_of_name(name);
    if (text == NULL) {
        terms_free(terms);
        return -ENOMEM;
    }
    terms->items[terms->count++] = (struct term){.name = text, .begin = begins, .end = end};
    return 0;
}

/* Compares the texts of names, since two names that differ in their DER may have one text. */
static void find_repeats(struct terms *terms) {
    qsort(terms->items, terms->count, sizeof *terms->items, compare_names);
    for (size_t i = 1; i < terms->count; i++) {
        terms->items[i].repeats = strcmp(terms->items[i].name, terms->items[i - 1].name) == 0;
    }
}

static void drop_repeats(struct terms *terms) {
    size_t kept = 0;
    for (size_t i = 0; i < terms->count; i++) {
        if (terms->items[i].repeats) {
            free((char *)terms->items[i].name);
        } else {
            terms->items[kept++] = terms->items[i];
        }
    }
    terms->count = kept;
}

int terms_of_roots(struct terms *terms, const struct trust *trust) {
    size_t count = trust == NULL ? 0 : trust_count(trust);
    int result = begin(terms, count);
    for (size_t i = 0; i < count && result == 0; i++) {
        const struct certificate *root = &trust_anchor(trust, i)->certificate;
        result = add(terms, trust_name(trust, i), root->not_before, root->not_after);
    }
    if (result == 0) {
        find_repeats(terms);
        qsort(terms->items, terms->count, sizeof *terms->items, compare_ends);
    }
    return result;
}

int terms_of_lists(struct terms *terms, const struct revocation *revocation, int64_t now_s) {
    size_t count = revocation == NULL ? 0 : revocation_count(revocation);
    int result = begin(terms, count);
    for (size_t i = 0; i < count && result == 0; i++) {
        const struct revocation_list *list = revocation_list_at(revocation, i);
        if (!revocation_is_replaced(revocation, i, now_s)) {
            result = add(terms, list->issuer, list->this_update, list->next_update);
        }
    }
    if (result == 0) {
        find_repeats(terms);
        drop_repeats(terms);
        qsort(terms->items, terms->count, sizeof *terms->items, compare_ends);
    }
    return result;
}

static bool is_root(const struct trust *trust, struct bytes der) {
    for (size_t i = 0; trust != NULL && i < trust_count(trust); i++) {
        if (bytes_equal(trust_anchor(trust, i)->certificate.der, der)) {
            return true;
        }
    }
    return false;
}

int terms_of_delegates(struct terms *terms, const struct revocation *revocation, const struct trust *trust) {
    const struct revocation_delegate *delegate = NULL;
    int result = begin(terms, REVOCATION_DELEGATES_MAX);
    for (size_t i = 0; revocation != NULL && result == 0 && (delegate = revocation_delegate_at(revocation, i)) != NULL;
         i++) {
        if (!is_root(trust, delegate->certificate.der)) {
            result =
                add(terms, delegate->certificate.subject, delegate->certificate.not_before, delegate->certificate.not_after);
        }
    }
    if (result == 0) {
        find_repeats(terms);
        qsort(terms->items, terms->count, sizeof *terms->items, compare_ends);
    }
    return result;
}

void terms_free(struct terms *terms) {
    for (size_t i = 0; i < terms->count; i++) {
        free((char *)terms->items[i].name);
    }
    free(terms->items);
    *terms = (struct terms){0};
}
