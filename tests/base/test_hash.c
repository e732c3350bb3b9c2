#include "base/hash.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Test(hash, before_the_secret_is_drawn_it_aborts, .signal = SIGABRT) {
    hash_bytes("x", 1);
}

Test(hash, equal_bytes_hash_alike_and_others_do_not) {
    hash_init();
    uint8_t data[512];
    memset(data, 0, sizeof data);
    for (size_t size = 0; size < sizeof data; size++) {
        cr_assert_eq(hash_bytes(data, size), hash_bytes(data, size));
        cr_assert_neq(hash_bytes(data, size), hash_bytes(data, size + 1), "%zu zeros and one more", size);
    }
}

Test(hash, each_process_has_its_own_secret) {
    /* Two children that hash the same bytes: 64-bit hashes under two secrets are equal once in 2^64. */
    uint64_t hashes[2];
    for (int i = 0; i < 2; i++) {
        int ends[2];
        cr_assert_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            hash_init();
            uint64_t hash = hash_bytes("the same bytes", 14);
            _exit(write(ends[1], &hash, sizeof hash) == sizeof hash ? 0 : 1);
        }
        cr_assert_eq(read(ends[0], &hashes[i], sizeof hashes[i]), (ssize_t)sizeof hashes[i]);
        cr_assert_eq(waitpid(child, NULL, 0), child);
    }
    cr_assert_neq(hashes[0], hashes[1]);
}

/* The value is that of XXH3's own test program for an empty input. */
Test(hash, without_a_secret_all_processes_agree) {
    cr_assert_eq(hash_fixed("", 0), UINT64_C(0x2d06800538d394c2));
    cr_assert_neq(hash_fixed("10.0.0.1:80", 11), hash_fixed("10.0.0.2:80", 11));
}
