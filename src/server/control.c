#include "server/control.h"

#include "base/check.h"
#include "base/clock.h"
#include "server/admin.h"
#include "server/prober.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TURN_MS_MAX = 60000,       /* how long a turn sleeps when nothing is due */
    EXPIRY_INTERVAL_MS = 1000, /* how much longer than its time a ticket key may stay in memory */
    RECEIVE_BUFFERS = 16,
};

struct control {
    struct worker worker;
    struct ring ring;
    struct config *config;
    struct tls_tickets *tickets;
    struct timer expiry;       /* of ticket keys */
    struct stats_hosts *hosts; /* for the prober's begin; NULL then */
    struct health_board *health;
    struct prober prober;
    struct sampler sampler; /* this and the next only if `has_admin` */
    struct admin admin;
    bool has_admin;
    bool ending;
};

struct config_mail {
    struct mail mail;
    struct config *config;
    struct stats_hosts *hosts;
};

/* Wipes keys that no ticket needs any more. The next client's handshake would do so too, but may come much later. */
static void expire_ticket_keys(struct timer *timer) {
    struct control *control = CONTAINER_OF(timer, struct control, expiry);

    tls_tickets_expire(control->tickets, control->ring.now_ns / 1000000000, control->config->ticket_lifetime_s);
    timer_set(&control->ring.timers, &control->expiry, ring_now_ms(&control->ring), EXPIRY_INTERVAL_MS);
}

static int begin_admin(struct control *control) {
    int result = sampler_create(&control->sampler, control->admin.stats, ring_now_ms(&control->ring), clock_wall_seconds());

    if (result == 0) {
        result = admin_open(&control->admin, &control->ring);
    }
    if (result < 0) {
        sampler_destroy(&control->sampler);
    }
    return result;
}

static int begin(void *owner, struct error *error) {
    struct control *control = owner;

    error_set(error, "not enough memory");
    if (prober_create(&control->prober, &control->ring, control->health) < 0) {
        return -ENOMEM;
    }
    if (control->has_admin && begin_admin(control) < 0) {
        prober_destroy(&control->prober);
        return -ENOMEM;
    }
    prober_configure(&control->prober, control->config, control->hosts);
    timer_init(&control->expiry, expire_ticket_keys);
    timer_set(&control->ring.timers, &control->expiry, ring_now_ms(&control->ring), EXPIRY_INTERVAL_MS);
    return 0;
}

/* Returns how long the ring may sleep until the next sample. */
static uint64_t sample(struct control *control) {
    uint64_t now_ms = ring_now_ms(&control->ring);

    sampler_tick(&control->sampler, now_ms, clock_wall_seconds());
    return sampler_wait_ms(&control->sampler, now_ms);
}

static bool is_over(struct control *control) {
    if (!control->ending || !prober_is_closed(&control->prober) ||
        (control->has_admin && !admin_is_closed(&control->admin))) {
        return false;
    }
    worker_close(&control->worker);
    return worker_is_quiet(&control->worker);
}

static bool turn(void *owner, uint64_t *wait_ms) {
    struct control *control = owner;

    if (is_over(control)) {
        return false;
    }
    *wait_ms = control->has_admin ? sample(control) : TURN_MS_MAX;
    return true;
}

static bool end(void *owner) {
    struct control *control = owner;

    if (control->has_admin) {
        admin_free(&control->admin);
        sampler_destroy(&control->sampler);
    }
    prober_destroy(&control->prober);
    return true;
}

static const struct worker_job job = {begin, turn, end};

struct control *control_start(const struct control_plan *plan, struct error *error) {
    struct control *control = calloc(1, sizeof *control);

    if (control == NULL) {
        error_set(error, "not enough memory");
        if (plan->admin_listener >= 0) {
            close(plan->admin_listener);
        }
        return NULL;
    }
    control->config = config_retain(plan->config);
    control->hosts = plan->hosts;
    control->health = plan->health;
    control->tickets = plan->tickets;
    control->has_admin = plan->admin_listener >= 0;
    if (control->has_admin) {
        admin_prepare(&control->admin, plan->admin_listener, control->config, plan->stats, &control->sampler);
    }
    control->worker = (struct worker){
        .ring = &control->ring,
        .options = {.accepted = ADMIN_STREAMS_MAX,
                    .streams = ADMIN_STREAMS_MAX + PROBER_PROBES_MAX,
                    .receive_buffers = RECEIVE_BUFFERS,
                    .chunks = ADMIN_CHUNKS + PROBER_CHUNKS},
        .job = &job,
        .owner = control,
        .name = "control",
        .core = -1,
    };
    if (worker_start(&control->worker, error) < 0) {
        if (control->has_admin) {
            close(plan->admin_listener);
        }
        config_release(control->config);
        free(control);
        return NULL;
    }
    return control;
}

static void deliver_config(struct mail *mail, void *owner) {
    struct control *control = owner;
    struct config_mail *news = (struct config_mail *)mail;

    config_release(control->config);
    control->config = news->config;
    if (control->has_admin) {
        control->admin.config = control->config;
    }
    if (!control->ending) {
        prober_configure(&control->prober, control->config, news->hosts);
    }
    stats_hosts_release(news->hosts);
    free(mail);
}

void control_post_config(struct control *control, struct config *config, struct stats_hosts *hosts) {
    struct config_mail *mail = malloc(sizeof *mail);

    CHECK(mail != NULL);
    *mail = (struct config_mail){
        .mail.deliver = deliver_config, .config = config_retain(config), .hosts = stats_hosts_retain(hosts)};
    worker_post(&control->worker, &mail->mail);
}

void control_post(struct control *control, struct mail *mail) {
    worker_post(&control->worker, mail);
}

void control_take_addresses(struct control *control, const struct config *config, size_t host, size_t origin,
                            const struct dns_set *set) {
    if (!control->ending) {
        prober_take_addresses(&control->prober, config, host, origin, set);
    }
}

void control_set_draining(struct control *control) {
    atomic_store(&control->admin.draining, true);
}

static void deliver_end(struct mail *mail, void *owner) {
    struct control *control = owner;

    control->ending = true;
    timer_clear(&control->ring.timers, &control->expiry);
    prober_close(&control->prober);
    if (control->has_admin) {
        admin_close(&control->admin);
    }
}

void control_stop(struct control *control) {
    struct mail mail = {.deliver = deliver_end};

    worker_post(&control->worker, &mail);
    worker_join(&control->worker);
    config_release(control->config);
    free(control);
}
