/* Whatever comes: an answer that does not depend on how the bytes were cut into segments and records. */
#include "base/check.h"
#include "guard/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct hello *a, const struct hello *b) {
    return strcmp(a->name, b->name) == 0 && a->tls13 == b->tls13 && a->alpn == b->alpn && a->alpn_http11 == b->alpn_http11 &&
           a->alpn_h2 == b->alpn_h2 && a->resumable == b->resumable && a->early_data == b->early_data &&
           a->record_size_limit == b->record_size_limit && a->keys == b->keys && a->chain_schemes == b->chain_schemes;
}

static void check_result(enum hello_result result, const struct hello *hello, size_t size) {
    if (result == HELLO_REJECTED) {
        CHECK(hello->alert != 0 && hello->fault != NULL);
    } else if (result == HELLO_INCOMPLETE) {
        CHECK(size < HELLO_SIZE_MAX);
    } else if (result == HELLO_OK) {
        CHECK(hello->alpn || (!hello->alpn_http11 && !hello->alpn_h2));
        CHECK(memchr(hello->name, '\0', sizeof hello->name) != NULL);
        CHECK(strspn(hello->name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(hello->name));
    }
}

/* Checks that an early decision holds to the end; only a lone letter may look like HTTP and turn out as noise. */
static void check_prefix(const uint8_t *data, size_t size, enum hello_result whole, const struct hello *of_whole) {
    struct hello hello = {0};
    enum hello_result result = hello_parse(bytes_of(data, size), &hello);

    check_result(result, &hello, size);
    if (result == HELLO_REJECTED) {
        CHECK(whole == HELLO_REJECTED && hello.alert == of_whole->alert);
    } else if (result == HELLO_OK) {
        CHECK(whole == HELLO_OK && same(&hello, of_whole));
    } else if (result == HELLO_PLAIN_HTTP) {
        CHECK(whole == HELLO_PLAIN_HTTP || whole == HELLO_NOT_TLS);
    } else if (result == HELLO_NOT_TLS) {
        CHECK(whole == HELLO_NOT_TLS);
    }
}

/* A hello that came in one record, cut in two at `at`. */
static void check_split(const uint8_t *data, size_t at, const struct hello *of_whole) {
    static uint8_t split[HELLO_SIZE_MAX + 5], record[HELLO_SIZE_MAX];
    size_t size = (size_t)data[3] << 8 | data[4];
    struct hello hello = {0};

    if (at == 0 || at >= size || size + 10 > HELLO_SIZE_MAX) {
        return;
    }
    memcpy(split, data, 5 + at);
    memcpy(split + 5 + at, data, 3);
    memcpy(split + 10 + at, data + 5 + at, size - at);
    split[3] = (uint8_t)(at >> 8);
    split[4] = (uint8_t)at;
    split[5 + at + 3] = (uint8_t)((size - at) >> 8);
    split[5 + at + 4] = (uint8_t)(size - at);
    CHECK(hello_parse(bytes_of(split, size + 10), &hello) == HELLO_OK && same(&hello, of_whole) && hello.records == 2);
    struct bytes rest;
    size_t joined = hello_join(bytes_of(split, size + 10), record, &rest);
    CHECK(rest.size == 0 && bytes_equal(bytes_of(record, joined), bytes_of(data, size + 5)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hello hello = {0};
    enum hello_result result = hello_parse(bytes_of(data, size), &hello);

    check_result(result, &hello, size);
    for (size_t part = 0; part < size; part += part < 32 ? 1 : size / 8 + 1) {
        check_prefix(data, part, result, &hello);
    }
    if (result == HELLO_OK) {
        size_t message_size = 4 + ((size_t)data[6] << 16 | (size_t)data[7] << 8 | data[8]);
        bool one_record = size >= 5 && ((size_t)data[3] << 8 | data[4]) == message_size;
        for (size_t at = 1; one_record && at < message_size; at += at < 4 ? 1 : message_size / 4 + 1) {
            check_split(data, at, &hello);
        }
    }
    return 0;
}
