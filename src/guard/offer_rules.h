/* The rules of TLS by which this server can take what a client offers, or not, before any key is touched. */
#ifndef GUARD_OFFER_RULES_H
#define GUARD_OFFER_RULES_H

#include "guard/offer.h"

/*
 * Requires a version, and for it a cipher suite, group and signature scheme that this server has, and what the version
 * itself demands of a ClientHello. True: `tls13`, `keys`, `first_ticket`, `resumable`, `lacks_curve`, `could_be_hybrid` and
 * `early_data` of `hello` are filled. False: `alert` and `fault` are.
 */
bool offer_rules_check(const struct offer *offer, struct hello *hello);

#endif
