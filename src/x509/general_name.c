#include "x509/general_name.h"

#include "base/check.h"
#include "x509/der.h"
#include "x509/name.h"

#include <arpa/inet.h>

/* Names that go into headers and comparisons are printable ASCII: a NUL or a line break in one is an attack. */
static bool is_printable_ascii(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool is_valid(uint8_t tag, struct bytes value, size_t ip_size) {
    switch (tag) {
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_URI:
        return is_printable_ascii(value);
    case GENERAL_NAME_IP:
        return value.size == ip_size || value.size == 4 * ip_size;
    case GENERAL_NAME_DIRECTORY:
        return name_is_valid(value);
    case GENERAL_NAME_ID:
        return der_oid_is_valid(value);
    case GENERAL_NAME_OTHER:
    case GENERAL_NAME_X400:
    case GENERAL_NAME_EDI:
        return true;
    default:
        return false;
    }
}

static bool read_element(struct bytes *in, uint8_t *tag, struct bytes *content) {
    struct der element;
    if (!der_next(in, &element)) {
        return false;
    }
    *tag = element.tag;
    *content = element.content;
    return true;
}

bool general_name_read(struct bytes *in, size_t ip_size, uint8_t *tag, struct bytes *value) {
    return read_element(in, tag, value) && is_valid(*tag, *value, ip_size);
}

/* Fields minimum and maximum are used by no profile (RFC 5280 section 4.2.1.10): a subtree that has them is refused. */
bool general_name_read_subtree(struct bytes *in, uint8_t *tag, struct bytes *base) {
    struct bytes content;
    return der_read(in, DER_SEQUENCE, &content) && general_name_read(&content, GENERAL_NAME_IP_AND_MASK_SIZE, tag, base) &&
           content.size == 0;
}

bool general_name_next(struct bytes *names, uint8_t *tag, struct bytes *value) {
    if (names->size == 0) {
        return false;
    }
    CHECK(read_element(names, tag, value));
    return true;
}

bool general_name_next_subtree(struct bytes *subtrees, uint8_t *tag, struct bytes *base) {
    if (subtrees->size == 0) {
        return false;
    }
    struct bytes content;
    CHECK(der_read(subtrees, DER_SEQUENCE, &content));
    return general_name_next(&content, tag, base);
}

void general_name_append_ip(struct text *out, struct bytes address) {
    CHECK(address.size == 4 || address.size == 16);
    char text[INET6_ADDRSTRLEN];
    CHECK(inet_ntop(address.size == 4 ? AF_INET : AF_INET6, address.data, text, sizeof text) != NULL);
    text_append_string(out, text);
}
