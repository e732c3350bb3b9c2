/*
 * Hands wolfCrypt's public-key operations to crypto/batch: those with keys whose device is OFFLOAD_DEVICE. wolfCrypt asks
 * before it computes, and computes by itself what has no company. It pads and checks paddings in both cases.
 */
#ifndef CRYPTO_OFFLOAD_H
#define CRYPTO_OFFLOAD_H

#include "crypto/lanes.h"

enum { OFFLOAD_DEVICE = 0x53706f72 /* any number that is not INVALID_DEVID */ };

/*
 * Registers the device. Once for the process, behind wolfCrypt_Init or wolfSSL_Init. 0, or wolfCrypt's error. While it is
 * not registered, keys of the device are like others.
 */
int offload_register(void);

/* Returns the kind of an operation on the curve of this number in wolfCrypt; LANES_KINDS where lanes do not know the curve.
 */
enum lanes_kind offload_curve_kind(enum lanes_operation operation, int curve);

#endif
