/*
 * Doubly linked lists whose links are members of the things that are listed (CONTAINER_OF finds the thing of a link). A head
 * is a link too: a list is a ring, so that nothing is special at its ends. Nothing is allocated. A head must not move in
 * memory once it is initialised, nor a link while it is in a list.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/check.h"

#include <stdbool.h>

/* A head, or the link of an item. A link of zeros is in no list. */
struct list {
    struct list *next;
    struct list *previous;
};

/* Makes `head` an empty list. */
static inline void list_init(struct list *head) {
    head->next = head->previous = head;
}

static inline bool list_is_empty(const struct list *head) {
    return head->next == head;
}

/* Tells whether an item is in any list. */
static inline bool list_is_linked(const struct list *item) {
    return item->next != NULL;
}

/* Puts `item`, which is in no list, before `place`, which is an item of a list or its head. */
static inline void list_insert_before(struct list *place, struct list *item) {
    item->previous = place->previous;
    item->next = place;
    place->previous->next = item;
    place->previous = item;
}

/* Puts `item`, which is in no list, last. */
static inline void list_append(struct list *head, struct list *item) {
    list_insert_before(head, item);
}

/* Puts `item`, which is in no list, first. */
static inline void list_prepend(struct list *head, struct list *item) {
    list_insert_before(head->next, item);
}

/* Takes `item` out of the list that it is in. */
static inline void list_remove(struct list *item) {
    CHECK(list_is_linked(item));
    item->previous->next = item->next;
    item->next->previous = item->previous;
    item->next = item->previous = NULL;
}

/* Return the first and the last item; NULL when the list is empty. */
static inline struct list *list_first(const struct list *head) {
    return list_is_empty(head) ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head) {
    return list_is_empty(head) ? NULL : head->previous;
}

/* Returns the item behind `item` in the list of `head`, or NULL when there is none. */
static inline struct list *list_after(const struct list *head, const struct list *item) {
    return item->next == head ? NULL : item->next;
}

/* Puts all items of `from` behind those of `to`; `from` is empty then. */
static inline void list_move_all(struct list *to, struct list *from) {
    if (list_is_empty(from)) {
        return;
    }
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

#endif
