/*
 * Certification paths: from the leaf over whatever intermediates were presented, in any order, to one of the configured
 * roots (building after RFC 4158, validation after RFC 5280 section 6 without policies). All candidates of a name are tried;
 * the work is bounded whatever is sent; nothing is allocated.
 *
 * The reason is the first fault on the path from the root down to the leaf, in one certificate its signature and key first,
 * then its dates, then whether it is revoked, then its usage. Where several paths fail, the one that got furthest towards
 * the leaf is reported.
 */
#ifndef PATH_PATH_H
#define PATH_PATH_H

#include "base/text.h"
#include "path/path_verdict.h"

/* Judges a chain of which path_read_chain has read all. */
void path_judge(struct path_chain *chain, const struct path_settings *settings, struct path_verdict *verdict);

/* Appends the reason for people: one sentence of printable UTF-8 without a full stop. Nothing for REASON_OK. */
void path_append_detail(struct text *out, const struct path_verdict *verdict, size_t depth_max);

#endif
