#include "config/units.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint64_t number_max = 1000000000000000;

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first, for format_with_unit. */
static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit size_units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};

/* Reads the digits at the front. Returns what follows them, or NULL. */
static const char *take_digits(const char *text, uint64_t *number) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 16 || (text[0] == '0' && digits > 1)) {
        return NULL;
    }
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return *number > number_max ? NULL : text + digits;
}

bool units_parse_number(const char *text, uint64_t *number) {
    const char *rest = take_digits(text, number);
    return rest != NULL && *rest == '\0';
}

static bool parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *value) {
    const char *rest = take_digits(text, value);
    if (rest == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rest, units[i].name) == 0) {
            if (*value > number_max / units[i].factor) {
                return false;
            }
            *value *= units[i].factor;
            return true;
        }
    }
    return false;
}

bool units_parse_duration(const char *text, uint64_t *milliseconds) {
    if (strcmp(text, "0") == 0) {
        *milliseconds = 0;
        return true;
    }
    return parse_with_unit(text, duration_units, ARRAY_LENGTH(duration_units), milliseconds);
}

bool units_parse_seconds(const char *text, uint64_t *seconds) {
    uint64_t milliseconds;
    bool is_whole = units_parse_duration(text, &milliseconds) && milliseconds % UNITS_SECOND_MS == 0;
    *seconds = is_whole ? milliseconds / UNITS_SECOND_MS : 0;
    return is_whole;
}

bool units_parse_size(const char *text, uint64_t *bytes) {
    return parse_with_unit(text, size_units, ARRAY_LENGTH(size_units), bytes);
}

static void format_with_unit(uint64_t value, const struct unit *units, char text[static UNITS_TEXT_SIZE]) {
    while (value % units->factor != 0) {
        units++;
    }
    if (value == 0) {
        snprintf(text, UNITS_TEXT_SIZE, "0");
    } else {
        snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value / units->factor, units->name);
    }
}

void units_format_number(uint64_t number, char text[static UNITS_TEXT_SIZE]) {
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, number);
}

void units_format_duration(uint64_t milliseconds, char text[static UNITS_TEXT_SIZE]) {
    format_with_unit(milliseconds, duration_units + 1, text);
}

void units_format_seconds(uint64_t seconds, char text[static UNITS_TEXT_SIZE]) {
    format_with_unit(seconds * UNITS_SECOND_MS, duration_units, text);
}

void units_format_size(uint64_t bytes, char text[static UNITS_TEXT_SIZE]) {
    format_with_unit(bytes, size_units, text);
}
