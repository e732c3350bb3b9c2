#include "ring/listener.h"

#include "base/check.h"
#include "base/socket_address.h"
#include "ring/stream_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    RETRY_MS = 100, /* after the system ran out of descriptors or memory */
};

static int describe_bind_error(const char *text, int code, struct error *error) {
    const char *advice;

    switch (code) {
    case EADDRINUSE:
        advice = "another process listens there: stop it, or choose another port";
        break;
    case EACCES:
        advice = "ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or set AmbientCapabilities= in the systemd unit";
        break;
    case EADDRNOTAVAIL:
        advice = "no interface of this machine has that address";
        break;
    case EAFNOSUPPORT:
        advice = "this kernel has no IPv6";
        break;
    case EMFILE:
    case ENFILE:
        advice = "too few file descriptors: raise the limit " RING_DESCRIPTORS_ADVICE;
        break;
    default:
        advice = strerror(code);
    }
    return error_fail(error, -code, "cannot listen on %s: %s", text, advice);
}

static int bind_socket(struct listener_address at, bool shared, struct error *error) {
    int family = at.address->sa_family;
    int on = 1;
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0) {
        return describe_bind_error(at.text, errno, error);
    }
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared) {
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    }
    if (family == AF_INET6) {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    /* Accepted sockets inherit TCP_NODELAY. */
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(descriptor, at.address, at.size) < 0) {
        int result = describe_bind_error(at.text, errno, error);

        close(descriptor);
        return result;
    }
    return descriptor;
}

int listener_reserve(struct listener_address at, struct error *error) {
    return bind_socket(at, true, error);
}

int listener_listen(int descriptor, struct listener_address at, struct error *error) {
    return listen(descriptor, BACKLOG) < 0 ? describe_bind_error(at.text, errno, error) : 0;
}

static int bind_and_listen(struct listener_address at, bool shared, struct error *error) {
    int descriptor = bind_socket(at, shared, error);

    if (descriptor < 0) {
        return descriptor;
    }
    int result = listener_listen(descriptor, at, error);
    if (result < 0) {
        close(descriptor);
        return result;
    }
    return descriptor;
}

int listener_bind(const char *text, struct error *error) {
    struct sockaddr_storage address;
    struct listener_address at = {.address = (const struct sockaddr *)&address, .text = text};

    if (socket_address_parse(text, &address, &at.size) < 0) {
        return error_fail(error, -EINVAL, "'%s' is not an address to listen on: write 1.2.3.4:443 or [::1]:443", text);
    }
    return bind_and_listen(at, true, error);
}

int listener_probe(struct listener_address at, struct error *error) {
    int descriptor = bind_and_listen(at, false, error);

    if (descriptor < 0) {
        return descriptor;
    }
    close(descriptor);
    return 0;
}

static void pause_listener(struct listener *listener) {
    if (!listener->paused) {
        listener->paused = true;
        listener->next = listener->ring->paused;
        listener->ring->paused = listener;
    }
}

static void arm(struct listener_slot *slot) {
    struct listener *listener = slot->listener;

    slot->stream = stream_reserve_accepted(listener->ring);
    if (slot->stream == NULL) {
        pause_listener(listener);
        return;
    }
    slot->peer_size = sizeof slot->peer;
    struct io_uring_sqe *sqe = ring_submission(listener->ring, operation_of_pointer(OPERATION_ACCEPT, slot));
    io_uring_prep_accept_direct(sqe, listener->descriptor, (struct sockaddr *)&slot->peer, &slot->peer_size, 0,
                                IORING_FILE_INDEX_ALLOC);
    listener->armed++;
}

static void arm_all(struct listener *listener) {
    if (listener->closing) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(listener->slots); i++) {
        if (listener->slots[i].stream == NULL) {
            arm(&listener->slots[i]);
        }
    }
}

static void retry_expired(struct timer *timer) {
    arm_all(CONTAINER_OF(timer, struct listener, retry));
}

void listener_resume_all(struct ring *ring) {
    struct listener *listener = ring->paused;

    ring->paused = NULL;
    while (listener != NULL) {
        struct listener *next = listener->next;

        listener->paused = false;
        arm_all(listener);
        listener = next;
    }
}

static bool is_ipv6(int descriptor) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;

    return getsockname(descriptor, (struct sockaddr *)&address, &size) == 0 && address.ss_family == AF_INET6;
}

void listener_screen(struct listener *listener, const struct syn_filter_rules *rules) {
    if (listener->closing) {
        return;
    }
    if (rules != NULL) {
        CHECK(rules->ipv6 == listener->ipv6);
        listener->blocks = syn_filter_attach(listener->descriptor, rules) >= 0;
    } else if (listener->blocks) {
        syn_filter_detach(listener->descriptor);
        listener->blocks = false;
    }
}

uint32_t listener_drops(const struct listener *listener) {
    return listener->closing ? 0 : syn_filter_drops(listener->descriptor);
}

void listener_start(struct listener *listener, struct ring *ring, int descriptor, listener_accept_fn *accept, void *owner) {
    memset(listener, 0, sizeof *listener);
    listener->ring = ring;
    listener->descriptor = descriptor;
    listener->ipv6 = is_ipv6(descriptor);
    listener->accept = accept;
    listener->owner = owner;
    timer_init(&listener->retry, retry_expired);
    for (size_t i = 0; i < ARRAY_LENGTH(listener->slots); i++) {
        listener->slots[i].listener = listener;
    }
    arm_all(listener);
}

static void unlink_paused(struct listener *listener) {
    struct listener **link = &listener->ring->paused;

    while (*link != NULL && *link != listener) {
        link = &(*link)->next;
    }
    if (*link == listener) {
        *link = listener->next;
    }
    listener->paused = false;
}

void listener_stop(struct listener *listener) {
    CHECK(!listener->closing);
    listener->closing = true;
    timer_clear(&listener->ring->timers, &listener->retry);
    unlink_paused(listener);
    struct io_uring_sqe *sqe = ring_submission(listener->ring, operation_of_pointer(OPERATION_IGNORED, NULL));
    io_uring_prep_cancel_fd(sqe, listener->descriptor, IORING_ASYNC_CANCEL_ALL);
    /* The close follows the cancellation; connections in the backlog are reset, as they would be at the process's end. */
    sqe->flags |= IOSQE_IO_HARDLINK;
    sqe = ring_submission(listener->ring, operation_of_pointer(OPERATION_IGNORED, NULL));
    io_uring_prep_close(sqe, listener->descriptor);
    listener->descriptor = -1;
}

static bool is_shortage(int result) {
    return result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM;
}

void listener_complete(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct listener_slot *slot = operation_pointer(name);
    struct listener *listener = slot->listener;
    struct stream *stream = slot->stream;

    slot->stream = NULL;
    listener->armed--;
    if (result >= 0) {
        stream->descriptor = result;
        listener->accept(listener, stream, (const struct sockaddr *)&slot->peer);
    } else {
        stream_unreserve(stream);
    }
    if (listener->closing) {
        return;
    }
    if (is_shortage(result)) {
        pause_listener(listener);
        if (!timer_is_set(&listener->retry)) {
            timer_set(&ring->timers, &listener->retry, ring_now_ms(ring), RETRY_MS);
        }
        return;
    }
    arm(slot);
}
