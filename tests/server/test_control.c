#include "server/control.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In place of tls_tickets_expire: notes with which lifetime ticket keys were looked through, and how often. */
static atomic_uint expired;
static atomic_uint lifetime_s;

void __wrap_tls_tickets_expire(struct tls_tickets *tickets, uint64_t now_s, uint32_t lifetime);
void __wrap_tls_tickets_expire(struct tls_tickets *tickets, uint64_t now_s, uint32_t lifetime) {
    atomic_store(&lifetime_s, lifetime);
    atomic_fetch_add(&expired, 1);
}

static struct config first = {.references = 1, .ticket_lifetime_s = 60};
static struct config second = {.references = 1, .ticket_lifetime_s = 3};
static struct stats stats;
static struct error error;

static void wait_until_expired(unsigned count) {
    for (unsigned i = 0; i < 500 && atomic_load(&expired) < count; i++) {
        usleep(10000);
    }
    cr_assert_geq(atomic_load(&expired), count);
}

/* The plan of a control thread without admin listener. Its board and its counters are for give_back. */
static struct control_plan make_plan(void) {
    return (struct control_plan){.config = &first,
                                 .hosts = stats_hosts_create(1, NULL, 0, NULL),
                                 .stats = &stats,
                                 .health = health_board_create(),
                                 .admin_listener = -1};
}

static void give_back(struct control_plan *plan) {
    stats_hosts_release(plan->hosts);
    health_board_free(plan->health);
}

Test(control, looks_through_ticket_keys_each_second_by_the_newest_configuration) {
    struct control_plan plan = make_plan();
    struct control *control = control_start(&plan, &error);

    cr_assert_not_null(control, "%s", error.text);
    wait_until_expired(1);
    cr_expect_eq(atomic_load(&lifetime_s), 60);
    control_post_config(control, &second, plan.hosts);
    wait_until_expired(atomic_load(&expired) + 2);
    cr_expect_eq(atomic_load(&lifetime_s), 3);
    cr_expect_eq(atomic_load(&first.references), 1, "given back as soon as it was replaced");
    control_stop(control);
    cr_expect_eq(atomic_load(&second.references), 1);
    give_back(&plan);
}

static int listen_somewhere(struct sockaddr_in *address) {
    socklen_t size = sizeof *address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(bind(descriptor, (struct sockaddr *)address, size), 0);
    cr_assert_eq(listen(descriptor, 16), 0);
    cr_assert_eq(getsockname(descriptor, (struct sockaddr *)address, &size), 0);
    return descriptor;
}

/* The status of an answer to /readyz; 0: there was none. */
static int ask(const struct sockaddr_in *address) {
    static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[1024] = "";
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = 0;

    if (connect(descriptor, (const struct sockaddr *)address, sizeof *address) == 0 &&
        write(descriptor, request, sizeof request - 1) == sizeof request - 1 &&
        read(descriptor, answer, sizeof answer - 1) > 0) {
        sscanf(answer, "HTTP/1.1 %d", &status);
    }
    close(descriptor);
    return status;
}

Test(control, the_admin_listener_says_whether_the_process_drains) {
    cr_assert_eq(stats_create(&stats, 1), 0);
    struct sockaddr_in address;
    struct control_plan plan = make_plan();
    plan.admin_listener = listen_somewhere(&address);
    struct control *control = control_start(&plan, &error);
    cr_assert_not_null(control, "%s", error.text);
    cr_expect_eq(ask(&address), 200);
    control_post_config(control, &second, plan.hosts);
    cr_expect_eq(ask(&address), 200);
    control_set_draining(control);
    cr_expect_eq(ask(&address), 503);
    control_stop(control);
    cr_expect_eq(ask(&address), 0, "nothing listens there any more");
    give_back(&plan);
    stats_destroy(&stats);
}
