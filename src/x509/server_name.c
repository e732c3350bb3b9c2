#include "x509/server_name.h"

#include "x509/general_name.h"

/* Returns the part behind the first label, with its dot; empty when there is none. */
static struct bytes behind_first_label(struct bytes name) {
    const uint8_t *dot = name.size == 0 ? NULL : memchr(name.data, '.', name.size);
    return dot == NULL ? bytes_of(NULL, 0) : bytes_of(dot, name.size - (size_t)(dot - name.data));
}

static bool is_wildcard(struct bytes name) {
    return name.size > 2 && name.data[0] == '*' && name.data[1] == '.';
}

static bool matches(struct bytes presented, struct bytes name) {
    if (bytes_equal_ignoring_case(presented, name)) {
        return true;
    }
    struct bytes domain = behind_first_label(name);
    return is_wildcard(presented) && !is_wildcard(name) && domain.size > 0 &&
           bytes_equal_ignoring_case(behind_first_label(presented), domain);
}

bool server_name_is_covered(const struct certificate *certificate, const char *name) {
    struct bytes names = certificate->san;
    struct bytes presented;
    uint8_t tag;
    while (general_name_next(&names, &tag, &presented)) {
        if (tag == GENERAL_NAME_DNS && matches(presented, bytes_of_string(name))) {
            return true;
        }
    }
    return false;
}

/* Tells whether there is an IP address, and one that is `wanted`, unless that is empty. */
static bool find_address(const struct certificate *certificate, struct bytes wanted) {
    struct bytes names = certificate->san;
    struct bytes value;
    uint8_t tag;
    while (general_name_next(&names, &tag, &value)) {
        if (tag == GENERAL_NAME_IP && (wanted.size == 0 || bytes_equal(value, wanted))) {
            return true;
        }
    }
    return false;
}

bool server_name_has_ip(const struct certificate *certificate) {
    return find_address(certificate, (struct bytes){0});
}

bool server_name_has_address(const struct certificate *certificate, struct bytes address) {
    return address.size > 0 && find_address(certificate, address);
}

void server_name_append_all(struct text *out, const struct certificate *certificate) {
    struct bytes names = certificate->san;
    const char *joint = "\"";
    struct bytes value;
    uint8_t tag;
    while (general_name_next(&names, &tag, &value)) {
        if (tag != GENERAL_NAME_DNS && tag != GENERAL_NAME_IP) {
            continue;
        }
        text_append_string(out, joint);
        if (tag == GENERAL_NAME_DNS) {
            text_append_bytes(out, value);
        } else {
            general_name_append_ip(out, value);
        }
        text_append_string(out, "\"");
        joint = ", \"";
    }
}
