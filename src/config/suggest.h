/* How far a word is from another, for "did you mean". */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

enum { SUGGEST_DISTANCE_MAX = 2 /* farther words are no typing errors */ };

/*
 * Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). Words that are longer than 40
 * bytes, or that have little in common, are UINT_MAX apart.
 */
unsigned suggest_distance(const char *word, const char *other);

/*
 * How well "other", a name whose parts have dots between them ("subject.cn"), may be what `word` means, from 0 for the best:
 * the same letters and digits, one part of it ("cn", "subject"), a typing error. UINT_MAX: hardly.
 */
unsigned suggest_rank(const char *word, const char *other);

#endif
