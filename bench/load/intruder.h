/*
 * The client's side of TLS 1.3 without a library, for those who shall be refused and for those who shall cost little: just
 * far enough to present a certificate and prove that it has its key, or to resume with a ticket, and to ask for something.
 * It checks the server's Finished, but neither its certificate nor the proof of that, has one key share for all, and
 * allocates next to nothing, so that it costs less than half of what client.h does.
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

/* A session ticket of the server, and what belongs to it. */
struct intruder_ticket {
    uint8_t data[CLIENT_HELLO_TICKET_MAX];
    uint16_t size; /* 0: there is none */
    uint32_t age_add;
    uint64_t came_ms; /* monotonic */
    uint8_t psk[RECORD_HASH_SIZE];
};

struct intruder {
    struct intruder_shared *shared;
    struct intruder_ticket *ticket; /* the newest that has come; NULL: it keeps none */
    wc_Sha256 transcript;
    struct record_secrets secrets;
    uint8_t early[RECORD_HASH_SIZE];      /* of the ticket that was offered */
    uint8_t resumption[RECORD_HASH_SIZE]; /* of this session, if it keeps tickets */
    uint8_t verify[RECORD_HASH_SIZE];     /* of the server's Finished, as it should be */
    bool offered;                         /* a ticket */
    bool resumed;                         /* the server has taken it */
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
    struct bytes heard;    /* after INTRUDER_HEARD: plaintext, until the next call */
    unsigned outcome;      /* see outcome.h; after INTRUDER_CONCLUDED */
};

enum intruder_result {
    INTRUDER_WANT_INPUT,
    INTRUDER_YOUR_TURN, /* once: the server's flight is complete, and its Finished is right */
    INTRUDER_HEARD,     /* a part of an answer: call again, for what may stand behind it */
    INTRUDER_CONCLUDED,
};

/* 0, or -ENOSYS when wolfCrypt refuses. */
int intruder_shared_init(struct intruder_shared *shared);
/* Has it keep the tickets that come, from one session to the next. Once, before all else. */
void intruder_keep_tickets(struct intruder *intruder);
/* Before anything else in a session; `held` and the ticket live on from one to the next. */
void intruder_begin(struct intruder *intruder, struct intruder_shared *shared);
void intruder_destroy(struct intruder *intruder);
/* The share into a hello, after it was refreshed, and the hello into the transcript: it has to be the one that is sent. */
void intruder_greet(struct intruder *intruder, struct client_hello *hello);
/*
 * The same with the ticket that it has, which is used once: `hello` was built with the ticket's size. `now_ms`: monotonic.
 */
void intruder_greet_again(struct intruder *intruder, struct client_hello *hello, uint64_t now_ms);
/*
 * Takes bytes from the server. They are consumed, but for those behind what the result tells. `now_ms`: monotonic, of the
 * tickets among them.
 */
enum intruder_result intruder_take(struct intruder *intruder, struct bytes *data, uint64_t now_ms);
/*
 * Writes the client's flight, to be sent on INTRUDER_YOUR_TURN: a whole Certificate message, if one was asked for, the proof
 * of the key, Finished, and then the request. Writes at most INTRUDER_FLIGHT_MAX to `out` and returns the size. The message
 * and the request together leave at least 1 KiB of that.
 */
size_t intruder_present(struct intruder *intruder, struct bytes certificate, struct signer *signer, struct bytes request,
                        uint8_t *out);

#endif
