#include "base/host_name.h"

enum host_name_fault host_name_fold(struct bytes name, char folded[static HOST_NAME_SIZE]) {
    enum host_name_fault fault = HOST_NAME_GOOD;
    uint8_t previous = '.';

    folded[0] = '\0';
    if (name.size > 0 && name.data[name.size - 1] == '.') {
        name.size--;
    }
    if (name.size == 0) {
        return HOST_NAME_EMPTY;
    }
    if (name.size >= HOST_NAME_SIZE) {
        return HOST_NAME_TOO_LONG;
    }
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = ascii_lower(name.data[i]);
        if (c == '.' && previous == '.') {
            fault = HOST_NAME_EMPTY_LABEL;
        } else if (c != '.' && !host_name_has(c)) {
            folded[0] = '\0';
            return HOST_NAME_CHARACTER;
        }
        folded[i] = (char)c;
        previous = c;
    }
    folded[name.size] = '\0';
    return previous == '.' ? HOST_NAME_EMPTY_LABEL : fault;
}
