#include "config/suggest.h"

#include "base/ascii.h"

#include <limits.h>
#include <string.h>

enum { WORD_MAX = 40 };

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

unsigned suggest_distance(const char *word, const char *other) {
    size_t rows = strlen(word);
    size_t columns = strlen(other);
    if (rows > WORD_MAX || columns > WORD_MAX) {
        return UINT_MAX;
    }
    unsigned table[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= rows; i++) {
        table[i][0] = (unsigned)i;
    }
    for (size_t j = 0; j <= columns; j++) {
        table[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= rows; i++) {
        for (size_t j = 1; j <= columns; j++) {
            unsigned replaced = table[i - 1][j - 1] + (word[i - 1] != other[j - 1]);
            table[i][j] = least(replaced, least(table[i - 1][j], table[i][j - 1]) + 1);
            if (i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1]) {
                table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    /* In a short word a few letters are most of it: "ca" is not a slip of "ski". */
    return table[rows][columns] > columns / 2 ? UINT_MAX : table[rows][columns];
}

/* Copies the letters and digits of the first `size` bytes, in lower case; at most WORD_MAX of them. */
static void fold(const char *word, size_t size, char folded[static WORD_MAX + 1]) {
    size_t count = 0;
    for (size_t i = 0; i < size && count < WORD_MAX; i++) {
        if (ascii_is_alphanumeric((uint8_t)word[i])) {
            folded[count++] = (char)ascii_lower((uint8_t)word[i]);
        }
    }
    folded[count] = '\0';
}

unsigned suggest_rank(const char *word, const char *other) {
    enum { SAME, LAST_PART, FIRST_PART, FIRST_SLIP };
    char folded[WORD_MAX + 1];
    fold(word, strlen(word), folded);
    char folded_other[WORD_MAX + 1];
    fold(other, strlen(other), folded_other);
    if (folded[0] == '\0') {
        return UINT_MAX;
    }
    if (strcmp(folded, folded_other) == 0) {
        return SAME;
    }
    const char *dot = strchr(other, '.');
    char part[WORD_MAX + 1];
    if (dot != NULL) {
        fold(dot + 1, strlen(dot + 1), part);
        if (strcmp(folded, part) == 0) {
            return LAST_PART;
        }
        fold(other, (size_t)(dot - other), part);
        if (strcmp(folded, part) == 0) {
            return FIRST_PART;
        }
    }
    unsigned distance = suggest_distance(folded, folded_other);
    return distance > SUGGEST_DISTANCE_MAX ? UINT_MAX : FIRST_SLIP + distance;
}
