/* Whatever comes: an answer that does not depend on how the bytes were cut into segments. */
#include "base/check.h"
#include "guard/proxy_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses a copy of exactly that size, so that each read beyond it is seen. */
static enum proxy_header_result parse(const uint8_t *data, size_t size, struct proxy_header *header) {
    uint8_t *copy = malloc(size + (size == 0));
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    *header = (struct proxy_header){0};
    enum proxy_header_result result = proxy_header_parse(bytes_of(copy, size), header);
    free(copy);
    return result;
}

static void check_result(enum proxy_header_result result, const struct proxy_header *header, size_t size) {
    switch (result) {
    case PROXY_HEADER_OK:
        CHECK(header->size > 0 && header->size <= size && header->size <= PROXY_HEADER_SIZE_MAX);
        if (header->sender == PROXY_HEADER_CLIENT) {
            CHECK(header->client.any.sa_family == AF_INET || header->client.any.sa_family == AF_INET6);
            CHECK(header->client.any.sa_family == AF_INET || !IN6_IS_ADDR_V4MAPPED(&header->client.in6.sin6_addr));
        }
        break;
    case PROXY_HEADER_INCOMPLETE:
        CHECK(size < PROXY_HEADER_SIZE_MAX);
        break;
    case PROXY_HEADER_MALFORMED:
        CHECK(header->fault != NULL);
        break;
    }
}

static bool same(const struct proxy_header *a, const struct proxy_header *b) {
    return a->size == b->size && a->sender == b->sender && memcmp(&a->client, &b->client, sizeof a->client) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct proxy_header whole;
    enum proxy_header_result result = parse(data, size, &whole);

    check_result(result, &whole, size);
    for (size_t part = 0; part < size; part += part < 64 ? 1 : size / 16 + 1) {
        struct proxy_header header;
        enum proxy_header_result early = parse(data, part, &header);

        check_result(early, &header, part);
        /* An early decision holds to the end. */
        CHECK(early == PROXY_HEADER_INCOMPLETE || early == result);
        CHECK(early != PROXY_HEADER_OK || same(&header, &whole));
    }
    return 0;
}
