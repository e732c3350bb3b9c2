#include "config/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(memory, is_zeroed) {
    unsigned char *memory = memory_allocate(100, 3);
    for (size_t i = 0; i < 300; i++) {
        cr_assert_eq(memory[i], 0);
    }
    free(memory);
    free(memory_allocate(0, 8));
}

Test(memory, copies_strings) {
    char text[] = "text";
    char *copy = memory_copy_string(text);
    text[0] = 'n';
    cr_assert_str_eq(copy, "text");
    free(copy);
    copy = memory_copy_string("");
    cr_assert_str_eq(copy, "");
    free(copy);
}

Test(memory, copies_in_lower_case) {
    char *copy = memory_copy_lower_case("*.API-1_x.Example@[`{\xc3\x89");
    cr_assert_str_eq(copy, "*.api-1_x.example@[`{\xc3\x89");
    free(copy);
}
