/* First flights of real clients, as a listening socket received them. */
#include "builder.h"
#include "guard/hello.h"

#include <criterion/criterion.h>

enum { TLS13 = 1, ALPN = 2, HTTP11 = 4, TICKET = 8, H2 = 16 };

static const struct recorded {
    const char *file;
    enum hello_result result;
    unsigned traits;      /* for HELLO_OK */
    enum tls_alert alert; /* for HELLO_REJECTED */
    const char *name;
} recordings[] = {
    {"chromium-147", HELLO_OK, TLS13 | ALPN | HTTP11 | H2, 0, "api.example.com"},
    {"curl-7.88-default", HELLO_OK, TLS13 | ALPN | HTTP11 | H2, 0, "api.example.com"},
    {"curl-7.88-no-name", HELLO_OK, TLS13 | ALPN | HTTP11 | H2, 0, ""},
    {"curl-7.88-tls12", HELLO_OK, ALPN | HTTP11 | H2, 0, "api.example.com"},
    {"curl-7.88-tls13-http11", HELLO_OK, TLS13 | ALPN | HTTP11, 0, "api.example.com"},
    {"gnutls-3.7-all-groups", HELLO_OK, TLS13, 0, "api.example.com"},
    {"gnutls-3.7-default", HELLO_OK, TLS13, 0, "api.example.com"},
    {"gnutls-3.7-tls12", HELLO_OK, 0, 0, "api.example.com"},
    {"gnutls-3.7-tls13", HELLO_OK, TLS13 | ALPN | HTTP11, 0, "api.example.com"},
    {"java-17", HELLO_OK, TLS13 | ALPN | HTTP11, 0, "api.example.com"},
    {"nghttp-1.52", HELLO_OK, TLS13 | ALPN | H2, 0, ""},
    {"node-20", HELLO_OK, TLS13, 0, "api.example.com"},
    {"openssl-3.0-all-ciphers", HELLO_OK, TLS13 | ALPN | HTTP11, 0, "api.example.com"},
    {"openssl-3.0-default", HELLO_OK, TLS13, 0, "api.example.com"},
    {"openssl-3.0-dhe-only", HELLO_REJECTED, 0, TLS_ALERT_HANDSHAKE_FAILURE, NULL},
    {"openssl-3.0-ed448-only", HELLO_REJECTED, 0, TLS_ALERT_HANDSHAKE_FAILURE, NULL},
    {"openssl-3.0-fallback", HELLO_REJECTED, 0, TLS_ALERT_INAPPROPRIATE_FALLBACK, NULL},
    {"openssl-3.0-h2-only", HELLO_OK, TLS13 | ALPN | H2, 0, "api.example.com"},
    {"openssl-3.0-three-records", HELLO_OK, TLS13 | ALPN | HTTP11, 0, "api.example.com"},
    {"openssl-3.0-tls11", HELLO_REJECTED, 0, TLS_ALERT_PROTOCOL_VERSION, NULL},
    {"openssl-3.0-tls12", HELLO_OK, 0, 0, "api.example.com"},
    {"openssl-3.0-tls12-nosni-ecdsa", HELLO_OK, 0, 0, ""},
    {"openssl-3.0-tls12-resumption", HELLO_OK, TLS13, 0, "api.example.com"},
    {"openssl-3.0-tls13", HELLO_OK, TLS13 | ALPN | HTTP11 | H2, 0, "api.example.com"},
    {"openssl-3.0-tls13-resumption", HELLO_OK, TLS13 | TICKET, 0, "api.example.com"},
    {"openssl-3.0-x448-only", HELLO_REJECTED, 0, TLS_ALERT_HANDSHAKE_FAILURE, NULL},
    {"python-3.11", HELLO_OK, TLS13, 0, "api.example.com"},
    {"rustls-impit-0.14", HELLO_OK, TLS13 | ALPN | HTTP11 | H2, 0, "localhost"},
    {"wget-1.21", HELLO_OK, TLS13, 0, ""},
    {"wolfssl-5.9-tls12", HELLO_OK, 0, 0, "api.example.com"},
    {"wolfssl-5.9-tls13", HELLO_OK, TLS13, 0, "api.example.com"},
};

/* The file in memory of exactly its size; the caller frees it. */
static struct bytes load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", TEST_HELLOS, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size);
    cr_assert(data != NULL && fread(data, 1, size, file) == size);
    fclose(file);
    return bytes_of(data, size);
}

static unsigned traits_of(const struct hello *hello) {
    return (hello->tls13 ? TLS13 : 0u) | (hello->alpn ? ALPN : 0u) | (hello->alpn_http11 ? HTTP11 : 0u) |
           (hello->alpn_h2 ? H2 : 0u) | (hello->first_ticket.size > 0 ? TICKET : 0u);
}

/* A ticket of a hello in several records is not found: see struct hello. */
static void expect_recorded(const struct recorded *recorded, enum hello_result result, const struct hello *hello) {
    cr_expect_eq(result, recorded->result, "%s: %d %s", recorded->file, hello->alert, hello->fault);
    if (result == HELLO_OK) {
        unsigned traits = hello->records > 1 ? recorded->traits & ~(unsigned)TICKET : recorded->traits;
        cr_expect_eq(traits_of(hello), traits, "%s: %x", recorded->file, traits_of(hello));
        cr_expect_str_eq(hello->name, recorded->name, "%s: %s", recorded->file, hello->name);
    } else {
        cr_expect_eq(hello->alert, recorded->alert, "%s: %d %s", recorded->file, hello->alert, hello->fault);
    }
}

Test(recorded, whole_and_a_byte_at_a_time) {
    for (size_t i = 0; i < ARRAY_LENGTH(recordings); i++) {
        struct bytes file = load(recordings[i].file);
        struct hello hello = {0};
        expect_recorded(&recordings[i], hello_parse(file, &hello), &hello);
        for (size_t size = 1; size < file.size; size++) {
            uint8_t *part = malloc(size);
            cr_assert_not_null(part);
            memcpy(part, file.data, size);
            cr_expect_eq(hello_parse(bytes_of(part, size), &hello), HELLO_INCOMPLETE, "%s: %zu", recordings[i].file, size);
            free(part);
        }
        free((void *)file.data);
    }
}

/* The handshake message of a file with its record headers taken out. */
static void unwrap(struct bytes file, struct builder *message) {
    struct reader reader = reader_of(file);

    message->size = 0;
    while (reader_left(&reader) > 0) {
        reader_bytes(&reader, 3);
        builder_bytes(message, reader_bytes(&reader, reader_u16(&reader)));
    }
    cr_assert(!reader.failed);
}

Test(recorded, split_into_two_records_at_every_byte) {
    static struct builder message, out;

    for (size_t i = 0; i < ARRAY_LENGTH(recordings); i++) {
        struct bytes file = load(recordings[i].file);
        unwrap(file, &message);
        for (size_t at = 1; at < message.size; at++) {
            struct hello hello = {0};
            out.size = 0;
            builder_hex(&out, "16 0301");
            builder_u16(&out, (unsigned)at);
            builder_bytes(&out, bytes_of(message.data, at));
            builder_hex(&out, "16 0303");
            builder_u16(&out, (unsigned)(message.size - at));
            builder_bytes(&out, bytes_of(message.data + at, message.size - at));
            expect_recorded(&recordings[i], hello_parse(builder_view(&out), &hello), &hello);
        }
        free((void *)file.data);
    }
}

/* Any byte changed to anything: an answer without a read out of bounds, which the sanitizer build would show. */
Test(recorded, survives_any_changed_byte) {
    for (size_t i = 0; i < ARRAY_LENGTH(recordings); i++) {
        struct bytes file = load(recordings[i].file);
        uint8_t *bytes = (uint8_t *)file.data;
        for (size_t at = 0; at < file.size; at++) {
            uint8_t original = bytes[at];
            for (unsigned change = 1; change < 256; change += 2) {
                struct hello hello = {0};
                bytes[at] = (uint8_t)(original ^ change);
                enum hello_result result = hello_parse(file, &hello);
                cr_assert(result != HELLO_OK || strlen(hello.name) <= HELLO_NAME_MAX);
                cr_assert(result != HELLO_REJECTED || (hello.fault != NULL && hello.alert != 0));
            }
            bytes[at] = original;
        }
        free((void *)file.data);
    }
}

Test(recorded, the_first_ticket_lies_where_it_was_received) {
    static const struct {
        const char *file;
        bool has;
    } files[] = {{"openssl-3.0-tls13-resumption", true}, {"openssl-3.0-tls13", false}, {"openssl-3.0-tls12", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        struct bytes file = load(files[i].file);
        struct hello hello;
        cr_assert_eq(hello_parse(file, &hello), HELLO_OK);
        cr_expect_eq(hello.first_ticket.size > 0, files[i].has, "%s", files[i].file);
        if (files[i].has) {
            /* The identity, behind its size, is in the last extension: its age, and the binders behind that. */
            const uint8_t *end = hello.first_ticket.data + hello.first_ticket.size;
            size_t size = (size_t)hello.first_ticket.data[-2] << 8 | hello.first_ticket.data[-1];
            cr_expect(hello.first_ticket.data > file.data && end < file.data + file.size);
            cr_expect_eq(size, hello.first_ticket.size);
            cr_expect(hello.resumable);
        }
        free((void *)file.data);
    }
}
