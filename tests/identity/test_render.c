/* Fields against what openssl says of the same certificates: corpus/fields. */
#include "identity/identity.h"
#include "identity/render.h"
#include "support.h"

/* Every field that a certificate can have, so that one too many is seen. */
enum { NAMES_MAX = 64 };
static char names[NAMES_MAX][FIELD_NAME_SIZE];
static size_t name_count;

static void list_names(void) {
    static const char *const extensions[] = {"ext:1.3.6.1.4.1.99999.7", "ext:1.2.3"};
    name_count = 0;
    struct field field;
    for (size_t i = 0; field_name_at(i, names[name_count]); i++) {
        cr_assert(field_parse(names[name_count], &field), "%s", names[name_count]);
        name_count += field_source(&field) == FIELD_OF_CERTIFICATE;
        cr_assert_lt(name_count, NAMES_MAX - 2);
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(names[name_count++], FIELD_NAME_SIZE, "%s", extensions[i]);
    }
    cr_assert_eq(name_count, 19 + 2 * 10 + 2);
}

static struct identity *judge(struct forward *forward, const char *file) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/fields", file, chain);
    struct trust *trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = forward};
    struct identity *identity = identity_judge(&policy, chain, count, false, 1780315200);
    cr_assert_eq(identity->reason, REASON_OK, "%s: %s", file, identity->detail);
    support_free_chain(chain, count);
    trust_free(trust);
    return identity;
}

/* The line of `name` in a text of "name: value" lines. */
static bool find_line(struct bytes text, const char *name, const char *end, struct bytes *value) {
    size_t name_size = strlen(name);
    for (const char *at = (const char *)text.data, *stop = at + text.size; at < stop;) {
        const char *line_end = memmem(at, (size_t)(stop - at), end, strlen(end));
        cr_assert(line_end != NULL);
        if (strncmp(at, name, name_size) == 0 && strncmp(at + name_size, ": ", 2) == 0) {
            *value = bytes_of(at + name_size + 2, (size_t)(line_end - at) - name_size - 2);
            return true;
        }
        at = line_end + strlen(end);
    }
    return false;
}

static void compare(const char *label) {
    struct forward_header headers[NAMES_MAX];
    struct forward forward = {headers, name_count};
    for (size_t i = 0; i < name_count; i++) {
        headers[i] = (struct forward_header){.name = names[i]};
        cr_assert(field_parse(names[i], &headers[i].field), "%s", names[i]);
    }
    char file[64];
    snprintf(file, sizeof file, "%s.txt", label);
    struct bytes expected_text = support_read(CORPUS "/fields", file);
    snprintf(file, sizeof file, "%s.pem", label);
    struct identity *identity = judge(&forward, file);
    for (size_t i = 0; i < name_count; i++) {
        struct bytes expected = {NULL, 0};
        struct bytes found = {NULL, 0};
        bool is_expected = find_line(expected_text, names[i], "\n", &expected);
        bool is_found = find_line(identity->headers, names[i], "\r\n", &found);
        cr_expect_eq(is_found, is_expected, "%s of %s: %s", names[i], label, is_found ? "is there" : "is missing");
        cr_expect(bytes_equal(found, expected), "%s of %s: %.*s, not %.*s", names[i], label, (int)found.size,
                  (const char *)found.data, (int)expected.size, (const char *)expected.data);
    }
    identity_release(identity);
    support_free(expected_text);
}

Test(render, says_what_openssl_says) {
    static const char *const labels[] = {"full", "plain", "negative", "zero", "long-serial", "odd", "nameless"};
    list_names();
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        compare(labels[i]);
    }
}
