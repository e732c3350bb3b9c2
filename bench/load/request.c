#include "load/request.h"

#include "base/check.h"

#include <stdio.h>

void request_host_name(const struct load_options *options, uint32_t host, char name[static REQUEST_NAME_SIZE]) {
    int size = options->hosts == 0 ? snprintf(name, REQUEST_NAME_SIZE, "%s", options->name)
                                   : snprintf(name, REQUEST_NAME_SIZE, "h%u.%s", host, options->name);

    CHECK(size > 0 && size < REQUEST_NAME_SIZE);
}

size_t request_write(const struct load_options *options, uint32_t host, char request[static REQUEST_SIZE_MAX]) {
    char length[64] = "";
    char name[REQUEST_NAME_SIZE];

    request_host_name(options, host, name);
    if (options->upload > 0) {
        snprintf(length, sizeof length, "Content-Length: %u\r\n", options->upload);
    }
    int size = snprintf(request, REQUEST_SIZE_MAX,
                        "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sallyport-load\r\nAccept: */*\r\n%s\r\n",
                        options->upload > 0 ? "POST" : "GET", options->path, name, length);
    CHECK(size > 0 && size < REQUEST_SIZE_MAX);
    return (size_t)size;
}
