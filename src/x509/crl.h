/*
 * A CRL (RFC 5280 section 5) read in place: views of the file's bytes, nothing copied, nothing allocated, whatever its size.
 * Reading is strict, and refuses what could not be acted on: delta CRLs, indirect CRLs, CRLs for some reasons or for
 * attribute certificates only, and critical extensions, of the list or of an entry, that are not processed. Whether it is
 * genuine and current is for others to say.
 */
#ifndef X509_CRL_H
#define X509_CRL_H

#include "x509/algorithm.h"

enum {
    CRL_SIZE_MAX = 1 << 30,  /* some 25 million entries */
    CRL_EXTENSIONS_MAX = 32, /* of the list; looking for one twice costs the square of it */
    CRL_ENTRY_EXTENSIONS_MAX = 8,
    CRL_POINT_NAMES_MAX = 64, /* names of its issuingDistributionPoint */
};

struct crl {
    struct bytes der;     /* the whole CRL */
    struct bytes tbs;     /* what is signed */
    uint8_t version;      /* 1 or 2 */
    struct bytes issuer;  /* a whole Name, not empty */
    int64_t this_update;  /* seconds since the epoch */
    int64_t next_update;  /* likewise, included in what it is current for; INT64_MAX: it names none */
    struct bytes entries; /* for crl_next_entry; size 0: none */
    struct algorithm signature_algorithm;
    struct bytes signature;

    struct bytes aki;    /* key identifier of its signer; size 0: absent */
    struct bytes number; /* content octets of cRLNumber; size 0: absent */
    /* issuingDistributionPoint. At most one of the names and one of the bools is there. */
    struct bytes point_names;    /* fullName: GeneralNames one after the other; size 0: absent */
    struct bytes point_relative; /* nameRelativeToCRLIssuer: content of the RDN; size 0: absent */
    bool only_user_certificates;
    bool only_ca_certificates;
};

/*
 * Reads one CRL that must be all of `der`, which must outlive the result; its entries are left to crl_next_entry. False with
 * a static text in *why when it is malformed or of a kind that is refused; `crl` is then undefined.
 */
bool crl_read(struct crl *crl, struct bytes der, const char **why);

struct crl_entry {
    struct bytes serial; /* content octets, as in struct certificate */
    int64_t date;        /* of the revocation */
    uint8_t reason;      /* CRLReason (section 5.3.1): 0 to 10 */
};

enum crl_result { CRL_ENTRY, CRL_END, CRL_ERROR };

/* The next of `*entries`, which begins as crl->entries. CRL_ERROR with a static text in *why. */
enum crl_result crl_next_entry(const struct crl *crl, struct bytes *entries, struct crl_entry *entry, const char **why);

/* "key compromise"; NULL for unspecified (0) and for numbers that are no reason. */
const char *crl_reason_text(uint8_t reason);

#endif
