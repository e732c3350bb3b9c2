/* The verdicts are tested in tests/path; here: arguments, files, exit codes and what is printed. */
#include "command/verify.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 12, OUTPUT_SIZE = 64 * 1024 };

#define ROOT  CORPUS "/roots/root.pem"
#define OTHER CORPUS "/roots/other.pem"
#define CHAIN CORPUS "/chains/one-intermediate.pem"
#define AT    "2026-06-01T12:00:00Z"

static char output[OUTPUT_SIZE];

/* From here on the descriptor is a file of its own; returns what it was. */
static int redirect(int descriptor, FILE **file) {
    int before = dup(descriptor);
    *file = tmpfile();
    cr_assert(before >= 0 && *file != NULL && dup2(fileno(*file), descriptor) == descriptor);
    return before;
}

static void restore(int descriptor, int before) {
    dup2(before, descriptor);
    close(before);
}

/* Runs it with up to ARGUMENTS_MAX arguments; what it printed on stdout is in `output` after 0 and 1, of stderr after 2. */
static int run(const char *const *arguments) {
    char *argv[ARGUMENTS_MAX + 2] = {(char *)"verify"};
    int argc = 1;
    char copies[ARGUMENTS_MAX][256];
    for (; arguments[argc - 1] != NULL; argc++) {
        snprintf(copies[argc - 1], sizeof copies[0], "%s", arguments[argc - 1]);
        argv[argc] = copies[argc - 1];
    }
    fflush(NULL);
    FILE *files[2];
    int before[2] = {redirect(STDOUT_FILENO, &files[0]), redirect(STDERR_FILENO, &files[1])};
    int status = command_verify(argc, argv);
    fflush(NULL);
    restore(STDOUT_FILENO, before[0]);
    restore(STDERR_FILENO, before[1]);
    FILE *wanted = files[status == 2 ? 1 : 0];
    rewind(wanted);
    output[fread(output, 1, sizeof output - 1, wanted)] = '\0';
    fclose(files[0]);
    fclose(files[1]);
    return status;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

Test(verify, valid_is_0_and_prints_every_field_on_a_line) {
    cr_assert_eq(RUN("--ca", ROOT, "--at", AT, CHAIN), 0);
    cr_assert_eq(strncmp(output, "status: valid\nreason: ok\naki: ", 30), 0, "%s", output);
    cr_assert(strstr(output, "\nsubject.dn: CN=leaf,O=Corpus\n") != NULL);
    cr_assert(strstr(output, "\nnot_after: 2040-01-01T00:00:00Z\n") != NULL);
    cr_assert(strstr(output, "\nrfc9440.chain: :") != NULL);
    cr_assert(strchr(output, '\r') == NULL);
}

Test(verify, invalid_is_1_and_says_why) {
    cr_assert_eq(RUN("--ca", OTHER, "--at", AT, CHAIN), 1);
    cr_assert_eq(strncmp(output, "status: invalid\nreason: unknown_issuer\ndetail: ", 47), 0, "%s", output);
}

Test(verify, several_ca_files_count_together) {
    cr_assert_eq(RUN("--ca", OTHER, "--ca", ROOT, "--at", AT, CHAIN), 0);
}

Test(verify, json_is_one_object) {
    cr_assert_eq(RUN("--json", "--ca", ROOT, "--at", AT, CORPUS "/chains/expired.pem"), 1);
    cr_assert_eq(strncmp(output, "{\"status\": \"invalid\", \"reason\": \"expired\", \"detail\": \"\\\"CN=leaf", 61), 0,
                 "%s", output);
    cr_assert_str_eq(output + strlen(output) - 3, "\"}\n");
    cr_assert(strchr(output, '\n') == output + strlen(output) - 1);
}

Test(verify, at_sets_the_time) {
    cr_assert_eq(RUN("--ca", ROOT, "--at", "2019-12-31T23:59:59Z", CHAIN), 1);
    cr_assert(strstr(output, "reason: not_yet_valid\n") != NULL);
    cr_assert_eq(RUN("--ca", ROOT, "--at", "2020-01-01T00:00:00Z", CHAIN), 0);
}

Test(verify, max_depth_counts_intermediates_and_leaf) {
    cr_assert_eq(RUN("--ca", ROOT, "--at", AT, "--max-depth", "1", CHAIN), 1);
    cr_assert(strstr(output, "reason: chain_too_long\n") != NULL);
    cr_assert_eq(RUN("--ca", ROOT, "--at", AT, "--max-depth", "2", CHAIN), 0);
}

Test(verify, unusable_arguments_are_2) {
    cr_assert_eq(RUN(CHAIN), 2);
    cr_assert(strstr(output, "--ca FILE is missing") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", ROOT), 2);
    cr_assert(strstr(output, "CHAIN is missing") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", ROOT, CHAIN, CHAIN), 2);
    cr_assert_eq(RUN("--ca", ROOT, "--at", "yesterday", CHAIN), 2);
    cr_assert_eq(RUN("--ca", ROOT, "--max-depth", "0", CHAIN), 2);
    cr_assert_eq(RUN("--ca", ROOT, "--max-depth", "17", CHAIN), 2);
    cr_assert_eq(RUN("--ca", ROOT, "--max-depth", "4x", CHAIN), 2);
    cr_assert_eq(RUN("--what", CHAIN), 2);
    cr_assert(strstr(output, "\"--what\"") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca"), 2);
}

Test(verify, unusable_files_are_2_and_named) {
    cr_assert_eq(RUN("--ca", CORPUS "/missing.pem", CHAIN), 2);
    cr_assert(strstr(output, "/missing.pem: ") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", CHAIN, CHAIN), 2);
    cr_assert(strstr(output, "not a CA") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", ROOT, CORPUS "/cases.csv"), 2);
    cr_assert(strstr(output, "cases.csv: ") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", ROOT, CORPUS), 2);
}

#define DATA   CONFIG_DATA
#define THEN   "2030-01-01T00:00:00Z"
#define SIGNER DATA "/root.pem"
#define SERVER DATA "/server.pem"

/* A server's chain of three: unfit for clients, and its intermediate has no list. */
Test(verify, lists_are_held_against_the_whole_chain) {
    cr_assert_eq(RUN("--ca", SIGNER, "--at", THEN, SERVER), 1);
    cr_assert(strstr(output, "reason: wrong_usage\n") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", SIGNER, "--at", THEN, "--crl", DATA "/root.crl", SERVER), 1);
    cr_assert(strstr(output, "reason: crl_missing\ndetail: a CRL of \"CN=intermediate,") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", SIGNER, "--at", THEN, "--crl", DATA "/root2.der.crl", SERVER), 1);
    cr_assert(strstr(output, "reason: crl_missing\ndetail: a CRL of \"CN=root,") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", SIGNER, "--crl", DATA "/root.crl", "--at", "2120-06-01T00:00:00Z", SERVER), 1);
    cr_assert(strstr(output, "reason: crl_stale\ndetail: the CRL of \"CN=root,") != NULL, "%s", output);
    cr_assert_eq(
        RUN("--json", "--at", THEN, "--ca", SIGNER, "--crl", DATA "/root2.der.crl", "--crl", DATA "/root.crl", SERVER), 1);
    cr_assert_eq(strstr(output, "{\"status\": \"invalid\", \"reason\": \"crl_missing\", \"detail\": \""), output, "%s",
                 output);
}

Test(verify, unusable_lists_are_2_and_named) {
    cr_assert_eq(RUN("--ca", ROOT, "--crl", ROOT, CHAIN), 2);
    cr_assert(strstr(output, "root.pem: ") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", ROOT, "--crl", DATA "/missing.crl", CHAIN), 2);
    cr_assert(strstr(output, "missing.crl: cannot be opened") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", ROOT, "--crl", DATA "/half.crl", CHAIN), 2);
    cr_assert(strstr(output, "half.crl: ") != NULL, "%s", output);
    cr_assert_eq(RUN("--crl", DATA "/root.crl", "--crl", DATA "/forged.crl", "--ca", SIGNER, SERVER), 2);
    cr_assert(strstr(output, "/forged.crl: block 1 (line 1): not signed by the root of its issuer CN=root") != NULL, "%s",
              output);
    cr_assert_eq(RUN("--ca", ROOT, CHAIN, "--crl"), 2);
}

Test(verify, chains_over_the_servers_limit_are_too_large) {
    cr_assert_eq(RUN("--ca", CORPUS "/roots/fort.pem", "--at", AT, CORPUS "/chains/chain-of-16-kib.pem"), 0);
    cr_assert_eq(RUN("--ca", CORPUS "/roots/fort.pem", "--at", AT, CORPUS "/chains/chain-of-16-kib-and-1.pem"), 1);
    cr_assert(strstr(output, "reason: too_large\n") != NULL, "%s", output);
    cr_assert_eq(RUN("--ca", CORPUS "/roots/fort.pem", "--at", AT, CORPUS "/chains/chain-of-17-kib.pem"), 1);
    cr_assert(strstr(output, "reason: too_large\n") != NULL, "%s", output);
}

Test(verify, a_malformed_certificate_is_a_verdict) {
    cr_assert_eq(RUN("--ca", ROOT, CORPUS "/chains/malformed-tail.pem"), 1);
    cr_assert(strstr(output, "reason: malformed\n") != NULL);
}

Test(verify, help_is_0) {
    cr_assert_eq(RUN("--help"), 0);
    cr_assert_eq(strncmp(output, "usage: sallyport verify", 23), 0);
}
