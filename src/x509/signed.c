#include "x509/signed.h"

#include "x509/der.h"

bool signed_read(struct bytes content, struct signed_parts *parts) {
    struct der tbs;
    unsigned unused;
    if (!der_next(&content, &tbs) || tbs.tag != DER_SEQUENCE || !algorithm_read(&content, &parts->algorithm) ||
        !der_read_bits(&content, &parts->signature, &unused) || unused != 0 || content.size != 0) {
        return false;
    }
    parts->tbs = tbs.whole;
    parts->content = tbs.content;
    return true;
}
