#include "path/path_chain.h"

#include "base/check.h"

bool path_read_chain(struct path_chain *chain, const struct bytes *certificates, size_t count) {
    CHECK(count >= 1 && count <= PATH_CHAIN_MAX);
    chain->malformed = NULL;
    path_names_begin(&chain->names);
    for (chain->count = 0; chain->count < count; chain->count++) {
        struct path_member *member = &chain->members[chain->count];
        struct certificate *certificate = &member->certificate;
        if (!certificate_read(certificate, certificates[chain->count], &chain->malformed)) {
            return false;
        }
        member->key_reason = signature_judge_key(certificate, &member->key);
        member->algorithm_reason = signature_judge_algorithm(&certificate->signature_algorithm, &member->algorithm);
        if (member->key_reason == REASON_MALFORMED || member->algorithm_reason == REASON_MALFORMED) {
            chain->malformed = member->key_reason == REASON_MALFORMED ? "its public key is malformed"
                                                                      : "its signature algorithm is malformed";
            return false;
        }
        member->subject = path_names_add(&chain->names, certificate->subject);
        member->issuer = path_names_add(&chain->names, certificate->issuer);
        member->is_self_issued = member->subject == member->issuer;
    }
    return true;
}
