#include "dns/srv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define NAME     "_http._tcp.app.internal"
#define SELF     "\xc0\x0c"     /* the name that was asked for */
#define DOMAIN   "\xc0\x17"     /* app.internal */
#define SRV_OF   "\0\x21\0\x01" /* type and class */
#define CNAME_OF "\0\x05\0\x01"
#define TTL(s)   "\0\0\0" s

static uint8_t message[4096];
static size_t size;
static struct srv_reader reader;
static struct srv_record record;

static void append(const void *data, size_t count) {
    cr_assert_leq(size + count, sizeof message);
    memcpy(message + size, data, count);
    size += count;
}

#define APPEND(text) append(text, sizeof(text) - 1)

static void begin(uint8_t records) {
    size = 0;
    APPEND("\0\x07\x81\x80\0\x01\0");
    append(&records, 1);
    APPEND("\0\0\0\0\5_http\4_tcp\3app\10internal\0\0\x21\0\x01");
}

static bool read_begin(void) {
    return srv_begin(&reader, message, size, NAME);
}

static void expect_record(uint16_t priority, uint16_t weight, uint16_t port, const char *target) {
    cr_assert_eq(srv_next(&reader, &record), 1);
    cr_expect_eq(record.priority, priority);
    cr_expect_eq(record.weight, weight);
    cr_expect_eq(record.port, port);
    cr_expect_str_eq(record.target, target);
}

Test(srv, records_with_names_in_full_and_compressed) {
    begin(3);
    APPEND(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1A" DOMAIN);
    APPEND("\5_HTTP\4_tcp" DOMAIN SRV_OF TTL("\x1e") "\0\x0b\0\1\xff\xff\x1f\x90\3b-1\0");
    APPEND(SELF SRV_OF TTL("\x28") "\0\x07\0\0\0\0\0\0\0");
    cr_assert(read_begin());
    expect_record(1, 2, 80, "a.app.internal");
    expect_record(1, 65535, 8080, "b-1");
    expect_record(0, 0, 0, "");
    cr_assert_eq(srv_next(&reader, &record), 0);
    cr_assert_eq(srv_next(&reader, &record), 0);
    cr_assert_eq(reader.ttl_s, 30);
}

Test(srv, aliases_are_followed_and_their_ttl_counts) {
    begin(3);
    APPEND(SELF CNAME_OF TTL("\x05") "\0\x04\1x" DOMAIN);
    APPEND("\1y" DOMAIN SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1a" DOMAIN);
    APPEND("\1x" DOMAIN CNAME_OF TTL("\x3c") "\0\x04\1y" DOMAIN);
    cr_assert(read_begin());
    cr_assert_str_eq(reader.owner, "y.app.internal");
    cr_assert_eq(reader.ttl_s, 5);
    expect_record(1, 2, 80, "a.app.internal");
    cr_assert_eq(srv_next(&reader, &record), 0);
}

Test(srv, a_ttl_with_its_highest_bit_is_0) {
    begin(1);
    APPEND(SELF SRV_OF "\x80\0\0\1\0\x0a\0\1\0\2\0\x50\1a" DOMAIN);
    cr_assert(read_begin());
    expect_record(1, 2, 80, "a.app.internal");
    cr_assert_eq(reader.ttl_s, 0);
}

Test(srv, loops_of_aliases_end) {
    begin(2);
    APPEND(SELF CNAME_OF TTL("\x05") "\0\x04\1x" DOMAIN);
    APPEND("\1x" DOMAIN CNAME_OF TTL("\x05") "\0\2" SELF);
    cr_assert_not(read_begin());
    begin(1);
    APPEND(SELF CNAME_OF TTL("\x05") "\0\2" SELF);
    cr_assert_not(read_begin());
}

/* Of each prefix of a good answer nothing is read beyond its end; without its last byte it is malformed. */
Test(srv, what_is_cut_is_refused) {
    begin(1);
    APPEND(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1a" DOMAIN);
    size_t whole = size;
    for (size = 0; size < whole; size++) {
        cr_expect_not(read_begin() && srv_next(&reader, &record) >= 0, "%zu", size);
    }
    cr_assert(read_begin());
}

static void expect_bad(const char *data, size_t data_size) {
    begin(1);
    append(data, data_size);
    cr_expect_not(read_begin() && srv_next(&reader, &record) >= 0);
}

#define EXPECT_BAD(text) expect_bad(text, sizeof(text) - 1)

Test(srv, lies_are_refused) {
    EXPECT_BAD("\1x" DOMAIN SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1a" DOMAIN); /* another owner */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\0\1a" DOMAIN);           /* port 0 */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x0b\0\1\0\2\0\x50\1a" DOMAIN "x");     /* bytes behind the target */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x09\0\1\0\2\0\x50\1a" DOMAIN);         /* a target beyond the data */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x06\0\1\0\2\0\x50");                   /* no target */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1/" DOMAIN);         /* no host name */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1." DOMAIN);         /* a dot within a label */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x08\0\1\0\2\0\x50\xc0\x3b");           /* a pointer to itself */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1a\xc0\x3b");        /* and to its own label */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x08\0\1\0\2\0\x50\xff\xff");           /* a pointer beyond the end */
    EXPECT_BAD(SELF SRV_OF TTL("\x3c") "\0\x09\0\1\0\2\0\x50\x41z\0");            /* a label of a kind that is not in use */
}

Test(srv, an_answer_to_another_question_is_none) {
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{2, 0x01}, {2, 0x83}, {3, 0x82}, {5, 0}, {5, 2}, {13, '-'}, {38, 1}, {40, 3}};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        begin(1);
        APPEND(SELF SRV_OF TTL("\x3c") "\0\x0a\0\1\0\2\0\x50\1a" DOMAIN);
        cr_assert(read_begin());
        message[changes[i].at] = changes[i].value;
        cr_expect_not(read_begin(), "%zu", i);
    }
}
