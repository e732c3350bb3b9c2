/*
 * Many exchanges at once with origins that misbehave at random, and clients that leave at random. These must hold: each call
 * ends in one way, nobody gets somebody else's answer, and nothing is left over (bench_destroy looks).
 */
#include "base/log.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

enum { CALLS = 48, ENOUGH = 3000 /* calls */ };

enum mood {
    MOOD_PLAIN,
    MOOD_CHUNKED,
    MOOD_CLOSES_AFTER,
    MOOD_SAYS_CLOSE,
    MOOD_STALE,
    MOOD_CUT_HEAD,
    MOOD_CUT_BODY,
    MOOD_GARBAGE,
    MOOD_RESETS,
    MOOD_SILENT,
    MOOD_SPEAKS_ON,
    MOOD_HINTS,
    MOOD_PADDED,
    MOOD_OLD,
    MOOD_NOT_MODIFIED, /* and a body all the same, which would be the answer to the next request */
    MOOD_CHALLENGE,
    MOODS,
};

static struct fake_origin fakes[2];
static atomic_uint intrusions; /* requests on a connection that is another client's */
static uint64_t state = 88172645463325252u;

/* xorshift64: the same run every time, as far as the scheduler allows. */
static unsigned draw(unsigned below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 32) % below;
}

static bool answer(int socket, enum mood mood, unsigned id) {
    struct linger now = {.l_onoff = 1};

    char text[512];
    switch (mood) {
    case MOOD_CHUNKED:
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n%04u\r\n4\r\n%04u\r\n0\r\n\r\n", id / 10000,
                 id % 10000);
        return fake_say(socket, text);
    case MOOD_HINTS:
        snprintf(text, sizeof text,
                 "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%08u", id);
        return fake_say(socket, text);
    case MOOD_PADDED:
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8  \r\n%08u\r\n0 ; a = b\r\nC: d\r\n\r\n", id);
        return fake_say(socket, text);
    case MOOD_OLD:
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\nX-A : b\n c\nContent-Length : 8\n\n%08u", id);
        return fake_say(socket, text);
    case MOOD_NOT_MODIFIED:
        return fake_say(socket, "HTTP/1.1 304 Not Modified\r\nContent-Length: 46\r\n\r\n"
                                "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nforged!!");
    case MOOD_CHALLENGE:
        snprintf(text, sizeof text,
                 "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"a\", NTLM\r\nContent-Length: 8\r\n\r\n%08u", id);
        return fake_say(socket, text);
    case MOOD_CUT_HEAD:
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Le");
        return false;
    case MOOD_CUT_BODY:
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
        return false;
    case MOOD_GARBAGE:
        fake_say(socket, "\x16\x03\x01 what is this?");
        return false;
    case MOOD_RESETS:
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return false;
    case MOOD_STALE:
        return false;
    case MOOD_SILENT:
        fake_reads_end(socket);
        return false;
    default:
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%sContent-Length: 8\r\n\r\n%08u%s",
                 mood == MOOD_SAYS_CLOSE ? "Connection: close\r\n" : "", id,
                 mood == MOOD_SPEAKS_ON ? "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nforged!!" : "");
        return fake_say(socket, text) && mood != MOOD_CLOSES_AFTER;
    }
}

/*
 * The request says in its target what is to be done, and from whom it is: /MOOD/ID/LENGTH/CLIENT/SIGNS. Once a client has
 * signed in, or was asked to, the connection must be its alone.
 */
static void serve(struct fake_origin *origin, int socket, int number) {
    unsigned mood, id, length, client, signs, owner = 0;

    char head[4096];
    char body[4096];
    while (fake_read_head(socket, head, sizeof head)) {
        if (sscanf(head, "%*s /%u/%u/%u/%u/%u", &mood, &id, &length, &client, &signs) != 5 ||
            !fake_read_exactly(socket, body, length)) {
            return;
        }
        if (owner != 0 && owner != client) {
            atomic_fetch_add(&intrusions, 1);
        }
        owner = signs != 0 || mood == MOOD_CHALLENGE ? client : owner;
        if (!answer(socket, (enum mood)mood, id)) {
            return;
        }
    }
}

struct job {
    struct call call;
    struct relay_client client; /* stays when the call is over */
    unsigned id;
    unsigned client_id; /* of whoever has the job now */
    enum mood mood;
    unsigned patience; /* rounds until the client leaves */
    unsigned owed;     /* bytes of body still to give */
    bool is_get;
};

static void start(struct job *job, unsigned id) {
    static const char *const methods[] = {"GET", "PUT", "POST"};
    unsigned method = draw(3), length = method == 0 ? 0 : draw(4000);
    struct relay_request request = {.host = &bench.host,
                                    .framing = method == 0 ? HTTP_NO_BODY : HTTP_LENGTH,
                                    .idempotent = method < 2,
                                    .signs_in = draw(16) == 0,
                                    .trailers = draw(2) == 0,
                                    .client = &job->client};

    memset(&job->call, 0, sizeof job->call);
    if (job->client_id == 0 || draw(8) == 0) {
        relay_client_leave(&job->client);
        job->client_id = id;
    }
    job->id = id;
    job->is_get = method == 0;
    job->mood = draw(2) == 0 ? MOOD_PLAIN : (enum mood)draw(MOODS);
    job->patience = draw(8) == 0 ? draw(20) : 100000;
    job->owed = length;
    char head[256];
    snprintf(head, sizeof head, "%s /%u/%u/%u/%u/%u HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n", methods[method],
             (unsigned)job->mood, id, length, job->client_id, (unsigned)request.signs_in, length);
    request.head = bytes_of_string(head);
    call_start_request(&job->call, &bench, &request);
}

static void give_body(struct job *job) {
    static const uint8_t zeros[4000];
    unsigned size = draw(2) == 0 ? job->owed : draw(job->owed + 1);

    if (relay_exchange_room(job->call.exchange) < size) {
        return;
    }
    relay_exchange_body(job->call.exchange, bytes_of(zeros, size));
    job->owed -= size;
    if (job->owed == 0) {
        relay_exchange_body_end(job->call.exchange);
    }
}

static void check_end(const struct job *job) {
    char expected[16];

    snprintf(expected, sizeof expected, "%08u", job->id);
    if (job->call.ended && job->call.status == 304) {
        cr_assert_eq(job->mood, MOOD_NOT_MODIFIED);
    } else if (job->call.ended) {
        cr_assert_str_eq(job->call.body, expected);
    } else {
        /* A request with a body may meet a connection that has just been closed, whatever its own mood; a GET is sent again.
         */
        cr_assert_neq(job->call.error, RELAY_UNREACHABLE);
        cr_assert(!job->is_get || job->mood != MOOD_PLAIN || job->call.error == RELAY_TIMEOUT);
    }
}

static void work(struct job *job, unsigned *id) {
    struct call *call = &job->call;

    if (!call->started || call->aborted) {
        start(job, ++*id);
    } else if (call->done) {
        check_end(job);
        start(job, ++*id);
    } else if (job->patience-- == 0) {
        call_abort(call);
    } else if (job->owed > 0) {
        give_body(job);
    } else if (draw(4) == 0) {
        relay_exchange_pause(call->exchange);
    } else {
        relay_exchange_resume(call->exchange);
    }
}

Test(chaos, keeps_everything_in_its_place, .timeout = 100) {
    struct ring_options options = {.streams = 512, .accepted = 16, .receive_buffers = 16, .chunks = 512};
    static struct job jobs[CALLS];
    uint16_t ports[3] = {0};
    unsigned id = 0;

    log_set_level(LOG_LEVEL_ERROR);
    for (int i = 0; i < 2; i++) {
        fake_origin_start(&fakes[i], 0, serve, NULL);
        ports[i] = fakes[i].port;
    }
    ports[2] = fake_dead_port();
    bench_create(&bench, &options, ports, 3);
    bench.relay->timeouts = (struct relay_timeouts){.idle_ms = 30, .fresh_ms = 10, .down_ms = 20};
    bench_be_impatient(&bench, 50);
    /* How many time out depends on how fast the machine is, so a run goes on until they are enough. */
    while ((id < ENOUGH || results(STATS_ORIGIN_TIMEOUT) <= ENOUGH / 100) &&
           atomic_load(&fakes[0].accepted) + CALLS < FAKE_CONNECTIONS_MAX &&
           atomic_load(&fakes[1].accepted) + CALLS < FAKE_CONNECTIONS_MAX) {
        work(&jobs[draw(CALLS)], &id);
        if (draw(3) == 0) {
            cr_assert_eq(ring_turn(&bench.ring, 1), 0);
        }
    }
    for (int i = 0; i < CALLS; i++) {
        if (jobs[i].call.exchange != NULL) {
            call_abort(&jobs[i].call);
        }
        relay_client_leave(&jobs[i].client);
    }
    cr_assert_eq(atomic_load(&intrusions), 0);
    cr_assert_gt(events(STATS_ORIGIN_OWNED), ENOUGH / 100);
    cr_assert_gt(results(STATS_ORIGIN_COMPLETED), ENOUGH / 4);
    cr_assert_gt(results(STATS_ORIGIN_ABORTED), ENOUGH / 100);
    cr_assert_gt(events(STATS_ORIGIN_REUSED), ENOUGH / 4);
    cr_assert_gt(events(STATS_ORIGIN_REPLACED), 0);
    cr_assert_gt(results(STATS_ORIGIN_BROKEN), ENOUGH / 20);
    cr_assert_gt(results(STATS_ORIGIN_TIMEOUT), ENOUGH / 100);
    cr_assert_eq(results(STATS_ORIGIN_UNREACHABLE), 0);
    bench_destroy(&bench);
    for (int i = 0; i < 2; i++) {
        fake_origin_stop(&fakes[i]);
    }
}
