#include "scene.h"

struct bench bench;
struct fake_origin fake;

void begin(void (*serve)(struct fake_origin *origin, int socket, int number), void *context) {
    fake_origin_start(&fake, 0, serve, context);
    bench_create(&bench, NULL, &fake.port, 1);
}

void finish(void) {
    bench_destroy(&bench);
    fake_origin_stop(&fake);
}

void serve_forever(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
    }
}

void serve_one_each(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    if (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
    }
}

void say_context(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, origin->context);
    }
}

void serve_when_told(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_wait(origin, 1);
        fake_say(socket, OK_HELLO);
    }
}
