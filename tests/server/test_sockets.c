#include "server/sockets.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Two addresses, of free ports, and the admin's. */
struct scene {
    char texts[3][32];
    struct config_listener listen[2];
    struct config config;
    struct sockets sockets;
    struct error error;
};

static unsigned port_of(int descriptor) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    cr_assert_eq(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

/* Returns a socket that listens on a free port, and holds it. */
static int take_port(unsigned *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(descriptor, 1), 0);
    *port = port_of(descriptor);
    return descriptor;
}

static bool is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0;
}

static void read_address(char *text, struct config_address *address) {
    struct error error;

    cr_assert_eq(address_parse(text, address, &error), 0, "%s", error.text);
    address->text = text;
}

static void set_up(struct scene *scene) {
    int holders[3];
    *scene = (struct scene){0};
    for (size_t i = 0; i < 3; i++) {
        unsigned port;

        holders[i] = take_port(&port);
        snprintf(scene->texts[i], sizeof scene->texts[i], "127.0.0.1:%u", port);
    }
    for (size_t i = 0; i < 3; i++) {
        close(holders[i]);
    }
    read_address(scene->texts[0], &scene->listen[0].address);
    read_address(scene->texts[1], &scene->listen[1].address);
    scene->config.listen = scene->listen;
    scene->config.listen_count = 2;
    read_address(scene->texts[2], &scene->config.admin_address);
}

Test(sockets, each_shard_has_one_for_each_address) {
    struct scene scene;

    set_up(&scene);
    cr_assert_eq(sockets_open(&scene.sockets, &scene.config, 3, &scene.error), 0, "%s", scene.error.text);
    const int *first = sockets_of_shard(&scene.sockets, 0);
    for (unsigned shard = 1; shard < 3; shard++) {
        const int *other = sockets_of_shard(&scene.sockets, shard);

        cr_assert_neq(first[0], other[0]);
        cr_assert_eq(port_of(first[0]), port_of(other[0]));
        cr_assert_eq(port_of(first[1]), port_of(other[1]));
    }
    cr_assert_neq(port_of(first[0]), port_of(first[1]));
    sockets_close(&scene.sockets);
}

static bool can_connect(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)atoi(strrchr(text, ':') + 1));
    bool connected = connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
    close(descriptor);
    return connected;
}

Test(sockets, clients_are_refused_until_the_shard_is_about_to_start) {
    struct scene scene;

    set_up(&scene);
    cr_assert_eq(sockets_open(&scene.sockets, &scene.config, 2, &scene.error), 0, "%s", scene.error.text);
    cr_assert_not(can_connect(scene.texts[0]));
    cr_assert_eq(sockets_listen(&scene.sockets, &scene.config, 1, &scene.error), 0, "%s", scene.error.text);
    cr_assert(can_connect(scene.texts[0]));
    cr_assert(can_connect(scene.texts[1]));
    cr_assert_not(can_connect(scene.texts[2]), "the admin address");
    cr_assert_eq(sockets_listen_admin(&scene.sockets, &scene.config, &scene.error), 0, "%s", scene.error.text);
    cr_assert(can_connect(scene.texts[2]));
    sockets_close(&scene.sockets);
}

Test(sockets, what_is_given_away_stays_open) {
    struct scene scene;

    set_up(&scene);
    cr_assert_eq(sockets_open(&scene.sockets, &scene.config, 2, &scene.error), 0, "%s", scene.error.text);
    int given = sockets_of_shard(&scene.sockets, 1)[0];
    int kept = sockets_of_shard(&scene.sockets, 0)[0];
    sockets_give_shard(&scene.sockets, 1);
    int admin = sockets_take_admin(&scene.sockets);
    cr_assert_geq(admin, 0);
    cr_assert_eq(sockets_take_admin(&scene.sockets), -1);
    sockets_close(&scene.sockets);
    cr_assert(is_open(given));
    cr_assert(is_open(admin));
    cr_assert_not(is_open(kept));
    sockets_close(&scene.sockets);
}

Test(sockets, without_an_admin_address_there_is_no_admin_socket) {
    struct scene scene;

    set_up(&scene);
    scene.config.admin_address.text = NULL;
    cr_assert_eq(sockets_open(&scene.sockets, &scene.config, 1, &scene.error), 0, "%s", scene.error.text);
    cr_assert_eq(sockets_take_admin(&scene.sockets), -1);
    sockets_close(&scene.sockets);
}

Test(sockets, an_address_that_is_taken_is_named) {
    unsigned port;
    int holder = take_port(&port);

    struct scene scene;
    set_up(&scene);
    snprintf(scene.texts[1], sizeof scene.texts[1], "127.0.0.1:%u", port);
    read_address(scene.texts[1], &scene.listen[1].address);
    cr_assert_lt(sockets_open(&scene.sockets, &scene.config, 2, &scene.error), 0);
    cr_assert_not_null(strstr(scene.error.text, scene.texts[1]), "%s", scene.error.text);
    sockets_close(&scene.sockets);
    set_up(&scene);
    snprintf(scene.texts[2], sizeof scene.texts[2], "127.0.0.1:%u", port);
    read_address(scene.texts[2], &scene.config.admin_address);
    cr_assert_lt(sockets_open(&scene.sockets, &scene.config, 2, &scene.error), 0);
    cr_assert_eq(strncmp(scene.error.text, "admin: ", 7), 0, "%s", scene.error.text);
    close(holder);
}

Test(sockets, zeroed_ones_can_be_closed) {
    struct sockets sockets = {0};

    sockets_close(&sockets);
    cr_assert(is_open(0));
}
