#include "guard/hello.h"

#include "base/check.h"
#include "guard/offer_rules.h"

/* RFC 8446 sections 4 and 5.1. */
enum {
    RECORD_HEADER_SIZE = 5,
    RECORD_SIZE_MAX = 1 << 14,
    RECORD_TYPE_ALERT = 21,
    RECORD_TYPE_HANDSHAKE = 22,
    MESSAGE_HEADER_SIZE = 4,
    MESSAGE_TYPE_CLIENT_HELLO = 1,
};

/* The handshake message, as far as its records have come; the records are read one after the other. */
struct message {
    struct bytes first; /* the part that the first record holds */
    uint8_t header[MESSAGE_HEADER_SIZE];
    size_t header_size; /* bytes of the header that have come */
    size_t count;       /* of records */
    size_t received;    /* bytes of content of all records */
    size_t announced;   /* bytes of content when the records will be complete; at least `received` */
};

static enum hello_result reject(struct hello *hello, enum tls_alert alert, const char *fault) {
    hello->alert = alert;
    hello->fault = fault;
    return HELLO_REJECTED;
}

/* Decides by the first bytes, so that the server never waits for more of what is no TLS. HELLO_OK: it may be TLS. */
static enum hello_result judge_first_bytes(struct bytes received) {
    static const char methods[][9] = {"GET ",     "HEAD ",    "POST ",  "PUT ",   "DELETE ",
                                      "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI "};

    if (received.data[0] == RECORD_TYPE_HANDSHAKE) {
        return received.size < 2 || received.data[1] == 3 ? HELLO_OK : HELLO_NOT_TLS;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        size_t size = strlen(methods[i]);
        if (memcmp(received.data, methods[i], received.size < size ? received.size : size) == 0) {
            return HELLO_PLAIN_HTTP;
        }
    }
    return HELLO_NOT_TLS;
}

/* Checks a record's header as far as it has come. The record's minor version is to be ignored. */
static enum hello_result check_record_header(struct bytes header, struct hello *hello) {
    if (header.size > 0 && header.data[0] != RECORD_TYPE_HANDSHAKE) {
        return reject(hello, TLS_ALERT_UNEXPECTED_MESSAGE, "a record of another type within the ClientHello");
    }
    if (header.size > 1 && header.data[1] != 3) {
        return reject(hello, TLS_ALERT_PROTOCOL_VERSION, "record of an unknown major version");
    }
    if (header.size < RECORD_HEADER_SIZE) {
        return HELLO_INCOMPLETE;
    }
    unsigned size = (unsigned)header.data[3] << 8 | header.data[4];
    if (size == 0) {
        return reject(hello, TLS_ALERT_UNEXPECTED_MESSAGE, "empty handshake record");
    }
    if (size > RECORD_SIZE_MAX) {
        return reject(hello, TLS_ALERT_RECORD_OVERFLOW, "record over 16 KiB");
    }
    return HELLO_OK;
}

/* Takes the record at the front of `*rest`, whose header is sound. Returns its content, as far as it has come. */
static struct bytes take_record(struct bytes *rest) {
    size_t announced = (size_t)rest->data[3] << 8 | rest->data[4];
    size_t left = rest->size - RECORD_HEADER_SIZE;
    struct bytes piece = bytes_of(rest->data + RECORD_HEADER_SIZE, announced < left ? announced : left);

    *rest = bytes_of(piece.data + piece.size, left - piece.size);
    return piece;
}

static void add_record(struct message *message, struct bytes piece, size_t announced) {
    size_t missing = MESSAGE_HEADER_SIZE - message->header_size;
    size_t size = piece.size < missing ? piece.size : missing;

    memcpy(message->header + message->header_size, piece.data, size);
    message->header_size += size;
    if (message->count++ == 0) {
        message->first = piece;
    }
    message->received += piece.size;
    message->announced += announced;
}

/*
 * Checks the message's own header against the sizes of its records. HELLO_OK: all of the message has come. Checks stand in
 * the order in which their bytes come, so that the answer does not depend on how much of the rest has come.
 */
static enum hello_result check_message(const struct message *message, struct hello *hello) {
    const uint8_t *header = message->header;
    size_t records = message->count;

    if (records * RECORD_HEADER_SIZE + message->announced > HELLO_SIZE_MAX) {
        return reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "ClientHello over 16 KiB");
    }
    if (message->header_size > 0 && header[0] != MESSAGE_TYPE_CLIENT_HELLO) {
        return reject(hello, TLS_ALERT_UNEXPECTED_MESSAGE, "the first handshake message is no ClientHello");
    }
    if (message->header_size < MESSAGE_HEADER_SIZE) {
        return HELLO_INCOMPLETE;
    }
    size_t size = MESSAGE_HEADER_SIZE + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
    if (message->announced > size) {
        return reject(hello, TLS_ALERT_UNEXPECTED_MESSAGE, "data behind the ClientHello in its record");
    }
    records += message->announced < size; /* at least one more record is to come */
    if (records * RECORD_HEADER_SIZE + size > HELLO_SIZE_MAX) {
        return reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "ClientHello over 16 KiB");
    }
    return message->received == size ? HELLO_OK : HELLO_INCOMPLETE;
}

/* Walks the record headers. HELLO_OK: `message` is complete. */
static enum hello_result collect_message(struct bytes received, struct message *message, struct hello *hello) {
    struct bytes rest = received;
    enum hello_result result = HELLO_INCOMPLETE;

    *message = (struct message){0};
    while (rest.size > 0) {
        result = check_record_header(rest, hello);
        if (result != HELLO_OK) {
            return result;
        }
        size_t announced = (size_t)rest.data[3] << 8 | rest.data[4];
        add_record(message, take_record(&rest), announced);
        result = check_message(message, hello);
        if (result != HELLO_INCOMPLETE) {
            return result;
        }
    }
    return result;
}

static enum hello_result judge_body(struct bytes body, struct hello *hello) {
    struct offer offer;
    *hello = (struct hello){0};
    if (!offer_read(body, &offer, hello) || !offer_rules_check(&offer, hello)) {
        return HELLO_REJECTED;
    }
    return HELLO_OK;
}

size_t hello_join(struct bytes received, uint8_t record[static HELLO_SIZE_MAX], struct bytes *rest) {
    size_t size = RECORD_HEADER_SIZE;

    struct message message;
    struct hello hello;
    CHECK(collect_message(received, &message, &hello) == HELLO_OK);
    memcpy(record, received.data, RECORD_HEADER_SIZE);
    record[3] = (uint8_t)(message.received >> 8);
    record[4] = (uint8_t)message.received;
    *rest = received;
    for (size_t i = 0; i < message.count; i++) {
        struct bytes piece = take_record(rest);
        memcpy(record + size, piece.data, piece.size);
        size += piece.size;
    }
    return size;
}

/* A function of its own, so that only a hello that is split over records pays for so large a stack frame. */
static __attribute__((noinline)) enum hello_result judge_split_message(struct bytes received, struct hello *hello) {
    uint8_t record[HELLO_SIZE_MAX];
    struct bytes rest;
    size_t size = hello_join(received, record, &rest) - RECORD_HEADER_SIZE - MESSAGE_HEADER_SIZE;

    enum hello_result result = judge_body(bytes_of(record + RECORD_HEADER_SIZE + MESSAGE_HEADER_SIZE, size), hello);
    hello->first_ticket = bytes_of(NULL, 0);
    return result;
}

enum hello_result hello_parse(struct bytes received, struct hello *hello) {
    hello->records = 0;
    if (received.size == 0) {
        return HELLO_INCOMPLETE;
    }
    enum hello_result result = judge_first_bytes(received);
    if (result != HELLO_OK) {
        return result;
    }
    struct message message;
    result = collect_message(received, &message, hello);
    if (result == HELLO_OK && message.count > 1) {
        result = judge_split_message(received, hello);
    } else if (result == HELLO_OK) {
        result =
            judge_body(bytes_of(message.first.data + MESSAGE_HEADER_SIZE, message.first.size - MESSAGE_HEADER_SIZE), hello);
    }
    hello->records = (uint16_t)message.count;
    return result;
}

void hello_alert(enum tls_alert alert, uint8_t record[static 7]) {
    enum { TLS_MAJOR = 3, TLS12_MINOR = 3, ALERT_SIZE = 2, ALERT_LEVEL_FATAL = 2 };
    const uint8_t bytes[7] = {RECORD_TYPE_ALERT, TLS_MAJOR, TLS12_MINOR, 0, ALERT_SIZE, ALERT_LEVEL_FATAL, (uint8_t)alert};

    memcpy(record, bytes, sizeof bytes);
}
