#include "tls/tickets.h"

#include "base/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/random.h>

enum {
    KEY_SIZE = 32,
    NONCE_USED = 12,
    TAG_USED = 16,
    FORMAT = 1,     /* first byte of our part */
    NONCE_MARK = 1, /* wolfSSL takes a nonce of zeros for one that was not set */
};
_Static_assert(TLS_TICKET_OVERHEAD == 2 + sizeof(uint64_t) + TLS_TICKET_BINDING_SIZE, "format, version, time, binding");

struct ticket_key {
    uint8_t name[TLS_TICKET_NAME_SIZE];
    uint8_t secret[KEY_SIZE];
    uint8_t nonce_mask[NONCE_USED]; /* so that nonces do not tell how many tickets there were */
    uint64_t sealed;                /* tickets */
    uint64_t born_s;
    bool usable;
};

struct tls_tickets {
    pthread_mutex_t lock; /* of all that follows; held for copies and counts, and when a key is made */
    struct ticket_key current;
    struct ticket_key previous;
    WC_RNG rng;
};

static bool make_key(struct tls_tickets *tickets, struct ticket_key *key, uint64_t now_s) {
    *key = (struct ticket_key){.born_s = now_s};
    key->usable = wc_RNG_GenerateBlock(&tickets->rng, key->name, sizeof key->name) == 0 &&
                  wc_RNG_GenerateBlock(&tickets->rng, key->secret, sizeof key->secret) == 0 &&
                  wc_RNG_GenerateBlock(&tickets->rng, key->nonce_mask, sizeof key->nonce_mask) == 0;
    return key->usable;
}

static void wipe(struct ticket_key *key) {
    wc_ForceZero(key, sizeof *key);
}

struct tls_tickets *tls_tickets_create(void) {
    struct tls_tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets == NULL) {
        return NULL;
    }
    if (wc_InitRng(&tickets->rng) != 0) {
        free(tickets);
        return NULL;
    }
    CHECK(pthread_mutex_init(&tickets->lock, NULL) == 0);
    return tickets;
}

void tls_tickets_free(struct tls_tickets *tickets) {
    if (tickets == NULL) {
        return;
    }
    wc_FreeRng(&tickets->rng);
    wipe(&tickets->current);
    wipe(&tickets->previous);
    CHECK(pthread_mutex_destroy(&tickets->lock) == 0);
    free(tickets);
}

/* Returns the age of a key; 0 for one that another thread has made since the caller read the clock. */
static uint64_t age_s(const struct ticket_key *key, uint64_t now_s) {
    return now_s > key->born_s ? now_s - key->born_s : 0;
}

/* Wipes the keys that are over, with the lock held. A key seals for half a lifetime and opens for a whole one. */
static void retire(struct tls_tickets *tickets, uint64_t now_s, uint32_t lifetime_s) {
    uint64_t half_s = (lifetime_s + 1) / 2;
    if (tickets->previous.usable && age_s(&tickets->previous, now_s) >= 2 * half_s) {
        wipe(&tickets->previous);
    }
    if (tickets->current.usable && age_s(&tickets->current, now_s) >= half_s) {
        if (age_s(&tickets->current, now_s) < 2 * half_s) {
            tickets->previous = tickets->current;
        }
        wipe(&tickets->current);
    }
}

void tls_tickets_expire(struct tls_tickets *tickets, uint64_t now_s, uint32_t lifetime_s) {
    pthread_mutex_lock(&tickets->lock);
    retire(tickets, now_s, lifetime_s);
    pthread_mutex_unlock(&tickets->lock);
}

/* Copies the key that seals, with the count of this ticket in it; the caller wipes the copy. */
static bool take_sealing_key(struct tls_tickets *tickets, uint64_t now_s, uint32_t lifetime_s, struct ticket_key *key) {
    pthread_mutex_lock(&tickets->lock);
    retire(tickets, now_s, lifetime_s);
    bool usable = tickets->current.usable || make_key(tickets, &tickets->current, now_s);
    tickets->current.sealed++;
    *key = tickets->current;
    pthread_mutex_unlock(&tickets->lock);
    return usable;
}

static bool take_opening_key(struct tls_tickets *tickets, const uint8_t *name, uint64_t now_s, uint32_t lifetime_s,
                             struct ticket_key *key) {
    pthread_mutex_lock(&tickets->lock);
    retire(tickets, now_s, lifetime_s);
    const struct ticket_key *const keys[] = {&tickets->current, &tickets->previous};
    bool found = false;
    for (size_t i = 0; i < ARRAY_LENGTH(keys) && !found; i++) {
        found = keys[i]->usable && memcmp(keys[i]->name, name, TLS_TICKET_NAME_SIZE) == 0;
        if (found) {
            *key = *keys[i];
        }
    }
    pthread_mutex_unlock(&tickets->lock);
    return found;
}

/* Makes a nonce of 96 bits: the count, masked. */
static void make_nonce(const struct ticket_key *key, uint8_t nonce[static TLS_TICKET_NONCE_SIZE]) {
    memset(nonce, 0, TLS_TICKET_NONCE_SIZE);
    memcpy(nonce, &key->sealed, sizeof key->sealed);
    for (size_t i = 0; i < NONCE_USED; i++) {
        nonce[i] ^= key->nonce_mask[i];
    }
    nonce[NONCE_USED] = NONCE_MARK;
}

static void write_ours(const struct tls_ticket *ticket, uint8_t *out) {
    out[0] = FORMAT;
    out[1] = ticket->version;
    memcpy(out + 2, &ticket->authenticated_s, sizeof ticket->authenticated_s);
    memcpy(out + 2 + sizeof ticket->authenticated_s, ticket->binding, TLS_TICKET_BINDING_SIZE);
}

static bool read_ours(struct tls_ticket *ticket, const uint8_t *in) {
    ticket->version = in[1];
    memcpy(&ticket->authenticated_s, in + 2, sizeof ticket->authenticated_s);
    memcpy(ticket->binding, in + 2 + sizeof ticket->authenticated_s, TLS_TICKET_BINDING_SIZE);
    return in[0] == FORMAT;
}

bool tls_tickets_seal(struct tls_tickets *tickets, const struct tls_ticket *ticket, uint64_t now_s, uint32_t lifetime_s,
                      const struct tls_ticket_parts *parts) {
    CHECK(lifetime_s > 0 && parts->body_size <= TLS_TICKET_SECRET_MAX);
    size_t size = parts->body_size + TLS_TICKET_OVERHEAD;
    bool sealed = false;
    struct ticket_key key;
    uint8_t plain[TLS_TICKET_SECRET_MAX + TLS_TICKET_OVERHEAD];
    Aes aes;
    if (take_sealing_key(tickets, now_s, lifetime_s, &key) && wc_AesInit(&aes, NULL, INVALID_DEVID) == 0) {
        memcpy(plain, parts->body, parts->body_size);
        write_ours(ticket, plain + parts->body_size);
        memcpy(parts->name, key.name, TLS_TICKET_NAME_SIZE);
        make_nonce(&key, parts->nonce);
        memset(parts->tag, 0, TLS_TICKET_TAG_SIZE);
        sealed = wc_AesGcmSetKey(&aes, key.secret, KEY_SIZE) == 0 &&
                 wc_AesGcmEncrypt(&aes, parts->body, plain, (word32)size, parts->nonce, NONCE_USED, parts->tag, TAG_USED,
                                  parts->name, TLS_TICKET_NAME_SIZE) == 0;
        wc_AesFree(&aes);
        wc_ForceZero(plain, sizeof plain);
    }
    wipe(&key);
    return sealed;
}

/* Tells whether the bytes of nonce and tag that AES does not see are ours: else a second ticket could be made of one. */
static bool padding_is_ours(const struct tls_ticket_parts *parts) {
    unsigned different = parts->nonce[NONCE_USED] ^ NONCE_MARK;
    for (size_t i = NONCE_USED + 1; i < TLS_TICKET_NONCE_SIZE; i++) {
        different |= parts->nonce[i];
    }
    for (size_t i = TAG_USED; i < TLS_TICKET_TAG_SIZE; i++) {
        different |= parts->tag[i];
    }
    return different == 0;
}

bool tls_tickets_open(struct tls_tickets *tickets, struct tls_ticket *ticket, uint64_t now_s, uint32_t lifetime_s,
                      struct tls_ticket_parts *parts) {
    struct ticket_key key;
    if (lifetime_s == 0 || parts->body_size < TLS_TICKET_OVERHEAD ||
        parts->body_size > TLS_TICKET_SECRET_MAX + TLS_TICKET_OVERHEAD || !padding_is_ours(parts) ||
        !take_opening_key(tickets, parts->name, now_s, lifetime_s, &key)) {
        return false;
    }
    bool opened = false;
    uint8_t plain[TLS_TICKET_SECRET_MAX + TLS_TICKET_OVERHEAD];
    Aes aes;
    if (wc_AesInit(&aes, NULL, INVALID_DEVID) == 0) {
        opened = wc_AesGcmSetKey(&aes, key.secret, KEY_SIZE) == 0 &&
                 wc_AesGcmDecrypt(&aes, plain, parts->body, (word32)parts->body_size, parts->nonce, NONCE_USED, parts->tag,
                                  TAG_USED, parts->name, TLS_TICKET_NAME_SIZE) == 0;
        wc_AesFree(&aes);
    }
    wipe(&key);
    if (opened) {
        parts->body_size -= TLS_TICKET_OVERHEAD;
        opened = read_ours(ticket, plain + parts->body_size) && now_s >= ticket->authenticated_s &&
                 now_s - ticket->authenticated_s < lifetime_s;
        memcpy(parts->body, plain, parts->body_size);
    }
    wc_ForceZero(plain, sizeof plain);
    return opened;
}

/* A ticket is name, nonce, the size of the body in 2 bytes, body and tag, as wolfSSL puts them together. */
bool tls_tickets_recognize(struct tls_tickets *tickets, struct bytes ticket, uint64_t now_s, uint32_t lifetime_s) {
    uint8_t copy[TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE + 2 + TLS_TICKET_SECRET_MAX + TLS_TICKET_OVERHEAD +
                 TLS_TICKET_TAG_SIZE];
    const size_t fixed = sizeof copy - TLS_TICKET_SECRET_MAX - TLS_TICKET_OVERHEAD;
    if (ticket.size < fixed || ticket.size > sizeof copy) {
        return false;
    }
    memcpy(copy, ticket.data, ticket.size);
    uint8_t *size = copy + TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE;
    struct tls_ticket_parts parts = {
        .name = copy,
        .nonce = copy + TLS_TICKET_NAME_SIZE,
        .body = size + 2,
        .body_size = (size_t)size[0] << 8 | size[1],
        .tag = copy + ticket.size - TLS_TICKET_TAG_SIZE,
    };
    struct tls_ticket content;
    bool recognized =
        parts.body_size == ticket.size - fixed && tls_tickets_open(tickets, &content, now_s, lifetime_s, &parts);
    wc_ForceZero(copy, sizeof copy);
    return recognized;
}
