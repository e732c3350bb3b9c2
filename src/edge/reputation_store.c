#include "edge/reputation_store.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>

struct reputation *reputation_create(size_t holders, unsigned cores) {
    struct reputation *reputation = calloc(1, sizeof *reputation);

    CHECK(cores >= 1);
    if (reputation == NULL) {
        return NULL;
    }
    reputation->holders = holders_create(holders);
    if (reputation->holders == NULL) {
        free(reputation);
        return NULL;
    }
    familiar_init(&reputation->familiar);
    reputation->cores = cores;
    reputation->secret = (struct syn_filter_secret){
        .multiply_high = (uint32_t)hash_bytes("high", 4) | 1,
        .multiply_low = (uint32_t)hash_bytes("low", 3) | 1,
        .multiply_bucket = (uint32_t)hash_bytes("bucket", 6) | 1,
    };
    return reputation;
}

void reputation_free(struct reputation *reputation) {
    if (reputation == NULL) {
        return;
    }
    familiar_destroy(&reputation->familiar);
    holders_free(reputation->holders);
    free(reputation);
}
