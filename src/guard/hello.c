#include "guard/hello.h"

#include "base/check.h"
#include "guard/judge.h"

/* RFC 8446 sections 4 and 5.1. */
enum {
    RECORD_HEADER_SIZE = 5,
    RECORD_SIZE_MAX = 1 << 14,
    RECORD_TYPE_ALERT = 21,
    RECORD_TYPE_HANDSHAKE = 22,
    MESSAGE_HEADER_SIZE = 4,
    MESSAGE_TYPE_CLIENT_HELLO = 1,
};

/* The handshake message as the records carry it: its bytes with the record headers between them left out. */
struct message {
    struct bytes pieces[HELLO_RECORDS_MAX];
    size_t count;
    size_t received;  /* bytes of all pieces */
    size_t announced; /* what the pieces will have when their records are complete; at least `received` */
};

static enum hello_result reject(struct hello *hello, enum tls_alert alert, const char *fault) {
    hello->alert = alert;
    hello->fault = fault;
    return HELLO_REJECTED;
}

/* Decides on the least that can decide, so that what is no TLS is never waited for. HELLO_OK: may be TLS. */
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

/* As much of a record's header as is there. The record's minor version is to be ignored. */
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

/* Copies up to `capacity` bytes from the message's front; returns how many. */
static size_t message_copy(const struct message *message, uint8_t *buffer, size_t capacity) {
    size_t copied = 0;

    for (size_t i = 0; i < message->count; i++) {
        struct bytes piece = message->pieces[i];
        size_t size = piece.size < capacity - copied ? piece.size : capacity - copied;
        memcpy(buffer + copied, piece.data, size);
        copied += size;
    }
    return copied;
}

/*
 * The message's own header against what the records announce. HELLO_OK: all of the message is there. Checks stand in the
 * order in which their bytes come, so that the answer does not depend on how much of the rest has come.
 */
static enum hello_result check_message(const struct message *message, struct hello *hello) {
    uint8_t header[MESSAGE_HEADER_SIZE];
    size_t header_size = message_copy(message, header, sizeof(header));
    size_t records = message->count;

    if (records * RECORD_HEADER_SIZE + message->announced > HELLO_SIZE_MAX) {
        return reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "ClientHello over 16 KiB");
    }
    if (header_size > 0 && header[0] != MESSAGE_TYPE_CLIENT_HELLO) {
        return reject(hello, TLS_ALERT_UNEXPECTED_MESSAGE, "the first handshake message is no ClientHello");
    }
    if (header_size < MESSAGE_HEADER_SIZE) {
        return HELLO_INCOMPLETE;
    }
    size_t size = MESSAGE_HEADER_SIZE + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
    if (message->announced > size) {
        return reject(hello, TLS_ALERT_UNEXPECTED_MESSAGE, "data behind the ClientHello in its record");
    }
    records += message->announced < size; /* at least one more is to come */
    if (records * RECORD_HEADER_SIZE + size > HELLO_SIZE_MAX) {
        return reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "ClientHello over 16 KiB");
    }
    if (records > HELLO_RECORDS_MAX) {
        return reject(hello, TLS_ALERT_ILLEGAL_PARAMETER, "ClientHello in more than 4 records");
    }
    return message->received == size ? HELLO_OK : HELLO_INCOMPLETE;
}

/* Walks the record headers, at most HELLO_RECORDS_MAX of them. HELLO_OK: `message` is complete. */
static enum hello_result collect_message(struct bytes received, struct message *message, struct hello *hello) {
    struct bytes rest = received;
    enum hello_result result = HELLO_INCOMPLETE;

    *message = (struct message){0};
    while (rest.size > 0) {
        CHECK(message->count < HELLO_RECORDS_MAX);
        result = check_record_header(rest, hello);
        if (result != HELLO_OK) {
            return result;
        }
        size_t announced = (size_t)rest.data[3] << 8 | rest.data[4];
        size_t left = rest.size - RECORD_HEADER_SIZE;
        struct bytes piece = bytes_of(rest.data + RECORD_HEADER_SIZE, announced < left ? announced : left);
        message->pieces[message->count++] = piece;
        message->announced += announced;
        message->received += piece.size;
        result = check_message(message, hello);
        if (result != HELLO_INCOMPLETE) {
            return result;
        }
        rest = bytes_of(piece.data + piece.size, left - piece.size);
    }
    return result;
}

static enum hello_result judge_body(struct bytes body, struct hello *hello) {
    struct offer offer;

    *hello = (struct hello){0};
    if (!offer_read(body, &offer, hello) || !judge_offer(&offer, hello)) {
        return HELLO_REJECTED;
    }
    hello->shape = offer_shape(&offer);
    return HELLO_OK;
}

/* Apart, so that only a hello that was split over records pays for so large a frame. */
static __attribute__((noinline)) enum hello_result judge_split_message(const struct message *message, struct hello *hello) {
    uint8_t buffer[HELLO_SIZE_MAX];
    size_t size = message_copy(message, buffer, sizeof(buffer));

    CHECK(size == message->received);
    enum hello_result result = judge_body(bytes_of(buffer + MESSAGE_HEADER_SIZE, size - MESSAGE_HEADER_SIZE), hello);
    hello->first_ticket = bytes_of(NULL, 0);
    return result;
}

enum hello_result hello_parse(struct bytes received, struct hello *hello) {
    struct message message;

    if (received.size == 0) {
        return HELLO_INCOMPLETE;
    }
    enum hello_result result = judge_first_bytes(received);
    if (result != HELLO_OK) {
        return result;
    }
    result = collect_message(received, &message, hello);
    if (result != HELLO_OK) {
        return result;
    }

    if (message.count > 1) {
        return judge_split_message(&message, hello);
    }
    struct bytes only = message.pieces[0];
    return judge_body(bytes_of(only.data + MESSAGE_HEADER_SIZE, only.size - MESSAGE_HEADER_SIZE), hello);
}

void hello_alert(enum tls_alert alert, uint8_t record[static 7]) {
    enum { TLS_MAJOR = 3, TLS12_MINOR = 3, ALERT_SIZE = 2, ALERT_LEVEL_FATAL = 2 };
    const uint8_t bytes[7] = {RECORD_TYPE_ALERT, TLS_MAJOR, TLS12_MINOR, 0, ALERT_SIZE, ALERT_LEVEL_FATAL, (uint8_t)alert};

    memcpy(record, bytes, sizeof(bytes));
}
