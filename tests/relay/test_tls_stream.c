/* Links with TLS to an origin in another thread, which is a server's session of ours. */
#include "base/hash.h"
#include "relay/link.h"
#include "relay/tls_stream.h"
#include "scene.h"
#include "tls/session.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { LARGE = 300000 };

static struct bytes read_file(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", CERTIFICATES, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *data = malloc(65536);
    size_t size = fread(data, 1, 65536, file);
    fclose(file);
    return bytes_of(data, size);
}

static struct tls_credentials *server_credentials(void) {
    struct bytes chain = read_file("server.pem"), key = read_file("server.key");
    struct error error;
    bool at_key;
    struct tls_credentials *credentials = tls_credentials_load(chain, key, &at_key, &error);
    cr_assert_not_null(credentials, "%s", error.text);
    free((void *)(uintptr_t)chain.data);
    free((void *)(uintptr_t)key.data);
    return credentials;
}

/* The origin's side of one connection, with blocking calls. */
struct remote {
    int socket;
    struct tls_session *session;
    unsigned reads; /* records with plaintext */
};

static int remote_output(void *owner, struct bytes ciphertext) {
    return fake_send(((struct remote *)owner)->socket, ciphertext.data, ciphertext.size) ? 0 : -EPIPE;
}

static const struct tls_session_handler remote_handler = {.output = remote_output};

static bool remote_feed(struct remote *remote) {
    static uint8_t input[16384];
    ssize_t size = recv(remote->socket, input, sizeof input, 0);
    if (size > 0) {
        tls_session_feed(remote->session, bytes_of(input, (size_t)size));
    }
    return size > 0;
}

static bool remote_handshake(struct remote *remote) {
    while (remote_feed(remote)) {
        enum tls_result result = tls_session_handshake(remote->session);
        if (result != TLS_WANT_INPUT) {
            return result == TLS_DONE;
        }
    }
    return false;
}

static size_t remote_read(struct remote *remote, char *text, size_t capacity) {
    size_t size;
    for (;;) {
        enum tls_result result = tls_session_read(remote->session, text, capacity, &size);
        if (result == TLS_DONE) {
            remote->reads++;
            return size;
        }
        if (result != TLS_WANT_INPUT || !remote_feed(remote)) {
            return 0;
        }
    }
}

static void (*play)(struct remote *remote); /* NULL: it never answers the hello */

static void refuse_the_hello(struct remote *remote) {
    static const uint8_t handshake_failure[] = {21, 3, 3, 0, 2, 2, 40};

    fake_send(remote->socket, handshake_failure, sizeof handshake_failure);
    fake_break_off(remote->socket);
    atomic_store(&fake.signal, 1);
}

static void serve(struct fake_origin *origin, int socket, int number) {
    if (play == NULL) {
        uint8_t input[4096];

        while (recv(socket, input, sizeof input, 0) > 0) {
        }
        return;
    }
    if (play == refuse_the_hello) {
        refuse_the_hello(&(struct remote){.socket = socket});
        return;
    }
    struct error error;
    struct tls_credentials *credentials = server_credentials();
    const struct tls_context_options options = {.credentials = credentials};
    struct tls_context *context = tls_context_create(&options, &error);
    struct remote remote = {.socket = socket};
    remote.session = tls_session_create(context, 1024, TLS_ANY, &remote_handler, &remote);
    if (remote_handshake(&remote)) {
        play(&remote);
    }
    tls_session_free(remote.session);
    tls_context_free(context);
    tls_credentials_free(credentials);
}

struct told {
    struct relay_link link;
    bool connected, ended, failed, closed;
    bool pauses; /* asks for nothing by itself */
    bool broken; /* not the pattern */
    unsigned deliveries;
    size_t size;
    int error;
};

static struct told *of_link(struct relay_link *link) {
    return CONTAINER_OF(link, struct told, link);
}

static void connected(struct relay_link *link) {
    of_link(link)->connected = true;
}

static void received(struct relay_link *link, struct bytes data) {
    struct told *told = of_link(link);

    told->ended = data.size == 0;
    told->deliveries++;
    cr_assert_leq(data.size, 16384);
    told->broken = told->broken || !pattern_holds(data.data, told->size, data.size);
    told->size += data.size;
    if (!told->pauses && !told->ended) {
        link_receive_up_to(link, 65536);
    }
}

static void failed(struct relay_link *link, int error) {
    of_link(link)->failed = true;
    of_link(link)->error = error;
}

static void closed(struct relay_link *link) {
    of_link(link)->closed = true;
}

static const struct link_handler handler = {
    .connected = connected, .received = received, .failed = failed, .closed = closed};

static struct config_origin_tls settings;
static struct tls_origin_context *context;
static struct tls_origin origin;
static struct tls_memory *memory;

static void start(void (*script)(struct remote *remote), const char *name) {
    struct error error;
    struct bytes root = read_file("root.pem");
    hash_init();
    tls_library_init();
    play = script;
    begin(serve, NULL);
    settings.trust = trust_create();
    cr_assert_eq(trust_add_file(settings.trust, root, &error), 0, "%s", error.text);
    free((void *)(uintptr_t)root.data);
    const struct tls_origin_options options = {.protocols = TLS_ANY};
    context = tls_origin_context_create(&options, &error);
    cr_assert_not_null(context, "%s", error.text);
    tls_origin_begin(&origin, &settings, name, false, context);
    memory = tls_memory_create(&bench.ring);
}

static void connect_with(struct told *told, const struct link_handler *told_by) {
    const struct link_target target = {
        .ring = &bench.ring, .address = &bench.addresses[0], .tls = &origin, .memory = memory};
    cr_assert_eq(link_connect(&told->link, &target, told_by), 0);
}

static void connect_to(struct told *told) {
    connect_with(told, &handler);
}

static void end(struct told *told) {
    if (!told->closed) {
        link_close(&told->link);
        bench_until(&bench, &told->closed);
    }
    tls_origin_end(&origin);
    tls_memory_free(memory);
    tls_origin_context_free(context);
    trust_free(settings.trust);
    finish();
}

static void answer_large(struct remote *remote) {
    static uint8_t pattern[LARGE];
    char text[64];

    if (remote_read(remote, text, sizeof text) == 10 && memcmp(text, "askanswer!", 10) == 0 && remote->reads == 1) {
        pattern_fill(pattern, 0, LARGE);
        tls_session_write(remote->session, bytes_of(pattern, LARGE));
        tls_session_shutdown(remote->session);
        remote_read(remote, text, sizeof text);
    }
}

Test(tls_stream, gathers_what_a_turn_writes_and_delivers_all) {
    struct told told = {0};
    start(answer_large, "api.example.com");
    connect_to(&told);
    bench_until(&bench, &told.connected);
    uint64_t place = link_place(&told.link);
    size_t room = link_room(&told.link);
    link_write(&told.link, bytes_of_string("ask"));
    link_write(&told.link, bytes_of_string("answer!"));
    cr_assert_eq(link_room(&told.link), room - 10);
    cr_assert(!link_has_sent_all(&told.link) && link_is_unsent(&told.link, place));
    cr_assert(link_is_clean(&told.link));
    link_receive(&told.link);
    cr_assert(link_is_receiving(&told.link));
    bench_until(&bench, &told.ended);
    cr_assert(told.size == LARGE && !told.broken && !link_is_cut(&told.link));
    cr_assert_not_null(origin.expected.name);
    end(&told);
}

Test(tls_stream, holds_what_nobody_asks_for) {
    struct told told = {.pauses = true};
    start(answer_large, "api.example.com");
    connect_to(&told);
    bench_until(&bench, &told.connected);
    link_write(&told.link, bytes_of_string("askanswer!"));
    while (told.size < LARGE) {
        unsigned before = told.deliveries;
        link_receive_up_to(&told.link, 65536);
        while (told.deliveries == before) {
            bench_turn_for(&bench, 1);
        }
        bench_turn_for(&bench, 1);
        cr_assert_eq(told.deliveries, before + 1, "one for each time");
    }
    cr_assert_not(told.broken);
    end(&told);
}

/* Its owner gives up a handshake that is under way, and not a connection that is made. */
Test(tls_stream, has_failed_when_time_is_over_before_the_handshake_is) {
    enum stats_origin_handshake outcome;
    struct told told = {0};
    start(NULL, "api.example.com");
    connect_to(&told);
    cr_assert_eq(link_time_out(&told.link, 300).fault, RELAY_FAULT_NONE, "it is not connected");
    while (!link_is_made(&told.link)) {
        bench_turn_for(&bench, 1);
    }
    struct relay_failure failure = link_time_out(&told.link, 300);
    cr_assert_eq(failure.error, -ETIMEDOUT);
    cr_assert_eq(failure.fault, RELAY_FAULT_TLS_HANDSHAKE);
    cr_assert_str_eq(failure.detail, "no answer to the TLS hello within 300ms");
    cr_assert(tls_stream_handshake(told.link.tls, &outcome) && outcome == STATS_ORIGIN_HANDSHAKE_FAILED);
    cr_assert_not(told.failed, "the owner knows");
    end(&told);
}

static void cut(struct remote *remote) {
    tls_session_write(remote->session, bytes_of("\0", 1));
    shutdown(remote->socket, SHUT_WR);
    fake_reads_end(remote->socket);
}

Test(tls_stream, tells_a_cut_from_an_end) {
    struct told told = {0};
    start(cut, "api.example.com");
    connect_to(&told);
    bench_until(&bench, &told.connected);
    link_receive(&told.link);
    bench_until(&bench, &told.ended);
    cr_assert(told.size == 1 && link_is_cut(&told.link) && !link_is_clean(&told.link));
    end(&told);
}

Test(tls_stream, refuses_another_name) {
    struct told told = {0};
    enum stats_origin_handshake outcome;
    start(cut, "other.test");
    connect_to(&told);
    bench_until(&bench, &told.failed);
    struct relay_failure failure = link_failure(&told.link, told.error);
    cr_assert(!told.connected && failure.fault == RELAY_FAULT_TLS_NAME, "%d", failure.fault);
    cr_assert(strstr(failure.detail, "other.test") != NULL, "%s", failure.detail);
    cr_assert(tls_stream_handshake(told.link.tls, &outcome) && outcome == STATS_ORIGIN_HANDSHAKE_NAME);
    end(&told);
}

static bool wait_for_refusal(struct relay_link *link) {
    fake_wait(&fake, 1);
    return true;
}

/* The hello's send fails, and what the origin has said before is read all the same. */
Test(tls_stream, reads_the_alert_that_came_before_a_reset) {
    const struct link_handler late = {
        .opened = wait_for_refusal, .connected = connected, .received = received, .failed = failed, .closed = closed};
    struct told told = {0};
    start(refuse_the_hello, "api.example.com");
    connect_with(&told, &late);
    bench_until(&bench, &told.failed);
    struct relay_failure failure = link_failure(&told.link, told.error);
    cr_assert_eq(failure.fault, RELAY_FAULT_TLS_HANDSHAKE);
    cr_assert_str_eq(failure.detail, "the origin has sent the alert handshake_failure");
    end(&told);
}

static void end_at_once(struct remote *remote) {
    tls_session_shutdown(remote->session);
}

Test(tls_stream, of_an_idle_link_is_spoilt_by_the_end) {
    struct told told = {.pauses = true};
    start(end_at_once, "api.example.com");
    connect_to(&told);
    bench_until(&bench, &told.connected);
    while (link_state(&told.link) == LINK_QUIET) {
        bench_turn_for(&bench, 1);
    }
    link_receive(&told.link);
    bench_until(&bench, &told.ended);
    cr_assert_eq(link_state(&told.link), LINK_SPOILT);
    link_part(&told.link);
    bench_until(&bench, &told.closed);
    end(&told);
}

static atomic_size_t taken;

static void take(struct remote *remote) {
    char text[64];

    atomic_store(&taken, remote_read(remote, text, sizeof text));
}

/* The request that has not left goes elsewhere: so it must not leave in front of the alert. */
Test(tls_stream, that_has_failed_sends_no_alert_behind_what_has_not_left) {
    static const uint8_t record[TLS_RECORD_SIZE_MAX];
    struct told told = {0};
    start(take, "api.example.com");
    connect_to(&told);
    bench_until(&bench, &told.connected);
    uint64_t place = link_place(&told.link);
    link_receive(&told.link);
    cr_assert_eq(link_write(&told.link, bytes_of(record, sizeof record)), 0);
    tls_stream_input(told.link.tls, bytes_of("\x17\3\3\0\5wrong", 10));
    cr_assert(told.failed && link_is_unsent(&told.link, place));
    cr_assert_eq(link_failure(&told.link, told.error).fault, RELAY_FAULT_TLS_BROKEN);
    end(&told);
    cr_assert_eq(atomic_load(&taken), 0);
}
