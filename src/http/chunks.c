#include "http/chunks.h"

#include "base/ascii.h"
#include "base/check.h"
#include "http/syntax.h"

/* The bytes that the parser expects next. */
enum chunk_state {
    CHUNK_SIZE,      /* a digit, or what ends the size */
    CHUNK_PADDING,   /* behind the size: white space, ';' or CR */
    CHUNK_EXTENSION, /* anything up to CR */
    CHUNK_LINE_END,  /* LF */
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START, /* a name's first character, or the CR of the empty line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LINE_END,
    TRAILERS_END, /* the LF of the empty line */
    CHUNKS_OVER,
};

static enum http_result refuse(struct http_parser *parser, const char *error) {
    return http_refuse_response(parser, parser->phase == HTTP_PHASE_TRAILERS ? HTTP_FAULT_TRAILERS : HTTP_FAULT_CHUNK,
                                error);
}

static int hex_digit(uint8_t c) {
    if (ascii_is_digit(c)) {
        return c - '0';
    }
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns whether the character is visible, blank or beyond ASCII. */
static bool is_text(uint8_t c) {
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool take_digit(struct http_parser *parser, int digit) {
    struct http_chunks *chunks = &parser->chunks;
    if (chunks->left > INT64_MAX >> 4) {
        return false;
    }
    chunks->left = chunks->left << 4 | (unsigned)digit;
    chunks->has_digit = true;
    return true;
}

/* Goes on behind a complete size line. */
static void begin_data(struct http_parser *parser) {
    parser->framing_size = 0;
    parser->chunks.has_digit = false;
    if (parser->chunks.left > 0) {
        parser->chunks.state = CHUNK_DATA;
    } else {
        parser->chunks.state = TRAILER_START;
        parser->phase = HTTP_PHASE_TRAILERS;
    }
}

/* Returns the next state, or -1 for a byte that cannot stand there. */
static int step_size(struct http_parser *parser, uint8_t c) {
    struct http_chunks *chunks = &parser->chunks;
    int digit = chunks->state == CHUNK_SIZE ? hex_digit(c) : -1;
    if (digit >= 0) {
        return take_digit(parser, digit) ? CHUNK_SIZE : -1;
    }
    if (!chunks->has_digit) {
        return -1;
    }
    switch (c) {
    case ' ':
    case '\t':
        return CHUNK_PADDING;
    case ';':
        return CHUNK_EXTENSION;
    case '\r':
        return CHUNK_LINE_END;
    default:
        return -1;
    }
}

static int step_trailer(const struct http_parser *parser, uint8_t c) {
    switch (parser->chunks.state) {
    case TRAILER_START:
        return c == '\r' ? TRAILERS_END : http_is_token_character(c) ? TRAILER_NAME : -1;
    case TRAILER_NAME:
        return c == ':' ? TRAILER_VALUE : http_is_token_character(c) ? TRAILER_NAME : -1;
    case TRAILER_VALUE:
        return c == '\r' ? TRAILER_LINE_END : is_text(c) ? TRAILER_VALUE : -1;
    case TRAILER_LINE_END:
        return c == '\n' ? TRAILER_START : -1;
    default:
        return c == '\n' ? CHUNKS_OVER : -1;
    }
}

static int step(struct http_parser *parser, uint8_t c) {
    switch (parser->chunks.state) {
    case CHUNK_SIZE:
    case CHUNK_PADDING:
        return step_size(parser, c);
    case CHUNK_EXTENSION:
        return c == '\r' ? CHUNK_LINE_END : is_text(c) ? CHUNK_EXTENSION : -1;
    case CHUNK_LINE_END:
        return c == '\n' ? CHUNK_DATA : -1;
    case CHUNK_DATA_CR:
        return c == '\r' ? CHUNK_DATA_LF : -1;
    case CHUNK_DATA_LF:
        return c == '\n' ? CHUNK_SIZE : -1;
    default:
        return step_trailer(parser, c);
    }
}

void http_keep_trailers(struct http_parser *parser, struct bytes part) {
    if (parser->trailers != NULL) {
        CHECK(part.size <= HTTP_TRAILERS_MAX - parser->trailers_size);
        memcpy(parser->trailers + parser->trailers_size, part.data, part.size);
        parser->trailers_size += (uint32_t)part.size;
    }
}

/* Takes one byte of the framing. */
static enum http_result take_byte(struct http_parser *parser, const uint8_t *byte) {
    bool trailers = parser->phase == HTTP_PHASE_TRAILERS;
    bool size_line = parser->chunks.state == CHUNK_LINE_END;
    if (parser->framing_size++ == (trailers ? HTTP_TRAILERS_MAX : HTTP_CHUNK_HEAD_MAX)) {
        return refuse(parser, trailers ? "the trailers are too large" : "a chunk's head is too large");
    }
    int next = step(parser, *byte);
    if (next < 0) {
        return refuse(parser, trailers ? "the trailers cannot be read" : "a chunk's head or end cannot be read");
    }
    parser->chunks.state = (uint8_t)next;
    if (trailers) {
        http_keep_trailers(parser, bytes_of(byte, 1));
    } else if (size_line) {
        begin_data(parser);
    }
    if (next == CHUNKS_OVER) {
        parser->phase = HTTP_PHASE_END;
        return HTTP_PARSE_END;
    }
    return HTTP_PARSE_MORE;
}

enum http_result http_chunks_take(struct http_parser *parser, struct bytes *input, struct bytes *piece) {
    while (input->size > 0) {
        if (parser->chunks.state == CHUNK_DATA) {
            size_t size = input->size < parser->chunks.left ? input->size : (size_t)parser->chunks.left;
            *piece = bytes_of(input->data, size);
            *input = bytes_of(input->data + size, input->size - size);
            parser->chunks.left -= size;
            if (parser->chunks.left == 0) {
                parser->chunks.state = CHUNK_DATA_CR;
            }
            return HTTP_PARSE_BODY;
        }
        enum http_result result = take_byte(parser, input->data);
        if (result == HTTP_PARSE_ERROR) {
            return result;
        }
        *input = bytes_of(input->data + 1, input->size - 1);
        if (result == HTTP_PARSE_END) {
            return result;
        }
    }
    return HTTP_PARSE_MORE;
}
