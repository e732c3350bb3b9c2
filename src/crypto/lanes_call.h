/*
 * One call of crypto_mb, for the modules of operations: which jobs take part. crypto_mb always computes eight lanes, and is
 * never given a lane without numbers, nor one with numbers that it must not get: such a lane repeats the first sound job,
 * and its result goes nowhere.
 */
#ifndef CRYPTO_LANES_CALL_H
#define CRYPTO_LANES_CALL_H

#include "crypto/lanes.h"

struct lanes_call {
    bool sound[LANES_MAX];    /* of each job: its inputs are */
    size_t source[LANES_MAX]; /* of each lane: the job whose inputs it takes */
};

/* Aborts where there are not 1 to LANES_MAX jobs, or no lanes. */
void lanes_call_check(size_t count);

/* Sets `source` from `sound`. False when there is no sound job, and so nothing to compute. */
bool lanes_call_begin(struct lanes_call *call);

/* Tells from crypto_mb's status, which has four bits for each lane, whether this lane's job has a result. */
bool lanes_call_good(const struct lanes_call *call, unsigned status, size_t lane);

/* Overwrites the part of the stack that crypto_mb has just used: it leaves secrets there. */
void lanes_call_wipe_stack(void);
/* The same behind lanes_ecdsa_finish, which goes less deep, and is called for one job alone. */
void lanes_call_wipe_shallow_stack(void);

#endif
