/*
 * Two processes that seal and open tickets, as the input says: an octet for what happens, then its arguments. Time passes,
 * the lifetime changes, a process starts again, and tickets are presented to either: as they were, late, changed, cut,
 * put together from two, or made of nothing. Chance does not open AES-GCM, so what is presented begins as something that
 * was sealed. Whatever comes, what opens is byte for byte what these keys have sealed and within its lifetime and its
 * key's, and what is all that does open. Keys are replaced in time, and no nonce comes twice.
 */
#include "base/check.h"
#include "tls/context.h"
#include "tls/tickets.h"

#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/wc_port.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PROCESSES = 2,
    SEALED_MAX = 24,
    OPERATIONS_MAX = 400,
    CHANGES_MAX = 3,
    START_S = 1 << 24, /* no ticket is older than the clock */
    HEAD_SIZE = TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE + TLS_TICKET_TAG_SIZE,
    BODY_MAX = TLS_TICKET_SECRET_MAX + TLS_TICKET_OVERHEAD,
    TICKET_MAX = HEAD_SIZE + BODY_MAX,
    PRESENTED_MAX = TICKET_MAX + 4096, /* far longer than any that can be ours */
};

enum operation { SEAL, PRESENT, WAIT, WAIT_FOR_PART, SET_LIFETIME, RESTART, OPERATIONS };
enum change { FLIP, CUT, APPEND, SPLICE, CHANGES };

struct process {
    struct tls_tickets *tickets;
    unsigned id;         /* another after each start */
    uint32_t lifetime_s; /* the one that was used first; 0: none yet */
    bool is_steady;      /* no other was used: then it is known when a key goes */
    uint64_t latest_s;   /* the latest time at which it was used */
};

struct sealed {
    unsigned process_id;
    uint64_t key_born_s;
    struct tls_ticket ticket;
    uint8_t secret[TLS_TICKET_SECRET_MAX];
    size_t secret_size;
    uint8_t bytes[TICKET_MAX]; /* as it goes over the wire */
    size_t size;
};

struct presented {
    uint8_t bytes[PRESENTED_MAX];
    size_t size; /* at least HEAD_SIZE */
};

struct world {
    struct reader input;
    struct process processes[PROCESSES];
    unsigned starts;
    struct sealed sealed[SEALED_MAX];
    size_t sealed_count;
    uint64_t now_s;
    uint32_t lifetime_s;
};

static void start(struct world *world, struct process *process) {
    tls_tickets_free(process->tickets);
    *process = (struct process){.tickets = tls_tickets_create(), .id = ++world->starts, .is_steady = true};
    CHECK(process->tickets != NULL);
}

static struct process *take_process(struct world *world) {
    return &world->processes[reader_u8(&world->input) % PROCESSES];
}

/* To be called before a process uses the lifetime of now. */
static void note_use(const struct world *world, struct process *process, uint64_t now_s) {
    process->lifetime_s = process->lifetime_s == 0 ? world->lifetime_s : process->lifetime_s;
    process->is_steady = process->is_steady && process->lifetime_s == world->lifetime_s;
    process->latest_s = process->latest_s > now_s ? process->latest_s : now_s;
}

static uint64_t half_s(const struct world *world) {
    return (world->lifetime_s + UINT64_C(1)) / 2;
}

/* Each part in memory of its own, so that an access past its end is seen. */
static struct tls_ticket_parts parts_of(const uint8_t *bytes, size_t body_size, size_t room) {
    struct tls_ticket_parts parts = {
        .name = malloc(TLS_TICKET_NAME_SIZE),
        .nonce = malloc(TLS_TICKET_NONCE_SIZE),
        .tag = malloc(TLS_TICKET_TAG_SIZE),
        .body = malloc(body_size + room > 0 ? body_size + room : 1),
        .body_size = body_size,
    };
    CHECK(parts.name != NULL && parts.nonce != NULL && parts.tag != NULL && parts.body != NULL);
    memcpy(parts.name, bytes, TLS_TICKET_NAME_SIZE);
    memcpy(parts.nonce, bytes + TLS_TICKET_NAME_SIZE, TLS_TICKET_NONCE_SIZE);
    memcpy(parts.tag, bytes + TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE, TLS_TICKET_TAG_SIZE);
    memcpy(parts.body, bytes + HEAD_SIZE, body_size);
    return parts;
}

static void free_parts(const struct tls_ticket_parts *parts) {
    free(parts->name);
    free(parts->nonce);
    free(parts->tag);
    free(parts->body);
}

static void collect(struct sealed *sealed, const struct tls_ticket_parts *parts) {
    size_t body_size = sealed->secret_size + TLS_TICKET_OVERHEAD;
    memcpy(sealed->bytes, parts->name, TLS_TICKET_NAME_SIZE);
    memcpy(sealed->bytes + TLS_TICKET_NAME_SIZE, parts->nonce, TLS_TICKET_NONCE_SIZE);
    memcpy(sealed->bytes + TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE, parts->tag, TLS_TICKET_TAG_SIZE);
    memcpy(sealed->bytes + HEAD_SIZE, parts->body, body_size);
    sealed->size = HEAD_SIZE + body_size;
}

/* Fills a ticket with contents that a few octets of the input tell, and that differ from those of every other. */
static void fill(struct world *world, struct sealed *sealed) {
    uint8_t age_unit = reader_u8(&world->input);
    uint8_t pattern = reader_u8(&world->input);
    sealed->secret_size = reader_u16(&world->input) % (TLS_TICKET_SECRET_MAX + 1);
    sealed->ticket.version = reader_u8(&world->input);
    /* Up to twice a lifetime ago: a resumed session is sealed anew, and it may be too late for it. */
    sealed->ticket.authenticated_s = world->now_s - (uint64_t)world->lifetime_s * age_unit / 128;
    for (size_t i = 0; i < sealed->secret_size; i++) {
        sealed->secret[i] = (uint8_t)(pattern + i);
    }
    for (size_t i = 0; i < TLS_TICKET_BINDING_SIZE; i++) {
        sealed->ticket.binding[i] = (uint8_t)(pattern * i + world->sealed_count);
    }
}

/* Its key is new, or one that still may seal; and its nonce is not that of another. */
static void check_sealed(const struct world *world, struct sealed *sealed) {
    const uint8_t *bytes = sealed->bytes;
    sealed->key_born_s = world->now_s;
    for (size_t i = 0; i < world->sealed_count; i++) {
        const struct sealed *other = &world->sealed[i];
        if (memcmp(other->bytes, bytes, TLS_TICKET_NAME_SIZE) == 0) {
            CHECK(other->process_id == sealed->process_id);
            CHECK(memcmp(other->bytes, bytes, TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE) != 0);
            sealed->key_born_s = other->key_born_s;
        }
    }
    CHECK(world->now_s == sealed->key_born_s || world->now_s - sealed->key_born_s < half_s(world));
    CHECK(sealed->secret_size < 16 || memcmp(bytes + HEAD_SIZE, sealed->secret, sealed->secret_size) != 0);
}

static void seal(struct world *world) {
    struct process *process = take_process(world);
    if (world->sealed_count == SEALED_MAX) {
        return;
    }
    struct sealed *sealed = &world->sealed[world->sealed_count];
    uint8_t plain[HEAD_SIZE + TLS_TICKET_SECRET_MAX] = {0};
    sealed->process_id = process->id;
    fill(world, sealed);
    memcpy(plain + HEAD_SIZE, sealed->secret, sealed->secret_size);
    struct tls_ticket_parts parts = parts_of(plain, sealed->secret_size, TLS_TICKET_OVERHEAD);
    note_use(world, process, world->now_s);
    CHECK(tls_tickets_seal(process->tickets, &sealed->ticket, world->now_s, world->lifetime_s, &parts));
    collect(sealed, &parts);
    free_parts(&parts);
    check_sealed(world, sealed);
    world->sealed_count++;
}

static const struct sealed *take_sealed(struct world *world) {
    return &world->sealed[reader_u8(&world->input) % world->sealed_count];
}

static void splice(struct world *world, struct presented *presented) {
    static const size_t starts[] = {0, TLS_TICKET_NAME_SIZE, TLS_TICKET_NAME_SIZE + TLS_TICKET_NONCE_SIZE, HEAD_SIZE};
    const struct sealed *other = take_sealed(world);
    unsigned parts = reader_u8(&world->input);
    for (size_t i = 0; i + 1 < ARRAY_LENGTH(starts); i++) {
        if ((parts & 1u << i) != 0) {
            memcpy(presented->bytes + starts[i], other->bytes + starts[i], starts[i + 1] - starts[i]);
        }
    }
    if ((parts & 8) != 0) {
        memcpy(presented->bytes + HEAD_SIZE, other->bytes + HEAD_SIZE, other->size - HEAD_SIZE);
        presented->size = other->size;
    }
}

static void change(struct world *world, struct presented *presented) {
    enum change kind = reader_u8(&world->input) % CHANGES;
    if (kind == FLIP) {
        size_t at = reader_u16(&world->input) % presented->size;
        presented->bytes[at] ^= reader_u8(&world->input);
    } else if (kind == CUT) {
        size_t cut = reader_u16(&world->input);
        presented->size -= cut < presented->size - HEAD_SIZE ? cut : presented->size - HEAD_SIZE;
    } else if (kind == APPEND) {
        size_t more = reader_u16(&world->input) % (PRESENTED_MAX - presented->size + 1);
        memset(presented->bytes + presented->size, reader_u8(&world->input), more);
        presented->size += more;
    } else if (world->sealed_count > 0) {
        splice(world, presented);
    }
}

static const struct sealed *find(const struct world *world, const struct process *process,
                                 const struct presented *presented) {
    for (size_t i = 0; i < world->sealed_count; i++) {
        const struct sealed *sealed = &world->sealed[i];
        if (sealed->process_id == process->id && sealed->size == presented->size &&
            memcmp(sealed->bytes, presented->bytes, presented->size) == 0) {
            return sealed;
        }
    }
    return NULL;
}

static bool is_within_lifetime(const struct sealed *sealed, uint64_t now_s, uint32_t lifetime_s) {
    return now_s >= sealed->ticket.authenticated_s && now_s - sealed->ticket.authenticated_s < lifetime_s;
}

static void check_opened(const struct sealed *sealed, const struct tls_ticket *ticket,
                         const struct tls_ticket_parts *parts) {
    CHECK(parts->body_size == sealed->secret_size && memcmp(parts->body, sealed->secret, sealed->secret_size) == 0);
    CHECK(ticket->version == sealed->ticket.version && ticket->authenticated_s == sealed->ticket.authenticated_s);
    CHECK(memcmp(ticket->binding, sealed->ticket.binding, TLS_TICKET_BINDING_SIZE) == 0);
}

static void open(struct world *world, struct process *process, const struct presented *presented, uint64_t now_s,
                 uint32_t lifetime_s) {
    struct tls_ticket_parts parts = parts_of(presented->bytes, presented->size - HEAD_SIZE, 0);
    const struct sealed *sealed = find(world, process, presented);
    struct tls_ticket ticket;
    bool opened = tls_tickets_open(process->tickets, &ticket, now_s, lifetime_s, &parts);
    if (opened) {
        CHECK(sealed != NULL && is_within_lifetime(sealed, now_s, lifetime_s));
        CHECK(now_s < sealed->key_born_s + 2 * half_s(world));
        check_opened(sealed, &ticket, &parts);
    } else if (sealed != NULL && process->is_steady) {
        CHECK(!is_within_lifetime(sealed, now_s, lifetime_s) || process->latest_s >= sealed->key_born_s + 2 * half_s(world));
    }
    free_parts(&parts);
}

/* `late`: a thread may have read the clock before another used it. 0x80: where tickets were turned off. */
static void present(struct world *world) {
    static struct presented presented;
    struct process *process = take_process(world);
    uint8_t late = reader_u8(&world->input);
    size_t changes = reader_u8(&world->input) % (CHANGES_MAX + 1);
    memset(presented.bytes, 0, HEAD_SIZE);
    presented.size = HEAD_SIZE;
    if (world->sealed_count > 0) {
        const struct sealed *sealed = take_sealed(world);
        memcpy(presented.bytes, sealed->bytes, sealed->size);
        presented.size = sealed->size;
    }
    for (size_t i = 0; i < changes; i++) {
        change(world, &presented);
    }
    uint64_t now_s = world->now_s - late % 4;
    uint32_t lifetime_s = (late & 0x80) != 0 ? 0 : world->lifetime_s;
    if (lifetime_s > 0) {
        note_use(world, process, now_s);
    }
    open(world, process, &presented, now_s, lifetime_s);
}

static void step(struct world *world) {
    switch ((enum operation)(reader_u8(&world->input) % OPERATIONS)) {
    case SEAL:
        seal(world);
        break;
    case PRESENT:
        present(world);
        break;
    case WAIT:
        world->now_s += reader_u16(&world->input);
        break;
    case WAIT_FOR_PART: /* so that the ends of keys and tickets are met */
        world->now_s += (uint64_t)world->lifetime_s * reader_u8(&world->input) / 16;
        break;
    case SET_LIFETIME:
        world->lifetime_s = (uint32_t)reader_u16(&world->input) << 8;
        world->lifetime_s = 1 + (world->lifetime_s | reader_u8(&world->input)) % TLS_TICKET_LIFETIME_MAX_S;
        break;
    case RESTART:
        start(world, take_process(world));
        break;
    case OPERATIONS:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct world world;
    static bool ready;
    if (!ready) {
        CHECK(wolfCrypt_Init() == 0);
        ready = true;
    }
    world = (struct world){.input = reader_of(bytes_of(data, size)), .now_s = START_S, .lifetime_s = 100};
    for (size_t i = 0; i < PROCESSES; i++) {
        start(&world, &world.processes[i]);
    }
    for (size_t i = 0; i < OPERATIONS_MAX && reader_left(&world.input) > 0; i++) {
        step(&world);
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        tls_tickets_free(world.processes[i].tickets);
    }
    return 0;
}
