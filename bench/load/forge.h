/*
 * Certificates by the thousand, each of them another: made from a certificate that somebody has, with a serial number of its
 * own. A server has to refuse them, unless they are issued. As whole Certificate messages of TLS 1.3 (RFC 8446
 * section 4.4.2), ready to be sent.
 */
#ifndef BENCH_LOAD_FORGE_H
#define BENCH_LOAD_FORGE_H

#include "base/bytes.h"
#include "load/noise.h"
#include "load/pem_file.h"
#include "load/signer.h"

enum forge_kind {
    FORGE_NONE,        /* no certificate is shown */
    FORGE_AS_IS,       /* the certificates of the files */
    FORGE_SELF_SIGNED, /* a leaf with a new serial number, signed by its own key */
    FORGE_FOREIGN,     /* the same, with random bytes for its issuer's signature; what stands behind it stays */
    FORGE_ISSUED,      /* with another key, signed by the issuer's: a valid client that nobody has seen */
    FORGE_LONG,        /* the leaf as it is, and 60 copies of the last certificate */
};

/* Keys of issued leaves take turns, of which a server that remembers keys has forgotten most by the time they come again. */
enum { FORGE_KEYS = 65536 };

struct forge_key {
    uint8_t private_key[SIGNER_KEY_SIZE];
    uint8_t point[SIGNER_POINT_SIZE];
};

/* One pattern, and the key of its leaf. */
struct forge {
    enum forge_kind kind;
    struct signer *signer; /* of the leaf's key */
    uint8_t *message;      /* malloc'd; as it was last */
    size_t size;
    struct bytes signed_part;  /* views into the message: the leaf's TBSCertificate, */
    uint8_t *serial;           /* its serial number, */
    uint8_t *point;            /* FORGE_ISSUED: its key's coordinates, */
    uint8_t *signature_halves; /* and its signature's two numbers, of 32 bytes each, with two bytes between */
};

struct forge_settings {
    enum forge_kind kind;
    const char *issuer;  /* FORGE_ISSUED: PEM file with the issuer's key, P-256 */
    uint64_t identities; /* FORGE_ISSUED: so many certificates take turns, the same in every process; 0: each is new */
};

struct forges {
    struct forge *all;
    size_t count;
    uint64_t next;
    uint64_t identities;
    struct signer *issuer; /* NULL: none */
    struct forge_key
        *keys; /* FORGE_ISSUED: FORGE_KEYS of them; with identities the same in every process, or no other has them */
};

/* Makes a pattern of each certificate of `count` files and folders, keys P-256. 0, or -1 with one line in `error`. */
int forges_load(struct forges *forges, const struct forge_settings *settings, const char *const *paths, unsigned count,
                char error[static PEM_FILE_ERROR_SIZE]);
void forges_free(struct forges *forges);
/* The next one, with its message made anew. */
struct forge *forges_next(struct forges *forges, struct noise *noise);

static inline struct bytes forge_message(const struct forge *forge) {
    return bytes_of(forge->message, forge->size);
}

#endif
