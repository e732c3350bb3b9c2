#include "base/decimal.h"

#include <string.h>

enum { FRACTION_DIGITS = 9 };

char *decimal_write(char *end, uint64_t value) {
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

void decimal_write_seconds(char out[static DECIMAL_SECONDS_SIZE], uint64_t ns) {
    char digits[DECIMAL_SECONDS_SIZE];
    char *end = digits + sizeof digits;
    char *begin = decimal_write(end, ns);
    char *point = end - FRACTION_DIGITS;
    while (begin >= point) { /* at least one digit before the point */
        *--begin = '0';
    }
    while (end > point && end[-1] == '0') {
        end--;
    }
    size_t whole = (size_t)(point - begin);
    size_t fraction = (size_t)(end - point);
    memcpy(out, begin, whole);
    if (fraction > 0) {
        out[whole++] = '.';
        memcpy(out + whole, point, fraction);
    }
    out[whole + fraction] = '\0';
}
