#include "support.h"
#include "x509/oid.h"
#include "x509/signature.h"

#include <stdio.h>
#include <stdlib.h>

/* ML-DSA against the vectors of Project Wycheproof, by the functions that judge certificates. */

enum { LINE_MAX_SIZE = 1 << 16 };

/* Decodes hex in place. */
static struct bytes decode(char *text) {
    if (strcmp(text, "-") == 0) {
        return bytes_of(text, 0);
    }
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned value;
        cr_assert_eq(sscanf(text + 2 * i, "%2x", &value), 1);
        text[i] = (char)value;
    }
    return bytes_of(text, size);
}

/* Returns memory of exactly the view's size, so that a read behind it is found. */
static struct bytes copy_of(struct bytes bytes) {
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    return bytes_of(copy, bytes.size);
}

static bool verify(struct bytes oid, struct bytes key_bytes, struct bytes message, struct bytes signature) {
    const struct certificate certificate = {.key_algorithm = {oid, bytes_of(NULL, 0)}, .key = key_bytes};
    struct signature_algorithm algorithm;
    struct signature_key key;
    cr_assert_eq(signature_judge_algorithm(&certificate.key_algorithm, &algorithm), REASON_OK);
    enum reason reason = signature_judge_key(&certificate, &key);
    if (!signature_key_can_verify(&key, reason)) {
        cr_expect_eq(reason, REASON_MALFORMED);
        return false;
    }
    return signature_verify(&key, &algorithm, message, signature);
}

static void hold_against(const char *path, struct bytes oid, unsigned least) {
    static char line[LINE_MAX_SIZE];
    unsigned counts[2] = {0};
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        char *words[6];
        char *rest = line;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            words[i] = strtok_r(i == 0 ? line : NULL, " \n", &rest);
            cr_assert_not_null(words[i]);
        }
        /* Certificates and TLS have an empty context: a signature with another one is none. */
        bool expected = strcmp(words[1], "valid") == 0 && strcmp(words[4], "-") == 0;
        struct bytes key = copy_of(decode(words[2]));
        struct bytes message = copy_of(decode(words[3]));
        struct bytes signature = copy_of(decode(words[5]));
        cr_expect_eq(verify(oid, key, message, signature), expected, "%s, test %s", path, words[0]);
        counts[expected]++;
        free((void *)key.data);
        free((void *)message.data);
        free((void *)signature.data);
    }
    fclose(file);
    cr_expect(counts[0] >= least && counts[1] >= least, "%u and %u", counts[0], counts[1]);
}

Test(signature_ml_dsa, wycheproof_44) {
    hold_against(VECTORS "/mldsa_44_verify_test.txt", OID_ML_DSA_44, 30);
}

Test(signature_ml_dsa, wycheproof_65) {
    hold_against(VECTORS "/mldsa_65_verify_test.txt", OID_ML_DSA_65, 30);
}

Test(signature_ml_dsa, wycheproof_87) {
    hold_against(VECTORS "/mldsa_87_verify_test.txt", OID_ML_DSA_87, 30);
}

/* RFC 9881 sections 2 and 4. */
Test(signature_ml_dsa, algorithms_and_keys_have_no_parameters) {
    static uint8_t octets[2600];
    static const struct {
        struct bytes oid;
        size_t size;
        enum signature_kind kind;
    } sets[] = {
        {OID_ML_DSA_44, 1312, SIGNATURE_ML_DSA_44},
        {OID_ML_DSA_65, 1952, SIGNATURE_ML_DSA_65},
        {OID_ML_DSA_87, 2592, SIGNATURE_ML_DSA_87},
    };
    struct bytes null = SUPPORT_BYTES("\x05\x00");
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct algorithm bare = {sets[i].oid, bytes_of(NULL, 0)};
        struct algorithm with_null = {sets[i].oid, null};
        struct signature_algorithm algorithm;
        struct signature_key key;
        cr_expect_eq(signature_judge_algorithm(&bare, &algorithm), REASON_OK);
        cr_expect(algorithm.kind == sets[i].kind && algorithm.hash == SIGNATURE_HASH_NONE);
        cr_expect_eq(signature_digest_size(&algorithm), 0);
        cr_expect_eq(signature_judge_algorithm(&with_null, &algorithm), REASON_MALFORMED);

        struct certificate certificate = {.key_algorithm = bare, .key = bytes_of(octets, sets[i].size)};
        cr_expect_eq(signature_judge_key(&certificate, &key), REASON_OK);
        cr_expect(key.algorithm.kind == sets[i].kind && signature_is_ml_dsa(&key));
        certificate.key.size--;
        cr_expect_eq(signature_judge_key(&certificate, &key), REASON_MALFORMED);
        certificate.key.size += 2;
        cr_expect_eq(signature_judge_key(&certificate, &key), REASON_MALFORMED);
        certificate.key.size--;
        certificate.key_algorithm = with_null;
        cr_expect_eq(signature_judge_key(&certificate, &key), REASON_MALFORMED);
    }
    /* HashML-DSA, of which no certificate has a signature (RFC 9881 section 3). */
    struct algorithm hashed = {SUPPORT_BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x20"), bytes_of(NULL, 0)};
    struct signature_algorithm algorithm;
    cr_expect_eq(signature_judge_algorithm(&hashed, &algorithm), REASON_WEAK_SIGNATURE);
}

Test(signature_ml_dsa, a_key_signs_by_its_own_parameters_alone) {
    static uint8_t octets[4627];
    const struct certificate certificate = {.key_algorithm = {OID_ML_DSA_44, bytes_of(NULL, 0)},
                                            .key = bytes_of(octets, 1312)};
    struct signature_key key;
    cr_assert_eq(signature_judge_key(&certificate, &key), REASON_OK);
    const struct signature_algorithm others[] = {{SIGNATURE_ML_DSA_65, SIGNATURE_HASH_NONE, 0},
                                                 {SIGNATURE_ED25519, SIGNATURE_HASH_NONE, 0},
                                                 {SIGNATURE_ECDSA, SIGNATURE_SHA256, 0}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_expect_not(signature_verify(&key, &others[i], bytes_of_string("x"), bytes_of(octets, 3309)));
    }
    cr_expect_not(signature_verify(&key, &key.algorithm, bytes_of_string("x"), bytes_of(octets, 0)));
}
