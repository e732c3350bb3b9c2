/* Whether this server can take up what a client offers, before any key is touched. */
#ifndef GUARD_JUDGE_H
#define GUARD_JUDGE_H

#include "guard/offer.h"

/*
 * Requires a version, and for it a cipher suite, group and signature scheme that this server has, and what the version
 * itself demands of a ClientHello. True: `tls13`, `tls12` and `ticket` of `hello` are filled. False: `alert` and `fault`
 * are.
 */
bool judge_offer(const struct offer *offer, struct hello *hello);

#endif
