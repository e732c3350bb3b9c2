/* Verdicts that are reached together, each of which waits for its signatures in a batch (crypto/batch). */
#include "crypto/batch.h"
#include "identity/identity.h"
#include "path/path.h"
#include "support.h"

#include <malloc.h>

enum { AT = 1780315200, TOGETHER = 8, ROUNDS = 250 };

static struct trust *trust;
static struct bytes chain[SUPPORT_CHAIN_MAX];
static size_t count;
static struct forward_header headers[] = {
    {.name = (char *)"X-Status", .field = {.kind = FIELD_STATUS}},
    {.name = (char *)"X-SKI", .field = {.kind = FIELD_SKI}},
    {.name = (char *)"X-DN", .field = {.kind = FIELD_SUBJECT_DN}},
};
static const struct forward forward = {headers, sizeof headers / sizeof headers[0]};
static struct identity_policy policy = {.depth_max = 4, .forward = &forward};
static unsigned paused;

struct judgement {
    struct batch_task task;
    struct identity *identity;
};

static void run(struct batch_task *task) {
    struct judgement *judgement = (struct judgement *)task;
    judgement->identity = identity_judge(&policy, chain, count, false, AT);
}

static void ended(struct batch_task *task) {
    paused++;
}

static void setup(void) {
    trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    policy.trust = trust;
    count = support_chain(CORPUS "/chains", "one-intermediate.pem", chain);
}

static void teardown(void) {
    support_free_chain(chain, count);
    trust_free(trust);
}

TestSuite(batches, .init = setup, .fini = teardown);

/* Returns the bytes that malloc has from the kernel; 0 with ASan, whose malloc tells nothing. */
static size_t taken_of_kernel(void) {
    struct mallinfo2 now = mallinfo2();

    return now.arena + now.hblkhd;
}

Test(batches, leave_no_more_memory_than_the_identities_say) {
    static struct identity *kept[ROUNDS * TOGETHER];
    if (!batch_is_wanted()) {
        cr_skip_test("SALLYPORT_CRYPTO is single");
    }
    struct batch *batch = batch_create();
    cr_assert_not_null(batch);
    size_t before = taken_of_kernel();
    size_t said = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct judgement judgements[TOGETHER];
        for (size_t j = 0; j < TOGETHER; j++) {
            judgements[j] = (struct judgement){.task = {.run = run, .ended = ended}};
            batch_run(batch, &judgements[j].task);
        }
        batch_flush(batch);
        for (size_t j = 0; j < TOGETHER; j++) {
            struct identity *identity = judgements[j].identity;
            cr_assert(identity != NULL && identity->status == STATUS_VALID);
            said += identity->size;
            kept[i * TOGETHER + j] = identity;
        }
    }
    cr_assert_gt(paused, ROUNDS, "they were not together");
    size_t taken = taken_of_kernel() - before;
    cr_assert_leq(taken, said + said / 4 + (size_t)256 * 1024, "%zu bytes for identities of %zu", taken, said);
    for (size_t i = 0; i < ROUNDS * TOGETHER; i++) {
        identity_release(kept[i]);
    }
    batch_destroy(batch);
}
