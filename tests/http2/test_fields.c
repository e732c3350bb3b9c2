#include "http2/fields.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct http2_memory memory;
static struct http2_fields fields;

static const char *written(void) {
    static char text[4096];
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < fields.count; i++) {
        const nghttp2_nv *field = &fields.all[i];
        int added =
            snprintf(text + size, sizeof text - size, "%.*s=%.*s%s\n", (int)field->namelen, (const char *)field->name,
                     (int)field->valuelen, (const char *)field->value, field->flags & NGHTTP2_NV_FLAG_NO_INDEX ? "!" : "");
        size += (size_t)added;
    }
    http2_fields_release(&fields, &memory);
    cr_assert_eq(memory.used, 0);
    return text;
}

Test(fields, of_a_request) {
    cr_assert(http2_fields_of_request(
        &fields, &memory,
        bytes_of_string(
            "POST /a?b HTTP/1.1\r\nHost: a.example:81\r\nAccept: */*\r\nCookie: a=b\r\nCookie: a=0123456789abcdefghij\r\n"
            "Authorization: Basic eA==\r\nProxy-Authorization: x\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n"
            "Connection: TE\r\nTrailer: x-sum\r\nX-Empty: \r\n\r\n"),
        "http"));
    cr_assert_str_eq(written(),
                     ":method=POST\n:scheme=http\n:authority=a.example:81\n:path=/a?b\nAccept=*/*\nCookie=a=b!\n"
                     "Cookie=a=0123456789abcdefghij\nAuthorization=Basic eA==!\nProxy-Authorization=x!\nTE=trailers\n"
                     "Trailer=x-sum\nX-Empty=\n");
}

Test(fields, of_a_request_without_host) {
    cr_assert(http2_fields_of_request(&fields, &memory, bytes_of_string("OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n"), "https"));
    cr_assert_str_eq(written(), ":method=OPTIONS\n:scheme=https\n:path=*\n");
}

Test(fields, of_a_response) {
    cr_assert(http2_fields_of_response(
        &fields, &memory,
        bytes_of_string(
            "HTTP/1.1 404 Not Found\r\nDate: x\r\nConnection: close\r\nKeep-Alive: timeout=5\r\n"
            "Proxy-Connection: close\r\nUpgrade: h2c\r\nTE: gzip\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nbody: x")));
    cr_assert_str_eq(written(), ":status=404\nDate=x\nContent-Length=5\nSet-Cookie=a=b!\n");
}

Test(fields, of_a_response_without_a_reason) {
    cr_assert(http2_fields_of_response(&fields, &memory, bytes_of_string("HTTP/1.1 200 \r\n\r\n")));
    cr_assert_str_eq(written(), ":status=200\n");
}

Test(fields, of_trailers) {
    cr_assert(http2_fields_of_trailers(&fields, &memory, bytes_of_string("grpc-status: 0\r\nx: \t y \r\n")));
    cr_assert_str_eq(written(), "grpc-status=0\nx=y\n");
    cr_assert(http2_fields_of_trailers(&fields, &memory, bytes_of_string("a: b\r\nno colon\r\n: no name\r\n\r\nc: d\r\n")));
    cr_assert_str_eq(written(), "a=b\n");
    cr_assert(http2_fields_of_trailers(&fields, &memory, bytes_of(NULL, 0)));
    cr_assert_str_eq(written(), "");
}

Test(fields, that_are_many) {
    static char head[10000] = "HTTP/1.1 200 OK\r\n";
    for (unsigned i = 0; i < 500; i++) {
        strcat(head, "a: b\r\n");
    }
    strcat(head, "\r\n");
    cr_assert(http2_fields_of_response(&fields, &memory, bytes_of_string(head)));
    cr_assert_eq(fields.count, 501);
    cr_assert_gt(memory.used, 0);
    http2_fields_release(&fields, &memory);
    cr_assert_eq(memory.used, 0);
}
