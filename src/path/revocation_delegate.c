#include "path/revocation_delegate.h"

#include "x509/name.h"

#include <errno.h>
#include <stdlib.h>

bool revocation_ca_may_sign(const struct certificate *certificate) {
    return !certificate->has_key_usage || (certificate->key_usage & KEY_USAGE_CRL_SIGN) != 0;
}

const char *revocation_delegate_fault(const struct certificate *certificate, enum reason key_reason,
                                      enum reason algorithm_reason) {
    if (!revocation_ca_may_sign(certificate)) {
        return "it may not sign CRLs: its keyUsage has no cRLSign";
    }
    /* Without a keyUsage any certificate would do; but a client that was given the name of a CA must not sign for the CA. */
    if (!certificate->has_key_usage && !certificate->is_ca) {
        return "it may not sign CRLs: it is no CA and has no keyUsage with cRLSign";
    }
    if (certificate->unknown_critical.size > 0) {
        return "it has a critical extension that is not supported";
    }
    if (name_is_empty(certificate->subject)) {
        return "it has no subject that a CRL could name";
    }
    if (key_reason != REASON_OK) {
        return "its key is not accepted";
    }
    return algorithm_reason == REASON_OK ? NULL : "it is signed with an algorithm that is not accepted";
}

static const char *read_delegate(struct revocation_delegate *delegate, struct bytes der) {
    struct certificate *certificate = &delegate->certificate;
    const char *why;
    if (!certificate_read(certificate, der, &why)) {
        return why;
    }
    enum reason key_reason = signature_judge_key(certificate, &delegate->key);
    enum reason algorithm_reason = signature_judge_algorithm(&certificate->signature_algorithm, &delegate->algorithm);
    return revocation_delegate_fault(certificate, key_reason, algorithm_reason);
}

struct revocation_delegate *revocation_delegate_create(struct bytes der, int *result, const char **why) {
    struct revocation_delegate *delegate = calloc(1, sizeof(struct revocation_delegate) + der.size);
    if (delegate == NULL) {
        *why = "out of memory";
        *result = -ENOMEM;
        return NULL;
    }
    key_memo_init(&delegate->memo);
    memcpy(delegate->der, der.data, der.size);
    *why = read_delegate(delegate, bytes_of(delegate->der, der.size));
    if (*why != NULL) {
        *result = -EINVAL;
        revocation_delegate_free(delegate);
        return NULL;
    }
    delegate->subject_hash = name_hash(delegate->certificate.subject);
    delegate->issuer_hash = name_hash(delegate->certificate.issuer);
    signature_sha256(delegate->certificate.spki, delegate->spki);
    *result = 0;
    return delegate;
}

void revocation_delegate_free(struct revocation_delegate *delegate) {
    if (delegate != NULL) {
        key_memo_destroy(&delegate->memo);
        free(delegate);
    }
}

bool revocation_delegate_is_by(struct revocation_delegate *delegate, const struct signature_key *key,
                               const uint8_t spki[static SIGNATURE_SHA256_SIZE], struct key_allowance *allowance) {
    bool holds;
    if (key_memo_find(&delegate->memo, spki, &holds)) {
        return holds;
    }
    if (!key_allowance_take(allowance)) {
        return false;
    }
    const struct certificate *certificate = &delegate->certificate;
    holds = signature_verify(key, &delegate->algorithm, certificate->tbs, certificate->signature);
    key_memo_add(&delegate->memo, spki, holds);
    return holds;
}
