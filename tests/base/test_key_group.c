#include "base/key_group.h"

#include <criterion/criterion.h>

Test(key_group, numbers_and_names_lead_to_the_same_group) {
    for (unsigned i = 0; i < KEY_GROUP_NONE; i++) {
        enum key_group group = (enum key_group)i;
        cr_expect_eq(key_group_of(key_group_number(group)), group);
        cr_expect_eq(key_group_find(key_group_name(group)), group);
    }
    cr_expect_eq(key_group_of(0x11ec), KEY_GROUP_X25519MLKEM768);
    cr_expect_eq(key_group_of(0x11eb), KEY_GROUP_SECP256R1MLKEM768);
    cr_expect_eq(key_group_find("SECP256R1"), KEY_GROUP_SECP256R1);
}

Test(key_group, others_are_none) {
    cr_expect_eq(key_group_of(0), KEY_GROUP_NONE);
    cr_expect_eq(key_group_of(0x11ed), KEY_GROUP_NONE, "SecP384r1MLKEM1024");
    cr_expect_eq(key_group_of(0x0201), KEY_GROUP_NONE, "ML-KEM-768 alone");
    cr_expect_eq(key_group_find("x448"), KEY_GROUP_NONE);
    cr_expect_eq(key_group_find(NULL), KEY_GROUP_NONE);
    cr_expect_str_eq(key_group_name(KEY_GROUP_NONE), "none");
    cr_expect_eq(key_group_number(KEY_GROUP_NONE), 0);
    cr_expect_eq(key_group_share_size(KEY_GROUP_NONE), 0);
    cr_expect_not(key_group_is_hybrid(KEY_GROUP_NONE));
}
