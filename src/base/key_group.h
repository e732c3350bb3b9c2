/*
 * The groups of key exchange that this server has, the preferred first: numbers and names of IANA's "TLS Supported Groups",
 * which are also those of the contract, in fields, logs and metric labels.
 */
#ifndef BASE_KEY_GROUP_H
#define BASE_KEY_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * ROW(NAME, number, text, share_size, is_hybrid) is one group: KEY_GROUP_NAME, its number, its name, and the bytes of a
 * client's key share. Of a NIST curve the share is an uncompressed point (RFC 8446 section 4.2.8.2). A hybrid is for TLS 1.3
 * alone: its share has 1,184 bytes of ML-KEM-768 beside that of the curve (FIPS 203, draft-ietf-tls-ecdhe-mlkem).
 */
#define KEY_GROUPS(ROW)                                                                                                     \
    ROW(X25519MLKEM768, 0x11ec, "X25519MLKEM768", 1184 + 32, true)                                                          \
    ROW(SECP256R1MLKEM768, 0x11eb, "SecP256r1MLKEM768", 65 + 1184, true)                                                    \
    ROW(X25519, 0x001d, "x25519", 32, false)                                                                                \
    ROW(SECP256R1, 0x0017, "secp256r1", 65, false)                                                                          \
    ROW(SECP384R1, 0x0018, "secp384r1", 97, false)                                                                          \
    ROW(SECP521R1, 0x0019, "secp521r1", 133, false)

#define KEY_GROUP_ENUMERATOR(NAME, ...) KEY_GROUP_##NAME,
/* KEY_GROUP_NONE: no keys were exchanged, or not yet. */
enum key_group { KEY_GROUPS(KEY_GROUP_ENUMERATOR) KEY_GROUP_NONE, KEY_GROUP_COUNT };

/* Returns the group of a number; KEY_GROUP_NONE for one that this server does not have. */
enum key_group key_group_of(uint16_t number);
/* Returns the group of a name in any letter case; KEY_GROUP_NONE for any other text, and for NULL. */
enum key_group key_group_find(const char *name);

/* Return the parts of a row. Of KEY_GROUP_NONE the name is "none", the number and the size 0. The name is a static text. */
const char *key_group_name(enum key_group group);
uint16_t key_group_number(enum key_group group);
size_t key_group_share_size(enum key_group group);
bool key_group_is_hybrid(enum key_group group);

#endif
