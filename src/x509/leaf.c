#include "x509/leaf.h"

#include "x509/der.h"

/* Reads over the fields before the Validity: version, if it is there, serial number, signature algorithm and issuer. */
static bool pass_head(struct bytes *tbs) {
    struct der element;
    struct bytes version;
    bool present;
    return der_read_optional(tbs, DER_CONTEXT_CONSTRUCTED | 0, &version, &present) && der_next(tbs, &element) &&
           der_next(tbs, &element) && der_next(tbs, &element);
}

bool leaf_read(struct bytes der, struct certificate *leaf, struct bytes *validity) {
    *leaf = (struct certificate){.der = der};
    struct bytes content;
    struct bytes tbs;
    struct der subject;
    return der_read(&der, DER_SEQUENCE, &content) && der_read(&content, DER_SEQUENCE, &tbs) && pass_head(&tbs) &&
           der_read(&tbs, DER_SEQUENCE, validity) && der_next(&tbs, &subject) && certificate_read_key(&tbs, leaf);
}
