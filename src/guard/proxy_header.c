#include "guard/proxy_header.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "guard/proxy_protocol.h"

#include <arpa/inet.h>

enum {
    UNSPECIFIED = 0x00,
    UNIX_STREAM = 0x31,
    INET_SIZE = 12, /* two addresses, two ports */
    INET6_SIZE = 36,
    UNIX_SIZE = 216,
    TYPE_CRC32C = 0x03,
    TYPE_UNIQUE_ID = 0x05,
    TYPE_NETNS = 0x30,
    CRC32C_SIZE = 4,
};

static const uint8_t signature[] = PROXY_SIGNATURE;
static const uint8_t line_front[] = {'P', 'R', 'O', 'X', 'Y', ' '};

static enum proxy_header_result malformed(struct proxy_header *header, const char *fault) {
    header->fault = fault;
    return PROXY_HEADER_MALFORMED;
}

/* Returns whether the bytes that have come may be the front of what begins as `front` does. */
static bool begins(struct bytes received, const uint8_t *front, size_t size) {
    return memcmp(received.data, front, received.size < size ? received.size : size) == 0;
}

static void set_ipv4(struct proxy_header *header, const uint8_t *address, in_port_t port) {
    header->sender = PROXY_HEADER_CLIENT;
    header->client.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    memcpy(&header->client.in.sin_addr, address, sizeof header->client.in.sin_addr);
}

static void set_ipv6(struct proxy_header *header, const uint8_t *address, in_port_t port) {
    struct in6_addr in6;

    memcpy(&in6, address, sizeof in6);
    if (IN6_IS_ADDR_V4MAPPED(&in6)) {
        set_ipv4(header, &in6.s6_addr[12], port);
        return;
    }
    header->sender = PROXY_HEADER_CLIENT;
    header->client.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = in6};
}

/* Takes the word at the front of `*line`, up to a space, which is taken too, or to the end. */
static struct bytes take_word(struct bytes *line) {
    const uint8_t *space = memchr(line->data, ' ', line->size);
    size_t size = space == NULL ? line->size : (size_t)(space - line->data);
    struct bytes word = bytes_of(line->data, size);
    size_t used = size + (space != NULL);

    *line = bytes_of(line->data + used, line->size - used);
    return word;
}

/* Reads an address in the form that inet_pton takes, which has no leading zeros, spaces or zones. */
static bool read_address(struct bytes word, int family, uint8_t address[static 16]) {
    char text[INET6_ADDRSTRLEN];

    if (word.size >= sizeof text || memchr(word.data, 0, word.size) != NULL) {
        return false;
    }
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    return inet_pton(family, text, address) == 1;
}

/* Reads 0 to 65535 without leading zeros. */
static bool read_port(struct bytes word, in_port_t *port) {
    unsigned value = 0;

    if (word.size == 0 || word.size > 5 || (word.size > 1 && word.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < word.size; i++) {
        if (!ascii_is_digit(word.data[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(word.data[i] - '0');
    }
    *port = htons((uint16_t)value);
    return value <= UINT16_MAX;
}

/* Reads what follows the protocol's name. The destination is read for its form alone. */
static enum proxy_header_result read_endpoints(struct bytes rest, int family, struct proxy_header *header) {
    uint8_t source[16];
    uint8_t destination[16];

    if (!read_address(take_word(&rest), family, source) || !read_address(take_word(&rest), family, destination)) {
        return malformed(header, "an address that is none of its family");
    }
    in_port_t port;
    in_port_t ignored;
    if (!read_port(take_word(&rest), &port) || !read_port(rest, &ignored)) {
        return malformed(header, "ports that are not two numbers from 0 to 65535");
    }
    (family == AF_INET ? set_ipv4 : set_ipv6)(header, source, port);
    return PROXY_HEADER_OK;
}

/* Reads a whole line, without "PROXY " and CRLF. */
static enum proxy_header_result read_line(struct bytes line, struct proxy_header *header) {
    struct bytes protocol = take_word(&line);

    if (bytes_equal(protocol, bytes_of_string("UNKNOWN"))) {
        header->sender = PROXY_HEADER_NAMELESS;
        return PROXY_HEADER_OK; /* the rest is to be ignored */
    }
    if (bytes_equal(protocol, bytes_of_string("TCP4"))) {
        return read_endpoints(line, AF_INET, header);
    }
    if (bytes_equal(protocol, bytes_of_string("TCP6"))) {
        return read_endpoints(line, AF_INET6, header);
    }
    return malformed(header, "a protocol other than TCP4, TCP6 and UNKNOWN");
}

/* Finds the line's end first: addresses may be cut anywhere. Neither CR nor LF may stand alone. */
static enum proxy_header_result parse_v1(struct bytes received, struct proxy_header *header) {
    size_t size = received.size < PROXY_HEADER_V1_MAX ? received.size : PROXY_HEADER_V1_MAX;

    for (size_t i = sizeof line_front; i < size; i++) {
        if (received.data[i] == '\n') {
            return malformed(header, "a line that ends in LF alone");
        }
        if (received.data[i] != '\r') {
            continue;
        }
        if (i + 1 == size) {
            break;
        }
        if (received.data[i + 1] != '\n') {
            return malformed(header, "a CR without its LF");
        }
        header->size = i + 2;
        return read_line(bytes_of(received.data + sizeof line_front, i - sizeof line_front), header);
    }
    return size == PROXY_HEADER_V1_MAX ? malformed(header, "a line over 107 bytes") : PROXY_HEADER_INCOMPLETE;
}

/* Returns the bit of a registered type that may come once; 0: any number of it may come. */
static unsigned bit_of_type(uint8_t type) {
    static const uint8_t once[] = {PROXY_TYPE_ALPN, PROXY_TYPE_AUTHORITY, TYPE_CRC32C,
                                   TYPE_UNIQUE_ID,  PROXY_TYPE_SSL,       TYPE_NETNS};

    for (unsigned i = 0; i < ARRAY_LENGTH(once); i++) {
        if (once[i] == type) {
            return 1u << i;
        }
    }
    return 0;
}

/* Returns whether the vectors within PP2_TYPE_SSL fill it. */
static bool ssl_is_whole(struct bytes value) {
    struct reader reader = reader_of(value);

    reader_bytes(&reader, PROXY_SSL_FRONT);
    while (!reader.failed && reader_left(&reader) > 0) {
        reader_u8(&reader);
        reader_bytes(&reader, reader_u16(&reader));
    }
    return !reader.failed;
}

/* Returns whether the checksum is that of the whole header with zeros in its place (section 2.2.3). */
static bool checksum_is_right(struct bytes whole, struct bytes checksum) {
    static const uint8_t zeros[CRC32C_SIZE];
    const uint8_t *behind = checksum.data + checksum.size;
    uint32_t crc = crc32c(0, bytes_of(whole.data, (size_t)(checksum.data - whole.data)));

    crc = crc32c(crc, bytes_of(zeros, sizeof zeros));
    crc = crc32c(crc, bytes_of(behind, whole.size - (size_t)(behind - whole.data)));
    struct reader reader = reader_of(checksum);
    return crc == reader_u32(&reader);
}

/* Returns NULL, or what is wrong with the vector. */
static const char *check_vector(uint8_t type, struct bytes value, struct bytes whole) {
    switch (type) {
    case TYPE_CRC32C:
        return value.size == CRC32C_SIZE && checksum_is_right(whole, value) ? NULL : "a checksum that is not the header's";
    case TYPE_UNIQUE_ID:
        return value.size <= PROXY_HEADER_UNIQUE_ID_MAX ? NULL : "an identifier over 128 bytes";
    case PROXY_TYPE_SSL:
        return ssl_is_whole(value) ? NULL : "a vector within PP2_TYPE_SSL whose size is wrong";
    default:
        return NULL;
    }
}

/* Checks the vectors, which are the rest of `whole`. */
static enum proxy_header_result check_vectors(struct bytes vectors, struct bytes whole, struct proxy_header *header) {
    struct reader reader = reader_of(vectors);
    unsigned seen = 0;

    while (reader_left(&reader) > 0) {
        uint8_t type = reader_u8(&reader);
        struct bytes value = reader_bytes(&reader, reader_u16(&reader));
        if (reader.failed) {
            return malformed(header, "a vector whose size is wrong");
        }
        unsigned bit = bit_of_type(type);
        if ((seen & bit) != 0) {
            return malformed(header, "two vectors of one type");
        }
        seen |= bit;
        const char *fault = check_vector(type, value, whole);
        if (fault != NULL) {
            return malformed(header, fault);
        }
    }
    return PROXY_HEADER_OK;
}

/* Returns the size of the addresses; -1: they are of no stream. */
static int size_of_addresses(uint8_t family) {
    switch (family) {
    case UNSPECIFIED:
        return 0;
    case PROXY_INET_STREAM:
        return INET_SIZE;
    case PROXY_INET6_STREAM:
        return INET6_SIZE;
    case UNIX_STREAM:
        return UNIX_SIZE;
    default:
        return -1;
    }
}

static void read_addresses(uint8_t family, struct bytes addresses, struct proxy_header *header) {
    in_port_t port;

    header->sender = PROXY_HEADER_NAMELESS;
    if (family == PROXY_INET_STREAM) {
        memcpy(&port, addresses.data + 8, sizeof port);
        set_ipv4(header, addresses.data, port);
    } else if (family == PROXY_INET6_STREAM) {
        memcpy(&port, addresses.data + 32, sizeof port);
        set_ipv6(header, addresses.data, port);
    }
}

/* Reads a complete header of the command PROXY. */
static enum proxy_header_result read_proxied(struct bytes whole, size_t addresses_size, struct proxy_header *header) {
    uint8_t family = whole.data[13];
    struct bytes rest = bytes_of(whole.data + PROXY_HEADER_V2_FRONT, whole.size - PROXY_HEADER_V2_FRONT);

    read_addresses(family, rest, header);
    if (family == UNSPECIFIED) {
        return PROXY_HEADER_OK; /* nobody knows where its vectors begin */
    }
    return check_vectors(bytes_of(rest.data + addresses_size, rest.size - addresses_size), whole, header);
}

/* Checks stand in the order in which their bytes come, so that the answer does not depend on how much of the rest has come.
 */
static enum proxy_header_result parse_v2(struct bytes received, struct proxy_header *header) {
    if (received.size > 12 && received.data[12] != (PROXY_VERSION_2 | PROXY_COMMAND_LOCAL) &&
        received.data[12] != (PROXY_VERSION_2 | PROXY_COMMAND_PROXY)) {
        return malformed(header, "an unknown version or command");
    }
    bool is_local = received.size > 12 && received.data[12] == (PROXY_VERSION_2 | PROXY_COMMAND_LOCAL);
    int addresses = received.size > 13 && !is_local ? size_of_addresses(received.data[13]) : 0;
    if (addresses < 0) {
        return malformed(header, "a family or transport other than streams of IPv4, IPv6 and Unix");
    }
    if (received.size < PROXY_HEADER_V2_FRONT) {
        return PROXY_HEADER_INCOMPLETE;
    }
    size_t length = (size_t)received.data[14] << 8 | received.data[15];
    if (length > PROXY_HEADER_SIZE_MAX - PROXY_HEADER_V2_FRONT) {
        return malformed(header, "a header over 4,096 bytes");
    }
    if (length < (size_t)addresses) {
        return malformed(header, "a header that is shorter than its addresses");
    }
    header->size = PROXY_HEADER_V2_FRONT + length;
    if (received.size < header->size) {
        return PROXY_HEADER_INCOMPLETE;
    }
    if (is_local) {
        header->sender = PROXY_HEADER_LOCAL;
        return PROXY_HEADER_OK;
    }
    return read_proxied(bytes_of(received.data, header->size), (size_t)addresses, header);
}

enum proxy_header_result proxy_header_parse(struct bytes received, struct proxy_header *header) {
    if (received.size == 0) {
        return PROXY_HEADER_INCOMPLETE;
    }
    if (begins(received, signature, sizeof signature)) {
        return parse_v2(received, header);
    }
    if (begins(received, line_front, sizeof line_front)) {
        return parse_v1(received, header);
    }
    return malformed(header, "no header of the PROXY protocol");
}
