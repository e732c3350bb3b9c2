#include "relay/tls_stream.h"

#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_SIZE = SERVER_DETAIL_SIZE + 64 };

struct tls_memory {
    struct tls_stream *gatherer; /* the one that `gathered` belongs to; NULL: none */
    size_t gathered_size;
    struct ring *ring;
    struct ring_task flush;
    char detail[DETAIL_SIZE];               /* of the last fault */
    uint8_t gathered[TLS_RECORD_SIZE_MAX];  /* on its way to an origin */
    uint8_t plaintext[TLS_RECORD_SIZE_MAX]; /* on its way from one */
};

enum state {
    STATE_CONNECTING,
    STATE_HANDSHAKE,
    STATE_OPEN,
    STATE_ENDED, /* the origin sends no more */
    STATE_OVER,  /* failed, or ended by the owner: no handler is called */
};

struct tls_stream {
    struct stream *stream; /* NULL before it is connected */
    struct tls_origin *origin;
    struct tls_memory *memory;
    const struct tls_stream_handler *handler;
    void *owner;
    struct tls_origin_session *session;
    enum state state;
    enum tls_result outcome; /* the end that has come behind what was delivered; TLS_DONE: none has */
    size_t room;
    bool wants;    /* a delivery is asked for */
    bool running;  /* run() is on the stack */
    bool ends;     /* no more is written: nothing of the session's own leaves either */
    bool cut;      /* FIN has come without close_notify */
    bool in_clear; /* the origin has answered the hello in plain HTTP */
    int error;     /* of a write that failed */
    int64_t until; /* how long what the handshake has shown holds, seconds since the epoch */
    uint8_t *held; /* ciphertext that waits until a delivery is asked for */
    struct ring_task work;
    enum relay_fault fault;
    const char *detail;
    bool has_shaken; /* hands, or has failed to: `handshake` says how */
    enum stats_origin_handshake handshake;
};

static void run(struct tls_stream *tls);
static void encrypt(struct tls_stream *tls, struct bytes plaintext);

static void flush(struct tls_memory *memory) {
    struct tls_stream *tls = memory->gatherer;
    struct bytes gathered = bytes_of(memory->gathered, memory->gathered_size);

    if (tls != NULL) {
        memory->gatherer = NULL;
        memory->gathered_size = 0;
        encrypt(tls, gathered);
    }
}

static void flush_task(struct ring_task *task) {
    flush(CONTAINER_OF(task, struct tls_memory, flush));
}

struct tls_memory *tls_memory_create(struct ring *ring) {
    struct tls_memory *memory = calloc(1, sizeof *memory);

    if (memory != NULL) {
        memory->ring = ring;
        memory->flush.run = flush_task;
    }
    return memory;
}

void tls_memory_free(struct tls_memory *memory) {
    if (memory != NULL) {
        CHECK(memory->gatherer == NULL);
        ring_forget(&memory->flush);
        free(memory);
    }
}

static void work(struct ring_task *task) {
    run(CONTAINER_OF(task, struct tls_stream, work));
}

struct tls_stream *tls_stream_create(struct tls_origin *origin, struct tls_memory *memory,
                                     const struct tls_stream_handler *handler, void *owner) {
    struct tls_stream *tls = calloc(1, sizeof *tls);

    if (tls != NULL) {
        tls->origin = origin;
        tls->memory = memory;
        tls->handler = handler;
        tls->owner = owner;
        tls->outcome = TLS_DONE;
        tls->work.run = work;
    }
    return tls;
}

static void forget_gathered(struct tls_stream *tls) {
    if (tls->memory->gatherer == tls) {
        tls->memory->gatherer = NULL;
        tls->memory->gathered_size = 0;
    }
}

void tls_stream_free(struct tls_stream *tls) {
    forget_gathered(tls);
    ring_forget(&tls->work);
    tls_origin_session_free(tls->session);
    free(tls->held);
    free(tls);
}

static bool is_over(const struct tls_stream *tls) {
    return tls->state == STATE_OVER || tls->stream->state != STREAM_OPEN;
}

/* Ends the session: the owner is told, once. An origin that has given up what it had given gets a full handshake. */
static void fail(struct tls_stream *tls, enum relay_fault fault, const char *detail, int error) {
    if (is_over(tls)) {
        return;
    }
    forget_gathered(tls);
    if (tls->state == STATE_HANDSHAKE) {
        tls_origin_end(tls->origin);
    }
    tls->state = STATE_OVER;
    tls->wants = false;
    tls->fault = fault;
    tls->detail = detail;
    tls->handler->failed(tls->owner, error);
}

/* Likewise for a fault of the session's, with its own words. */
static void fail_session(struct tls_stream *tls, enum relay_fault fault) {
    bool is_alert;
    const char *text = tls_origin_session_fault(tls->session, &is_alert);

    if (tls->error != 0) {
        fail(tls, RELAY_FAULT_NONE, NULL, tls->error);
        return;
    }
    if (tls->in_clear) {
        text = "it answers in plain HTTP";
    }
    snprintf(tls->memory->detail, DETAIL_SIZE, is_alert ? "the origin has sent the alert %s" : "%s", text);
    fail(tls, fault, tls->memory->detail, -EPROTO);
}

static void fail_handshake(struct tls_stream *tls) {
    if (!tls->has_shaken) {
        tls->has_shaken = true;
        tls->handshake = STATS_ORIGIN_HANDSHAKE_FAILED;
    }
    if (tls->handshake == STATS_ORIGIN_HANDSHAKE_CERTIFICATE) {
        fail(tls, RELAY_FAULT_TLS_CERTIFICATE, tls->memory->detail, -EPROTO);
    } else if (tls->handshake == STATS_ORIGIN_HANDSHAKE_NAME) {
        fail(tls, RELAY_FAULT_TLS_NAME, tls->memory->detail, -EPROTO);
    } else {
        fail_session(tls, RELAY_FAULT_TLS_HANDSHAKE);
    }
}

/* The connection has ended in the handshake. */
static void lose_handshake(struct tls_stream *tls, const char *detail, int error) {
    tls->has_shaken = true;
    tls->handshake = STATS_ORIGIN_HANDSHAKE_FAILED;
    fail(tls, RELAY_FAULT_TLS_HANDSHAKE, detail, error);
}

static int output(void *owner, struct bytes ciphertext) {
    struct tls_stream *tls = owner;

    /* Nobody hears the answer to a KeyUpdate, or an alert, behind the end. */
    if (tls->ends || tls->stream->state != STREAM_OPEN || tls->stream->half_ends) {
        return 0;
    }
    int error = stream_write(tls->stream, ciphertext);
    if (error < 0) {
        tls->error = error;
    }
    return error;
}

/* Returns the alert for a chain that is refused (RFC 8446 section 6.2). */
static int alert_of(enum reason reason) {
    enum { BAD_CERTIFICATE = 42, UNSUPPORTED = 43, REVOKED = 44, EXPIRED = 45, UNKNOWN_CA = 48 };

    switch (reason) {
    case REASON_UNKNOWN_ISSUER:
        return UNKNOWN_CA;
    case REASON_EXPIRED:
        return EXPIRED;
    case REASON_REVOKED:
        return REVOKED;
    case REASON_WRONG_USAGE:
    case REASON_UNSUPPORTED_CRITICAL_EXTENSION:
        return UNSUPPORTED;
    default:
        return BAD_CERTIFICATE;
    }
}

static int judge(void *owner, const struct tls_peer_chain *chain) {
    struct tls_stream *tls = owner;
    struct server_verdict verdict;

    server_judge(&tls->origin->expected, chain->certificates, chain->count, chain->too_large, clock_wall_seconds(),
                 &verdict);
    tls->until = verdict.until;
    if (verdict.reason == REASON_OK && verdict.is_named) {
        return TLS_ORIGIN_ACCEPTED;
    }
    tls->has_shaken = true;
    if (verdict.reason == REASON_OK) {
        tls->handshake = STATS_ORIGIN_HANDSHAKE_NAME;
        snprintf(tls->memory->detail, DETAIL_SIZE, "%s", verdict.detail);
    } else {
        tls->handshake = STATS_ORIGIN_HANDSHAKE_CERTIFICATE;
        snprintf(tls->memory->detail, DETAIL_SIZE, "%s: %s", reason_name(verdict.reason), verdict.detail);
    }
    return alert_of(verdict.reason);
}

static const struct tls_origin_handler session_handler = {.output = output, .judge = judge};

/* Keeps what the origin has given to resume. A session that was resumed itself has shown no certificate: its time stays. */
static void keep_resumption(struct tls_stream *tls) {
    struct tls_resumption *resumption = tls_origin_session_take_resumption(tls->session);

    if (resumption != NULL) {
        tls_origin_keep(tls->origin, resumption, tls->until);
    }
}

/* The handshake is complete. False: it was in vain. */
static bool establish(struct tls_stream *tls) {
    bool resumed = tls_origin_session_is_resumed(tls->session);
    int64_t most = clock_wall_seconds() + TLS_ORIGIN_RESUMPTION_MAX_S;

    tls->has_shaken = true;
    if (tls->origin->http2 && !tls_origin_session_is_http2(tls->session)) {
        tls->handshake = STATS_ORIGIN_HANDSHAKE_ALPN;
        fail(tls, RELAY_FAULT_TLS_ALPN, "the origin does not agree on h2", -EPROTO);
        return false;
    }
    tls->handshake = resumed ? STATS_ORIGIN_HANDSHAKE_RESUMED : STATS_ORIGIN_HANDSHAKE_FULL;
    if (!resumed && tls->until > most) {
        tls->until = most;
    }
    tls->state = STATE_OPEN;
    keep_resumption(tls);
    tls->handler->established(tls->owner);
    return true;
}

/* Goes on with the handshake. Returns whether there is more to be done with the input. */
static bool shake_hands(struct tls_stream *tls) {
    switch (tls_origin_session_handshake(tls->session)) {
    case TLS_DONE:
        return establish(tls);
    case TLS_WANT_INPUT:
        stream_receive(tls->stream);
        return false;
    case TLS_CLOSED:
    case TLS_FAILED:
        fail_handshake(tls);
        return false;
    }
    return false;
}

/* Tells the owner of the end that has come. */
static void deliver_end(struct tls_stream *tls) {
    tls->wants = false;
    if (tls->outcome == TLS_CLOSED) {
        tls->state = STATE_ENDED;
        tls->handler->received(tls->owner, (struct bytes){0});
    } else {
        fail_session(tls, RELAY_FAULT_TLS_BROKEN);
    }
}

/* Decrypts what fits into one delivery. Returns whether there may be another. */
static bool deliver(struct tls_stream *tls) {
    uint8_t *plaintext = tls->memory->plaintext;
    size_t total = 0;

    while (tls->outcome == TLS_DONE && total < TLS_RECORD_SIZE_MAX) {
        size_t size;

        tls->outcome = tls_origin_session_read(tls->session, plaintext + total, TLS_RECORD_SIZE_MAX - total, &size);
        total += size;
    }
    keep_resumption(tls);
    bool wants_input = tls->outcome == TLS_WANT_INPUT;
    if (wants_input) {
        tls->outcome = TLS_DONE;
    }
    if (total > 0) {
        tls->wants = false;
        tls->handler->received(tls->owner, bytes_of(plaintext, total));
        return true;
    }
    if (!wants_input) {
        deliver_end(tls);
    } else if (tls->room > 0) {
        stream_receive_up_to(tls->stream, tls->room);
    } else {
        stream_receive(tls->stream);
    }
    return false;
}

/* Has ciphertext that waits stay: what the ring has received is there until its handler returns. */
static void hold_rest(struct tls_stream *tls) {
    size_t rest = tls_origin_session_input(tls->session).size;
    uint8_t *held = NULL;

    if (rest > 0 && !is_over(tls)) {
        held = malloc(rest);
        if (held == NULL) {
            fail(tls, RELAY_FAULT_NONE, NULL, -ENOMEM);
        } else {
            tls_origin_session_move_input(tls->session, held);
        }
    }
    free(tls->held);
    tls->held = held;
}

/* Works through the input, as far as the owner wants plaintext. */
static void run(struct tls_stream *tls) {
    CHECK(!tls->running);
    tls->running = true;
    if (tls->error != 0) {
        fail(tls, RELAY_FAULT_NONE, NULL, tls->error);
    }
    bool more = true;
    while (more && !is_over(tls)) {
        if (tls->state == STATE_HANDSHAKE) {
            more = shake_hands(tls);
        } else {
            more = tls->state == STATE_OPEN && tls->wants && deliver(tls);
        }
    }
    hold_rest(tls);
    tls->running = false;
}

void tls_stream_begin(struct tls_stream *tls, struct stream *stream) {
    const struct tls_resumption *resumption = tls_origin_resumption(tls->origin, clock_wall_seconds());

    tls->stream = stream;
    tls->until = tls->origin->resumable_until;
    tls->session =
        tls_origin_session_create(tls->origin->context, tls->origin->expected.name, resumption, &session_handler, tls);
    tls->state = STATE_HANDSHAKE;
    if (tls->session == NULL) {
        fail(tls, RELAY_FAULT_NONE, NULL, -ENOMEM);
        return;
    }
    run(tls);
}

/* The origin's FIN. */
static void end_input(struct tls_stream *tls) {
    if (tls->state == STATE_HANDSHAKE) {
        lose_handshake(tls, "the origin has closed the connection in the handshake", -ECONNRESET);
    } else if (tls->state == STATE_OPEN) {
        tls->cut = true;
        tls->wants = false;
        tls->state = STATE_ENDED;
        tls->handler->received(tls->owner, (struct bytes){0});
    }
}

void tls_stream_input(struct tls_stream *tls, struct bytes ciphertext) {
    static const char http[] = "HTTP/1.";

    if (is_over(tls) || tls->state == STATE_ENDED) {
        return;
    }
    if (ciphertext.size == 0) {
        end_input(tls);
        return;
    }
    if (tls->state == STATE_HANDSHAKE && ciphertext.size >= sizeof http - 1) {
        tls->in_clear = memcmp(ciphertext.data, http, sizeof http - 1) == 0;
    }
    tls_origin_session_feed(tls->session, ciphertext);
    run(tls);
}

void tls_stream_broken(struct tls_stream *tls, int error) {
    if (tls->state == STATE_HANDSHAKE) {
        lose_handshake(tls, "the origin has reset the connection in the handshake", error);
    } else if (tls->state != STATE_OVER) {
        /* The owner may go on reading what came before. */
        tls->handler->failed(tls->owner, error);
    }
}

bool tls_stream_is_open(const struct tls_stream *tls) {
    return tls->state == STATE_OPEN || tls->state == STATE_ENDED;
}

/* Returns whether something that has come waits to be delivered. */
static bool has_more(const struct tls_stream *tls) {
    return tls->outcome != TLS_DONE || tls_origin_session_input(tls->session).size > 0 ||
           tls_origin_session_has_plaintext(tls->session);
}

void tls_stream_receive(struct tls_stream *tls, size_t room) {
    if (tls->state != STATE_OPEN || tls->wants) {
        return;
    }
    tls->wants = true;
    tls->room = room;
    if (tls->running) {
        return;
    }
    if (has_more(tls)) {
        ring_defer(tls->memory->ring, &tls->work);
    } else if (room > 0) {
        stream_receive_up_to(tls->stream, room);
    } else {
        stream_receive(tls->stream);
    }
}

bool tls_stream_is_receiving(const struct tls_stream *tls) {
    return tls->wants && (tls->stream->receiving || has_more(tls));
}

static void encrypt(struct tls_stream *tls, struct bytes plaintext) {
    if (tls_stream_is_open(tls) && tls->error == 0 && tls_origin_session_write(tls->session, plaintext) != TLS_DONE) {
        tls->error = tls->error != 0 ? tls->error : -EPROTO;
        ring_defer(tls->memory->ring, &tls->work);
    }
}

/* Moves the front of `plaintext` to the gathered bytes, as far as there is room. They leave when they fill a record. */
static void gather(struct tls_stream *tls, struct bytes *plaintext) {
    struct tls_memory *memory = tls->memory;
    size_t room = sizeof memory->gathered - memory->gathered_size;
    size_t size = plaintext->size < room ? plaintext->size : room;

    memory->gatherer = tls;
    memcpy(memory->gathered + memory->gathered_size, plaintext->data, size);
    memory->gathered_size += size;
    *plaintext = bytes_of(plaintext->data + size, plaintext->size - size);
    if (memory->gathered_size == sizeof memory->gathered) {
        flush(memory);
    } else {
        ring_defer(memory->ring, &memory->flush);
    }
}

int tls_stream_write(struct tls_stream *tls, struct bytes data) {
    struct tls_memory *memory = tls->memory;

    CHECK(!tls->ends);
    if (memory->gatherer != tls) {
        flush(memory);
    }
    while (data.size > 0 && tls->error == 0) {
        size_t whole = data.size - data.size % TLS_RECORD_SIZE_MAX;

        if (memory->gatherer == tls || whole == 0) {
            gather(tls, &data);
            continue;
        }
        /* Whole records need not be gathered. */
        encrypt(tls, bytes_of(data.data, whole));
        data = bytes_of(data.data + whole, data.size - whole);
    }
    return tls->error;
}

size_t tls_stream_gathered(const struct tls_stream *tls) {
    return tls->memory->gatherer == tls ? tls->memory->gathered_size : 0;
}

bool tls_stream_is_clean(const struct tls_stream *tls) {
    return tls->state == STATE_OPEN && !has_more(tls) && !tls_origin_session_has_part(tls->session);
}

bool tls_stream_is_cut(const struct tls_stream *tls) {
    return tls->cut;
}

void tls_stream_end(struct tls_stream *tls, bool politely, bool goes_on) {
    if (politely && tls_stream_is_open(tls) && tls->stream->state == STREAM_OPEN && !tls->ends) {
        if (tls->memory->gatherer == tls) {
            flush(tls->memory);
        }
        if (tls->error == 0) {
            tls_origin_session_shutdown(tls->session);
        }
    }
    tls->ends = true;
    forget_gathered(tls);
    if (!goes_on) {
        ring_forget(&tls->work);
        tls->state = STATE_OVER;
        tls->wants = false;
    }
}

enum relay_fault tls_stream_fault(const struct tls_stream *tls, const char **detail) {
    *detail = tls->detail;
    return tls->fault;
}

bool tls_stream_handshake(const struct tls_stream *tls, enum stats_origin_handshake *outcome) {
    *outcome = tls->handshake;
    return tls->has_shaken;
}
