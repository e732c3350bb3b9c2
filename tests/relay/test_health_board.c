#include "base/hash.h"
#include "relay/health_board.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>

static struct health_entry *take(struct health_board *board, const char *host, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return health_board_take(board, host, (const struct sockaddr *)&address, sizeof address);
}

Test(health_board, all_get_the_same_entry_for_a_host_and_an_address, .init = hash_init) {
    struct health_board *board = health_board_create();
    struct health_entry *a = take(board, "a.example.com", 80);
    struct health_entry *other_host = take(board, "b.example.com", 80);
    struct health_entry *other_port = take(board, "a.example.com", 81);

    cr_expect_eq(take(board, "a.example.com", 80), a);
    cr_expect(a != other_host && a != other_port && other_host != other_port);
    cr_expect_not(health_entry_is_down(a));
    health_entry_set(a, true);
    cr_expect(health_entry_is_down(a));
    cr_expect_not(health_entry_is_down(other_host));
    health_board_give(board, a);
    cr_expect(health_entry_is_down(take(board, "a.example.com", 80)), "one still has it");
    health_board_give(board, a);
    health_board_give(board, a);
    health_board_give(board, other_host);
    health_board_give(board, other_port);
    health_board_give(board, NULL);
    health_board_free(board);
}

Test(health_board, an_entry_that_nobody_has_is_forgotten, .init = hash_init) {
    struct health_board *board = health_board_create();
    struct health_entry *entry = take(board, "a.example.com", 80);

    health_entry_set(entry, true);
    health_board_give(board, entry);
    entry = take(board, "a.example.com", 80);
    cr_expect_not(health_entry_is_down(entry));
    health_board_give(board, entry);
    health_board_free(board);
    health_board_free(NULL);
}

Test(health_board, many_entries_are_told_apart, .init = hash_init) {
    enum { COUNT = 10000 };
    static struct health_entry *entries[COUNT];
    struct health_board *board = health_board_create();

    for (uint16_t i = 0; i < COUNT; i++) {
        entries[i] = take(board, "a.example.com", i);
        health_entry_set(entries[i], i % 3 == 0);
    }
    for (uint16_t i = 0; i < COUNT; i++) {
        cr_assert_eq(take(board, "a.example.com", i), entries[i]);
        cr_assert_eq(health_entry_is_down(entries[i]), i % 3 == 0);
    }
    for (int i = 0; i < 2 * COUNT; i++) {
        health_board_give(board, entries[i % COUNT]);
    }
    health_board_free(board);
}

static void *take_and_give(void *board) {
    for (int i = 0; i < 20000; i++) {
        health_board_give(board, take(board, "a.example.com", (uint16_t)(i % 7)));
    }
    return NULL;
}

Test(health_board, threads_take_and_give_at_once, .init = hash_init) {
    struct health_board *board = health_board_create();
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, take_and_give, board);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    health_board_free(board);
}
