#include "edge/screen.h"

#include "base/hash.h"
#include "edge/reputation_store.h"

#include <netinet/in.h>
#include <string.h>

enum {
    BLOCK_MS = 4000,    /* how long a suspect is not heard, before it may show again what it is worth */
    TELL_MS = 500,      /* between two lists for the kernel, which takes a moment to compile one */
    TELL_SOON_MS = 100, /* when the share of strangers is far from what the kernel has, or there are new known sources */
    DRAW_MS = 1000,     /* between two draws: a SYN that was dropped comes again after a second */
    DROP_WEIGHT = 8,    /* a client that is dropped tries again after a second or more, and would else be back at once */
};

_Static_assert((int)SAMPLING_ALL == (int)SYN_FILTER_ALL, "the same share");
_Static_assert((int)FAMILIAR_WORDS == (int)SYN_FILTER_WORDS, "the same buckets");

void screen_open(struct shard *shard) {
    sampling_init(&shard->screen.sampling);
    shard->screen.told_share = SAMPLING_ALL;
}

static struct blocklist *suspects_like(struct shard *shard, const struct sockaddr *peer) {
    return &shard->screen.suspects[peer->sa_family == AF_INET ? SCREEN_IPV4 : SCREEN_IPV6];
}

void screen_unblock(struct shard *shard, const struct sockaddr *peer) {
    blocklist_remove(suspects_like(shard, peer), syn_filter_name(&shard->shared.reputation->secret, peer));
}

void screen_block(struct shard *shard, const struct sockaddr *peer) {
    blocklist_add(suspects_like(shard, peer), syn_filter_name(&shard->shared.reputation->secret, peer),
                  ring_now_ms(&shard->ring), BLOCK_MS);
}

/* Returns whether a listener's peers are clients: those of another are balancers, whose SYNs are never dropped. */
static bool hears_clients(const struct shard *shard, size_t listener) {
    return shard->site->config->listen[listener].proxy_count == 0;
}

void screen_site_changed(struct shard *shard) {
    for (size_t i = 0; i < shard->listener_count; i++) {
        if (!hears_clients(shard, i)) {
            listener_screen(&shard->listeners[i], NULL);
        }
    }
    /* A listener that hears clients from now on is told the whole list. */
    for (size_t i = 0; i < SCREEN_FAMILIES; i++) {
        shard->screen.suspects[i].changed = true;
    }
}

static uint32_t drops_so_far(const struct shard *shard) {
    uint32_t total = 0;

    for (size_t i = 0; i < shard->listener_count; i++) {
        total += listener_drops(&shard->listeners[i]);
    }
    return total;
}

void screen_count_drops(struct shard *shard) {
    struct screen *screen = &shard->screen;

    if (!screen->on) {
        return;
    }
    uint32_t total = drops_so_far(shard);
    /* Listeners that stop take their count with them. */
    uint32_t dropped = total - screen->dropped;
    if (dropped < INT32_MAX) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_BLOCKED], dropped);
        admission_refuse(&shard->gate.admission, dropped * DROP_WEIGHT);
    }
    screen->dropped = total;
}

/* The first 64 bits of a network, which is all that a source has. */
static struct syn_filter_network network_of(const struct prefix *prefix) {
    struct syn_filter_network network = {0};

    for (unsigned i = 0; i < 2; i++) {
        unsigned bits = prefix->bits > 32 * i ? prefix->bits - 32 * i : 0;
        uint32_t word;

        memcpy(&word, prefix->address + 4 * i, sizeof word);
        network.mask[i] = bits == 0 ? 0 : bits >= 32 ? UINT32_MAX : ~(UINT32_MAX >> bits);
        network.bits[i] = ntohl(word) & network.mask[i];
    }
    return network;
}

static size_t find_networks(const struct shard *shard, enum screen_family family, struct syn_filter_network *networks) {
    const struct config_admission *settings = &shard->site->config->admission;
    size_t count = 0;

    for (size_t i = 0; i < settings->allow_count && count < SYN_FILTER_NETWORKS_MAX; i++) {
        if (settings->allow[i].family == (family == SCREEN_IPV4 ? AF_INET : AF_INET6)) {
            networks[count++] = network_of(&settings->allow[i]);
        }
    }
    return count;
}

/* Gives the kernel new rules for listeners of a family. True: it drops some by them. */
static bool tell_family(struct shard *shard, enum screen_family family) {
    static _Thread_local uint32_t blocked[SYN_FILTER_BLOCKED_MAX];
    static _Thread_local uint32_t familiar[FAMILIAR_WORDS];
    static _Thread_local struct syn_filter_network networks[SYN_FILTER_NETWORKS_MAX];
    struct screen *screen = &shard->screen;
    uint64_t now_ms = ring_now_ms(&shard->ring);
    uint64_t salt = hash_bytes(&screen->draws, sizeof screen->draws);
    bool is_same = !screen->suspects[family].changed;
    uint32_t before = screen->suspects[family].count;
    struct syn_filter_rules rules = {
        .secret = &shard->shared.reputation->secret,
        .ipv6 = family == SCREEN_IPV6,
        .blocked = blocked,
        .blocked_count = blocklist_collect(&screen->suspects[family], now_ms, blocked, SYN_FILTER_BLOCKED_MAX),
        .sample = screen->sampling.share,
        .salt = (uint32_t)salt,
        .familiar = familiar,
        .networks = networks,
    };
    bool drops = rules.blocked_count > 0 || rules.sample < SYN_FILTER_ALL;

    if (drops && is_same && rules.sample >= SYN_FILTER_ALL && screen->told_share >= SAMPLING_ALL &&
        screen->suspects[family].count == before) {
        return drops; /* the kernel has this very list */
    }
    familiar_collect(&shard->shared.reputation->familiar, now_ms, familiar);
    rules.network_count = find_networks(shard, family, networks);
    for (size_t i = 0; i < shard->listener_count; i++) {
        if (shard->listeners[i].ipv6 == rules.ipv6 && hears_clients(shard, i)) {
            listener_screen(&shard->listeners[i], drops ? &rules : NULL);
        }
    }
    return drops;
}

static void tell(struct shard *shard) {
    struct screen *screen = &shard->screen;
    uint64_t now_ns = shard->ring.now_ns;

    if (now_ns - screen->drawn_ns >= (uint64_t)DRAW_MS * 1000000) {
        screen->drawn_ns = now_ns;
        screen->draws++;
    }
    if (!screen->on) {
        screen->dropped = drops_so_far(shard);
    }
    screen->told_version = familiar_version(&shard->shared.reputation->familiar);
    screen->on = tell_family(shard, SCREEN_IPV4);
    screen->on |= tell_family(shard, SCREEN_IPV6);
    screen->told_ns = now_ns;
    screen->told_share = screen->sampling.share;
}

static bool is_far(uint32_t share, uint32_t told) {
    return share > told + told / 4 || told > share + share / 4;
}

void screen_end_window(struct shard *shard, struct sampling_window *window) {
    struct screen *screen = &shard->screen;
    uint64_t passed_ns = shard->ring.now_ns - screen->told_ns;
    window->heard = screen->on ? screen->told_share : SAMPLING_ALL;
    bool waiting = screen->suspects[SCREEN_IPV4].count + screen->suspects[SCREEN_IPV6].count > 0;

    sampling_end_window(&screen->sampling, window);
    if (window->state == ADMISSION_CALM) {
        blocklist_clear(&screen->suspects[SCREEN_IPV4]);
        blocklist_clear(&screen->suspects[SCREEN_IPV6]);
        if (screen->on) {
            tell(shard);
        }
        return;
    }
    bool is_new = screen->sampling.share < SAMPLING_ALL &&
                  familiar_version(&shard->shared.reputation->familiar) != screen->told_version;
    bool soon =
        (is_new || is_far(screen->sampling.share, screen->told_share)) && passed_ns >= (uint64_t)TELL_SOON_MS * 1000000;
    bool due = passed_ns >= (uint64_t)TELL_MS * 1000000;
    if (soon || (due && (screen->on || waiting || screen->sampling.share < SAMPLING_ALL))) {
        tell(shard);
    }
}
