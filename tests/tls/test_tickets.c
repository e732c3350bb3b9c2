#include "base/check.h"
#include "tls/tickets.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/wc_port.h>

enum { SECRET_SIZE = 140, LIFETIME = 100, NOW = 100000 };

static struct tls_tickets *tickets;

static void set_up(void) {
    cr_assert_eq(wolfCrypt_Init(), 0);
    tickets = tls_tickets_create();
    cr_assert_not_null(tickets);
}

static void tear_down(void) {
    tls_tickets_free(tickets);
    wolfCrypt_Cleanup();
}

TestSuite(tickets, .init = set_up, .fini = tear_down);

/* A ticket and the memory of its parts. */
struct sealed {
    uint8_t name[TLS_TICKET_NAME_SIZE];
    uint8_t nonce[TLS_TICKET_NONCE_SIZE];
    uint8_t tag[TLS_TICKET_TAG_SIZE];
    uint8_t body[SECRET_SIZE + TLS_TICKET_OVERHEAD];
};

static struct tls_ticket_parts parts_of(struct sealed *sealed, size_t body_size) {
    return (struct tls_ticket_parts){sealed->name, sealed->nonce, sealed->tag, sealed->body, body_size};
}

static struct tls_ticket ticket_at(uint64_t authenticated_s) {
    struct tls_ticket ticket = {.version = 4, .authenticated_s = authenticated_s};
    for (size_t i = 0; i < sizeof ticket.binding; i++) {
        ticket.binding[i] = (uint8_t)(i * 7 + 1);
    }
    return ticket;
}

static void fill(uint8_t *secret) {
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        secret[i] = (uint8_t)(i * 3 + 5);
    }
}

static struct sealed seal_at(uint64_t now_s) {
    struct tls_ticket ticket = ticket_at(now_s);
    struct sealed sealed;
    struct tls_ticket_parts parts = parts_of(&sealed, SECRET_SIZE);
    fill(sealed.body);
    cr_assert(tls_tickets_seal(tickets, &ticket, now_s, LIFETIME, &parts));
    return sealed;
}

/* Opens a copy. */
static bool opens(const struct sealed *sealed, uint64_t now_s) {
    struct sealed copy = *sealed;
    struct tls_ticket_parts parts = parts_of(&copy, sizeof copy.body);
    struct tls_ticket ticket;
    if (!tls_tickets_open(tickets, &ticket, now_s, LIFETIME, &parts)) {
        return false;
    }
    uint8_t secret[SECRET_SIZE];
    fill(secret);
    cr_assert_eq(parts.body_size, SECRET_SIZE);
    cr_assert_eq(memcmp(copy.body, secret, SECRET_SIZE), 0);
    return true;
}

Test(tickets, what_is_sealed_opens_as_it_was) {
    struct sealed sealed = seal_at(NOW);
    struct tls_ticket expected = ticket_at(NOW), ticket;
    struct tls_ticket_parts parts = parts_of(&sealed, sizeof sealed.body);
    uint8_t secret[SECRET_SIZE];
    fill(secret);
    cr_assert_neq(memcmp(sealed.body, secret, SECRET_SIZE), 0);
    cr_assert(tls_tickets_open(tickets, &ticket, NOW, LIFETIME, &parts));
    cr_assert_eq(parts.body_size, SECRET_SIZE);
    cr_assert_eq(memcmp(sealed.body, secret, SECRET_SIZE), 0);
    cr_assert(ticket.version == 4 && ticket.authenticated_s == NOW);
    cr_assert_eq(memcmp(ticket.binding, expected.binding, sizeof expected.binding), 0);
}

Test(tickets, every_changed_bit_is_seen) {
    struct sealed sealed = seal_at(NOW);
    cr_assert(opens(&sealed, NOW));
    uint8_t *bytes = (uint8_t *)&sealed;
    for (size_t i = 0; i < sizeof sealed; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            cr_assert_not(opens(&sealed, NOW), "bit %u of byte %zu", bit, i);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    cr_assert(opens(&sealed, NOW));
}

Test(tickets, cut_or_lengthened_it_does_not_open) {
    struct sealed sealed = seal_at(NOW);
    uint8_t long_body[TLS_TICKET_SECRET_MAX + TLS_TICKET_OVERHEAD + 1];
    struct tls_ticket ticket;
    for (size_t size = 0; size <= sizeof long_body; size++) {
        memset(long_body, 0, sizeof long_body);
        memcpy(long_body, sealed.body, sizeof sealed.body);
        struct tls_ticket_parts parts = {sealed.name, sealed.nonce, sealed.tag, long_body, size};
        cr_assert_eq(tls_tickets_open(tickets, &ticket, NOW, LIFETIME, &parts), size == sizeof sealed.body, "%zu", size);
    }
}

Test(tickets, it_lives_from_the_full_handshake_on_and_no_longer) {
    struct sealed sealed = seal_at(NOW);
    cr_assert(opens(&sealed, NOW + LIFETIME - 1));
    cr_assert_not(opens(&sealed, NOW + LIFETIME));
    cr_assert_not(opens(&sealed, NOW), "its key is gone, and does not come back");
}

Test(tickets, one_from_the_future_does_not_open) {
    struct sealed sealed = seal_at(NOW);
    cr_assert_not(opens(&sealed, NOW - 1));
}

/* A thread reads the clock, and only then waits for the lock: another may have made the key with a later reading. */
Test(tickets, a_key_from_the_next_second_is_kept) {
    struct sealed sealed = seal_at(NOW + 1);
    struct sealed late = seal_at(NOW);
    cr_assert_eq(memcmp(sealed.name, late.name, sizeof late.name), 0);
    cr_assert(opens(&late, NOW));
    cr_assert(opens(&sealed, NOW + 1));
}

Test(tickets, resuming_does_not_lengthen_it) {
    struct sealed sealed;
    struct tls_ticket ticket = ticket_at(NOW - 60); /* the full handshake was a minute ago */
    struct tls_ticket_parts parts = parts_of(&sealed, SECRET_SIZE);
    fill(sealed.body);
    cr_assert(tls_tickets_seal(tickets, &ticket, NOW, LIFETIME, &parts));
    cr_assert(opens(&sealed, NOW + LIFETIME - 61));
    cr_assert_not(opens(&sealed, NOW + LIFETIME - 60));
}

Test(tickets, the_key_changes_at_half_the_lifetime_and_the_one_before_still_opens) {
    struct sealed first = seal_at(NOW);
    struct sealed same_key = seal_at(NOW + LIFETIME / 2 - 1);
    cr_assert_eq(memcmp(first.name, same_key.name, sizeof first.name), 0);
    struct sealed next_key = seal_at(NOW + LIFETIME / 2);
    cr_assert_neq(memcmp(first.name, next_key.name, sizeof first.name), 0);
    cr_assert(opens(&first, NOW + LIFETIME / 2));
    cr_assert(opens(&same_key, NOW + LIFETIME - 1));
    cr_assert_not(opens(&same_key, NOW + LIFETIME), "a key is kept for one lifetime");
    cr_assert(opens(&next_key, NOW + LIFETIME));
    struct sealed third_key = seal_at(NOW + LIFETIME);
    cr_assert_neq(memcmp(next_key.name, third_key.name, sizeof first.name), 0);
    cr_assert(opens(&next_key, NOW + LIFETIME));
}

Test(tickets, after_a_long_silence_no_key_is_left) {
    struct sealed sealed = seal_at(NOW);
    struct sealed late = seal_at(NOW + 10 * LIFETIME);
    cr_assert_neq(memcmp(sealed.name, late.name, sizeof late.name), 0);
    cr_assert_not(opens(&sealed, NOW + 10 * LIFETIME));
}

Test(tickets, of_another_process_it_does_not_open) {
    struct sealed sealed = seal_at(NOW);
    struct tls_tickets *mine = tickets;
    tickets = tls_tickets_create();
    struct sealed other = seal_at(NOW);
    cr_assert(opens(&other, NOW));
    cr_assert_not(opens(&sealed, NOW));
    tls_tickets_free(tickets);
    tickets = mine;
}

Test(tickets, no_lifetime_opens_nothing) {
    struct sealed sealed = seal_at(NOW);
    struct tls_ticket ticket;
    struct tls_ticket_parts parts = parts_of(&sealed, sizeof sealed.body);
    cr_assert_not(tls_tickets_open(tickets, &ticket, NOW, 0, &parts));
}

Test(tickets, no_nonce_comes_twice) {
    enum { COUNT = 2000 };
    static struct sealed all[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        all[i] = seal_at(NOW);
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(memcmp(all[i].nonce, all[j].nonce, sizeof all[i].nonce), 0, "%zu and %zu", j, i);
        }
    }
}

enum { THREADS = 4, ROUNDS = 2 * LIFETIME, EACH = 5, NAME_AND_NONCE = TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE };

struct crowd {
    pthread_barrier_t second; /* all go on together, and so no thread's clock falls behind by more than one */
    atomic_uint started;
    atomic_uint lost;
    uint8_t nonces[THREADS][ROUNDS][EACH][NAME_AND_NONCE];
};

static void *seal_and_open(void *argument) {
    struct crowd *crowd = argument;
    unsigned number = atomic_fetch_add(&crowd->started, 1);
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t now_s = NOW + round + number % 2;
        pthread_barrier_wait(&crowd->second);
        for (size_t i = 0; i < EACH; i++) {
            struct sealed sealed = seal_at(now_s);
            memcpy(crowd->nonces[number][round][i], sealed.name, TLS_TICKET_NAME_SIZE);
            memcpy(crowd->nonces[number][round][i] + TLS_TICKET_NAME_SIZE, sealed.nonce, TLS_TICKET_NONCE_SIZE);
            if (!opens(&sealed, now_s)) {
                atomic_fetch_add(&crowd->lost, 1);
            }
        }
    }
    return NULL;
}

static int compare_nonces(const void *left, const void *right) {
    return memcmp(left, right, NAME_AND_NONCE);
}

/* While keys come and go, with clocks that were read on both sides of a second. */
Test(tickets, threads_lose_none_and_share_no_nonce) {
    static struct crowd crowd;
    cr_assert_eq(pthread_barrier_init(&crowd.second, NULL, THREADS), 0);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, seal_and_open, &crowd), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    }
    cr_assert_eq(atomic_load(&crowd.lost), 0);
    const uint8_t *sorted = (const uint8_t *)crowd.nonces;
    qsort(crowd.nonces, THREADS * ROUNDS * EACH, NAME_AND_NONCE, compare_nonces);
    for (size_t i = 1; i < THREADS * ROUNDS * EACH; i++) {
        cr_assert_neq(memcmp(sorted + (i - 1) * NAME_AND_NONCE, sorted + i * NAME_AND_NONCE, NAME_AND_NONCE), 0);
    }
    pthread_barrier_destroy(&crowd.second);
}

Test(tickets, keys_go_without_anybody_coming) {
    struct sealed sealed = seal_at(NOW);
    tls_tickets_expire(tickets, NOW + LIFETIME / 2 - 1, LIFETIME);
    cr_expect(opens(&sealed, NOW + 1));
    tls_tickets_expire(tickets, NOW + LIFETIME / 2, LIFETIME);
    cr_expect(opens(&sealed, NOW + 1), "the previous key opens");
    tls_tickets_expire(tickets, NOW + LIFETIME, LIFETIME);
    cr_expect_not(opens(&sealed, NOW + 1));
    sealed = seal_at(NOW);
    tls_tickets_expire(tickets, NOW, 0);
    cr_expect_not(opens(&sealed, NOW), "resumption was turned off");
}

/* As a client sends it: wolfSSL puts the body's size before the body, and the tag behind it. */
static struct bytes wire_of(const struct sealed *sealed, uint8_t *out) {
    size_t at = 0;
    memcpy(out, sealed->name, sizeof sealed->name);
    at += sizeof sealed->name;
    memcpy(out + at, sealed->nonce, sizeof sealed->nonce);
    at += sizeof sealed->nonce;
    out[at++] = sizeof sealed->body >> 8;
    out[at++] = sizeof sealed->body & 0xff;
    memcpy(out + at, sealed->body, sizeof sealed->body);
    at += sizeof sealed->body;
    memcpy(out + at, sealed->tag, sizeof sealed->tag);
    return bytes_of(out, at + sizeof sealed->tag);
}

Test(tickets, are_recognized_as_they_come_and_not_when_a_bit_differs) {
    struct sealed sealed = seal_at(NOW);
    uint8_t wire[sizeof sealed + 2];
    struct bytes ticket = wire_of(&sealed, wire);
    cr_assert_eq(ticket.size, sizeof wire);
    cr_expect(tls_tickets_recognize(tickets, ticket, NOW, LIFETIME));
    for (size_t i = 0; i < sizeof wire; i++) {
        wire[i] ^= 1;
        cr_expect_not(tls_tickets_recognize(tickets, ticket, NOW, LIFETIME), "%zu", i);
        wire[i] ^= 1;
    }
    cr_expect(tls_tickets_recognize(tickets, ticket, NOW + LIFETIME - 1, LIFETIME), "nothing was changed by looking");
    cr_expect_not(tls_tickets_recognize(tickets, ticket, NOW + LIFETIME, LIFETIME), "too old");
}

Test(tickets, of_any_other_size_are_not_recognized) {
    struct sealed sealed = seal_at(NOW);
    uint8_t wire[sizeof sealed + 2 + TLS_TICKET_SECRET_MAX] = {0};
    struct bytes ticket = wire_of(&sealed, wire);
    for (size_t size = 0; size <= sizeof wire; size++) {
        uint8_t *exact = malloc(size + 1); /* so that an access past its end is seen */
        memcpy(exact, wire, size);
        cr_expect_eq(tls_tickets_recognize(tickets, bytes_of(exact, size), NOW, LIFETIME), size == ticket.size, "%zu", size);
        free(exact);
    }
}
