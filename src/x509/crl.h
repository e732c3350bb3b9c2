/*
 * A CRL (RFC 5280 section 5) read in place: views of the file's bytes, nothing copied, nothing allocated, whatever its size.
 * Reading is strict, and refuses lists that could not be acted on: delta CRLs, indirect CRLs, CRLs for some reasons or for
 * attribute certificates only, and critical extensions, of the list or of an entry, that are not processed. path/ judges
 * whether a list is genuine and current.
 */
#ifndef X509_CRL_H
#define X509_CRL_H

#include "x509/algorithm.h"

enum {
    CRL_SIZE_MAX = 1 << 30,  /* some 25 million entries */
    CRL_EXTENSIONS_MAX = 32, /* of the list; the search for one that comes twice costs the square of it */
    CRL_ENTRY_EXTENSIONS_MAX = 8,
    CRL_POINT_NAMES_MAX = 64, /* names of its issuingDistributionPoint */
};

struct crl {
    struct bytes der;     /* the whole CRL */
    struct bytes tbs;     /* the signed part */
    uint8_t version;      /* 1 or 2 */
    struct bytes issuer;  /* a whole Name, not empty */
    int64_t this_update;  /* seconds since the epoch */
    int64_t next_update;  /* likewise, the last second for which it is current; INT64_MAX: it names none */
    struct bytes entries; /* for crl_next_entry; size 0: none */
    struct algorithm signature_algorithm;
    struct bytes signature;

    struct bytes aki; /* key identifier of its signer; size 0: absent */
    /* issuingDistributionPoint: at most one of the two names and one of the two bools is set. */
    struct bytes point_names;    /* fullName: GeneralNames one after the other; size 0: absent */
    struct bytes point_relative; /* nameRelativeToCRLIssuer: content of the RDN; size 0: absent */
    bool only_user_certificates;
    bool only_ca_certificates;
};

/*
 * Reads one CRL that must be all of `der`, which must outlive the result; crl_next_entry reads its entries. False with a
 * static text in *why when `der` is malformed or a CRL of a kind that is refused; `crl` is then undefined.
 */
bool crl_read(struct crl *crl, struct bytes der, const char **why);

struct crl_entry {
    struct bytes serial; /* content octets, as in struct certificate */
    int64_t date;        /* of the revocation */
    uint8_t reason;      /* CRLReason (section 5.3.1): 0 to 10 */
};

enum crl_result { CRL_ENTRY, CRL_END, CRL_ERROR };

/* Reads the next of `*entries`, which begins as crl->entries. With CRL_ERROR there is a static text in *why. */
enum crl_result crl_next_entry(const struct crl *crl, struct bytes *entries, struct crl_entry *entry, const char **why);

/* Returns "key compromise" and the like; NULL for unspecified (0) and for numbers that are no reason. */
const char *crl_reason_text(uint8_t reason);

#endif
