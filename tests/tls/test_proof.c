#include "tls/proof.h"

#include <criterion/criterion.h>

Test(proof, offers_what_it_takes) {
    cr_assert_eq(tls_proof_schemes[0], 6);
}
