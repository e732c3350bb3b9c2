/* The body of a request that uploads something: zeros, in records of 16 KiB, as fast as the server takes them. */
#ifndef BENCH_LOAD_UPLOAD_H
#define BENCH_LOAD_UPLOAD_H

#include "load/load_connection.h"

/* Sends as much of connection->upload_left as the queue has room for. Behind the request's head, and when the queue drains.
 */
void upload_push(struct load_connection *connection);

#endif
