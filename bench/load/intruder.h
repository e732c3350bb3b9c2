/*
 * The client's side of TLS 1.3 for those who shall be refused: just far enough to present a certificate and prove that it
 * has its key, and to ask for something. It believes whatever the server says, has one key share for all, and allocates
 * nothing, so that it costs less than half of what client.h does.
 */
#ifndef BENCH_LOAD_INTRUDER_H
#define BENCH_LOAD_INTRUDER_H

#include "load/client_hello.h"
#include "load/record.h"
#include "load/signer.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

enum {
    INTRUDER_CHAIN_MAX = 64 * 1024, /* of a Certificate message */
    INTRUDER_FLIGHT_MAX = INTRUDER_CHAIN_MAX + 4096,
};

/* Shared by the intruders of a run. */
struct intruder_shared {
    uint8_t share[32]; /* X25519, public and private */
    uint8_t secret[32];
    uint8_t plaintext[INTRUDER_FLIGHT_MAX];
    uint8_t record[RECORD_SIZE_MAX];
};

struct intruder {
    struct intruder_shared *shared;
    wc_Sha256 transcript;
    struct record_secrets secrets;
    enum {
        INTRUDER_GREETED,   /* the server's hello is to come */
        INTRUDER_LISTENING, /* and then the rest of its flight */
        INTRUDER_PRESENTED, /* and then what it thinks of ours */
    } state;
    uint8_t *held; /* malloc'd: the part of a record that has come; RECORD_SIZE_MAX */
    uint32_t held_size;
    uint8_t message_header[4]; /* of the message under way */
    uint8_t message_header_size;
    bool asked;            /* for a certificate */
    uint32_t message_left; /* bytes */
    unsigned outcome;      /* see outcome.h; after INTRUDER_CONCLUDED */
};

enum intruder_result {
    INTRUDER_WANT_INPUT,
    INTRUDER_YOUR_TURN, /* once: the server's flight is complete */
    INTRUDER_CONCLUDED,
};

/* 0, or -ENOSYS when wolfCrypt refuses. */
int intruder_shared_init(struct intruder_shared *shared);
/* Before anything else; `held` lives on from one session to the next. */
void intruder_begin(struct intruder *intruder, struct intruder_shared *shared);
void intruder_destroy(struct intruder *intruder);
/* The share into a hello, after it was refreshed, and the hello into the transcript: it has to be the one that is sent. */
void intruder_greet(struct intruder *intruder, struct client_hello *hello);
/* Bytes from the server. */
enum intruder_result intruder_take(struct intruder *intruder, struct bytes data);
/*
 * Writes the client's flight, to be sent on INTRUDER_YOUR_TURN: a whole Certificate message, if one was asked for, the proof
 * of the key, Finished, and then the request. Writes at most INTRUDER_FLIGHT_MAX to `out` and returns the size. The message
 * and the request together leave at least 1 KiB of that.
 */
size_t intruder_present(struct intruder *intruder, struct bytes certificate, struct signer *signer, struct bytes request,
                        uint8_t *out);

#endif
