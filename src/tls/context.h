/* One host's handshake settings for one shard (a WOLFSSL_CTX). It has no roots: wolfSSL does not judge certificates. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "tls/credentials.h"

enum {
    /* All names in a CertificateRequest, each with its 2 bytes of length. The message has to fit in one record. */
    TLS_CA_NAMES_SIZE_MAX = 15 * 1024,
};

struct tls_context;

struct tls_context_options {
    const struct tls_credentials *credentials; /* must outlive the context */
    bool request_certificate;                  /* send a CertificateRequest */
    const struct bytes *ca_names; /* DER Names for the CertificateRequest, not owned, must outlive the context */
    size_t ca_names_count;        /* 0: none are sent. Beyond TLS_CA_NAMES_SIZE_MAX in all: the context is not created */
    bool without_hybrids;         /* keys are exchanged by curves alone; else hybrids with ML-KEM go first */
    struct tls_tickets *tickets;  /* must outlive the context; NULL: sessions are not resumed */
    uint32_t
        ticket_lifetime_s; /* from the full handshake on, 1 to TLS_TICKET_LIFETIME_MAX_S; not looked at without tickets */
};

struct tls_tickets;
enum { TLS_TICKET_LIFETIME_MAX_S = 7 * 24 * 3600 /* RFC 8446 section 4.6.1 */ };

/* Initialise wolfSSL once for the process, before any other call of tls/, and clean up at its end. 0, or -ENOSYS. */
int tls_library_init(void);
void tls_library_cleanup(void);
/*
 * Return "5.9.2", and how cryptography runs here: "portable", "accelerated" where AES runs on the CPU's own instructions, or
 * "accelerated-batch" where public-key operations do too, eight at a time (crypto/batch).
 */
const char *tls_library_version(void);
const char *tls_library_crypto(void);

/* Makes a context for one thread: its sessions share a random generator with it. NULL with one line in *error. */
struct tls_context *tls_context_create(const struct tls_context_options *options, struct error *error);
/* Frees the context. No session of it may be left. */
void tls_context_free(struct tls_context *context);

#endif
