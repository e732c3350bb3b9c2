#include "server/admin_page.h"

#include "base/check.h"

#include <stdlib.h>

struct admin_page *admin_pages_find(struct admin_pages *pages, enum admin_page_kind kind, uint64_t now_ms) {
    for (struct admin_page *page = pages->newest; page != NULL; page = page->next) {
        if (page->kind == kind && now_ms - page->made_ms < ADMIN_PAGE_SHARED_MS) {
            page->readers++;
            return page;
        }
    }
    return NULL;
}

struct admin_page *admin_pages_surplus(const struct admin_pages *pages) {
    struct admin_page *oldest = pages->newest;
    if (pages->count < ADMIN_PAGES_MAX) {
        return NULL;
    }
    while (oldest->next != NULL) {
        oldest = oldest->next;
    }
    return oldest;
}

struct admin_page *admin_pages_add(struct admin_pages *pages, enum admin_page_kind kind, char *data, size_t size,
                                   uint64_t now_ms) {
    CHECK(pages->count < ADMIN_PAGES_MAX);
    struct admin_page *page = malloc(sizeof *page);
    if (page == NULL) {
        free(data);
        return NULL;
    }
    *page = (struct admin_page){pages->newest, kind, 1, now_ms, data, size};
    pages->newest = page;
    pages->count++;
    return page;
}

void admin_pages_release(struct admin_pages *pages, struct admin_page *page) {
    if (page == NULL || --page->readers > 0) {
        return;
    }
    struct admin_page **link = &pages->newest;
    while (*link != page) {
        link = &(*link)->next;
    }
    *link = page->next;
    pages->count--;
    free(page->data);
    free(page);
}
