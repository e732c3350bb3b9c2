/*
 * The key schedule and the records of TLS 1.3 (RFC 8446 sections 5 and 7) for TLS_AES_128_GCM_SHA256, as the clients need
 * them that have no library. Nothing here fails but a record that does not open: sizes are the caller's to keep.
 */
#ifndef BENCH_LOAD_RECORD_H
#define BENCH_LOAD_RECORD_H

#include "base/bytes.h"

enum {
    RECORD_HEADER_SIZE = 5,
    RECORD_OVERHEAD = RECORD_HEADER_SIZE + 1 + 16, /* of a protected one: its header, inner type and tag */
    RECORD_PLAINTEXT_MAX = 16384,
    RECORD_SIZE_MAX = RECORD_HEADER_SIZE + RECORD_PLAINTEXT_MAX + 256,
    RECORD_HASH_SIZE = 32,

    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
};

/* One direction. */
struct record_keys {
    uint8_t key[16];
    uint8_t iv[12];
    uint64_t sequence;
};

struct record_secrets {
    struct record_keys server;
    struct record_keys client;
    uint8_t server_finished[RECORD_HASH_SIZE]; /* the keys of the two Finished */
    uint8_t client_finished[RECORD_HASH_SIZE];
    uint8_t master[RECORD_HASH_SIZE];
};

/* The early secret of a pre-shared key. */
void record_derive_early(const uint8_t psk[static RECORD_HASH_SIZE], uint8_t early[static RECORD_HASH_SIZE]);
/* The binder of a ticket (section 4.2.11.2), from its early secret and the hash of the hello up to the binders. */
void record_bind(const uint8_t early[static RECORD_HASH_SIZE], const uint8_t hash[static RECORD_HASH_SIZE],
                 uint8_t binder[static RECORD_HASH_SIZE]);
/* Handshake keys, from the agreed secret and the hash of both hellos. `early`: of the key that is used; NULL: of none. */
void record_derive_handshake(struct record_secrets *secrets, const uint8_t *early, const uint8_t shared[static 32],
                             const uint8_t hash[static RECORD_HASH_SIZE]);
/* Application keys instead, from the hash up to the server's Finished. */
void record_derive_application(struct record_secrets *secrets, const uint8_t hash[static RECORD_HASH_SIZE]);
/* The verify_data of a Finished, from its key and the hash of all before it. */
void record_finish(const uint8_t key[static RECORD_HASH_SIZE], const uint8_t hash[static RECORD_HASH_SIZE],
                   uint8_t verify[static RECORD_HASH_SIZE]);
/* The resumption secret, from the hash up to the client's Finished; and of a ticket the key that belongs to it. */
void record_derive_resumption(const struct record_secrets *secrets, const uint8_t hash[static RECORD_HASH_SIZE],
                              uint8_t resumption[static RECORD_HASH_SIZE]);
void record_derive_psk(const uint8_t resumption[static RECORD_HASH_SIZE], struct bytes nonce,
                       uint8_t psk[static RECORD_HASH_SIZE]);

/* A protected record with at most RECORD_PLAINTEXT_MAX bytes; writes them and RECORD_OVERHEAD to `out`. Returns the size. */
size_t record_seal(struct record_keys *keys, uint8_t type, struct bytes plaintext, uint8_t *out);
/*
 * Opens a whole protected record in place. True: `plaintext` is a view into it and `type` the inner one. False: it is
 * forged, or empty.
 */
bool record_open(struct record_keys *keys, uint8_t *record, size_t size, uint8_t *type, struct bytes *plaintext);

#endif
