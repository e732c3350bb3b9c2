#include "x509/pem.h"

#include "base/check.h"

static const struct bytes begin_mark = {(const uint8_t *)"-----BEGIN ", 11};
static const struct bytes end_mark = {(const uint8_t *)"-----END ", 9};
static const struct bytes dashes = {(const uint8_t *)"-----", 5};
static const struct bytes byte_order_mark = {(const uint8_t *)"\xef\xbb\xbf", 3};

struct pem_reader pem_reader_of(struct bytes text) {
    return (struct pem_reader){.rest = text, .line = 1};
}

bool pem_is_der(struct bytes file) {
    /* A text may begin with '0' as well, but none goes on with a length octet of 0x80 or more. */
    return file.size >= 2 && file.data[0] == 0x30 && file.data[1] >= 0x80;
}

bool pem_label_is(const struct pem_block *block, const char *label) {
    return bytes_equal(block->label, bytes_of_string(label));
}

/* Takes the next line, without its end and the white space before the end. False at the end of the text. */
static bool next_line(struct pem_reader *reader, struct bytes *line) {
    if (reader->rest.size == 0) {
        return false;
    }
    const uint8_t *start = reader->rest.data;
    const uint8_t *feed = memchr(start, '\n', reader->rest.size);
    size_t size = feed == NULL ? reader->rest.size : (size_t)(feed - start);
    size_t used = feed == NULL ? size : size + 1;
    reader->rest = bytes_of(start + used, reader->rest.size - used);
    reader->line++;
    while (size > 0 && (start[size - 1] == '\r' || start[size - 1] == ' ' || start[size - 1] == '\t')) {
        size--;
    }
    *line = bytes_of(start, size);
    return true;
}

static enum pem_result fail(struct pem_reader *reader, unsigned line, const char *error) {
    reader->error = error;
    reader->error_line = line;
    return PEM_ERROR;
}

static bool begins_with(struct bytes text, struct bytes part) {
    return text.size >= part.size && memcmp(text.data, part.data, part.size) == 0;
}

/* Drops the byte order mark of UTF-8, which some editors write. Files that were joined have one in the middle. */
static struct bytes without_mark(struct bytes line) {
    size_t size = begins_with(line, byte_order_mark) ? byte_order_mark.size : 0;
    return bytes_of(line.data + size, line.size - size);
}

static bool is_utf16(struct bytes line) {
    return begins_with(line, bytes_of("\xff\xfe", 2)) || begins_with(line, bytes_of("\xfe\xff", 2));
}

static bool contains(struct bytes line, struct bytes part) {
    for (size_t i = 0; i + part.size <= line.size; i++) {
        if (memcmp(line.data + i, part.data, part.size) == 0) {
            return true;
        }
    }
    return false;
}

/* Reads the label of a boundary line. False when the line is no such boundary. */
static bool read_boundary(struct bytes line, struct bytes mark, struct bytes *label) {
    if (line.size <= mark.size + dashes.size || memcmp(line.data, mark.data, mark.size) != 0 ||
        memcmp(line.data + line.size - dashes.size, dashes.data, dashes.size) != 0) {
        return false;
    }
    *label = bytes_of(line.data + mark.size, line.size - mark.size - dashes.size);
    return !contains(*label, bytes_of("-", 1));
}

static int base64_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The lines of one block so far. */
struct body {
    size_t digits;
    unsigned padding;
    int last; /* value of the last digit */
};

static bool check_line(struct body *body, struct bytes line) {
    for (size_t i = 0; i < line.size; i++) {
        int value = base64_value(line.data[i]);
        if (value >= 0 && body->padding == 0) {
            body->digits++;
            body->last = value;
        } else if (line.data[i] == '=' && body->padding < 2) {
            body->padding++;
        } else {
            return false;
        }
    }
    return line.size > 0;
}

/* Tells whether it is padded to whole quanta, with zeros in the bits left over: each content has one text. */
static bool body_is_whole(const struct body *body) {
    if (body->digits == 0 || (body->digits + body->padding) % 4 != 0) {
        return false;
    }
    return body->padding == 0 || (body->last & (body->padding == 2 ? 0x0f : 0x03)) == 0;
}

static enum pem_result read_body(struct pem_reader *reader, struct pem_block *block) {
    struct body body = {0};
    block->body = bytes_of(reader->rest.data, 0);
    struct bytes line;
    struct bytes label;
    for (;;) {
        unsigned number = reader->line;
        block->body.size = (size_t)(reader->rest.data - block->body.data);
        if (!next_line(reader, &line)) {
            return fail(reader, block->line, "the block has no END line");
        }
        if (contains(line, dashes)) {
            if (!read_boundary(line, end_mark, &label) || !bytes_equal(label, block->label)) {
                return fail(reader, number, "the block does not end with the END line of its label");
            }
            break;
        }
        if (!check_line(&body, line)) {
            bool is_header = contains(line, bytes_of(": ", 2));
            return fail(reader, number,
                        is_header ? "the line is a header, as encrypted keys have: write the key without a passphrase"
                                  : "the line is not base64");
        }
    }
    if (!body_is_whole(&body)) {
        return fail(reader, block->line, "the block's base64 is cut short or badly padded");
    }
    block->size = body.digits * 3 / 4;
    return PEM_BLOCK;
}

enum pem_result pem_next(struct pem_reader *reader, struct pem_block *block) {
    struct bytes line;
    for (;;) {
        unsigned number = reader->line;
        if (!next_line(reader, &line)) {
            return PEM_END;
        }
        line = without_mark(line);
        if (read_boundary(line, begin_mark, &block->label)) {
            block->line = number;
            return read_body(reader, block);
        }
        if (contains(line, dashes)) {
            return fail(reader, number, "the line looks like a PEM boundary but is none");
        }
        if (is_utf16(line)) {
            return fail(reader, number, "it is UTF-16 text, by its byte order mark: save it as UTF-8 or ASCII");
        }
        if (memchr(line.data, '\0', line.size) != NULL) {
            return fail(reader, number, "it is neither PEM text nor DER");
        }
    }
}

void pem_decode(const struct pem_block *block, uint8_t *out) {
    uint32_t quantum = 0;
    unsigned digits = 0;
    size_t size = 0;
    for (size_t i = 0; i < block->body.size; i++) {
        int value = base64_value(block->body.data[i]);
        if (value < 0) {
            continue; /* line ends and padding */
        }
        quantum = quantum << 6 | (uint32_t)value;
        if (++digits == 4) {
            out[size++] = (uint8_t)(quantum >> 16);
            out[size++] = (uint8_t)(quantum >> 8);
            out[size++] = (uint8_t)quantum;
            digits = 0;
        }
    }
    if (digits >= 2) {
        out[size++] = (uint8_t)(quantum >> (digits == 2 ? 4 : 10));
    }
    if (digits == 3) {
        out[size++] = (uint8_t)(quantum >> 2);
    }
    CHECK(size == block->size);
}
