#include "base/check.h"
#include "guard/proxy_header.h"
#include "guard/proxy_write.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static struct sockaddr_in in(const char *address, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    cr_assert_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
    return in;
}

static struct sockaddr_in6 in6(const char *address, uint16_t port) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    cr_assert_eq(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
    return in6;
}

static void expect_line(const void *client, const void *server, const char *line) {
    uint8_t out[PROXY_WRITE_MAX];
    size_t size = proxy_write_v1(&(struct proxy_facts){.client = client, .server = server}, out);

    cr_expect(bytes_equal(bytes_of(out, size), bytes_of_string(line)), "%.*s", (int)size, (char *)out);
}

Test(proxy_write, lines_of_version_1) {
    struct sockaddr_in four = in("192.0.2.7", 56324), edge = in("203.0.113.9", 443);
    struct sockaddr_in6 six = in6("2001:db8::7", 65535), edge_six = in6("2001:db8::1", 8443);

    expect_line(&four, &edge, "PROXY TCP4 192.0.2.7 203.0.113.9 56324 443\r\n");
    expect_line(&six, &edge_six, "PROXY TCP6 2001:db8::7 2001:db8::1 65535 8443\r\n");
    expect_line(&four, &edge_six, "PROXY TCP4 192.0.2.7 0.0.0.0 56324 8443\r\n");
    expect_line(&six, &edge, "PROXY TCP6 2001:db8::7 :: 65535 443\r\n");
}

static void expect_vector(struct reader *reader, uint8_t type, const char *value) {
    cr_expect_eq(reader_u8(reader), type);
    cr_expect(bytes_equal(reader_bytes(reader, reader_u16(reader)), bytes_of_string(value)), "%s", value);
    cr_expect_not(reader->failed);
}

Test(proxy_write, version_2_tells_of_tls) {
    struct sockaddr_in client = in("192.0.2.7", 56324), edge = in("203.0.113.9", 443);
    struct proxy_facts facts = {
        .client = (struct sockaddr *)&client,
        .server = (struct sockaddr *)&edge,
        .authority = bytes_of_string("s.test"),
        .protocol = bytes_of_string("http/1.1"),
        .tls_version = bytes_of_string("TLSv1.3"),
        .tls_cipher = bytes_of_string("TLS_AES_128_GCM_SHA256"),
        .common_name = bytes_of_string("device-1"),
    };

    for (unsigned bits = 0; bits < 8; bits++) {
        uint8_t out[PROXY_WRITE_MAX];
        facts.presented = (bits & 1) != 0;
        facts.certified = (bits & 2) != 0;
        facts.valid = (bits & 4) != 0;
        size_t size = proxy_write_v2(&facts, out);
        struct proxy_header header;

        cr_assert_eq(proxy_header_parse(bytes_of(out, size), &header), PROXY_HEADER_OK, "%s", header.fault);
        cr_expect_eq(header.size, size);
        cr_expect_eq(header.client.in.sin_addr.s_addr, client.sin_addr.s_addr);
        cr_expect_eq(header.client.in.sin_port, client.sin_port);
        struct reader reader = reader_of(bytes_of(out + 28, size - 28));
        expect_vector(&reader, 0x01, "http/1.1");
        expect_vector(&reader, 0x02, "s.test");
        cr_expect_eq(reader_u8(&reader), 0x20);
        cr_expect_eq(reader_u16(&reader), reader_left(&reader));
        cr_expect_eq(reader_u8(&reader), 1 | (facts.presented ? 2 : 0) | (facts.certified ? 4 : 0));
        cr_expect_eq(reader_u32(&reader) == 0, facts.valid);
        expect_vector(&reader, 0x21, "TLSv1.3");
        expect_vector(&reader, 0x22, "device-1");
        expect_vector(&reader, 0x23, "TLS_AES_128_GCM_SHA256");
        cr_expect_eq(reader_left(&reader), 0);
    }
}

Test(proxy_write, the_largest_fits_and_larger_texts_are_left_out) {
    struct sockaddr_in6 client = in6("2001:db8::7", 56324);
    static char text[300];
    uint8_t out[PROXY_WRITE_MAX];
    struct proxy_header header;
    struct proxy_facts facts = {.client = (struct sockaddr *)&client, .server = (struct sockaddr *)&client};

    memset(text, 'a', sizeof text);
    facts.authority = bytes_of(text, 255);
    facts.protocol = facts.tls_version = bytes_of(text, 12);
    facts.tls_cipher = bytes_of(text, 48);
    facts.common_name = bytes_of(text, PROXY_WRITE_COMMON_NAME_MAX);
    size_t largest = proxy_write_v2(&facts, out);
    cr_expect_eq(proxy_header_parse(bytes_of(out, largest), &header), PROXY_HEADER_OK, "%s", header.fault);
    facts.authority.size++;
    cr_expect_eq(proxy_write_v2(&facts, out), largest - 3 - 255);
    facts.common_name.size++;
    size_t smaller = proxy_write_v2(&facts, out);
    cr_expect_eq(smaller, largest - 6 - 255 - PROXY_WRITE_COMMON_NAME_MAX);
    cr_expect_eq(proxy_header_parse(bytes_of(out, smaller), &header), PROXY_HEADER_OK, "%s", header.fault);
}

Test(proxy_write, a_common_name_with_a_control_character_is_left_out) {
    static const char *const names[] = {"a\nb", "\x01", "a\x7f", "a\xc2\x85", "\xff"};
    struct sockaddr_in client = in("192.0.2.7", 56324);
    uint8_t out[PROXY_WRITE_MAX];
    struct proxy_facts facts = {.client = (struct sockaddr *)&client, .server = (struct sockaddr *)&client};
    size_t without = proxy_write_v2(&facts, out);

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        facts.common_name = bytes_of_string(names[i]);
        cr_expect_eq(proxy_write_v2(&facts, out), without, "%zu", i);
    }
    facts.common_name = bytes_of("a\0b", 3);
    cr_expect_eq(proxy_write_v2(&facts, out), without);
    facts.common_name = bytes_of_string("J\xc3\xbcrgen \xe2\x82\xac");
    cr_expect_eq(proxy_write_v2(&facts, out), without + 3 + facts.common_name.size);
}

Test(proxy_write, a_header_for_no_client_is_read_as_local) {
    uint8_t out[PROXY_WRITE_MAX];
    struct proxy_header header;
    static const uint8_t local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

    size_t size = proxy_write_v1_unknown(out);
    cr_expect(bytes_equal(bytes_of(out, size), bytes_of_string("PROXY UNKNOWN\r\n")));
    cr_expect_eq(proxy_header_parse(bytes_of(out, size), &header), PROXY_HEADER_OK, "%s", header.fault);
    cr_expect_eq(header.size, size);
    size = proxy_write_v2_local(out);
    cr_expect(bytes_equal(bytes_of(out, size), bytes_of(local, sizeof local - 1)));
    cr_expect_eq(proxy_header_parse(bytes_of(out, size), &header), PROXY_HEADER_OK, "%s", header.fault);
    cr_expect_eq(header.size, size);
}
