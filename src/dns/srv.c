#include "dns/srv.h"

#include "base/ascii.h"
#include "base/host_name.h"

#include <errno.h>
#include <string.h>

enum {
    HEADER_SIZE = 12,
    QUESTION_TAIL = 4, /* type and class */
    RECORD_TAIL = 10,  /* type, class, TTL, size of the data */
    CLASS_IN = 1,
    TYPE_CNAME = 5,
    POINTER = 0xC0,
    LABEL_MAX = 63,
    FLAGS_OF_ANSWER = 0x8000, /* QR, and no other bit of FLAGS_CHECKED */
    FLAGS_CHECKED = 0xFA0F,   /* QR, opcode, TC, RCODE */
    TTL_SIGN = INT32_MAX,     /* beyond it a TTL counts as 0 (RFC 2181 section 8) */
};

/* A record of the answer. */
struct record {
    char owner[SRV_NAME_SIZE];
    uint16_t type;
    uint16_t class;
    uint32_t ttl_s;
    size_t data; /* where its data begin, and end */
    size_t end;
};

static uint16_t number_at(const struct srv_reader *reader, size_t at) {
    return (uint16_t)(reader->message[at] << 8 | reader->message[at + 1]);
}

/* Appends a label to a name of `*length` characters. False: the name is no host's, or too long. */
static bool append_label(char name[static SRV_NAME_SIZE], size_t *length, const uint8_t *label, size_t size) {
    size_t dot = *length > 0;

    if (*length + dot + size >= SRV_NAME_SIZE) {
        return false;
    }
    if (dot) {
        name[(*length)++] = '.';
    }
    for (size_t i = 0; i < size; i++) {
        if (!host_name_has(label[i]) || label[i] == '.') {
            return false;
        }
        name[(*length)++] = (char)ascii_lower(label[i]);
    }
    return true;
}

/*
 * Reads the name at `*at`, and moves on behind it: lower case, "" for the root. A pointer may only lead to what stands
 * before the labels that it ends, so no name has a loop.
 */
static bool read_name(const struct srv_reader *reader, size_t *at, char name[static SRV_NAME_SIZE]) {
    size_t length = 0;
    size_t from = *at;
    size_t lowest = *at;
    bool followed = false;

    while (from < reader->size) {
        uint8_t size = reader->message[from];

        if (size == 0) {
            *at = followed ? *at : from + 1;
            name[length] = '\0';
            return true;
        }
        if ((size & POINTER) == POINTER) {
            if (from + 2 > reader->size || (number_at(reader, from) & ~(POINTER << 8)) >= (int)lowest) {
                return false;
            }
            *at = followed ? *at : from + 2;
            followed = true;
            from = number_at(reader, from) & ~(unsigned)(POINTER << 8);
            lowest = from;
        } else if (size > LABEL_MAX || from + 1 + size > reader->size ||
                   !append_label(name, &length, reader->message + from + 1, size)) {
            return false;
        } else {
            from += 1 + size;
        }
    }
    return false;
}

static bool read_record(struct srv_reader *reader, struct record *record) {
    size_t at = reader->at;

    if (!read_name(reader, &at, record->owner) || reader->size - at < RECORD_TAIL) {
        return false;
    }
    record->type = number_at(reader, at);
    record->class = number_at(reader, at + 2);
    record->ttl_s = (uint32_t)number_at(reader, at + 4) << 16 | number_at(reader, at + 6);
    record->ttl_s = record->ttl_s > TTL_SIGN ? 0 : record->ttl_s;
    record->data = at + RECORD_TAIL;
    record->end = record->data + number_at(reader, at + 8);
    if (record->end > reader->size) {
        return false;
    }
    reader->at = record->end;
    reader->left--;
    return true;
}

static void shorten_ttl(struct srv_reader *reader, const struct record *record) {
    reader->ttl_s = record->ttl_s < reader->ttl_s ? record->ttl_s : reader->ttl_s;
}

/* Looks at all records, from the first one on, for what the owner is an alias of. 1, 0: of nothing; -EPROTO. */
static int follow_alias(struct srv_reader *reader) {
    struct srv_reader look = *reader;
    struct record record;

    while (look.left > 0) {
        if (!read_record(&look, &record)) {
            return -EPROTO;
        }
        if (record.type == TYPE_CNAME && record.class == CLASS_IN && strcmp(record.owner, reader->owner) == 0) {
            size_t at = record.data;

            if (!read_name(reader, &at, reader->owner) || at != record.end) {
                return -EPROTO;
            }
            shorten_ttl(reader, &record);
            return 1;
        }
    }
    return 0;
}

static bool read_question(struct srv_reader *reader, const char *name) {
    char asked[SRV_NAME_SIZE];

    if (reader->size < HEADER_SIZE || (number_at(reader, 2) & FLAGS_CHECKED) != FLAGS_OF_ANSWER ||
        number_at(reader, 4) != 1) {
        return false;
    }
    reader->left = number_at(reader, 6);
    reader->at = HEADER_SIZE;
    if (!read_name(reader, &reader->at, reader->owner) || reader->size - reader->at < QUESTION_TAIL ||
        number_at(reader, reader->at) != SRV_TYPE || number_at(reader, reader->at + 2) != CLASS_IN) {
        return false;
    }
    reader->at += QUESTION_TAIL;
    size_t length = 0;
    for (; name[length] != '\0' && length < sizeof asked - 1; length++) {
        asked[length] = (char)ascii_lower((uint8_t)name[length]);
    }
    asked[length] = '\0';
    return name[length] == '\0' && strcmp(asked, reader->owner) == 0;
}

bool srv_begin(struct srv_reader *reader, const uint8_t *message, size_t size, const char *name) {
    int followed = 1;

    *reader = (struct srv_reader){.message = message, .size = size, .ttl_s = UINT32_MAX};
    if (!read_question(reader, name)) {
        return false;
    }
    for (unsigned i = 0; i <= SRV_ALIASES_MAX && followed > 0; i++) {
        followed = follow_alias(reader);
    }
    return followed == 0;
}

static bool read_data(const struct srv_reader *reader, const struct record *read, struct srv_record *record) {
    size_t at = read->data + 6;

    if (read->end - read->data < 7) {
        return false;
    }
    record->priority = number_at(reader, read->data);
    record->weight = number_at(reader, read->data + 2);
    record->port = number_at(reader, read->data + 4);
    return read_name(reader, &at, record->target) && at == read->end && (record->port != 0 || record->target[0] == '\0');
}

int srv_next(struct srv_reader *reader, struct srv_record *record) {
    struct record read;

    while (reader->left > 0) {
        if (!read_record(reader, &read)) {
            return -EPROTO;
        }
        if (read.type != SRV_TYPE || read.class != CLASS_IN) {
            continue; /* aliases, which have been followed, and signatures */
        }
        if (strcmp(read.owner, reader->owner) != 0 || !read_data(reader, &read, record)) {
            return -EPROTO;
        }
        shorten_ttl(reader, &read);
        return 1;
    }
    return 0;
}
