/*
 * An X.509 certificate (RFC 5280 section 4) read in place: views of the bytes that were presented, nothing copied, nothing
 * allocated. Reading is strict. path/path.h judges whether the certificate is any good.
 */
#ifndef X509_CERTIFICATE_H
#define X509_CERTIFICATE_H

#include "x509/algorithm.h"
#include "x509/extension.h"
#include "x509/general_name.h"

enum {
    CERTIFICATE_EXTENSIONS_MAX = 64,   /* more is malformed: the search for one that comes twice costs the square of it */
    CERTIFICATE_SERIAL_MAX = 20,       /* octets of magnitude, RFC 5280 section 4.1.2.2 */
    CERTIFICATE_SIZE_MAX = 256 * 1024, /* a root in a file may be larger than any that a client may present */
};

/* keyUsage bits as RFC 5280 section 4.2.1.3 numbers them. */
enum certificate_key_usage {
    KEY_USAGE_DIGITAL_SIGNATURE = 1u << 0,
    KEY_USAGE_KEY_CERT_SIGN = 1u << 5,
    KEY_USAGE_CRL_SIGN = 1u << 6,
};

struct certificate {
    struct bytes der;    /* the whole certificate */
    struct bytes tbs;    /* the signed part */
    uint8_t version;     /* 1 to 3 */
    struct bytes serial; /* two's complement content octets */
    struct bytes issuer; /* whole Names, see name.h */
    struct bytes subject;
    int64_t not_before; /* seconds since the epoch, both included in the validity */
    int64_t not_after;
    struct bytes spki; /* whole SubjectPublicKeyInfo */
    struct algorithm key_algorithm;
    struct bytes key; /* content of subjectPublicKey */
    struct algorithm signature_algorithm;
    struct bytes signature;

    struct bytes extensions; /* all of them, for certificate_next_extension */
    struct bytes ski;        /* key identifier; size 0: absent */
    struct bytes aki;        /* authority's key identifier; size 0: absent */
    struct bytes san;        /* GeneralNames one after the other; size 0: absent */
    struct bytes permitted;  /* nameConstraints: GeneralSubtrees one after the other; size 0: none */
    struct bytes excluded;
    struct bytes unknown_critical; /* OID of the first critical extension that is not processed; size 0: none */
    bool is_ca;                    /* basicConstraints with cA */
    bool has_path_length;
    bool has_key_usage;
    bool has_extended_key_usage;
    bool allows_client_auth; /* extendedKeyUsage names clientAuth or any */
    bool allows_server_auth; /* likewise serverAuth */
    uint16_t key_usage;      /* enum certificate_key_usage */
    uint32_t path_length;
};

/*
 * Reads one certificate that must be all of `der`, which must outlive the result. False with a static text in *why when
 * `der` is malformed; `certificate` is then undefined.
 */
bool certificate_read(struct certificate *certificate, struct bytes der, const char **why);

/* Takes the next of `*extensions`, which begins as certificate->extensions. False at the end. */
bool certificate_next_extension(struct bytes *extensions, struct extension *extension);
bool certificate_find_extension(const struct certificate *certificate, struct bytes oid, struct extension *extension);

/* Tells whether issuer and subject are one name: such a certificate may carry a new key of the same authority. */
bool certificate_is_self_issued(const struct certificate *certificate);

/*
 * Reads certificate->extensions into the members behind it. Returns NULL, or a static text that says what is malformed.
 * Extensions that are not processed are only held to their outer form.
 */
const char *certificate_read_extensions(struct certificate *certificate);

/* Reads CertificateSerialNumber: an INTEGER of either sign within CERTIFICATE_SERIAL_MAX, as its content octets. */
bool certificate_read_serial(struct bytes *in, struct bytes *serial);
/* Reads SubjectPublicKeyInfo into spki, key_algorithm and key. */
bool certificate_read_key(struct bytes *in, struct certificate *certificate);

#endif
