#include "limit/party.h"

#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENTRIES = 4096, WAIT_NS = 10000000 };

static const uint8_t zeros[PARTY_BUFFER_SIZE];

void party_init(struct party *party) {
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};

    CHECK(io_uring_queue_init_params(ENTRIES, &party->uring, &params) == 0);
    for (unsigned i = 0; i < PARTY_SIDES_MAX; i++) {
        party->sides[i] = (struct side){.party = party, .socket = -1, .origin = -1, .next_free = party->free};
        party->free = &party->sides[i];
    }
}

static struct io_uring_sqe *submission(struct party *party, void *data) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&party->uring);

    if (sqe == NULL) {
        CHECK(io_uring_submit(&party->uring) >= 0);
        sqe = io_uring_get_sqe(&party->uring);
        CHECK(sqe != NULL);
    }
    io_uring_sqe_set_data(sqe, data);
    return sqe;
}

static struct side *free_side(struct party *party) {
    struct side *side = party->free;

    CHECK(side != NULL);
    party->free = side->next_free;
    return side;
}

static void send_at_once(int socket) {
    int on = 1;

    CHECK(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

static void begin(struct side *side, int socket, const struct script *script) {
    if (side->buffer == NULL) {
        side->buffer = malloc(PARTY_BUFFER_SIZE);
        CHECK(side->buffer != NULL);
    }
    side->socket = socket;
    side->script = script;
    side->step = 0;
    side->held = 0;
    side->left = script->steps[0].size;
    side->state = SIDE_PLAYING;
}

static void receive(struct side *side, int socket, uint32_t size) {
    size = size < PARTY_BUFFER_SIZE ? size : PARTY_BUFFER_SIZE;
    io_uring_prep_recv(submission(side->party, side), socket, side->buffer, size, 0);
}

static void transmit(struct side *side, int socket, const uint8_t *data, uint32_t size) {
    size = size < PARTY_BUFFER_SIZE ? size : PARTY_BUFFER_SIZE;
    io_uring_prep_send(submission(side->party, side), socket, data, size, MSG_WAITALL | MSG_NOSIGNAL);
}

static int take_origin(struct side *side) {
    if (side->origin < 0) {
        CHECK(side->party->origin_count > 0);
        side->origin = side->party->origins[--side->party->origin_count];
    }
    return side->origin;
}

/* Submits the one operation that its step is at. */
static void go_on(struct side *side) {
    switch (side->script->steps[side->step].kind) {
    case SCRIPT_RECEIVE:
        receive(side, side->socket, side->left);
        break;
    case SCRIPT_SEND:
        transmit(side, side->socket, zeros, side->left);
        break;
    case SCRIPT_RECEIVE_ORIGIN:
        receive(side, take_origin(side), side->left);
        break;
    case SCRIPT_SEND_ORIGIN:
        transmit(side, take_origin(side), zeros, side->left);
        break;
    case SCRIPT_FORWARD:
    case SCRIPT_FORWARD_ORIGIN: {
        bool to_origin = side->script->steps[side->step].kind == SCRIPT_FORWARD_ORIGIN;
        int origin = take_origin(side);

        if (side->held == 0) {
            receive(side, to_origin ? side->socket : origin, side->left);
        } else {
            transmit(side, to_origin ? origin : side->socket, side->buffer, side->held);
        }
        break;
    }
    }
}

static void connect_side(struct side *side, const struct script *script) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    send_at_once(descriptor);
    begin(side, descriptor, script);
    side->state = SIDE_CONNECTING;
    io_uring_prep_connect(submission(side->party, side), descriptor, (const struct sockaddr *)&side->party->server,
                          sizeof side->party->server);
}

static void end(struct side *side) {
    struct party *party = side->party;

    if (side->origin >= 0) {
        party->origins[party->origin_count++] = side->origin;
        side->origin = -1;
    }
    struct io_uring_sqe *sqe = submission(party, NULL);
    io_uring_prep_close(sqe, side->socket);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    side->socket = -1;
    if (party->reconnects && side->script->end != SCRIPT_LOOP) {
        connect_side(side, side->script);
    } else {
        side->next_free = party->free;
        party->free = side;
    }
}

static void finish_script(struct side *side) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    side->party->exchanges++;
    side->step = 0;
    side->left = side->script->steps[0].size;
    switch (side->script->end) {
    case SCRIPT_LOOP:
        go_on(side);
        break;
    case SCRIPT_CLOSE:
        CHECK(setsockopt(side->socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
        end(side);
        break;
    case SCRIPT_WAIT:
        side->state = SIDE_WAITING;
        receive(side, side->socket, 1);
        break;
    }
}

static void completed(struct side *side, int result) {
    if (side->state == SIDE_CONNECTING && result == 0) {
        side->state = SIDE_PLAYING;
        go_on(side);
        return;
    }
    if (result <= 0) {
        side->party->failures += side->state == SIDE_WAITING ? 0 : 1;
        end(side);
        return;
    }
    bool forwards = side->script->steps[side->step].kind == SCRIPT_FORWARD ||
                    side->script->steps[side->step].kind == SCRIPT_FORWARD_ORIGIN;
    if (forwards && side->held == 0) {
        side->held = (uint32_t)result;
        go_on(side);
        return;
    }
    side->left -= (uint32_t)result;
    side->held = 0;
    if (side->left == 0) {
        side->step++;
        if (side->step == side->script->count) {
            finish_script(side);
            return;
        }
        side->left = side->script->steps[side->step].size;
    }
    go_on(side);
}

static void accept_more(struct party *party, unsigned number) {
    io_uring_prep_multishot_accept(submission(party, &party->listeners[number]), party->listeners[number].socket, NULL, NULL,
                                   SOCK_CLOEXEC);
}

void party_listen(struct party *party, int listener, const struct script *script) {
    party->listeners[party->listener_count].socket = listener;
    party->listeners[party->listener_count].script = script;
    accept_more(party, party->listener_count++);
}

void party_connect(struct party *party, const struct sockaddr_in *server, const struct script *script, unsigned count) {
    party->server = *server;
    party->reconnects = true;
    for (unsigned i = 0; i < count; i++) {
        connect_side(free_side(party), script);
    }
}

void party_open_origins(struct party *party, const struct sockaddr_in *origin, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(descriptor >= 0 && connect(descriptor, (const struct sockaddr *)origin, sizeof *origin) == 0);
        send_at_once(descriptor);
        party->origins[party->origin_count++] = descriptor;
    }
}

static bool accepted(struct party *party, const struct io_uring_cqe *cqe) {
    for (unsigned i = 0; i < party->listener_count; i++) {
        if (io_uring_cqe_get_data(cqe) != &party->listeners[i]) {
            continue;
        }
        if (cqe->res >= 0) {
            struct side *side = free_side(party);

            send_at_once(cqe->res);
            begin(side, cqe->res, party->listeners[i].script);
            go_on(side);
        }
        if ((cqe->flags & IORING_CQE_F_MORE) == 0) {
            accept_more(party, i);
        }
        return true;
    }
    return false;
}

void party_play(struct party *party, uint64_t until_ns) {
    struct __kernel_timespec wait = {.tv_nsec = WAIT_NS};

    while (clock_monotonic_ns() < until_ns) {
        struct io_uring_cqe *cqe;
        unsigned head;
        unsigned count = 0;
        int result = io_uring_submit_and_wait_timeout(&party->uring, &cqe, 1, &wait, NULL);

        CHECK(result >= 0 || result == -ETIME || result == -EINTR);
        io_uring_for_each_cqe(&party->uring, head, cqe) {
            count++;
            if (io_uring_cqe_get_data(cqe) != NULL && !accepted(party, cqe)) {
                completed(io_uring_cqe_get_data(cqe), cqe->res);
            }
        }
        io_uring_cq_advance(&party->uring, count);
    }
}
