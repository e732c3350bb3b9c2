/* A chain as its owner presented it: each certificate read, and judged as far as it can be without the others. */
#ifndef PATH_PATH_CHAIN_H
#define PATH_PATH_CHAIN_H

#include "base/reason.h"
#include "path/path_names.h"
#include "x509/certificate.h"
#include "x509/signature.h"

enum { PATH_CHAIN_MAX = 16 /* certificates that may be presented */ };

/* One certificate of the chain. */
struct path_member {
    struct certificate certificate;
    struct signature_key key;
    struct signature_algorithm algorithm; /* of the signature on it */
    enum reason key_reason;               /* REASON_OK, or why its key is not accepted */
    enum reason algorithm_reason;
    uint8_t subject; /* the number of its name, see path_names.h */
    uint8_t issuer;
    bool is_self_issued;
    bool is_redundant; /* it has the bytes of one before it or of a root: no use as an intermediate */
    uint16_t issuers;  /* bit i: member i, an intermediate, has the name of its issuer */
};

struct path_chain {
    struct path_member members[PATH_CHAIN_MAX]; /* as presented: the leaf first */
    size_t count;                               /* members read */
    struct path_names names;                    /* theirs */
    const char *malformed;                      /* why the one after them cannot be read; NULL when all can */
};

_Static_assert((int)PATH_NAMES_MAX == 2 * (int)PATH_CHAIN_MAX, "two names of each member");

static inline uint64_t path_name_hash(const struct path_chain *chain, uint8_t number) {
    return chain->names.names[number].hash;
}

/* Reads a chain of 1 to PATH_CHAIN_MAX certificates. True when all of them are well-formed. */
bool path_read_chain(struct path_chain *chain, const struct bytes *certificates, size_t count);

#endif
