#include "demo/site.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "demo/pki.h"
#include "ring/cores.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const char config_file[] = "sallyport.yaml";
static const char config_mark[] = "# Written by `sallyport demo`";

static const char deny_json[] = "{\n"
                                "  \"error\": \"client_certificate_required\",\n"
                                "  \"message\": \"This door opens for pizza.pem only.\"\n"
                                "}\n";
static const char deny_html[] = "<!doctype html>\n"
                                "<html lang=\"en\">\n"
                                "<meta charset=\"utf-8\">\n"
                                "<title>Certificate required</title>\n"
                                "<h1>This door opens for pizza.pem only</h1>\n"
                                "<p>Your browser presented no client certificate that this site accepts.</p>\n"
                                "</html>\n";

const char *const demo_site_files[] = {"root.pem",    "intermediate.pem", "server.pem", "server.key", "pizza.pem",
                                       "expired.pem", "other-root.pem",   "deny.json",  "deny.html",  "sallyport.yaml"};
const size_t demo_site_file_count = ARRAY_LENGTH(demo_site_files);

/* Checks that nothing listens on this port of this address. A *port of 0 becomes a free one. 0 or a negative errno. */
static int probe(const struct sockaddr *address, socklen_t size, uint16_t *port) {
    int probe_socket = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe_socket < 0) {
        return -errno;
    }
    int result = 0;
    struct sockaddr_storage bound;
    socklen_t bound_size = sizeof bound;
    /* No SO_REUSEPORT: another server of the same user that sets it would otherwise share its port with this one. */
    if (setsockopt(probe_socket, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(probe_socket, address, size) != 0 || getsockname(probe_socket, (struct sockaddr *)&bound, &bound_size) != 0) {
        result = -errno;
    } else {
        *port = ntohs(address->sa_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port
                                                    : ((struct sockaddr_in6 *)&bound)->sin6_port);
    }
    close(probe_socket);
    return result;
}

static int probe_ipv4(uint16_t *port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return probe((struct sockaddr *)&address, sizeof address, port);
}

static int probe_ipv6(uint16_t *port) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(*port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return probe((struct sockaddr *)&address, sizeof address, port);
}

/* Checks the port on every loopback address that exists. A *port of 0 becomes a free one. */
static int probe_loopback(uint16_t *port, bool ipv6) {
    for (unsigned attempt = 0; attempt < 64; attempt++) {
        uint16_t chosen = *port;
        int result = probe_ipv4(&chosen);
        if (result == 0 && ipv6) {
            result = probe_ipv6(&chosen);
        }
        if (result == 0) {
            *port = chosen;
        }
        if (result == 0 || *port != 0) {
            return result;
        }
    }
    return -EADDRINUSE;
}

int demo_site_choose_ports(struct demo_ports *ports, uint16_t wanted, bool any, struct error *error) {
    uint16_t free_port = 0;
    ports->ipv6 = probe_ipv6(&free_port) == 0;
    ports->https = wanted;
    int result = probe_loopback(&ports->https, ports->ipv6);
    if (result != 0 && any) {
        ports->https = 0;
        result = probe_loopback(&ports->https, ports->ipv6);
    }
    if (result != 0) {
        return error_fail(error, result,
                          "port %u of the loopback address: %s: choose another with --port N (0: any free one)",
                          (unsigned)wanted, strerror(-result));
    }
    ports->admin = DEMO_ADMIN_PORT_DEFAULT;
    if (ports->admin != ports->https && probe_ipv4(&ports->admin) == 0) {
        return 0;
    }
    do {
        ports->admin = 0;
        result = probe_ipv4(&ports->admin);
    } while (result == 0 && ports->admin == ports->https);
    if (result != 0) {
        return error_fail(error, result, "no free port for the admin listener on 127.0.0.1: %s", strerror(-result));
    }
    return 0;
}

/*
 * Returns how many of the files that an earlier demo leaves are there; `present` is one of them, and `missing` one that is
 * not there.
 */
static size_t count_files(const struct demo_folder *folder, const char **missing, const char **present) {
    size_t count = 0;
    for (size_t i = 0; i + 1 < demo_site_file_count; i++) {
        bool there = demo_folder_has(folder, demo_site_files[i]);
        count += there;
        *(there ? present : missing) = demo_site_files[i];
    }
    return count;
}

int demo_site_prepare(const struct demo_folder *folder, bool *reused, struct error *error) {
    if (demo_folder_has_foreign(folder, config_file, config_mark)) {
        return error_fail(error, -EEXIST, "%s/%s: the demo did not write this file: remove it or choose another folder",
                          folder->path, config_file);
    }
    const char *missing = NULL;
    const char *present = NULL;
    size_t count = count_files(folder, &missing, &present);
    *reused = count == demo_site_file_count - 1;
    if (*reused) {
        return demo_pki_check(folder, clock_wall_seconds(), error);
    }
    if (count > 0) {
        return error_fail(error, -EEXIST,
                          "%s: has %s but not %s, so it is not a whole folder of the demo: remove it or choose another",
                          folder->path, present, missing);
    }
    int result = demo_pki_create(folder, error);
    if (result == 0) {
        result = demo_folder_write(folder, "deny.json", 0644, bytes_of_string(deny_json), error);
    }
    if (result == 0) {
        result = demo_folder_write(folder, "deny.html", 0644, bytes_of_string(deny_html), error);
    }
    return result;
}

static void write_host(struct text *text, const char *name, const char *mode, const char *deny, uint16_t origin_port) {
    text_append_format(text,
                       "  - name: %s\n"
                       "    certificate: server.pem\n"
                       "    key: server.key\n"
                       "    client_auth:\n"
                       "      mode: %s\n"
                       "      ca: [root.pem]\n"
                       "%s"
                       "    forward:\n"
                       "      headers:\n"
                       "        X-Client-Cert-Reason: reason\n"
                       "        X-Client-Cert-Serial: serial\n"
                       "        X-Client-Cert-CN: subject.cn\n"
                       "        X-Client-Cert-Fingerprint: fingerprint.sha256\n"
                       "    origin:\n"
                       "      - address: \"127.0.0.1:%u\"\n",
                       name, mode, deny, (unsigned)origin_port);
}

/* Returns how many shards to run: a few, since each costs descriptors, however few its clients are. */
static int shards(void) {
    enum { SHARDS_MAX = 4 };
    static int cores[CORES_MAX];
    int usable = cores_usable(cores);

    return usable < SHARDS_MAX ? usable : SHARDS_MAX;
}

int demo_site_write_config(const struct demo_folder *folder, const struct demo_ports *ports, struct error *error) {
    char buffer[4096];
    struct text text = text_over(buffer, sizeof buffer);
    text_append_string(&text, config_mark);
    text_append_string(&text, ", and anew each time that it starts in this folder.\nlisten:\n");
    text_append_format(&text, "  - address: \"127.0.0.1:%u\"\n", (unsigned)ports->https);
    if (ports->ipv6) {
        text_append_format(&text, "  - address: \"[::1]:%u\"\n", (unsigned)ports->https);
    }
    text_append_format(&text, "admin:\n  address: \"127.0.0.1:%u\"\n", (unsigned)ports->admin);
    /* 128 connections are enough to play with, and within 1,024 descriptors, of which the origin needs some too, and any
       limit of memory. */
    text_append_format(&text, "shards: %d\nlimits:\n  connections: 128\nhosts:\n", shards());
    write_host(&text, DEMO_HOST_ENFORCE, "enforce",
               "      deny:\n"
               "        json: deny.json\n"
               "        html: deny.html\n",
               ports->origin);
    write_host(&text, DEMO_HOST_REPORT, "report", "", ports->origin);
    CHECK(!text.overflow);
    return demo_folder_replace(folder, config_file, 0644, config_mark, text_bytes(&text), error);
}
