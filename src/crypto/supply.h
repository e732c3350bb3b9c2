/*
 * Ephemeral keys, and ECDSA signatures but for their last step: handshakes need them, and they do not depend on any. A
 * shard makes them ahead, eight at a time, so that each costs an eighth of a call of crypto/lanes, however few handshakes
 * come; and no handshake pauses for one. Each is given away once, and wiped here.
 *
 * A kind is made from its first use on. All of it is one thread's: each thread may have one supply. The stock is as secret
 * as the server's keys: a nonce that leaks gives away the key of the signature that it is used for.
 */
#ifndef CRYPTO_SUPPLY_H
#define CRYPTO_SUPPLY_H

#include "crypto/lanes.h"

struct supply;

/* Makes the thread's supply. NULL: batches are not wanted (crypto/batch), or there is no memory for it. */
struct supply *supply_create(void);
/* Wipes and frees it. NULL is allowed. */
void supply_destroy(struct supply *supply);

/* Returns whether there is room for eight more of a kind that is in use. */
bool supply_is_low(const struct supply *supply);
/* Makes eight of each kind of which there is room for them. */
void supply_replenish(struct supply *supply);

/*
 * These take from the thread's supply, and make eight more where it has run out. The time that making them has cost is
 * charged to those who take them (batch_charge). False: the thread has no supply, or this is the kind's first use.
 */

/* An X25519 key (RFC 7748), the private one clamped: 32 bytes each. The caller wipes it. */
bool supply_take_x25519(uint8_t private_key[static LANES_X25519_SIZE], uint8_t public_key[static LANES_X25519_SIZE]);
/* A key on the curve: the private one big-endian, of the curve's size, the public one an uncompressed point. */
bool supply_take_ec_key(enum lanes_curve curve, uint8_t private_key[static LANES_EC_SIZE_MAX],
                        uint8_t point[static LANES_EC_POINT_MAX]);
/*
 * Signs the digest with a nonce of the supply. False, too, for what lanes_ecdsa_finish does not find good: the nonce is
 * wiped, and the caller signs with another one.
 */
bool supply_sign(enum lanes_curve curve, struct bytes digest, const uint8_t *private_key,
                 uint8_t signature[static 2 * LANES_EC_SIZE_MAX]);

#endif
