#include "base/hash.h"
#include "path/path_chain.h"
#include "support.h"

static struct bytes certificates[SUPPORT_CHAIN_MAX];
static struct path_chain chain;

TestSuite(path_chain, .init = hash_init);

Test(path_chain, members_are_numbered_by_their_names) {
    size_t count = support_chain(CORPUS "/chains", "one-intermediate.pem", certificates);
    cr_assert(path_read_chain(&chain, certificates, count));
    cr_assert(count == 2 && chain.count == 2 && chain.malformed == NULL);
    cr_assert_eq(chain.members[0].issuer, chain.members[1].subject);
    cr_assert_neq(chain.members[0].subject, chain.members[0].issuer);
    cr_assert(!chain.members[0].is_self_issued && !chain.members[1].is_self_issued);
    cr_assert(chain.members[0].key_reason == REASON_OK && chain.members[0].algorithm_reason == REASON_OK);
    cr_assert_eq(path_name_hash(&chain, chain.members[0].issuer), path_name_hash(&chain, chain.members[1].subject));
    support_free_chain(certificates, count);
}

Test(path_chain, says_which_certificate_is_malformed_and_why) {
    size_t count = support_chain(CORPUS "/chains", "malformed-tail.pem", certificates);
    cr_assert(!path_read_chain(&chain, certificates, count));
    cr_assert_eq(chain.count, count - 1);
    cr_assert(strstr(chain.malformed, "DER") != NULL, "%s", chain.malformed);
    support_free_chain(certificates, count);
}
