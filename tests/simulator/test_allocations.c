/* Each allocation of a connection's TLS and HTTP/2 fails in turn: the client is told, or reset, and nothing stays behind. */
#include "base/log.h"
#include "world.h"

#include <criterion/criterion.h>

enum { ALLOCATIONS_MAX = 1000 };

static struct world world;

struct scene {
    struct simulated_client *client;
    const struct client_plan *plan;
};

/* One client, one request, and the end; then a second client, which must be served whatever became of the first. */
static void step(struct world *w, void *context) {
    struct scene *scene = context;

    if (w->connected < 2 && (scene->client == NULL || scene->client->socket == NULL)) {
        scene->client = world_connect(w, scene->plan, "192.0.2.1");
        return;
    }
    if (scene->client->socket != NULL) {
        client_step(scene->client);
    } else if (!w->ending) {
        world_stop(w);
    }
    for (size_t i = 0; i < WORLD_ORIGINS_MAX; i++) {
        if (w->behind.origins[i].socket != NULL) {
            origin_step(&w->behind.origins[i]);
        }
    }
}

static void fail_each(const struct client_plan *client) {
    uint32_t number = 1;

    do {
        struct scene scene = {.plan = client};
        struct world_plan plan = {.seed = number,
                                  .connections = 16,
                                  .load = 50,
                                  .fails_at = number,
                                  .steps = 100000,
                                  .step = step,
                                  .context = &scene};

        world_run(&world, &plan);
        if (world.failed) {
            cr_expect_geq(world.counts.handshakes, 1, "nobody was served when allocation %u failed", number);
        }
    } while (world.failed && number++ < ALLOCATIONS_MAX);
    cr_expect_gt(number, 40, "a handshake takes more allocations than %u", number);
    cr_expect_not(world.failed);
    cr_expect_eq(world.counts.handshakes, 2);
}

Test(allocations, each_of_tls13) {
    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    fail_each(&(struct client_plan){.certificate = TALK_VALID, .host = TALK_ENFORCE, .requests = 1});
}

Test(allocations, each_of_tls12) {
    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    fail_each(&(struct client_plan){.certificate = TALK_EXPIRED, .host = TALK_REPORT, .tls12 = true, .requests = 1});
}

Test(allocations, each_of_http2) {
    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    fail_each(&(struct client_plan){.certificate = TALK_VALID, .host = TALK_ENFORCE, .http2 = true, .requests = 2});
}
