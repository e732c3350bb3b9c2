#include "base/hash.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t header(const char *name) {
    return hash_header_name(name, strlen(name));
}

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

Test(hash, header_names_hash_alike_in_every_spelling) {
    hash_init();
    cr_assert_eq(header("X-Client-Cert-Status"), header("x_client_CERT-sTATUS"));
    cr_assert_eq(header("x-client-cert-status"), hash_bytes("x-client-cert-status", 20));
    cr_assert_neq(header("x-client-cert-status"), header("x-client-cert-statu"));
    /* Only letters have two cases: these differ in the same bit. */
    cr_assert_neq(header("a@"), header("a`"));
    cr_assert_neq(header("a["), header("a{"));
}

Test(hash, a_header_name_counts_for_its_first_256_bytes) {
    hash_init();
    char name[400];
    memset(name, 'n', sizeof name);
    uint64_t whole = hash_header_name(name, 256);
    name[256] = 'x';
    cr_assert_eq(hash_header_name(name, sizeof name), whole);
    cr_assert_neq(hash_header_name(name, 255), whole);
    name[255] = 'x';
    cr_assert_neq(hash_header_name(name, sizeof name), whole);
    cr_assert_eq(hash_header_name(NULL, 0), hash_bytes("", 0));
}
