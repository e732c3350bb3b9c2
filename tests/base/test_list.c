#include "base/list.h"

#include <criterion/criterion.h>
#include <signal.h>

struct item {
    int number;
    struct list link;
};

static int number_of(const struct list *link) {
    return CONTAINER_OF(link, struct item, link)->number;
}

/* Holds the list against numbers, in both directions. */
static void assert_list(const struct list *head, size_t count, const int *numbers) {
    size_t at = 0;
    for (const struct list *link = head->next; link != head; link = link->next) {
        cr_assert_lt(at, count);
        cr_assert_eq(number_of(link), numbers[at]);
        at++;
    }
    cr_assert_eq(at, count);
    for (const struct list *link = head->previous; link != head; link = link->previous) {
        at--;
        cr_assert_eq(number_of(link), numbers[at]);
    }
    cr_assert_eq(at, 0);
    cr_assert_eq(list_is_empty(head), count == 0);
}

Test(list, items_stand_in_the_order_in_which_they_were_put) {
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
    struct list head;
    list_init(&head);
    assert_list(&head, 0, NULL);
    list_append(&head, &items[0].link);
    assert_list(&head, 1, (int[]){1});
    list_append(&head, &items[1].link);
    list_prepend(&head, &items[2].link);
    assert_list(&head, 3, (int[]){3, 1, 2});
    list_insert_before(&items[1].link, &items[3].link);
    assert_list(&head, 4, (int[]){3, 1, 4, 2});
}

Test(list, an_item_leaves_from_anywhere_and_can_come_back) {
    struct item items[] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct list head;
    list_init(&head);
    for (size_t i = 0; i < 3; i++) {
        list_append(&head, &items[i].link);
    }
    list_remove(&items[1].link);
    assert_list(&head, 2, (int[]){0, 2});
    cr_assert_not(list_is_linked(&items[1].link));
    cr_assert(list_is_linked(&items[2].link));
    list_remove(&items[0].link);
    assert_list(&head, 1, (int[]){2});
    list_append(&head, &items[0].link);
    assert_list(&head, 2, (int[]){2, 0});
    list_remove(&items[0].link);
    list_remove(&items[2].link);
    assert_list(&head, 0, NULL);
}

Test(list, has_a_first_and_a_last_and_one_behind_each_but_the_last) {
    struct item items[] = {{.number = 0}, {.number = 1}};
    struct list head;
    list_init(&head);
    cr_assert_null(list_first(&head));
    cr_assert_null(list_last(&head));
    list_append(&head, &items[0].link);
    list_append(&head, &items[1].link);
    cr_assert_eq(list_first(&head), &items[0].link);
    cr_assert_eq(list_last(&head), &items[1].link);
    cr_assert_eq(list_after(&head, &items[0].link), &items[1].link);
    cr_assert_null(list_after(&head, &items[1].link));
}

Test(list, all_of_one_move_behind_those_of_another) {
    struct item items[] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct list from;
    list_init(&from);
    struct list to;
    list_init(&to);
    list_move_all(&to, &from);
    assert_list(&to, 0, NULL);
    list_append(&from, &items[0].link);
    list_append(&from, &items[1].link);
    list_move_all(&to, &from);
    assert_list(&to, 2, (int[]){0, 1});
    assert_list(&from, 0, NULL);
    list_append(&from, &items[2].link);
    list_move_all(&to, &from);
    assert_list(&to, 3, (int[]){0, 1, 2});
    assert_list(&from, 0, NULL);
}

Test(list, a_link_of_zeros_is_in_no_list) {
    struct item item = {0};
    cr_assert_not(list_is_linked(&item.link));
}

Test(list, what_is_in_no_list_cannot_be_taken_out, .signal = SIGABRT) {
    struct item item = {0};
    list_remove(&item.link);
}
