#include "x509/der.h"

#include "base/calendar.h"

enum {
    /* Enough for each certificate, chain and CRL that is read here, and far from an overflow. */
    DER_LENGTH_BYTES_MAX = 4,
    /* An arc of an OID in base 128: 64 bits at most. */
    DER_ARC_BYTES_MAX = 9,
};

static bool read_length(struct bytes *in, size_t *length) {
    if (in->size == 0) {
        return false;
    }
    uint8_t first = in->data[0];
    *in = bytes_of(in->data + 1, in->size - 1);
    if (first < 0x80) {
        *length = first;
        return true;
    }
    size_t count = first & 0x7f;
    if (count == 0 || count > DER_LENGTH_BYTES_MAX || count > in->size || in->data[0] == 0) {
        return false;
    }
    size_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | in->data[i];
    }
    *in = bytes_of(in->data + count, in->size - count);
    *length = value;
    return value >= 0x80;
}

bool der_next(struct bytes *in, struct der *element) {
    const uint8_t *start = in->data;
    if (in->size < 2 || (start[0] & 0x1f) == 0x1f) {
        return false;
    }
    struct bytes rest = bytes_of(start + 1, in->size - 1);
    size_t length;
    if (!read_length(&rest, &length) || length > rest.size) {
        return false;
    }
    element->tag = start[0];
    element->content = bytes_of(rest.data, length);
    element->whole = bytes_of(start, (size_t)(rest.data - start) + length);
    *in = bytes_of(rest.data + length, rest.size - length);
    return true;
}

bool der_read(struct bytes *in, uint8_t tag, struct bytes *content) {
    struct der element;
    if (!der_next(in, &element) || element.tag != tag) {
        return false;
    }
    *content = element.content;
    return true;
}

bool der_read_optional(struct bytes *in, uint8_t tag, struct bytes *content, bool *present) {
    *present = in->size > 0 && in->data[0] == tag;
    *content = bytes_of(NULL, 0);
    return !*present || der_read(in, tag, content);
}

bool der_only(struct bytes whole, uint8_t tag, struct bytes *content) {
    return der_read(&whole, tag, content) && whole.size == 0;
}

bool der_read_boolean(struct bytes *in, bool *value) {
    struct bytes content;
    if (!der_read(in, DER_BOOLEAN, &content) || content.size != 1 || (content.data[0] != 0 && content.data[0] != 0xff)) {
        return false;
    }
    *value = content.data[0] != 0;
    return true;
}

bool der_read_integer(struct bytes *in, struct bytes *content) {
    if (!der_read(in, DER_INTEGER, content) || content->size == 0) {
        return false;
    }
    if (content->size == 1) {
        return true;
    }
    bool negative = (content->data[1] & 0x80) != 0;
    return content->data[0] != (negative ? 0xff : 0x00);
}

bool der_read_unsigned(struct bytes *in, struct bytes *magnitude) {
    if (!der_read_integer(in, magnitude) || (magnitude->data[0] & 0x80) != 0) {
        return false;
    }
    if (magnitude->size > 1 && magnitude->data[0] == 0) {
        *magnitude = bytes_of(magnitude->data + 1, magnitude->size - 1);
    }
    return true;
}

bool der_read_small(struct bytes *in, uint32_t *value) {
    struct bytes magnitude;
    if (!der_read_unsigned(in, &magnitude) || magnitude.size > 4 || (magnitude.size == 4 && magnitude.data[0] >= 0x80)) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < magnitude.size; i++) {
        *value = *value << 8 | magnitude.data[i];
    }
    return true;
}

bool der_oid_is_valid(struct bytes oid) {
    if (oid.size == 0 || (oid.data[oid.size - 1] & 0x80) != 0) {
        return false;
    }
    size_t arc = 0;
    for (size_t i = 0; i < oid.size; i++) {
        if (arc == 0 && oid.data[i] == 0x80) {
            return false;
        }
        arc++;
        if (arc > DER_ARC_BYTES_MAX) {
            return false;
        }
        if ((oid.data[i] & 0x80) == 0) {
            arc = 0;
        }
    }
    return true;
}

bool der_read_oid(struct bytes *in, struct bytes *oid) {
    return der_read(in, DER_OID, oid) && der_oid_is_valid(*oid);
}

bool der_read_bits(struct bytes *in, struct bytes *bits, unsigned *unused) {
    struct bytes content;
    if (!der_read(in, DER_BIT_STRING, &content) || content.size == 0 || content.data[0] > 7) {
        return false;
    }
    *unused = content.data[0];
    *bits = bytes_of(content.data + 1, content.size - 1);
    if (bits->size == 0) {
        return *unused == 0;
    }
    return (bits->data[bits->size - 1] & ((1u << *unused) - 1)) == 0;
}

static bool two_digits(const uint8_t *digits, unsigned *value) {
    if (digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9') {
        return false;
    }
    *value = (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
    return true;
}

bool der_read_time(struct bytes *in, int64_t *seconds) {
    struct der element;
    if (!der_next(in, &element)) {
        return false;
    }
    const uint8_t *digits = element.content.data;
    unsigned century;
    unsigned year;
    if (element.tag == DER_UTC_TIME && element.content.size == 13) {
        if (!two_digits(digits, &year)) {
            return false;
        }
        year += year >= 50 ? 1900 : 2000;
        digits += 2;
    } else if (element.tag == DER_GENERALIZED_TIME && element.content.size == 15) {
        if (!two_digits(digits, &century) || !two_digits(digits + 2, &year)) {
            return false;
        }
        year += century * 100;
        digits += 4;
    } else {
        return false;
    }
    unsigned field[5]; /* month, day, hour, minute, second */
    for (size_t i = 0; i < 5; i++) {
        if (!two_digits(digits + 2 * i, &field[i])) {
            return false;
        }
    }
    if (digits[10] != 'Z' || field[0] < 1 || field[0] > 12 || field[1] < 1 ||
        field[1] > calendar_month_days(year, field[0]) || field[2] > 23 || field[3] > 59 || field[4] > 59) {
        return false;
    }
    *seconds = calendar_days(year, field[0], field[1]) * CALENDAR_DAY_S + (int64_t)field[2] * 3600 + (int64_t)field[3] * 60 +
               field[4];
    return true;
}
