/*
 * Pages of the admin listener while they are read: one rendering for all who ask at about the same time, counted, and few
 * alive at once, because with a thousand hosts a page has some 8 MB. One thread only.
 */
#ifndef SERVER_ADMIN_PAGE_H
#define SERVER_ADMIN_PAGE_H

#include "base/bytes.h"

enum {
    ADMIN_PAGES_MAX = 4,       /* alive at once */
    ADMIN_PAGE_SHARED_MS = 50, /* how long after its rendering a page that is still being read is given to others too */
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

/* Empty is all zeros. */
struct admin_pages {
    struct admin_page *newest; /* those that are read, by age */
    size_t count;
};

/* One that may be given to one more reader now, who is counted; NULL: there is none. */
struct admin_page *admin_pages_find(struct admin_pages *pages, enum admin_page_kind kind, uint64_t now_ms);
/* The one that must go before another can be added, NULL while there is room: let go of it for each of its readers. */
struct admin_page *admin_pages_surplus(const struct admin_pages *pages);
/* Adds what was rendered, with one reader. Takes `data`, which is freed also on failure: NULL, out of memory. */
struct admin_page *admin_pages_add(struct admin_pages *pages, enum admin_page_kind kind, char *data, size_t size,
                                   uint64_t now_ms);
/* One reader is done with it. The last one frees it. NULL is allowed. */
void admin_pages_release(struct admin_pages *pages, struct admin_page *page);

#endif
