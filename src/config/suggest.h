/* Tells how far a word is from another, for "did you mean". */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

enum { SUGGEST_DISTANCE_MAX = 2 /* farther words are no typing errors */ };

/*
 * Counts the letters to insert, remove, replace or swap with their neighbour (optimal string alignment). UINT_MAX for words
 * that are longer than 40 bytes, or that have little in common.
 */
unsigned suggest_distance(const char *word, const char *other);

/*
 * Ranks how likely `word` means `other`, a name whose parts have dots between them ("subject.cn"); 0 is the most likely. In
 * this order: the same letters and digits, one part of the name ("cn", "subject"), a typing error. UINT_MAX: it is unlikely.
 */
unsigned suggest_rank(const char *word, const char *other);

#endif
