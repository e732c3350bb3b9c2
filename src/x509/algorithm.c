#include "x509/algorithm.h"

#include "x509/der.h"

bool algorithm_read(struct bytes *in, struct algorithm *algorithm) {
    struct bytes content;
    if (!der_read(in, DER_SEQUENCE, &content) || !der_read_oid(&content, &algorithm->oid)) {
        return false;
    }
    algorithm->parameters = content;
    struct der parameters;
    return content.size == 0 || (der_next(&content, &parameters) && content.size == 0);
}

bool algorithm_equal(const struct algorithm *a, const struct algorithm *b) {
    return bytes_equal(a->oid, b->oid) && bytes_equal(a->parameters, b->parameters);
}
