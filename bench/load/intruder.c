#include "load/intruder.h"

#include "base/check.h"
#include "load/outcome.h"

#include <errno.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>

enum {
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_NEW_SESSION_TICKET = 4,
    MESSAGE_CERTIFICATE_REQUEST = 13,
    MESSAGE_CERTIFICATE_VERIFY = 15,
    MESSAGE_FINISHED = 20,
    MESSAGE_HEADER_SIZE = 4,
    SUITE_AES_128_GCM_SHA256 = 0x1301,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_KEY_SHARE = 51,
    GROUP_X25519 = 0x001d,
    SCHEME_ECDSA_P256_SHA256 = 0x0403,
    SHARE_SIZE = 32,
};

int intruder_shared_init(struct intruder_shared *shared) {
    WC_RNG random;

    if (wc_InitRng(&random) != 0) {
        return -ENOSYS;
    }
    int result = wc_curve25519_make_priv(&random, SHARE_SIZE, shared->secret);
    if (result == 0) {
        result = wc_curve25519_make_pub(SHARE_SIZE, shared->share, SHARE_SIZE, shared->secret);
    }
    wc_FreeRng(&random);
    return result == 0 ? 0 : -ENOSYS;
}

void intruder_keep_tickets(struct intruder *intruder) {
    intruder->ticket = calloc(1, sizeof *intruder->ticket);
    CHECK(intruder->ticket != NULL);
}

void intruder_begin(struct intruder *intruder, struct intruder_shared *shared) {
    *intruder = (struct intruder){.shared = shared, .ticket = intruder->ticket, .held = intruder->held};
    CHECK(wc_InitSha256(&intruder->transcript) == 0);
}

void intruder_destroy(struct intruder *intruder) {
    free(intruder->ticket);
    free(intruder->held);
}

static void note(struct intruder *intruder, struct bytes messages) {
    CHECK(wc_Sha256Update(&intruder->transcript, messages.data, (word32)messages.size) == 0);
}

static void hash_so_far(struct intruder *intruder, uint8_t hash[static RECORD_HASH_SIZE]) {
    CHECK(wc_Sha256GetHash(&intruder->transcript, hash) == 0);
}

void intruder_greet(struct intruder *intruder, struct client_hello *hello) {
    memcpy(hello->data + hello->share_at, intruder->shared->share, SHARE_SIZE);
    note(intruder, client_hello_message(hello));
}

void intruder_greet_again(struct intruder *intruder, struct client_hello *hello, uint64_t now_ms) {
    struct intruder_ticket *ticket = intruder->ticket;
    uint32_t age = (uint32_t)(now_ms - ticket->came_ms) + ticket->age_add;
    const uint8_t obfuscated[] = {(uint8_t)(age >> 24), (uint8_t)(age >> 16), (uint8_t)(age >> 8), (uint8_t)age};

    client_hello_set_ticket(hello, bytes_of(ticket->data, ticket->size));
    memcpy(hello->data + hello->age_at, obfuscated, sizeof obfuscated);
    memcpy(hello->data + hello->share_at, intruder->shared->share, SHARE_SIZE);
    record_derive_early(ticket->psk, intruder->early);
    note(intruder, client_hello_unbound(hello));
    uint8_t hash[RECORD_HASH_SIZE];
    hash_so_far(intruder, hash);
    record_bind(intruder->early, hash, hello->data + hello->binder_at);
    size_t unbound = client_hello_unbound(hello).size;
    struct bytes message = client_hello_message(hello);
    note(intruder, bytes_of(message.data + unbound, message.size - unbound));
    intruder->offered = true;
    ticket->size = 0;
}

static enum intruder_result conclude(struct intruder *intruder, unsigned outcome) {
    intruder->outcome = outcome;
    return INTRUDER_CONCLUDED;
}

/*
 * The server's share, or an empty view: a retry, an older version, another group or suite. *resumed: it takes the first
 * ticket that was offered.
 */
static struct bytes find_share(struct bytes message, bool *resumed) {
    struct reader reader = reader_of(message);
    struct bytes share = {0};

    if (reader_u8(&reader) != MESSAGE_SERVER_HELLO) {
        return share;
    }
    reader_bytes(&reader, 3 + 2 + 32); /* length, version, random */
    reader_bytes(&reader, reader_u8(&reader));
    if (reader_u16(&reader) != SUITE_AES_128_GCM_SHA256) {
        return share;
    }
    reader_u8(&reader);
    struct reader extensions = reader_of(reader_bytes(&reader, reader_u16(&reader)));
    while (reader_left(&extensions) > 0) {
        unsigned type = reader_u16(&extensions);
        struct reader content = reader_of(reader_bytes(&extensions, reader_u16(&extensions)));

        if (type == EXTENSION_KEY_SHARE && reader_u16(&content) == GROUP_X25519 && reader_u16(&content) == SHARE_SIZE) {
            share = reader_bytes(&content, SHARE_SIZE);
        } else if (type == EXTENSION_PRE_SHARED_KEY) {
            *resumed = reader_left(&content) == 2 && reader_u16(&content) == 0;
        }
    }
    return share;
}

static bool agree(const struct intruder_shared *shared, struct bytes share, uint8_t secret[static SHARE_SIZE]) {
    word32 size = SHARE_SIZE;

    curve25519_key mine;
    curve25519_key theirs;
    CHECK(wc_curve25519_init(&mine) == 0 && wc_curve25519_init(&theirs) == 0);
    bool good = wc_curve25519_import_private_raw_ex(shared->secret, SHARE_SIZE, shared->share, SHARE_SIZE, &mine,
                                                    EC25519_LITTLE_ENDIAN) == 0 &&
                wc_curve25519_import_public_ex(share.data, SHARE_SIZE, &theirs, EC25519_LITTLE_ENDIAN) == 0 &&
                wc_curve25519_shared_secret_ex(&mine, &theirs, secret, &size, EC25519_LITTLE_ENDIAN) == 0;
    wc_curve25519_free(&mine);
    wc_curve25519_free(&theirs);
    return good;
}

static enum intruder_result take_hello(struct intruder *intruder, struct bytes message) {
    struct bytes share = find_share(message, &intruder->resumed);
    uint8_t secret[SHARE_SIZE];

    if (share.size != SHARE_SIZE || (intruder->resumed && !intruder->offered) || !agree(intruder->shared, share, secret)) {
        return conclude(intruder, OUTCOME_TLS_FAILED);
    }
    note(intruder, message);
    uint8_t hash[RECORD_HASH_SIZE];
    hash_so_far(intruder, hash);
    record_derive_handshake(&intruder->secrets, intruder->resumed ? intruder->early : NULL, secret, hash);
    intruder->state = INTRUDER_LISTENING;
    return INTRUDER_WANT_INPUT;
}

/*
 * A message of the server's flight begins. The Finished that is to come is over all before it (RFC 8446 section 4.4.4).
 * False: it is a Finished of another size.
 */
static bool begin_message(struct intruder *intruder) {
    const uint8_t *header = intruder->message_header;

    intruder->message_left = (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
    intruder->asked = intruder->asked || header[0] == MESSAGE_CERTIFICATE_REQUEST;
    if (header[0] == MESSAGE_FINISHED) {
        uint8_t hash[RECORD_HASH_SIZE];
        hash_so_far(intruder, hash);
        record_finish(intruder->secrets.server_finished, hash, intruder->verify);
    }
    note(intruder, bytes_of(header, MESSAGE_HEADER_SIZE));
    return header[0] != MESSAGE_FINISHED || intruder->message_left == RECORD_HASH_SIZE;
}

/* Tells whether these bytes, behind which `left` are to come, are those of a Finished as it should be. */
static bool is_right(const struct intruder *intruder, struct bytes part, size_t left) {
    return memcmp(part.data, intruder->verify + RECORD_HASH_SIZE - left - part.size, part.size) == 0;
}

/* Goes over the messages of the server's flight. Nothing follows its Finished. */
static enum intruder_result take_messages(struct intruder *intruder, struct bytes data) {
    struct reader reader = reader_of(data);

    while (reader_left(&reader) > 0) {
        if (intruder->message_header_size < MESSAGE_HEADER_SIZE) {
            intruder->message_header[intruder->message_header_size++] = reader_u8(&reader);
            if (intruder->message_header_size < MESSAGE_HEADER_SIZE) {
                continue;
            }
            if (!begin_message(intruder)) {
                return conclude(intruder, OUTCOME_TLS_FAILED);
            }
        }
        bool is_finished = intruder->message_header[0] == MESSAGE_FINISHED;
        size_t size = reader_left(&reader) < intruder->message_left ? reader_left(&reader) : intruder->message_left;
        struct bytes part = reader_bytes(&reader, size);
        intruder->message_left -= (uint32_t)size;
        note(intruder, part);
        if (is_finished && !is_right(intruder, part, intruder->message_left)) {
            return conclude(intruder, OUTCOME_TLS_FAILED);
        }
        if (intruder->message_left == 0) {
            intruder->message_header_size = 0;
            if (is_finished) {
                return INTRUDER_YOUR_TURN;
            }
        }
    }
    return INTRUDER_WANT_INPUT;
}

/* Keeps a ticket: the content of a NewSessionTicket (RFC 8446 section 4.6.1). False: it is malformed, or too large. */
static bool keep_ticket(struct intruder *intruder, struct bytes content, uint64_t now_ms) {
    struct intruder_ticket *ticket = intruder->ticket;
    struct reader reader = reader_of(content);

    reader_bytes(&reader, 4); /* its lifetime */
    uint32_t age_add = (uint32_t)reader_u16(&reader) << 16;
    age_add |= reader_u16(&reader);
    struct bytes nonce = reader_bytes(&reader, reader_u8(&reader));
    struct bytes data = reader_bytes(&reader, reader_u16(&reader));
    if (reader.failed || data.size == 0 || data.size > sizeof ticket->data) {
        return false;
    }
    memcpy(ticket->data, data.data, data.size);
    ticket->size = (uint16_t)data.size;
    ticket->age_add = age_add;
    ticket->came_ms = now_ms;
    record_derive_psk(intruder->resumption, nonce, ticket->psk);
    return true;
}

/* Goes over the messages behind the handshake, of which each is whole in its record. */
static enum intruder_result take_tickets(struct intruder *intruder, struct bytes data, uint64_t now_ms) {
    struct reader reader = reader_of(data);

    while (intruder->ticket != NULL && reader_left(&reader) > 0) {
        uint8_t type = reader_u8(&reader);
        size_t size = (size_t)reader_u8(&reader) << 16;
        size |= reader_u16(&reader);
        struct bytes content = reader_bytes(&reader, size);
        if (reader.failed || (type == MESSAGE_NEW_SESSION_TICKET && !keep_ticket(intruder, content, now_ms))) {
            return conclude(intruder, OUTCOME_TLS_FAILED);
        }
    }
    return INTRUDER_WANT_INPUT;
}

static enum intruder_result take_content(struct intruder *intruder, uint8_t type, struct bytes content, uint64_t now_ms) {
    if (type == RECORD_ALERT && content.size == 2) {
        return conclude(intruder, content.data[1] == 0 ? OUTCOME_FIN : OUTCOME_ALERT + content.data[1]);
    }
    if (type == RECORD_HANDSHAKE && intruder->state == INTRUDER_GREETED) {
        return take_hello(intruder, content);
    }
    if (type == RECORD_HANDSHAKE && intruder->state == INTRUDER_LISTENING) {
        return take_messages(intruder, content);
    }
    if (type == RECORD_DATA && intruder->state == INTRUDER_PRESENTED && content.size > 0) {
        intruder->heard = content;
        return INTRUDER_HEARD;
    }
    if (type == RECORD_HANDSHAKE && intruder->state == INTRUDER_PRESENTED) {
        return take_tickets(intruder, content, now_ms);
    }
    if (type == RECORD_CHANGE_CIPHER_SPEC) {
        return INTRUDER_WANT_INPUT; /* for the sake of middleboxes */
    }
    return conclude(intruder, OUTCOME_TLS_FAILED);
}

static enum intruder_result take_record(struct intruder *intruder, const uint8_t *record, size_t size, uint64_t now_ms) {
    uint8_t *copy = intruder->shared->record;
    uint8_t type = record[0];

    if (type != RECORD_DATA) {
        return take_content(intruder, type, bytes_of(record + RECORD_HEADER_SIZE, size - RECORD_HEADER_SIZE), now_ms);
    }
    memcpy(copy, record, size);
    struct bytes content;
    if (intruder->state == INTRUDER_GREETED || !record_open(&intruder->secrets.server, copy, size, &type, &content)) {
        return conclude(intruder, OUTCOME_TLS_FAILED);
    }
    return take_content(intruder, type, content, now_ms);
}

static size_t record_size(const uint8_t *header) {
    return RECORD_HEADER_SIZE + ((size_t)header[3] << 8 | header[4]);
}

/* Moves bytes from `data` until `size` of a record are held. Whether they are. */
static bool hold_until(struct intruder *intruder, struct bytes *data, size_t size) {
    size_t missing = size - intruder->held_size;
    size_t part = missing < data->size ? missing : data->size;

    if (intruder->held == NULL) {
        intruder->held = malloc(RECORD_SIZE_MAX);
        CHECK(intruder->held != NULL);
    }
    memcpy(intruder->held + intruder->held_size, data->data, part);
    intruder->held_size += (uint32_t)part;
    *data = bytes_of(data->data + part, data->size - part);
    return part == missing;
}

/* The next whole record: in `data` where it lies, or put together from what was held. NULL when there is none. */
static const uint8_t *next_record(struct intruder *intruder, struct bytes *data, size_t *size) {
    const uint8_t *record = data->data;

    if (intruder->held_size == 0 && data->size >= RECORD_HEADER_SIZE && data->size >= record_size(record)) {
        *size = record_size(record);
        *data = bytes_of(record + *size, data->size - *size);
        return record;
    }
    if (data->size == 0 || (intruder->held_size < RECORD_HEADER_SIZE && !hold_until(intruder, data, RECORD_HEADER_SIZE))) {
        return NULL;
    }
    *size = record_size(intruder->held);
    if (*size <= RECORD_SIZE_MAX && !hold_until(intruder, data, *size)) {
        return NULL;
    }
    intruder->held_size = 0;
    return intruder->held;
}

enum intruder_result intruder_take(struct intruder *intruder, struct bytes *data, uint64_t now_ms) {
    enum intruder_result result = INTRUDER_WANT_INPUT;

    while (result == INTRUDER_WANT_INPUT) {
        size_t size = 0;
        const uint8_t *record = next_record(intruder, data, &size);

        if (record == NULL) {
            return INTRUDER_WANT_INPUT;
        }
        result =
            size > RECORD_SIZE_MAX ? conclude(intruder, OUTCOME_TLS_FAILED) : take_record(intruder, record, size, now_ms);
    }
    return result;
}

static size_t put_message(struct intruder *intruder, uint8_t *out, uint8_t type, const uint8_t *body, size_t size) {
    out[0] = type;
    out[1] = (uint8_t)(size >> 16);
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)size;
    memcpy(out + MESSAGE_HEADER_SIZE, body, size);
    note(intruder, bytes_of(out, MESSAGE_HEADER_SIZE + size));
    return MESSAGE_HEADER_SIZE + size;
}

/* RFC 8446 section 4.4.3. */
static size_t put_proof(struct intruder *intruder, struct signer *signer, uint8_t *out) {
    static const char context[] = "TLS 1.3, client CertificateVerify"; /* its NUL belongs to it */
    uint8_t content[64 + sizeof context + RECORD_HASH_SIZE];

    memset(content, ' ', 64);
    memcpy(content + 64, context, sizeof context);
    hash_so_far(intruder, content + 64 + sizeof context);
    uint8_t hash[SIGNER_HASH_SIZE];
    CHECK(wc_Sha256Hash(content, sizeof content, hash) == 0);
    uint8_t r[SIGNER_HALF_SIZE];
    uint8_t s[SIGNER_HALF_SIZE];
    signer_sign(signer, hash, r, s);
    uint8_t body[4 + SIGNER_DER_MAX];
    size_t size = signer_encode(r, s, body + 4);
    body[0] = SCHEME_ECDSA_P256_SHA256 >> 8;
    body[1] = SCHEME_ECDSA_P256_SHA256 & 0xff;
    body[2] = 0;
    body[3] = (uint8_t)size;
    return put_message(intruder, out, MESSAGE_CERTIFICATE_VERIFY, body, 4 + size);
}

size_t intruder_present(struct intruder *intruder, struct bytes certificate, struct signer *signer, struct bytes request,
                        uint8_t *out) {
    uint8_t *plaintext = intruder->shared->plaintext;
    size_t plain_size = 0;
    size_t size = 0;

    CHECK(certificate.size + request.size <= INTRUDER_FLIGHT_MAX - 1024);
    uint8_t server_finished[RECORD_HASH_SIZE];
    hash_so_far(intruder, server_finished);
    if (intruder->asked) {
        memcpy(plaintext, certificate.data, certificate.size);
        note(intruder, certificate);
        plain_size = certificate.size;
        plain_size += put_proof(intruder, signer, plaintext + plain_size);
    }
    uint8_t hash[RECORD_HASH_SIZE];
    hash_so_far(intruder, hash);
    uint8_t verify[RECORD_HASH_SIZE];
    record_finish(intruder->secrets.client_finished, hash, verify);
    plain_size += put_message(intruder, plaintext + plain_size, MESSAGE_FINISHED, verify, sizeof verify);
    for (size_t at = 0; at < plain_size; at += RECORD_PLAINTEXT_MAX) {
        size_t part = plain_size - at < RECORD_PLAINTEXT_MAX ? plain_size - at : RECORD_PLAINTEXT_MAX;

        size += record_seal(&intruder->secrets.client, RECORD_HANDSHAKE, bytes_of(plaintext + at, part), out + size);
    }
    if (intruder->ticket != NULL) {
        hash_so_far(intruder, hash);
        record_derive_resumption(&intruder->secrets, hash, intruder->resumption);
    }
    record_derive_application(&intruder->secrets, server_finished);
    size += record_seal(&intruder->secrets.client, RECORD_DATA, request, out + size);
    intruder->state = INTRUDER_PRESENTED;
    return size;
}
