#include "world_watch.h"

#include "base/timer.h"
#include "crypto/batch.h"
#include "guard/admission.h"

static struct world *watched;

void world_watch(struct world *world) {
    watched = world;
}

void world_expect_charges(const struct world *world) {
    const struct world_pauses *pauses = &world->pauses;

    if (batch_paused(world->shard->batch) > 0) {
        SIMULATOR_EXPECT(kernel_has_completions(), "a step is paused, and the next turn has no work");
        return;
    }
    SIMULATOR_EXPECT(world->shard->steps.in_use == 0, "a step is left over");
    SIMULATOR_EXPECT(pauses->charges == pauses->spent && pauses->estimates_ns == 0,
                     "%llu steps were charged and %llu have cost something; %lld ns are not given back",
                     (unsigned long long)pauses->charges, (unsigned long long)pauses->spent,
                     (long long)pauses->estimates_ns);
}

/* Linked with --wrap. */
bool __real_batch_run(struct batch *batch, struct batch_task *task);
bool __real_batch_compute(enum lanes_kind kind, void *job);
bool __real_batch_compute_prepared(enum lanes_kind kind, void *job, void (*prepare)(void *job));
bool __real_admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step,
                             uint64_t now_ns);
struct admission_entry *__real_admission_next(struct admission *admission, uint64_t now_ns);
void __real_admission_spend(struct admission *admission, enum admission_class class, uint64_t spent_ns);
void __real_timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
bool __wrap_batch_run(struct batch *batch, struct batch_task *task);
bool __wrap_batch_compute(enum lanes_kind kind, void *job);
bool __wrap_batch_compute_prepared(enum lanes_kind kind, void *job, void (*prepare)(void *job));
bool __wrap_admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step,
                             uint64_t now_ns);
struct admission_entry *__wrap_admission_next(struct admission *admission, uint64_t now_ns);
void __wrap_admission_spend(struct admission *admission, enum admission_class class, uint64_t spent_ns);
void __wrap_timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);

bool __wrap_batch_run(struct batch *batch, struct batch_task *task) {
    bool paused = __real_batch_run(batch, task);

    if (batch_paused(batch) > watched->pauses.at_once) {
        watched->pauses.at_once = batch_paused(batch);
    }
    return paused;
}

/* Counts the pauses of the task that runs, on its own stack: no task is another one's while it has its fiber. */
static void count_pause(enum lanes_kind kind) {
    static const struct fiber *last;
    static uint32_t in_a_row;

    if (kind != LANES_KINDS && batch_may_pause()) {
        in_a_row = fiber_current() == last ? in_a_row + 1 : 1;
        last = fiber_current();
        watched->pauses.count++;
        if (in_a_row > watched->pauses.of_one) {
            watched->pauses.of_one = in_a_row;
        }
    }
}

bool __wrap_batch_compute(enum lanes_kind kind, void *job) {
    count_pause(kind);
    return __real_batch_compute(kind, job);
}

bool __wrap_batch_compute_prepared(enum lanes_kind kind, void *job, void (*prepare)(void *job)) {
    count_pause(kind);
    return __real_batch_compute_prepared(kind, job, prepare);
}

static void charged(const struct admission *admission) {
    watched->pauses.charges++;
    watched->pauses.estimates_ns += (int64_t)admission->charged_ns;
}

bool __wrap_admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step,
                             uint64_t now_ns) {
    bool goes = __real_admission_may_go(admission, class, step, now_ns);

    if (goes) {
        charged(admission);
    }
    return goes;
}

struct admission_entry *__wrap_admission_next(struct admission *admission, uint64_t now_ns) {
    struct admission_entry *entry = __real_admission_next(admission, now_ns);

    if (entry != NULL) {
        charged(admission);
    }
    return entry;
}

void __wrap_admission_spend(struct admission *admission, enum admission_class class, uint64_t spent_ns) {
    int64_t left = admission->budgets[class].left;
    uint64_t estimate_ns = admission->charged_ns;

    __real_admission_spend(admission, class, spent_ns);
    watched->pauses.spent++;
    watched->pauses.estimates_ns -= admission->budgets[class].left - left + (int64_t)spent_ns;
    SIMULATOR_EXPECT(estimate_ns > 0 && admission->charged_ns == 0, "the cost of a step that was not charged");
}

void __wrap_timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms) {
    watched->pauses.unserved += batch_paused(watched->shard->batch) > 0;
    if (watched->plan.handled != NULL) {
        watched->plan.handled(watched, watched->plan.context);
    }
    __real_timer_wheel_advance(wheel, now_ms);
}
