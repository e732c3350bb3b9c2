/*
 * The rendered pages of the admin listener, while clients read them: clients that ask at about the same time share one
 * rendering, which is counted, and few renderings exist at once, because with a thousand hosts a page has some 8 MB. One
 * thread only.
 */
#ifndef SERVER_ADMIN_PAGE_H
#define SERVER_ADMIN_PAGE_H

#include "base/bytes.h"

enum {
    ADMIN_PAGES_MAX = 4,       /* at once */
    ADMIN_PAGE_SHARED_MS = 50, /* how long after its rendering a page that is still being read is shared with new readers */
};

enum admin_page_kind { ADMIN_PAGE_METRICS, ADMIN_PAGE_STATS };

struct admin_page {
    struct admin_page *next;
    enum admin_page_kind kind;
    unsigned readers;
    uint64_t made_ms;
    char *data; /* malloc'd, owned */
    size_t size;
};

/* Zeroed, it is empty. */
struct admin_pages {
    struct admin_page *newest; /* pages that are being read, by age */
    size_t count;
};

/* Returns a page that is fresh enough for one more reader, and counts the reader; NULL: there is none. */
struct admin_page *admin_pages_find(struct admin_pages *pages, enum admin_page_kind kind, uint64_t now_ms);
/*
 * Returns the page that must be freed before another can be added, by releasing it for each of its readers; NULL: there is
 * room.
 */
struct admin_page *admin_pages_surplus(const struct admin_pages *pages);
/* Adds a rendering, with one reader. Owns `data` from now on, and frees it on failure: NULL when out of memory. */
struct admin_page *admin_pages_add(struct admin_pages *pages, enum admin_page_kind kind, char *data, size_t size,
                                   uint64_t now_ms);
/* Releases the page for one reader; the last one frees it. NULL is allowed. */
void admin_pages_release(struct admin_pages *pages, struct admin_page *page);

#endif
