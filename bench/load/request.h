/* The request of a run over HTTP/1.1, and the host that it names. */
#ifndef BENCH_LOAD_REQUEST_H
#define BENCH_LOAD_REQUEST_H

#include "load/load_options.h"

enum {
    REQUEST_NAME_SIZE = 288, /* of a host with its number */
    REQUEST_SIZE_MAX = 8192,
};

/* Writes the name of one of options->hosts: h0.NAME, h1.NAME and so on; the run's name itself, where there are none. */
void request_host_name(const struct load_options *options, uint32_t host, char name[static REQUEST_NAME_SIZE]);
/* Writes the request's head to that host: a GET, or the POST of an upload. Returns its size. */
size_t request_write(const struct load_options *options, uint32_t host, char request[static REQUEST_SIZE_MAX]);

#endif
