#include "origin_link.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 16 * 1024,
    WAITING_MAX = 64 * 1024, /* bytes of TLS that wait for the network: no more plaintext is taken meanwhile */
};

/* By identity and version. Made when they are first needed in a run: their keys for tickets follow from its seed. */
static WOLFSSL_CTX *contexts[ORIGIN_IDENTITIES][2];

static int receive_in(WOLFSSL *tls, char *data, int capacity, void *owner) {
    struct origin_link *link = owner;
    size_t size = link->in.size < (size_t)capacity ? link->in.size : (size_t)capacity;

    if (size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    memcpy(data, link->in.data, size);
    talk_drop(&link->in, size);
    return (int)size;
}

static int send_out(WOLFSSL *tls, char *data, int size, void *owner) {
    talk_put(&((struct origin_link *)owner)->out, data, (size_t)size);
    return size;
}

static WOLFSSL_CTX *context_of(const struct origin_link_plan *plan) {
    static const char *const names[ORIGIN_IDENTITIES] = {"origin", "origin-other", "origin-expired", "server-p256"};
    WOLFSSL_CTX **context = &contexts[plan->identity][plan->tls12];
    char path[512];

    if (*context != NULL) {
        return *context;
    }
    *context = wolfSSL_CTX_new(plan->tls12 ? wolfTLSv1_2_server_method() : wolfTLSv1_3_server_method());
    SIMULATOR_EXPECT(*context != NULL, "no context");
    wolfSSL_CTX_SetIORecv(*context, receive_in);
    wolfSSL_CTX_SetIOSend(*context, send_out);
    wolfSSL_CTX_set_session_cache_mode(*context, WOLFSSL_SESS_CACHE_OFF);
    snprintf(path, sizeof path, "%s/%s.pem", TLS_TEST_DATA, names[plan->identity]);
    SIMULATOR_EXPECT(wolfSSL_CTX_use_certificate_chain_file(*context, path) == WOLFSSL_SUCCESS, "%s", path);
    snprintf(path, sizeof path, "%s/%s.key", TLS_TEST_DATA, plan->identity == ORIGIN_STRANGER ? "server-p256" : "origin");
    SIMULATOR_EXPECT(wolfSSL_CTX_use_PrivateKey_file(*context, path, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS, "%s", path);
    return *context;
}

void origin_link_forget_contexts(void) {
    for (unsigned identity = 0; identity < ORIGIN_IDENTITIES; identity++) {
        for (unsigned tls12 = 0; tls12 < 2; tls12++) {
            wolfSSL_CTX_free(contexts[identity][tls12]);
            contexts[identity][tls12] = NULL;
        }
    }
}

void origin_link_begin(struct origin_link *link, struct kernel_socket *socket, const struct origin_link_plan *plan) {
    *link = (struct origin_link){.socket = socket, .plan = *plan, .introduced = !plan->proxy};
    if (!plan->tls) {
        return;
    }
    link->tls = wolfSSL_new(context_of(plan));
    SIMULATOR_EXPECT(link->tls != NULL, "no server");
    wolfSSL_SetIOReadCtx(link->tls, link);
    wolfSSL_SetIOWriteCtx(link->tls, link);
    if (plan->protocol != NULL) {
        char name[16];

        snprintf(name, sizeof name, "%s", plan->protocol);
        wolfSSL_UseALPN(link->tls, name, (unsigned)strlen(name), WOLFSSL_ALPN_CONTINUE_ON_MISMATCH);
    }
}

void origin_link_forget(struct origin_link *link) {
    wolfSSL_free(link->tls);
    talk_free(&link->in);
    talk_free(&link->out);
    link->socket = NULL;
}

void origin_link_leave(struct origin_link *link, bool by_reset) {
    if (by_reset) {
        kernel_peer_reset(link->socket);
    } else {
        kernel_peer_close(link->socket);
    }
    origin_link_forget(link);
}

/* --- The PROXY header ---------------------------------------------------------------------------------------------- */

/* Reads a header of version 2 at the front of link->in, all of which is there. */
static void read_binary_header(struct origin_link *link, size_t size) {
    enum { FRONT = 16, ADDRESSES = 12, TYPE_SSL = 0x20, VECTOR = 3, VERIFY = 4, LOCAL = 0x20, TCP4 = 0x11 };
    const uint8_t *data = (const uint8_t *)link->in.data;
    size_t at = FRONT + ADDRESSES;

    SIMULATOR_EXPECT(data[12] != LOCAL && data[13] == TCP4, "a header that names no client");
    memcpy(&link->client, data + FRONT, sizeof link->client);
    link->names_client = true;
    while (at < size && data[at] != TYPE_SSL) {
        at += VECTOR + (size_t)(data[at + 1] << 8 | data[at + 2]);
    }
    SIMULATOR_EXPECT(at + VECTOR + VERIFY < size, "no facts of TLS in a header of %zu bytes", size);
    link->verified = data[at + VECTOR + VERIFY] == 0;
}

static void read_text_header(struct origin_link *link, const char *end) {
    char address[INET_ADDRSTRLEN] = "";

    SIMULATOR_EXPECT(sscanf(link->in.data, "PROXY TCP4 %15[0-9.] ", address) == 1, "%.*s", (int)(end - link->in.data),
                     link->in.data);
    SIMULATOR_EXPECT(inet_pton(AF_INET, address, &link->client) == 1, "%s", address);
    link->names_client = true;
}

/* Takes the header, of either version, once all of it has come. */
static void take_introduction(struct origin_link *link) {
    enum { FRONT = 16 };
    size_t size = 0;

    if (link->in.size < FRONT) {
        return;
    }
    if (link->in.data[0] == '\r') {
        const uint8_t *data = (const uint8_t *)link->in.data;

        size = FRONT + (size_t)(data[14] << 8 | data[15]);
        if (link->in.size < size) {
            return;
        }
        read_binary_header(link, size);
    } else {
        const char *end = memmem(link->in.data, link->in.size, "\r\n", 2);

        if (end == NULL) {
            return;
        }
        read_text_header(link, end);
        size = (size_t)(end - link->in.data) + 2;
    }
    talk_drop(&link->in, size);
    link->introduced = true;
}

/* --- TLS ----------------------------------------------------------------------------------------------------------- */

static bool wants_more(struct origin_link *link, int result) {
    int error = wolfSSL_get_error(link->tls, result);

    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

static void shake_hands(struct origin_link *link) {
    int result = wolfSSL_accept(link->tls);

    if (result != WOLFSSL_SUCCESS) {
        link->starved = wants_more(link, result);
        link->failed = !link->starved;
        if (link->failed) {
            simulator_trace("origin: handshake failed: %d", wolfSSL_get_error(link->tls, result));
        }
        return;
    }
    link->secured = true;
    link->resumed = wolfSSL_session_reused(link->tls) != 0;
    simulator_trace("origin: handshake of TLS %s done, %s", link->plan.tls12 ? "1.2" : "1.3",
                    link->resumed ? "resumed" : "full");
    SIMULATOR_EXPECT(link->plan.identity == ORIGIN_ITSELF || link->resumed, "the shard has accepted identity %u",
                     link->plan.identity);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Sends some of what waits. */
static void push(struct origin_link *link) {
    size_t most = kernel_chance(300) ? 1 + kernel_below(2000) : PIECE;
    size_t size = least(least(link->out.size, most), link->plan.cut_at - link->sent);

    if (size == 0) {
        return;
    }
    size_t spoilt = link->plan.spoilt_at - link->sent;
    if (link->plan.spoilt_at != ORIGIN_NEVER && link->plan.spoilt_at >= link->sent && spoilt < size) {
        link->out.data[spoilt] ^= (char)(1 << kernel_below(8));
        link->plan.spoilt_at = ORIGIN_NEVER;
    }
    size = kernel_peer_send(link->socket, link->out.data, size);
    talk_drop(&link->out, size);
    link->sent += size;
}

static void pull(struct origin_link *link) {
    char data[PIECE];
    size_t size = kernel_peer_receive(link->socket, data, sizeof data);

    if (size > 0) {
        link->starved = false;
        talk_put(&link->in, data, size);
    }
}

bool origin_link_work(struct origin_link *link) {
    if (link->introduced && link->tls == NULL) {
        return true;
    }
    pull(link);
    if (!link->introduced) {
        take_introduction(link);
    }
    if (link->introduced && link->tls != NULL && !link->secured && !link->failed) {
        shake_hands(link);
    }
    if (link->tls != NULL) {
        push(link);
    }
    if (link->sent >= link->plan.cut_at && !link->is_cut) {
        simulator_trace("origin: TLS is cut at byte %zu by end %u", link->sent, link->plan.cut);
        link->is_cut = true;
        if (link->plan.cut != ORIGIN_FALLS_SILENT) {
            origin_link_leave(link, link->plan.cut == ORIGIN_ENDS_BY_RESET);
            return false;
        }
    }
    if (link->finishes && !link->finished && link->out.size == 0) {
        kernel_peer_finish(link->socket);
        link->finished = true;
    }
    return true;
}

bool origin_link_is_open(const struct origin_link *link) {
    return link->introduced && (link->tls == NULL || (link->secured && !link->failed));
}

size_t origin_link_send(struct origin_link *link, const void *data, size_t size) {
    if (link->tls == NULL) {
        return kernel_peer_send(link->socket, data, size);
    }
    if (size == 0 || link->failed || link->finishes || link->out.size > WAITING_MAX) {
        return 0;
    }
    size = least(size, PIECE);
    size = link->plan.record_max > 0 ? least(size, link->plan.record_max) : size;
    int written = wolfSSL_write(link->tls, data, (int)size);
    link->failed = written <= 0;
    return written > 0 ? (size_t)written : 0;
}

size_t origin_link_receive(struct origin_link *link, void *data, size_t capacity) {
    if (link->tls == NULL) {
        size_t held = least(link->in.size, capacity);

        if (held == 0) {
            return kernel_peer_receive(link->socket, data, capacity);
        }
        memcpy(data, link->in.data, held);
        talk_drop(&link->in, held);
        return held;
    }
    if (!link->secured || link->failed || link->ended || capacity == 0) {
        return 0;
    }
    int size = wolfSSL_read(link->tls, data, (int)capacity);
    if (size > 0) {
        return (size_t)size;
    }
    link->ended = wolfSSL_get_error(link->tls, size) == WOLFSSL_ERROR_ZERO_RETURN;
    link->starved = wants_more(link, size);
    link->failed = !link->ended && !link->starved;
    if (link->failed) {
        simulator_trace("origin: TLS failed: %d", wolfSSL_get_error(link->tls, size));
    }
    return 0;
}

void origin_link_finish(struct origin_link *link) {
    if (link->tls == NULL) {
        kernel_peer_finish(link->socket);
        link->finished = true;
    } else if (link->secured && !link->failed && !link->finishes) {
        wolfSSL_shutdown(link->tls);
    }
    link->finishes = true;
}

bool origin_link_is_through(const struct origin_link *link) {
    return link->tls == NULL || (link->out.size == 0 && (!link->finishes || link->finished));
}

bool origin_link_is_over(const struct origin_link *link) {
    bool read = link->tls == NULL ? link->in.size == 0 : link->starved || link->failed || link->ended;

    return kernel_peer_is_reset(link->socket) || (read && kernel_peer_at_end(link->socket));
}
