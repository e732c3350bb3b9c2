#include "config/suggest.h"

#include <limits.h>
#include <string.h>

enum { WORD_MAX = 40 };

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

unsigned suggest_distance(const char *word, const char *other) {
    size_t rows = strlen(word);
    size_t columns = strlen(other);
    if (rows > WORD_MAX || columns > WORD_MAX)
        return UINT_MAX;
    unsigned table[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= rows; i++)
        table[i][0] = (unsigned)i;
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++)
        for (size_t j = 1; j <= columns; j++) {
            unsigned replaced = table[i - 1][j - 1] + (word[i - 1] != other[j - 1]);
            table[i][j] = least(replaced, least(table[i - 1][j], table[i][j - 1]) + 1);
            if (i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1])
                table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1);
        }
    /* Of short words too much can be replaced: "ca" is not a slip of "ski". */
    return table[rows][columns] * 2 > columns ? UINT_MAX : table[rows][columns];
}
