/*
 * The half of a TLS session that is the same for both sides: what wolfSSL takes from the input that was fed, plaintext in
 * and out, and the end. Part of a session as its first member, so that wolfSSL's pointer to the session is one to the wire.
 * Private to tls/; the functions are those of the session, which session.h describes.
 */
#ifndef TLS_WIRE_H
#define TLS_WIRE_H

#include "tls/allowance.h"
#include "tls/peer.h"
#include "tls/proof.h"
#include "tls/result.h"

struct tls_wire {
    WOLFSSL *wolfssl;
    struct bytes input; /* fed and not yet consumed */
    int error;          /* of the call that has failed; 0 before */
    bool established;
    bool shut_down;
    uint8_t excess; /* enum tls_excess */
    struct tls_peer peer;
    struct tls_proof proof;
    struct allowance allowance;
};

/* Makes the wolfSSL session of a zeroed wire. False: out of memory. */
bool tls_wire_begin(struct tls_wire *wire, WOLFSSL_CTX *wolfssl);
void tls_wire_end(struct tls_wire *wire);

/* wolfSSL's input: takes from what was fed. `wire` is a struct tls_wire. */
int tls_wire_receive(WOLFSSL *wolfssl, char *buffer, int capacity, void *wire);
/* Sees the plaintext of each record. Returns 0, or the alert to end with. */
int tls_wire_record(WOLFSSL *wolfssl, int type, const unsigned char *data, unsigned size);

void tls_wire_feed(struct tls_wire *wire, struct bytes ciphertext);
void tls_wire_move_input(struct tls_wire *wire, uint8_t *to);
/* Ends the capture. A chain of which wolfSSL has kept only the front is too large, however much of it came. */
void tls_wire_end_capture(struct tls_wire *wire);
/* Notes that the handshake is complete. */
void tls_wire_establish(struct tls_wire *wire);
/* Fails the session. It ends with one alert: the one that wolfSSL has sent, or else `alert`, unless it is TLS_NO_ALERT. */
enum tls_result tls_wire_fail(struct tls_wire *wire, int error, int alert);
/* Finds the result of a wolfSSL call that did not succeed. `returned` is its return value. */
enum tls_result tls_wire_unfinished(struct tls_wire *wire, int returned);
enum tls_result tls_wire_read(struct tls_wire *wire, void *plaintext, size_t capacity, size_t *size);
enum tls_result tls_wire_write(struct tls_wire *wire, struct bytes plaintext);
void tls_wire_shutdown(struct tls_wire *wire);

bool tls_wire_is_tls13(const struct tls_wire *wire);
bool tls_wire_is_http2(const struct tls_wire *wire);

#endif
