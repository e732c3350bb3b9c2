#include "world_config.h"

#include "config/load.h"
#include "kernel.h"
#include "origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The origins behind a host of a varied world. */
struct behind {
    uint8_t speech;
    const char *name;   /* more settings of the origin that is a name */
    const char *origin; /* more settings of the host */
};

#define TLS_LINE    "    origin_tls: {ca: [\"" TLS_TEST_DATA "/root.pem\"], name: origin.test}\n"
#define HEALTH_LINE "    health: {}\n"
#define RETRY_LINE  "    retry: {on: [refused, timeout, \"502\", \"503\"], budget: 50%}\n"
#define HTTP2_LINE  "    origin_protocol: http2\n"

static const struct behind behind[WORLD_CONFIGS][TALK_HOSTS] = {
    {
        [TALK_ENFORCE] = {ORIGIN_TLS, "", TLS_LINE HEALTH_LINE RETRY_LINE},
        [TALK_REPORT] = {ORIGIN_TLS | ORIGIN_HTTP2, ", in_flight: 3",
                         TLS_LINE HTTP2_LINE RETRY_LINE "    balance: least_connections\n"},
        [TALK_OFF] = {ORIGIN_PROXY, ", in_flight: 2", HEALTH_LINE RETRY_LINE "    origin_proxy_protocol: v2\n"},
        [TALK_TCP] = {ORIGIN_TLS | ORIGIN_PROXY | ORIGIN_BARE, "", TLS_LINE HEALTH_LINE},
    },
    {
        [TALK_ENFORCE] = {ORIGIN_HTTP2, ", weight: 5", HTTP2_LINE HEALTH_LINE RETRY_LINE},
        [TALK_REPORT] = {ORIGIN_TLS | ORIGIN_PROXY, "", TLS_LINE "    origin_proxy_protocol: v1\n"},
        [TALK_OFF] = {ORIGIN_TLS | ORIGIN_HTTP2, "", TLS_LINE HTTP2_LINE HEALTH_LINE "    balance: hash\n"},
        [TALK_TCP] = {ORIGIN_PROXY | ORIGIN_BARE, ", in_flight: 2", ""},
    },
    {
        [TALK_ENFORCE] = {0, ", in_flight: 2", HEALTH_LINE RETRY_LINE},
        [TALK_REPORT] = {ORIGIN_TLS, "", TLS_LINE "    origin_pool: off\n"},
    },
};

static struct config *configs[WORLD_LISTENERS][WORLD_ORIGINS][WORLD_CONFIGS];

bool world_config_enforces(unsigned number, enum talk_host host) {
    static const bool enforces[WORLD_CONFIGS][TALK_HOSTS] = {
        {true, false, false, true}, {true, true, false, true}, {true, false, false, true}};

    return enforces[number][host];
}

struct sockaddr_in world_address(uint8_t speech, enum talk_host host, unsigned number) {
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(80),
        .sin_addr.s_addr = htonl(10u << 24 | (uint32_t)speech << 16 | (uint32_t)host << 8 | number),
    };
}

/* The name is one that a load finds without asking; the address that it stands for is put in place of that later. */
static void print_origins(FILE *file, enum world_origins origins, unsigned number, enum talk_host host) {
    const struct behind *own = &behind[number][host];

    if (origins == WORLD_PLAIN) {
        unsigned speech = host == TALK_TCP ? ORIGIN_PROXY | ORIGIN_BARE : 0;

        fprintf(file,
                "    origin: [{address: \"10.%u.0.1:80\"}, {address: \"10.%u.0.2:80\"}]\n"
                "    timeouts: {tunnel_idle: 7s}\n",
                speech, speech);
        return;
    }
    fprintf(file,
            "    origin: [{address: \"localhost:80\"%s}, {address: \"10.%u.%u.%u:80\", backup: true}]\n"
            "    timeouts: {connect: 500ms, %stunnel_idle: 7s}\n"
            "%s",
            own->name, own->speech, (unsigned)host, WORLD_BACKUP, host == TALK_TCP ? "" : "response: 3s, body: 2s, ",
            own->origin);
}

static void print_host(FILE *file, enum world_origins origins, unsigned number, enum talk_host host, const char *mode,
                       const char *more) {
    fprintf(file,
            "  - name: %s\n"
            "    certificate: %s/server-p256.pem\n"
            "    key: %s/server-p256.key\n"
            "    client_auth:\n"
            "      mode: %s\n",
            talk_host_names[host], TLS_TEST_DATA, TLS_TEST_DATA, mode);
    if (strcmp(mode, "off") != 0) {
        fprintf(file, "      ca: [%s/root.pem]\n", TLS_TEST_DATA);
    }
    fprintf(file, "%s", more);
    print_origins(file, origins, number, host);
}

/* The simulated kernel has the first listener alone. */
static const char *listeners(enum world_listener listener, unsigned number) {
    switch (listener) {
    case WORLD_REDIRECT:
        return "{address: \"127.0.0.1:1\", redirect: https, redirect_port: 2}, {address: \"127.0.0.1:2\"}";
    case WORLD_BALANCED:
        if (number < WORLD_CONFIGS - 1) {
            return "{address: \"127.0.0.1:1\", proxy_protocol: [" WORLD_BALANCER "]}";
        }
        break;
    default:
        break;
    }
    return "{address: \"127.0.0.1:1\"}";
}

static void print(FILE *file, enum world_listener listener, enum world_origins origins, unsigned number) {
    fprintf(file,
            "listen: [%s]\n"
            "shards: 1\n"
            "limits: {connections: 64, handshake_timeout: %s, request_header_timeout: 4s, idle_timeout: 8s}\n"
            "admission: {allow: [" WORLD_KNOWN_CLIENT "/32]}\n"
            "hosts:\n",
            listeners(listener, number), number == 2 ? "2s" : "5s");
    print_host(file, origins, number, TALK_ENFORCE, "enforce", "    default: true\n");
    print_host(file, origins, number, TALK_REPORT, number == 1 ? "enforce" : "report",
               number == 1 ? "    forward: {headers: {X-Device: subject.cn}}\n    http2: false\n" : "");
    if (number != 2) {
        print_host(file, origins, number, TALK_OFF, "off", "");
        print_host(file, origins, number, TALK_TCP, "enforce", "    protocol: tcp\n");
    }
}

/* Has the name of a host stand for the first of its addresses. */
static void place_name(struct config_host *host, uint8_t speech, enum talk_host number) {
    struct config_origin *origin = &host->origins[WORLD_NAME];
    struct sockaddr_in address = world_address(speech, number, 1);
    char text[32];

    for (size_t i = 1; i < origin->address_count; i++) {
        free(origin->addresses[i].text);
    }
    origin->address_count = 1;
    struct config_address *first = &origin->addresses[0];
    memset(&first->address, 0, sizeof first->address);
    memcpy(&first->address, &address, sizeof address);
    first->size = sizeof address;
    snprintf(text, sizeof text, "10.%u.%u.1:80", speech, (unsigned)number);
    free(first->text);
    first->text = strdup(text);
}

static struct config *load(enum world_listener listener, enum world_origins origins, unsigned number) {
    char path[] = "/tmp/simulator-XXXXXX";
    struct config_problems problems = {0};
    int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "w");

    SIMULATOR_EXPECT(file != NULL, "%s", path);
    print(file, listener, origins, number);
    fclose(file);
    struct config *config = config_load(path, &problems);

    config_problems_print(&problems, stderr);
    unlink(path);
    SIMULATOR_EXPECT(config != NULL, "configuration %u is not good", number);
    for (size_t host = 0; origins == WORLD_VARIED && host < config->host_count; host++) {
        place_name(&config->hosts[host], behind[number][host].speech, (enum talk_host)host);
    }
    return config;
}

void world_config_set_up(void) {
    for (unsigned listener = 0; listener < WORLD_LISTENERS; listener++) {
        for (unsigned origins = 0; origins < WORLD_ORIGINS; origins++) {
            for (unsigned i = 0; i < WORLD_CONFIGS; i++) {
                configs[listener][origins][i] = load((enum world_listener)listener, (enum world_origins)origins, i);
            }
        }
    }
}

struct config *world_config(enum world_listener listener, enum world_origins origins, unsigned number) {
    return configs[listener][origins][number];
}
