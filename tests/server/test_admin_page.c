#include "server/admin_page.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct admin_pages pages;

static struct admin_page *add(enum admin_page_kind kind, uint64_t now_ms) {
    struct admin_page *page = admin_pages_add(&pages, kind, strdup("page"), 4, now_ms);
    cr_assert(page != NULL);
    return page;
}

Test(admin_page, is_shared_while_it_is_read_and_fresh) {
    struct admin_page *page = add(ADMIN_PAGE_METRICS, 1000);
    cr_expect_eq(admin_pages_find(&pages, ADMIN_PAGE_METRICS, 1000 + ADMIN_PAGE_SHARED_MS - 1), page);
    cr_expect_eq(page->readers, 2);
    cr_expect_eq(admin_pages_find(&pages, ADMIN_PAGE_METRICS, 1000 + ADMIN_PAGE_SHARED_MS), NULL, "too old for a newcomer");
    cr_expect_eq(admin_pages_find(&pages, ADMIN_PAGE_STATS, 1000), NULL, "another page");
    admin_pages_release(&pages, page);
    cr_expect_eq(pages.count, 1);
    admin_pages_release(&pages, page);
    cr_expect_eq(pages.count, 0);
    cr_expect_eq(admin_pages_find(&pages, ADMIN_PAGE_METRICS, 1000), NULL, "nobody reads it any more");
    admin_pages_release(&pages, NULL);
}

Test(admin_page, few_are_alive) {
    struct admin_page *held[ADMIN_PAGES_MAX];
    for (size_t i = 0; i < ADMIN_PAGES_MAX; i++) {
        cr_expect_eq(admin_pages_surplus(&pages), NULL);
        held[i] = add(i % 2 == 0 ? ADMIN_PAGE_METRICS : ADMIN_PAGE_STATS, 1000 * i);
    }
    cr_expect_eq(admin_pages_surplus(&pages), held[0], "the oldest goes");
    admin_pages_release(&pages, held[1]);
    cr_expect_eq(admin_pages_surplus(&pages), NULL);
    held[1] = add(ADMIN_PAGE_STATS, 9000);
    cr_expect_eq(admin_pages_surplus(&pages), held[0]);
    admin_pages_release(&pages, held[0]);
    held[0] = add(ADMIN_PAGE_STATS, 9001);
    cr_expect_eq(admin_pages_surplus(&pages), held[2]);
    for (size_t i = 0; i < ADMIN_PAGES_MAX; i++) {
        admin_pages_release(&pages, held[i]);
    }
    cr_expect_eq(pages.count, 0);
    cr_expect_eq(pages.newest, NULL);
}
