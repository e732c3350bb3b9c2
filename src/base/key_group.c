#include "base/key_group.h"

#include <strings.h>

#define KEY_GROUP_ROW(NAME, number, text, share_size, is_hybrid) [KEY_GROUP_##NAME] = {text, number, share_size, is_hybrid},
static const struct {
    const char *name;
    uint16_t number;
    uint16_t share_size;
    bool is_hybrid;
} groups[] = {KEY_GROUPS(KEY_GROUP_ROW)[KEY_GROUP_NONE] = {"none", 0, 0, false}};

enum key_group key_group_of(uint16_t number) {
    unsigned group = 0;
    while (group < KEY_GROUP_NONE && groups[group].number != number) {
        group++;
    }
    return (enum key_group)group;
}

enum key_group key_group_find(const char *name) {
    unsigned group = 0;
    while (group < KEY_GROUP_NONE && (name == NULL || strcasecmp(groups[group].name, name) != 0)) {
        group++;
    }
    return (enum key_group)group;
}

const char *key_group_name(enum key_group group) {
    return groups[group].name;
}

uint16_t key_group_number(enum key_group group) {
    return groups[group].number;
}

size_t key_group_share_size(enum key_group group) {
    return groups[group].share_size;
}

bool key_group_is_hybrid(enum key_group group) {
    return groups[group].is_hybrid;
}
