/*
 * Answers of this server to calls of gRPC. A client of gRPC finds the outcome of a call in trailers; it reads an answer of
 * one head, without a body, as trailers ("Trailers-Only" in gRPC over HTTP2, PROTOCOL-HTTP2.md).
 */
#ifndef HTTP_GRPC_H
#define HTTP_GRPC_H

#include "base/text.h"
#include "http/message.h"

#define HTTP_GRPC_TYPE "application/grpc"

/* Status codes of gRPC (statuscodes.md), those that stand for answers of HTTP. */
enum http_grpc_status {
    HTTP_GRPC_OK = 0,
    HTTP_GRPC_UNKNOWN = 2,
    HTTP_GRPC_PERMISSION_DENIED = 7,
    HTTP_GRPC_UNIMPLEMENTED = 12,
    HTTP_GRPC_INTERNAL = 13,
    HTTP_GRPC_UNAVAILABLE = 14,
    HTTP_GRPC_UNAUTHENTICATED = 16,
};

/*
 * Returns whether the message is of gRPC, a call or its answer: its Content-Type is application/grpc, with or without a
 * suffix such as "+proto", or parameters. Not so gRPC-Web, whose clients read HTTP's own status.
 */
bool http_grpc_is(const struct http_message *message, const void *head);

/*
 * Returns the status that a client of gRPC takes from an answer of HTTP that has none (http-grpc-status-mapping.md): so a
 * call ends alike whether this server or a server that knows nothing of gRPC answers it. 504 is therefore UNAVAILABLE, as
 * 502 and 503 are: DEADLINE_EXCEEDED would say that the time was over that the client itself has set.
 */
enum http_grpc_status http_grpc_status_of(unsigned code);

/*
 * Appends the fields grpc-status and grpc-message, a line each, for an answer that HTTP would give as `code`, which
 * http_status_text knows.
 */
void http_grpc_write(struct text *out, unsigned code);

#endif
