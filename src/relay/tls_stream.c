#include "relay/tls_stream.h"

#include "base/check.h"
#include "config/units.h"
#include "relay/tls_gather.h"
#include "relay/tls_handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tls_memory {
    struct tls_gather gather;
    char detail[TLS_HANDSHAKE_DETAIL_SIZE]; /* of the last fault */
    uint8_t plaintext[TLS_RECORD_SIZE_MAX]; /* on its way from an origin */
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
    struct tls_memory *memory;
    const struct tls_stream_handler *handler;
    void *owner;
    struct tls_origin_session *session;
    enum state state;
    enum tls_result outcome; /* the end that has come behind what was delivered; TLS_DONE: none has */
    size_t room;
    bool wants;        /* a delivery is asked for */
    bool running;      /* run() is on the stack */
    bool ends;         /* no more is written: nothing of the session's own leaves either */
    bool cut;          /* FIN has come without close_notify */
    bool answered;     /* the origin has sent something */
    bool in_clear;     /* and it was plain HTTP, to the hello */
    int error;         /* of a write that failed */
    uint64_t data_end; /* behind what the owner has written, in bytes of the stream */
    uint8_t *held;     /* ciphertext that waits until a delivery is asked for */
    struct ring_task work;
    enum relay_fault fault;
    const char *detail;
    struct tls_handshake handshake;
};

static const char closed_in_handshake[] = "the origin has closed the connection in the handshake";
static const char reset_in_handshake[] = "the origin has reset the connection in the handshake";

static void run(struct tls_stream *tls);

static bool encrypt(void *owner, struct bytes plaintext) {
    struct tls_stream *tls = owner;

    if (tls_stream_is_open(tls) && tls->error == 0 && tls_origin_session_write(tls->session, plaintext) != TLS_DONE) {
        int error = tls_origin_session_lacks_memory(tls->session) ? -ENOMEM : -EPROTO;
        tls->error = tls->error != 0 ? tls->error : error;
        ring_defer(tls->memory->gather.ring, &tls->work);
    }
    tls->data_end = tls->stream->bytes_sent + tls->stream->queue.size;
    return tls->error == 0;
}

struct tls_memory *tls_memory_create(struct ring *ring) {
    struct tls_memory *memory = calloc(1, sizeof *memory);

    if (memory != NULL) {
        tls_gather_init(&memory->gather, ring, encrypt);
    }
    return memory;
}

void tls_memory_free(struct tls_memory *memory) {
    if (memory != NULL) {
        tls_gather_end(&memory->gather);
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
        tls->memory = memory;
        tls->handler = handler;
        tls->owner = owner;
        tls->outcome = TLS_DONE;
        tls->work.run = work;
        tls->handshake.origin = origin;
    }
    return tls;
}

void tls_stream_free(struct tls_stream *tls) {
    tls_gather_drop(&tls->memory->gather, tls);
    ring_forget(&tls->work);
    tls_origin_session_free(tls->session);
    free(tls->held);
    free(tls);
}

static bool is_over(const struct tls_stream *tls) {
    return tls->state == STATE_OVER || tls->stream->state != STREAM_OPEN;
}

/* Ends the session. An origin that has given up what it had given gets a full handshake. */
static void give_up(struct tls_stream *tls, enum relay_fault fault, const char *detail) {
    tls_gather_drop(&tls->memory->gather, tls);
    if (tls->state == STATE_HANDSHAKE) {
        tls_origin_end(tls->handshake.origin);
    }
    tls->state = STATE_OVER;
    tls->wants = false;
    tls->fault = fault;
    tls->detail = detail;
}

/* Likewise, and tells the owner, once. */
static void fail(struct tls_stream *tls, enum relay_fault fault, const char *detail, int error) {
    if (!is_over(tls)) {
        give_up(tls, fault, detail);
        tls->handler->failed(tls->owner, error);
    }
}

/* Likewise for a fault of the session's, with its own words. */
static void fail_session(struct tls_stream *tls, enum relay_fault fault) {
    bool is_alert;
    const char *text = tls_origin_session_fault(tls->session, &is_alert);

    if (tls->error == 0 && tls_origin_session_lacks_memory(tls->session)) {
        tls->error = -ENOMEM;
    }
    if (tls->error != 0) {
        fail(tls, RELAY_FAULT_NONE, NULL, tls->error);
        return;
    }
    if (tls->in_clear) {
        text = "it answers in plain HTTP";
    }
    snprintf(tls->memory->detail, sizeof tls->memory->detail, is_alert ? "the origin has sent the alert %s" : "%s", text);
    fail(tls, fault, tls->memory->detail, -EPROTO);
}

static void fail_handshake(struct tls_stream *tls) {
    enum relay_fault fault = tls_handshake_fail(&tls->handshake);

    if (fault == RELAY_FAULT_TLS_HANDSHAKE) {
        fail_session(tls, fault);
    } else {
        fail(tls, fault, tls->memory->detail, -EPROTO);
    }
}

/* The connection has ended in the handshake. */
static void lose_handshake(struct tls_stream *tls, const char *detail, int error) {
    tls_handshake_fail(&tls->handshake);
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

static int judge(void *owner, const struct tls_peer_chain *chain) {
    struct tls_stream *tls = owner;

    return tls_handshake_judge(&tls->handshake, chain, tls->memory->detail);
}

static const struct tls_origin_handler session_handler = {.output = output, .judge = judge};

/* The handshake is complete. False: it was in vain. */
static bool establish(struct tls_stream *tls) {
    if (!tls_handshake_complete(&tls->handshake, tls->session)) {
        fail(tls, RELAY_FAULT_TLS_ALPN, "the origin does not agree on h2", -EPROTO);
        return false;
    }
    tls->state = STATE_OPEN;
    tls_handshake_keep(&tls->handshake, tls->session);
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
        fail_session(tls, tls_origin_session_is_refused(tls->session) ? RELAY_FAULT_TLS_HANDSHAKE : RELAY_FAULT_TLS_BROKEN);
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
    tls_handshake_keep(&tls->handshake, tls->session);
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
    const struct tls_origin *origin = tls->handshake.origin;
    const struct tls_resumption *resumption = tls_handshake_begin(&tls->handshake);

    tls->stream = stream;
    tls->session = tls_origin_session_create(origin->context, origin->expected.name, resumption, &session_handler, tls);
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
        lose_handshake(tls, tls->stream->send_failed ? reset_in_handshake : closed_in_handshake, -ECONNRESET);
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
    tls->answered = true;
    if (tls->state == STATE_HANDSHAKE && ciphertext.size >= sizeof http - 1) {
        tls->in_clear = memcmp(ciphertext.data, http, sizeof http - 1) == 0;
    }
    tls_origin_session_feed(tls->session, ciphertext);
    run(tls);
}

void tls_stream_broken(struct tls_stream *tls, int error) {
    if (tls->state == STATE_HANDSHAKE && tls->stream->receiving) {
        return; /* a send has failed: the alert that came before the reset is read first, or the end */
    }
    if (tls->state == STATE_HANDSHAKE) {
        lose_handshake(tls, reset_in_handshake, error);
    } else if (tls->state != STATE_OVER) {
        /* The owner may go on reading what came before. */
        tls->handler->failed(tls->owner, error);
    }
}

void tls_stream_time_out(struct tls_stream *tls, uint32_t timeout_ms) {
    struct tls_memory *memory = tls->memory;
    char timeout[UNITS_TEXT_SIZE];

    if (tls->state != STATE_HANDSHAKE) {
        return;
    }
    units_format_duration(timeout_ms, timeout);
    snprintf(memory->detail, sizeof memory->detail, "%s within %s",
             tls->answered ? "the TLS handshake was not complete" : "no answer to the TLS hello", timeout);
    give_up(tls, tls_handshake_fail(&tls->handshake), memory->detail);
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
        ring_defer(tls->memory->gather.ring, &tls->work);
    } else if (room > 0) {
        stream_receive_up_to(tls->stream, room);
    } else {
        stream_receive(tls->stream);
    }
}

bool tls_stream_is_receiving(const struct tls_stream *tls) {
    return tls->wants && (tls->stream->receiving || has_more(tls));
}

int tls_stream_write(struct tls_stream *tls, struct bytes data) {
    CHECK(!tls->ends);
    if (tls->error == 0) {
        tls_gather_write(&tls->memory->gather, tls, data);
    }
    return tls->error;
}

size_t tls_stream_gathered(const struct tls_stream *tls) {
    return tls_gather_size(&tls->memory->gather, tls);
}

bool tls_stream_is_clean(const struct tls_stream *tls) {
    return tls->state == STATE_OPEN && !has_more(tls) && !tls_origin_session_has_part(tls->session);
}

bool tls_stream_is_cut(const struct tls_stream *tls) {
    return tls->cut;
}

void tls_stream_end(struct tls_stream *tls, bool politely, bool goes_on) {
    if (politely && tls_stream_is_open(tls) && tls->stream->state == STREAM_OPEN && !tls->ends) {
        tls_gather_flush(&tls->memory->gather, tls);
        if (tls->error == 0) {
            tls_origin_session_shutdown(tls->session);
        }
    }
    tls->ends = true;
    tls_gather_drop(&tls->memory->gather, tls);
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

bool tls_stream_has_alert(const struct tls_stream *tls) {
    return tls->fault != RELAY_FAULT_NONE && tls->stream->state == STREAM_OPEN && tls->stream->queue.size > 0 &&
           tls->stream->bytes_sent >= tls->data_end;
}

bool tls_stream_handshake(const struct tls_stream *tls, enum stats_origin_handshake *outcome) {
    *outcome = tls->handshake.outcome;
    return tls->handshake.has_ended;
}
