/* How far a word is from another, for "did you mean". */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

enum { SUGGEST_DISTANCE_MAX = 2 /* farther words are no typing errors */ };

/*
 * Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). Words that are longer than 40
 * bytes, or that have little in common, are UINT_MAX apart.
 */
unsigned suggest_distance(const char *word, const char *other);

#endif
