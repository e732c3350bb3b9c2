#include "base/check.h"
#include "base/crc32c.h"
#include "guard/proxy_header.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* A header of version 2 that is being made. */
struct made {
    uint8_t data[70000];
    size_t size;
};

static struct made made;
static const uint8_t padding[PROXY_HEADER_SIZE_MAX];

static void put(const void *data, size_t size) {
    memcpy(made.data + made.size, data, size);
    made.size += size;
}

static void begin(uint8_t command, uint8_t family) {
    made.size = 0;
    put(SIGNATURE, 12);
    put((uint8_t[]){command, family, 0, 0}, 4);
}

static void put_vector(uint8_t type, const void *value, size_t size) {
    put((uint8_t[]){type, (uint8_t)(size >> 8), (uint8_t)size}, 3);
    put(value, size);
}

static void set_length(size_t length) {
    made.data[14] = (uint8_t)(length >> 8);
    made.data[15] = (uint8_t)length;
}

static struct bytes end(void) {
    set_length(made.size - 16);
    return bytes_of(made.data, made.size);
}

static void begin_ipv4(void) {
    begin(0x21, 0x11);
    put((uint8_t[]){192, 0, 2, 7, 203, 0, 113, 9, 0xdc, 0x04, 0x01, 0xbb}, 12);
}

static void begin_ipv6(const char *client) {
    struct in6_addr source;

    begin(0x21, 0x21);
    cr_assert_eq(inet_pton(AF_INET6, client, &source), 1);
    put(&source, sizeof source);
    put(&in6addr_loopback, sizeof in6addr_loopback);
    put((uint8_t[]){0xdc, 0x04, 0x01, 0xbb}, 4);
}

/* Parses a copy of exactly that size, so that a sanitizer sees every read beyond it. */
static enum proxy_header_result parse(struct bytes received, struct proxy_header *header) {
    uint8_t *copy = malloc(received.size + (received.size == 0));
    cr_assert_not_null(copy);
    memcpy(copy, received.data, received.size);
    *header = (struct proxy_header){0};
    enum proxy_header_result result = proxy_header_parse(bytes_of(copy, received.size), header);
    free(copy);
    return result;
}

static const char *address_of(const struct proxy_header *header) {
    static char text[80];
    char address[INET6_ADDRSTRLEN];
    bool ipv6 = header->client.any.sa_family == AF_INET6;
    const void *binary = ipv6 ? (const void *)&header->client.in6.sin6_addr : &header->client.in.sin_addr;

    inet_ntop(header->client.any.sa_family, binary, address, sizeof address);
    snprintf(text, sizeof text, "%s %u", address, ntohs(ipv6 ? header->client.in6.sin6_port : header->client.in.sin_port));
    return text;
}

/* Asserts the result of the header with bytes of a client behind it, and that each front of it is incomplete. */
static void expect_taken(struct bytes whole, enum proxy_header_sender sender, const char *address) {
    uint8_t more[PROXY_HEADER_SIZE_MAX + 8];
    struct proxy_header header;

    memcpy(more, whole.data, whole.size);
    memcpy(more + whole.size, "\x16\x03\x01\r\n\0\r\n", 8);
    for (size_t behind = 0; behind <= 8; behind++) {
        cr_expect_eq(parse(bytes_of(more, whole.size + behind), &header), PROXY_HEADER_OK, "%s", header.fault);
        cr_expect_eq(header.size, whole.size);
        cr_expect_eq(header.sender, sender);
    }
    if (address != NULL) {
        cr_expect_str_eq(address_of(&header), address);
    }
    for (size_t size = 0; size < whole.size; size++) {
        cr_expect_eq(parse(bytes_of(whole.data, size), &header), PROXY_HEADER_INCOMPLETE, "%zu of %zu bytes: %s", size,
                     whole.size, header.fault);
    }
}

static void expect_malformed(struct bytes bytes, const char *fault) {
    struct proxy_header header;

    cr_expect_eq(parse(bytes, &header), PROXY_HEADER_MALFORMED, "%.*s", (int)bytes.size, (const char *)bytes.data);
    cr_expect(header.fault != NULL && strstr(header.fault, fault) != NULL, "%s, not %s", header.fault, fault);
}

Test(proxy_header, lines_of_version_1) {
    static const struct {
        const char *line;
        enum proxy_header_sender sender;
        const char *address;
    } cases[] = {
        {"PROXY TCP4 192.0.2.7 203.0.113.9 56324 443\r\n", PROXY_HEADER_CLIENT, "192.0.2.7 56324"},
        {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", PROXY_HEADER_CLIENT, "0.0.0.0 0"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", PROXY_HEADER_CLIENT, "255.255.255.255 65535"},
        {"PROXY TCP6 2001:db8::1 ::1 56324 443\r\n", PROXY_HEADER_CLIENT, "2001:db8::1 56324"},
        {"PROXY TCP6 2001:DB8::A ::1 1 443\r\n", PROXY_HEADER_CLIENT, "2001:db8::a 1"},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         PROXY_HEADER_CLIENT, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
        {"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:203.0.113.9 56324 443\r\n", PROXY_HEADER_CLIENT, "192.0.2.7 56324"},
        {"PROXY TCP6 ::ffff:c000:207 ::1 56324 443\r\n", PROXY_HEADER_CLIENT, "192.0.2.7 56324"},
        {"PROXY UNKNOWN\r\n", PROXY_HEADER_NAMELESS, NULL},
        {"PROXY UNKNOWN \r\n", PROXY_HEADER_NAMELESS, NULL},
        {"PROXY UNKNOWN whatever, \x01 \xff\r\n", PROXY_HEADER_NAMELESS, NULL},
        {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         PROXY_HEADER_NAMELESS, NULL},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        expect_taken(bytes_of_string(cases[i].line), cases[i].sender, cases[i].address);
    }
}

Test(proxy_header, lines_that_are_none) {
    static const struct {
        const char *line;
        const char *fault;
    } cases[] = {
        {"proxy TCP4 192.0.2.7 203.0.113.9 1 2\r\n", "no header"},
        {"PROXY\tTCP4 192.0.2.7 203.0.113.9 1 2\r\n", "no header"},
        {"PROXY  TCP4 192.0.2.7 203.0.113.9 1 2\r\n", "a protocol"},
        {"PROXY TCP5 192.0.2.7 203.0.113.9 1 2\r\n", "a protocol"},
        {"PROXY tcp4 192.0.2.7 203.0.113.9 1 2\r\n", "a protocol"},
        {"PROXY UNKNOWNS\r\n", "a protocol"},
        {"PROXY \r\n", "a protocol"},
        {"PROXY TCP4\r\n", "an address"},
        {"PROXY TCP4 \r\n", "an address"},
        {"PROXY TCP4  192.0.2.7 203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP4 192.0.2.7  203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9  1 2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1  2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 2 \r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 2 3\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1\r\n", "ports"},
        {"PROXY TCP4 192.0.2.07 203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP4 192.0.2.256 203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP4 192.0.2 203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP4 192.0.2.7 203.0.113.0x9 1 2\r\n", "an address"},
        {"PROXY TCP4 2001:db8::1 ::1 1 2\r\n", "an address"},
        {"PROXY TCP6 192.0.2.7 203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP6 2001:db8::1 203.0.113.9 1 2\r\n", "an address"},
        {"PROXY TCP6 fe80::1%lo ::1 1 2\r\n", "an address"},
        {"PROXY TCP6 2001::db8::1 ::1 1 2\r\n", "an address"},
        {"PROXY TCP6 [2001:db8::1] ::1 1 2\r\n", "an address"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 01 2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 00\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 65536 2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 65536\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 +1 2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 -2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 100000 2\r\n", "ports"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 2\n", "LF alone"},
        {"PROXY TCP4 192.0.2.7 203.0.113.9 1 2\r\r\n", "a CR without"},
        {"PROXY UNKNOWN \n\r\n", "LF alone"},
        {"GET / HTTP/1.1\r\n", "no header"},
        {"\x16\x03\x01", "no header"},
        {"X", "no header"},
    };
    static const uint8_t with_nul[] = "PROXY TCP4 192.0.2.7\0 203.0.113.9 1 2\r\n";

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        expect_malformed(bytes_of_string(cases[i].line), cases[i].fault);
    }
    expect_malformed(bytes_of(with_nul, sizeof with_nul - 1), "an address");
}

Test(proxy_header, a_line_has_107_bytes_at_most) {
    char line[PROXY_HEADER_V1_MAX + 8];
    struct proxy_header header;

    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    cr_expect_eq(parse(bytes_of(line, PROXY_HEADER_V1_MAX - 1), &header), PROXY_HEADER_INCOMPLETE);
    memcpy(line + PROXY_HEADER_V1_MAX - 2, "\r\n", 2);
    expect_taken(bytes_of(line, PROXY_HEADER_V1_MAX), PROXY_HEADER_NAMELESS, NULL);
    memcpy(line + PROXY_HEADER_V1_MAX - 2, "x\r\n", 3);
    expect_malformed(bytes_of(line, PROXY_HEADER_V1_MAX), "over 107");
    expect_malformed(bytes_of(line, PROXY_HEADER_V1_MAX + 1), "over 107");
}

Test(proxy_header, the_first_byte_that_fits_neither_version_decides) {
    static const char *const fronts[] = {"PROXY ", "\r\n\r\n"};
    struct proxy_header header;

    for (unsigned first = 0; first < 256; first++) {
        uint8_t byte = (uint8_t)first;

        cr_expect_eq(parse(bytes_of(&byte, 1), &header),
                     first == 'P' || first == '\r' ? PROXY_HEADER_INCOMPLETE : PROXY_HEADER_MALFORMED, "%u", first);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(fronts); i++) {
        for (size_t size = 1; size < strlen(fronts[i]); size++) {
            char changed[8];

            memcpy(changed, fronts[i], size);
            changed[size] = '!';
            expect_malformed(bytes_of(changed, size + 1), "no header");
        }
    }
}

Test(proxy_header, addresses_of_version_2) {
    begin_ipv4();
    expect_taken(end(), PROXY_HEADER_CLIENT, "192.0.2.7 56324");
    begin_ipv6("2001:db8::1");
    expect_taken(end(), PROXY_HEADER_CLIENT, "2001:db8::1 56324");
    begin_ipv6("::ffff:192.0.2.7");
    expect_taken(end(), PROXY_HEADER_CLIENT, "192.0.2.7 56324");
    begin(0x21, 0x31);
    uint8_t paths[216] = "/run/client.sock";
    put(paths, sizeof paths);
    expect_taken(end(), PROXY_HEADER_NAMELESS, NULL);
}

Test(proxy_header, no_address_is_taken_from_local_and_unspecified) {
    begin(0x20, 0x00);
    expect_taken(end(), PROXY_HEADER_LOCAL, NULL);
    begin(0x20, 0x11);
    put("\x7f\0\0\1\x7f\0\0\1\0\1\0\2", 12);
    expect_taken(end(), PROXY_HEADER_LOCAL, NULL);
    begin(0x20, 0xff);
    put("\x03\xff\xff whatever", 12);
    expect_taken(end(), PROXY_HEADER_LOCAL, NULL);
    begin(0x21, 0x00);
    expect_taken(end(), PROXY_HEADER_NAMELESS, NULL);
    begin(0x21, 0x00);
    put("\x03\xff\xff whatever", 12);
    expect_taken(end(), PROXY_HEADER_NAMELESS, NULL);
}

Test(proxy_header, versions_and_commands) {
    struct proxy_header header;

    for (unsigned value = 0; value < 256; value++) {
        begin_ipv4();
        made.data[12] = (uint8_t)value;
        struct bytes whole = end();
        bool good = value == 0x20 || value == 0x21;

        cr_expect_eq(parse(whole, &header), good ? PROXY_HEADER_OK : PROXY_HEADER_MALFORMED, "%#x", value);
        cr_expect_eq(parse(bytes_of(whole.data, 13), &header), good ? PROXY_HEADER_INCOMPLETE : PROXY_HEADER_MALFORMED,
                     "%#x: the byte itself decides", value);
    }
}

Test(proxy_header, only_streams_of_known_families) {
    struct proxy_header header;

    for (unsigned value = 0; value < 256; value++) {
        begin(0x21, (uint8_t)value);
        made.size += 216;
        struct bytes whole = end();
        bool good = value == 0x00 || value == 0x11 || value == 0x21 || value == 0x31;

        memset(made.data + 16, 0, 216);
        if (value != 0x31) {
            made.size = 16 + (value == 0x11 ? 12 : 36);
            whole = end();
        }
        cr_expect_eq(parse(whole, &header), good ? PROXY_HEADER_OK : PROXY_HEADER_MALFORMED, "%#x", value);
        cr_expect_eq(parse(bytes_of(whole.data, 14), &header), good ? PROXY_HEADER_INCOMPLETE : PROXY_HEADER_MALFORMED,
                     "%#x: the byte itself decides", value);
    }
}

Test(proxy_header, lengths) {
    static const struct {
        uint8_t family;
        size_t least;
    } cases[] = {{0x11, 12}, {0x21, 36}, {0x31, 216}};
    struct proxy_header header;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin(0x21, cases[i].family);
        memset(made.data + 16, 0, 216);
        set_length(cases[i].least - 1);
        expect_malformed(bytes_of(made.data, 16), "shorter than its addresses");
        expect_malformed(bytes_of(made.data, 16 + cases[i].least), "shorter than its addresses");
    }
    begin_ipv4();
    put_vector(0x04, padding, PROXY_HEADER_SIZE_MAX - made.size - 3);
    struct bytes largest = end();
    cr_assert_eq(largest.size, PROXY_HEADER_SIZE_MAX);
    cr_expect_eq(parse(largest, &header), PROXY_HEADER_OK, "%s", header.fault);
    cr_expect_eq(parse(bytes_of(largest.data, largest.size - 1), &header), PROXY_HEADER_INCOMPLETE);
    set_length(PROXY_HEADER_SIZE_MAX - 16 + 1);
    expect_malformed(bytes_of(made.data, 16), "over 4,096");
    set_length(0xffff);
    expect_malformed(bytes_of(made.data, 16), "over 4,096");
    made.data[12] = 0x20;
    expect_malformed(bytes_of(made.data, 16), "over 4,096");
}

Test(proxy_header, vectors) {
    uint8_t ssl[] = {0x07, 0, 0, 0, 0, 0x21, 0, 7, 'T', 'L', 'S', 'v', '1', '.', '3', 0x22, 0, 1, 'a'};

    begin_ipv4();
    put_vector(0x01, "h2", 2);
    put_vector(0x02, "api.example.com", 15);
    put_vector(0x04, "", 0);
    put_vector(0x04, "xx", 2);
    put_vector(0x05, padding, PROXY_HEADER_UNIQUE_ID_MAX);
    put_vector(0x20, ssl, sizeof ssl);
    put_vector(0x30, "blue", 4);
    put_vector(0xea, "\1vpce-1", 7);
    put_vector(0xea, "", 0);
    put_vector(0x77, "unknown", 7);
    expect_taken(end(), PROXY_HEADER_CLIENT, "192.0.2.7 56324");
    begin_ipv6("2001:db8::1");
    put_vector(0x20, ssl, sizeof ssl);
    expect_taken(end(), PROXY_HEADER_CLIENT, "2001:db8::1 56324");
}

Test(proxy_header, vectors_that_lie_about_their_sizes) {
    begin_ipv4();
    put("\x04", 1);
    expect_malformed(end(), "a vector whose size");
    begin_ipv4();
    put("\x04\0", 2);
    expect_malformed(end(), "a vector whose size");
    begin_ipv4();
    put("\x04\0\1", 3);
    expect_malformed(end(), "a vector whose size");
    begin_ipv4();
    put("\x04\xff\xff....", 7);
    expect_malformed(end(), "a vector whose size");
    begin_ipv4();
    put_vector(0x02, "a", 1);
    put("\0", 1);
    expect_malformed(end(), "a vector whose size");
    begin_ipv4();
    put_vector(0x05, padding, PROXY_HEADER_UNIQUE_ID_MAX + 1);
    expect_malformed(end(), "an identifier over");
}

Test(proxy_header, vectors_within_ssl_that_lie_about_their_sizes) {
    static const struct {
        const char *value;
        size_t size;
    } cases[] = {
        {"", 0},
        {"\1\0\0\0", 4},
        {"\1\0\0\0\0\x21", 6},
        {"\1\0\0\0\0\x21\0", 7},
        {"\1\0\0\0\0\x21\0\1", 8},
        {"\1\0\0\0\0\x21\0\1x\x22\0\2y", 13},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin_ipv4();
        put_vector(0x20, cases[i].value, cases[i].size);
        put_vector(0x04, "room behind it", 14);
        expect_malformed(end(), "within PP2_TYPE_SSL");
    }
}

Test(proxy_header, registered_vectors_come_once) {
    static const uint8_t once[] = {0x01, 0x02, 0x05, 0x20, 0x30};
    static const char value[8] = {0};

    for (size_t i = 0; i < ARRAY_LENGTH(once); i++) {
        begin_ipv4();
        put_vector(once[i], value, once[i] == 0x20 ? 5 : 2);
        put_vector(0x04, value, 2);
        put_vector(once[i], value, once[i] == 0x20 ? 5 : 2);
        expect_malformed(end(), "two vectors of one type");
    }
}

/* Puts the right checksum at the vector's place, 4 bytes at `at`. */
static void set_checksum(size_t at) {
    memset(made.data + at, 0, 4);
    uint32_t crc = htonl(crc32c(0, bytes_of(made.data, made.size)));
    memcpy(made.data + at, &crc, 4);
}

Test(proxy_header, a_checksum_must_be_right) {
    struct proxy_header header;

    for (unsigned before = 0; before < 2; before++) {
        begin_ipv4();
        if (before > 0) {
            put_vector(0x02, "api.example.com", 15);
        }
        size_t at = made.size + 3;
        put_vector(0x03, "\0\0\0\0", 4);
        put_vector(0x01, "h2", 2);
        struct bytes whole = end();
        set_checksum(at);
        expect_taken(whole, PROXY_HEADER_CLIENT, "192.0.2.7 56324");
        for (size_t i = 0; i < whole.size; i++) {
            if (i == at - 3) {
                continue; /* a vector of another type is no checksum */
            }
            made.data[i] ^= 0x40;
            cr_expect_neq(parse(whole, &header), PROXY_HEADER_OK, "byte %zu is another", i);
            made.data[i] ^= 0x40;
        }
    }
}

Test(proxy_header, a_checksum_has_four_bytes_and_comes_once) {
    begin_ipv4();
    put_vector(0x03, "\0\0\0", 3);
    expect_malformed(end(), "a checksum");
    begin_ipv4();
    put_vector(0x03, "\0\0\0\0\0", 5);
    expect_malformed(end(), "a checksum");
    begin_ipv4();
    put_vector(0x03, "", 0);
    expect_malformed(end(), "a checksum");
    begin_ipv4();
    size_t at = made.size + 3;
    put_vector(0x03, "\0\0\0\0", 4);
    put_vector(0x03, "\0\0\0\0", 4);
    end();
    set_checksum(at);
    expect_malformed(bytes_of(made.data, made.size), "two vectors");
}
