/* A host's roots: what the operator configured, matched by name and key. Immutable once built; shared by all shards. */
#ifndef IDENTITY_TRUST_H
#define IDENTITY_TRUST_H

#include "base/bytes.h"

enum { IDENTITY_ERROR_SIZE = 256 };

struct trust;

struct trust *trust_create(void);
void trust_free(struct trust *trust);

/*
 * Adds every certificate of a CA file: PEM with one or several blocks, or one DER certificate. All or nothing: 0, or
 * -EINVAL with one line in `error` that says which block is at fault, its line in the file and why (no certificate at
 * all, text that is no PEM, does not parse, is not a CA, key or signature algorithm not supported). Expired roots load:
 * their dates are judged at verification. The same root twice is kept once.
 */
int trust_add_file(struct trust *trust, struct bytes file, char error[static IDENTITY_ERROR_SIZE]);

size_t trust_count(const struct trust *trust);
/* The DER subject Name of root `index`, for the CertificateRequest. Lives as long as the store. */
struct bytes trust_name(const struct trust *trust, size_t index);
/* notAfter of root `index`, seconds since the epoch. */
int64_t trust_not_after(const struct trust *trust, size_t index);

#endif
