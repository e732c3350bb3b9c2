#include "http/grpc.h"

#include "http/forward.h"
#include "http/syntax.h"

bool http_grpc_is(const struct http_message *message, const void *head) {
    const struct http_header *header = http_find_header(message, head, "content-type");
    struct bytes grpc = bytes_of_string(HTTP_GRPC_TYPE);

    if (header == NULL) {
        return false;
    }
    struct bytes type = http_view(head, header->value);
    if (type.size < grpc.size || !bytes_equal_ignoring_case(bytes_of(type.data, grpc.size), grpc)) {
        return false;
    }
    return type.size == grpc.size || type.data[grpc.size] == '+' || type.data[grpc.size] == ';' ||
           http_is_blank(type.data[grpc.size]);
}

enum http_grpc_status http_grpc_status_of(unsigned code) {
    switch (code) {
    case 200:
        return HTTP_GRPC_OK;
    case 400:
        return HTTP_GRPC_INTERNAL;
    case 401:
        return HTTP_GRPC_UNAUTHENTICATED;
    case 403:
        return HTTP_GRPC_PERMISSION_DENIED;
    case 404:
        return HTTP_GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return HTTP_GRPC_UNAVAILABLE;
    default:
        return HTTP_GRPC_UNKNOWN;
    }
}

void http_grpc_write(struct text *out, unsigned code) {
    struct bytes message = bytes_of_string(http_status_text(code));

    /* The texts end with a line end, for people who read them in a terminal. */
    while (message.size > 0 && message.data[message.size - 1] == '\n') {
        message.size--;
    }
    text_append_format(out, "grpc-status: %u\r\ngrpc-message: ", (unsigned)http_grpc_status_of(code));
    text_append_header_value(out, message); /* the texts are ASCII: gRPC would have all other bytes as %XX too */
    text_append_string(out, "\r\n");
}
