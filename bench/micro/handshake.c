#include "micro/handshake.h"

#include "base/check.h"
#include "base/clock.h"
#include "identity/cache.h"
#include "micro/client.h"
#include "micro/pki.h"
#include "tls/session.h"

#include <stdio.h>
#include <stdlib.h>

enum { CACHE_ENTRIES = 1024, CHAIN_SIZE_MAX = 16 * 1024, TICKET_LIFETIME_S = 3600 };

/* One session and what is known of its client, as in a connection of edge/. */
struct service {
    struct handshakes *handshakes;
    struct client *client;
    struct tls_session *session;
    struct identity_cache *cache;
    struct identity *identity;
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    bool is_new; /* the cache did not have the identity */
};

struct handshakes {
    struct pki *server;
    struct pki *clients;
    struct tls_credentials *credentials;
    struct tls_tickets *tickets;
    struct tls_context *contexts[2];             /* [asks for a certificate] */
    WOLFSSL_CTX *client_contexts[2][PKI_LEAVES]; /* [TLS 1.2] */
    struct trust *trust;
    struct forward forward;
    struct identity_policy policy;
    struct identity_cache *known;   /* has room for all clients */
    struct identity_cache *unknown; /* and for one, which is never that of the next */
    struct service services[HANDSHAKE_BATCH];
    struct client peers[HANDSHAKE_BATCH];
};

static const char *const kind_names[] = {
    [HANDSHAKE_ANONYMOUS] = "anonymous", [HANDSHAKE_KNOWN] = "known", [HANDSHAKE_UNKNOWN] = "unknown",
    [HANDSHAKE_RESUMED] = "resumed",     [HANDSHAKE_TLS12] = "tls12",
};

static const char *const part_names[] = {
    [HANDSHAKE_HELLO] = "hello",
    [HANDSHAKE_FINISH] = "finish",
    [HANDSHAKE_FREE] = "free",
};

const char *handshake_kind_name(enum handshake_kind kind) {
    return kind_names[kind];
}

const char *handshake_part_name(enum handshake_part part) {
    return part_names[part];
}

static void load_credentials(struct handshakes *handshakes) {
    struct bytes chain = pki_chain_pem(handshakes->server, 0);
    struct bytes key = pki_key_pem(handshakes->server, 0);
    struct error error;
    bool at_key;

    handshakes->credentials = tls_credentials_load(chain, key, &at_key, &error);
    CHECK(handshakes->credentials != NULL);
    free((void *)(uintptr_t)chain.data);
    free((void *)(uintptr_t)key.data);
}

static struct tls_context *create_context(struct handshakes *handshakes, bool request_certificate) {
    struct bytes name = trust_name(handshakes->trust, 0);
    struct tls_context_options options = {
        .credentials = handshakes->credentials,
        .request_certificate = request_certificate,
        .ca_names = &name,
        .ca_names_count = request_certificate ? 1 : 0,
        .tickets = handshakes->tickets,
        .ticket_lifetime_s = TICKET_LIFETIME_S,
    };
    struct error error;
    struct tls_context *context = tls_context_create(&options, &error);

    CHECK(context != NULL);
    return context;
}

static WOLFSSL_CTX *create_client_context(struct handshakes *handshakes, size_t index, bool tls12) {
    struct bytes chain = pki_chain_pem(handshakes->clients, index);
    struct bytes key = pki_key_pem(handshakes->clients, index);
    WOLFSSL_CTX *context = client_context_create(chain, key, tls12);

    free((void *)(uintptr_t)chain.data);
    free((void *)(uintptr_t)key.data);
    return context;
}

struct handshakes *handshakes_create(void) {
    struct handshakes *handshakes = calloc(1, sizeof *handshakes);

    CHECK(handshakes != NULL);
    handshakes->server = pki_create(PKI_P256);
    handshakes->clients = pki_create(PKI_P256);
    handshakes->trust = trust_create();
    CHECK(handshakes->trust != NULL);
    struct error error;
    CHECK(trust_add_file(handshakes->trust, bytes_of(handshakes->clients->root.der, handshakes->clients->root.der_size),
                         &error) == 0);
    handshakes->policy =
        (struct identity_policy){.trust = handshakes->trust, .depth_max = 4, .forward = &handshakes->forward};
    identity_policy_seal(&handshakes->policy);
    handshakes->tickets = tls_tickets_create();
    CHECK(handshakes->tickets != NULL);
    handshakes->known = identity_cache_create(CACHE_ENTRIES);
    handshakes->unknown = identity_cache_create(1);
    CHECK(handshakes->known != NULL && handshakes->unknown != NULL);
    load_credentials(handshakes);
    for (int i = 0; i < 2; i++) {
        handshakes->contexts[i] = create_context(handshakes, i == 1);
    }
    for (size_t i = 0; i < PKI_LEAVES; i++) {
        handshakes->client_contexts[false][i] = create_client_context(handshakes, i, false);
        handshakes->client_contexts[true][i] = create_client_context(handshakes, i, true);
    }
    return handshakes;
}

void handshakes_free(struct handshakes *handshakes) {
    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        wolfSSL_SESSION_free(handshakes->peers[i].session);
    }
    for (size_t i = 0; i < PKI_LEAVES; i++) {
        wolfSSL_CTX_free(handshakes->client_contexts[false][i]);
        wolfSSL_CTX_free(handshakes->client_contexts[true][i]);
    }
    for (int i = 0; i < 2; i++) {
        tls_context_free(handshakes->contexts[i]);
    }
    tls_tickets_free(handshakes->tickets);
    tls_credentials_free(handshakes->credentials);
    identity_cache_free(handshakes->known);
    identity_cache_free(handshakes->unknown);
    trust_free(handshakes->trust);
    free(handshakes->server);
    free(handshakes->clients);
    free(handshakes);
}

static int send_to_client(void *owner, struct bytes ciphertext) {
    client_buffer_append(&((struct service *)owner)->client->to_client, ciphertext);
    return 0;
}

/* As the edge does it: once, when a ticket is to be bound or else when the call that has received the chain returns. */
static void judge(struct service *service) {
    const struct tls_peer_chain *chain = tls_session_peer_chain(service->session);

    if (chain == NULL || service->identity != NULL) {
        return;
    }
    bool cached;
    service->identity = identity_cache_judge(service->cache, &service->handshakes->policy, chain->certificates, chain->count,
                                             chain->too_large, clock_wall_seconds(), service->digest, &cached);
    CHECK(service->identity != NULL && service->identity->status == STATUS_VALID);
    service->is_new = !cached;
}

static bool bind_ticket(void *owner, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct service *service = owner;

    judge(service);
    memset(binding, 0, TLS_TICKET_BINDING_SIZE);
    memcpy(binding, service->digest, sizeof service->digest);
    return true;
}

static bool accept_ticket(void *owner, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct service *service = owner;

    memcpy(service->digest, binding, sizeof service->digest);
    service->identity = identity_cache_find(service->cache, &service->handshakes->policy, binding, clock_wall_seconds());
    return service->identity != NULL;
}

static const struct tls_session_handler session_handler = {
    .output = send_to_client,
    .bind_ticket = bind_ticket,
    .accept_ticket = accept_ticket,
};

static void feed(struct service *service, enum tls_result expected) {
    struct client_buffer *input = &service->client->to_server;

    tls_session_feed(service->session, bytes_of(input->data, input->size));
    CHECK(tls_session_handshake(service->session) == expected);
}

/* The server's side is these three: callgrind counts in them, by their names (tools/instructions). */
static __attribute__((noinline)) void take_hellos(struct handshakes *handshakes, enum handshake_kind kind) {
    struct tls_context *context = handshakes->contexts[kind != HANDSHAKE_ANONYMOUS];

    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        struct service *service = &handshakes->services[i];

        *service = (struct service){
            .handshakes = handshakes,
            .client = &handshakes->peers[i],
            .cache = kind == HANDSHAKE_UNKNOWN ? handshakes->unknown : handshakes->known,
        };
        service->session = tls_session_create(context, CHAIN_SIZE_MAX, false, &session_handler, service);
        CHECK(service->session != NULL);
        feed(service, TLS_WANT_INPUT);
    }
}

static __attribute__((noinline)) void finish(struct handshakes *handshakes, enum handshake_kind kind) {
    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        struct service *service = &handshakes->services[i];

        feed(service, TLS_DONE);
        judge(service);
        if (service->is_new) {
            identity_cache_insert(service->cache, &handshakes->policy, service->digest, service->identity);
        }
        CHECK(tls_session_is_resumed(service->session) == (kind == HANDSHAKE_RESUMED));
        CHECK((service->identity != NULL) == (kind != HANDSHAKE_ANONYMOUS));
    }
}

static __attribute__((noinline)) void free_sessions(struct handshakes *handshakes, enum handshake_kind kind) {
    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        identity_release(handshakes->services[i].identity);
        tls_session_free(handshakes->services[i].session);
    }
}

/* Runs one of the steps above: its time, and what wolfSSL allocates in it. */
static void timed(struct handshakes *handshakes, enum handshake_kind kind,
                  void (*step)(struct handshakes *, enum handshake_kind), uint64_t *ns,
                  struct measure_allocations *allocations) {
    struct measure_allocations before = measure_allocations_now();
    uint64_t begin = measure_cpu_ns();

    step(handshakes, kind);
    *ns += measure_cpu_ns() - begin;
    allocations->count += measure_allocations_now().count - before.count;
    allocations->bytes += measure_allocations_now().bytes - before.bytes;
}

static void run_batch(struct handshakes *handshakes, enum handshake_kind kind, uint64_t ns[static HANDSHAKE_PARTS],
                      struct measure_allocations *allocations) {
    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        client_begin(&handshakes->peers[i], handshakes->client_contexts[kind == HANDSHAKE_TLS12][i % PKI_LEAVES],
                     kind == HANDSHAKE_RESUMED);
    }
    timed(handshakes, kind, take_hellos, &ns[HANDSHAKE_HELLO], allocations);
    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        client_complete(&handshakes->peers[i]);
        CHECK((wolfSSL_session_reused(handshakes->peers[i].wolfssl) == 1) == (kind == HANDSHAKE_RESUMED));
    }
    timed(handshakes, kind, finish, &ns[HANDSHAKE_FINISH], allocations);
    for (size_t i = 0; i < HANDSHAKE_BATCH; i++) {
        CHECK(client_keep_ticket(&handshakes->peers[i]) || kind != HANDSHAKE_RESUMED);
        client_end(&handshakes->peers[i]);
    }
    timed(handshakes, kind, free_sessions, &ns[HANDSHAKE_FREE], allocations);
}

bool handshakes_resume(struct handshakes *handshakes) {
    struct measure_allocations allocations = {0};
    uint64_t ns[HANDSHAKE_PARTS] = {0};

    run_batch(handshakes, HANDSHAKE_KNOWN, ns, &allocations);
    return handshakes->peers[0].session != NULL;
}

void handshakes_measure(struct handshakes *handshakes, enum handshake_kind kind, unsigned batches,
                        struct handshake_series *series) {
    struct measure_allocations allocations = {0};
    uint64_t ns[HANDSHAKE_PARTS] = {0};
    double count = batches * HANDSHAKE_BATCH;
    struct identity_cache_counts known = identity_cache_count(handshakes->known);
    struct identity_cache_counts unknown = identity_cache_count(handshakes->unknown);
    double whole = 0;

    if (kind == HANDSHAKE_RESUMED) {
        CHECK(handshakes_resume(handshakes)); /* tickets of other kinds' contexts do not count */
    }
    for (unsigned i = 0; i < batches; i++) {
        run_batch(handshakes, kind, ns, &allocations);
    }
    /* Nobody knew the unknown, and everybody the known. */
    CHECK(identity_cache_count(handshakes->unknown).hits == unknown.hits);
    CHECK(kind == HANDSHAKE_RESUMED || identity_cache_count(handshakes->known).misses == known.misses);
    for (int i = 0; i < HANDSHAKE_PARTS; i++) {
        series_add(&series->parts[i], (double)ns[i] / count);
        whole += (double)ns[i] / count;
    }
    series_add(&series->whole, whole);
    series->allocations = (double)allocations.count / count;
    series->allocated_bytes = (double)allocations.bytes / count;
}
