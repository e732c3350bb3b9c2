#include "config/warnings.h"

#include "base/check.h"
#include "base/clock.h"
#include "config/methods.h"
#include "config/units.h"
#include "config/warnings_clients.h"
#include "config/warnings_headers.h"
#include "config/warnings_server.h"
#include "x509/certificate.h"

#include <netinet/in.h>
#include <string.h>

static void warn_of_admin(const struct loader *loader, const struct document_node *admin, const struct config *config) {
    const struct config_address *address = &config->admin_address;
    if (address->text == NULL || address_is_loopback(address)) {
        return;
    }
    loader_warning(loader, document_value(admin, "address"),
                   "admin.address \"%s\" is not a loopback address: the statistics and the names of all hosts are there for "
                   "everybody who can connect to it; choose 127.0.0.1 or [::1], or let a firewall admit only your own "
                   "machines",
                   address->text);
}

/* Warns of balancers that cannot connect, and of networks that everybody can connect from. */
static void warn_of_balancers(const struct loader *loader, const struct document_node *node,
                              const struct config_listener *listener) {
    bool ipv6 = listener->address.address.ss_family == AF_INET6;
    bool fits = false;
    for (size_t i = 0; i < listener->proxy_count; i++) {
        const struct prefix *network = &listener->proxies[i];
        fits = fits || (network->family == AF_INET6) == ipv6;
        if (network->bits == 0) {
            char text[PREFIX_TEXT_SIZE];
            prefix_write(network, text);
            loader_warning(loader, node,
                           "proxy_protocol has %s: everybody can connect with any address that they choose; name the "
                           "addresses of your balancers alone",
                           text);
        }
    }
    if (listener->proxy_count > 0 && !fits) {
        loader_warning(loader, node, "proxy_protocol has no %s network, but %s is an %s address: nobody can connect",
                       ipv6 ? "IPv6" : "IPv4", listener->address.text, ipv6 ? "IPv6" : "IPv4");
    }
}

static bool serves_at(const struct config *config, uint16_t port) {
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listener *listener = &config->listen[i];
        const struct sockaddr *address = (const struct sockaddr *)&listener->address.address;
        in_port_t own = address->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
                                                       : ((const struct sockaddr_in *)(const void *)address)->sin_port;
        if (listener->redirect_port == 0 && ntohs(own) == port) {
            return true;
        }
    }
    return false;
}

/* Warns of a port that nobody has chosen. Behind a balancer or a port mapping it may be right. */
static void warn_of_redirect(const struct loader *loader, const struct document_node *node, const struct config *config,
                             const struct config_listener *listener) {
    if (listener->redirect_port > 0 && document_value(node, "redirect_port") == NULL &&
        !serves_at(config, listener->redirect_port)) {
        loader_warning(loader, document_value(node, "redirect"),
                       "redirect: clients are sent to port 443, where no listener of this file serves; set redirect_port to "
                       "the port at which clients reach https, also if that is 443");
    }
}

/* Warns of words for a switch: access_log is a path. */
static void warn_of_access_log(const struct loader *loader, const struct document_node *access_log) {
    static const char *const words[] = {"on", "off", "yes", "no", "none", "stdout", "stderr", "syslog"};
    for (size_t i = 0; access_log != NULL && i < ARRAY_LENGTH(words); i++) {
        if (strcmp(access_log->text, words[i]) == 0) {
            loader_warning(loader, access_log,
                           "access_log: lines go to a file of the name \"%s\"; leave access_log out for none, or write "
                           "\"-\" for standard output",
                           words[i]);
        }
    }
}

/* Returns whether requests to `origin` would come to a listener of this file. */
static bool is_own(const struct config *config, const struct config_address *origin) {
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_address *listener = &config->listen[i].address;
        if (address_overlaps(listener, origin) && (address_equal(listener, origin) || address_is_loopback(origin))) {
            return true;
        }
    }
    return false;
}

static void warn_of_origin(const struct loader *loader, const struct document_node *node, const struct config *config,
                           const struct config_host *host) {
    const char *port = strrchr(node->text, ':');
    struct config_address parsed;
    struct error ignored;
    bool is_in_digits = address_parse(node->text, &parsed, &ignored) == 0;
    if (is_in_digits && is_own(config, &parsed)) {
        loader_warning(loader, node,
                       "address \"%s\" is that of a listener in this file: requests would come back to this server instead "
                       "of going to an origin",
                       node->text);
    } else if (is_in_digits && address_is_any(&parsed)) {
        loader_warning(loader, node,
                       "address \"%s\" stands for all addresses of a machine: requests go to this one; write the address at "
                       "which the origin listens",
                       node->text);
    } else if (is_in_digits && address_is_group(&parsed)) {
        loader_warning(
            loader, node,
            "address \"%s\" is a multicast or broadcast address, which takes no connections; write the address at "
            "which the origin listens",
            node->text);
    } else if (host->origin_tls == NULL && port != NULL && strcmp(port, ":443") == 0) {
        loader_warning(loader, node,
                       "address \"%s\": port 443 is that of HTTPS, but requests go to origins in plain HTTP; name the "
                       "port on which the origin serves that",
                       node->text);
    }
}

/* Letter case counts in methods (RFC 9110 section 9.1), and clients write the usual ones in capitals. */
static void warn_of_methods(const struct loader *loader, const struct document_node *methods) {
    for (const struct document_node *item = methods == NULL ? NULL : methods->first; item != NULL; item = item->next) {
        struct bytes meant = methods_meant(bytes_of_string(item->text));
        if (meant.size > 0 && !bytes_equal(meant, bytes_of_string(item->text))) {
            loader_warning(loader, item, "method \"%s\": letter case counts, and clients send %.*s: write it so", item->text,
                           (int)meant.size, (const char *)meant.data);
        }
    }
}

/* An origin that judges certificates by the rules refuses one that is for servers alone. */
static void warn_of_own_certificate(const struct loader *loader, const struct document_node *node,
                                    const struct config_host *host) {
    const struct config_certificate *own = host->origin_tls == NULL ? NULL : &host->origin_tls->certificate;
    struct certificate leaf;
    const char *why;
    if (own != NULL && own->credentials != NULL && certificate_read(&leaf, own->credentials->chain[0], &why) &&
        leaf.has_extended_key_usage && !leaf.allows_client_auth) {
        loader_warning(loader, document_value(node, "certificate"),
                       "origin_tls.certificate: the extendedKeyUsage of %s has no clientAuth: origins that ask for a "
                       "certificate refuse it; issue one that has",
                       own->path);
    }
}

static void warn_of_health(const struct loader *loader, const struct document_node *node,
                           const struct config_health *health) {
    const struct document_node *timeout = node == NULL ? NULL : document_value(node, "timeout");
    char texts[2][UNITS_TEXT_SIZE];
    if (timeout != NULL && health->timeout_ms > health->interval_ms) {
        units_format_duration(health->timeout_ms, texts[0]);
        units_format_duration(health->interval_ms, texts[1]);
        loader_warning(loader, timeout,
                       "health.timeout is %s, and health.interval %s: an origin that does not answer is probed once in %s, "
                       "not in %s; make timeout the shorter one",
                       texts[0], texts[1], texts[0], texts[1]);
    }
}

static void warn_of_host(const struct loader *loader, const struct document_node *node, const struct config *config,
                         const struct root_names *roots, const struct config_host *host, int64_t now_s) {
    warnings_find_server(loader, node, roots, host, now_s);
    warnings_find_clients(loader, document_value(node, "client_auth"), config, host, now_s);
    warnings_find_headers(loader, node, config, host);
    const struct document_node *origins = document_value(node, "origin");
    for (const struct document_node *item = origins->first; item != NULL; item = item->next) {
        warn_of_origin(loader, document_value(item, "address"), config, host);
    }
    warn_of_methods(loader, document_value(node, "methods"));
    warn_of_own_certificate(loader, document_value(node, "origin_tls"), host);
    warn_of_health(loader, document_value(node, "health"), host->health);
}

void warnings_find(const struct loader *loader, const struct document_node *root, const struct config *config) {
    int64_t now_s = clock_wall_seconds();
    warn_of_admin(loader, document_value(root, "admin"), config);
    warn_of_access_log(loader, document_value(root, "access_log"));
    struct root_names *roots = root_names_create(config);
    const struct document_node *node = document_value(root, "listen")->first;
    for (size_t i = 0; i < config->listen_count; i++, node = node->next) {
        warn_of_balancers(loader, document_value(node, "proxy_protocol"), &config->listen[i]);
        warn_of_redirect(loader, node, config, &config->listen[i]);
    }
    node = document_value(root, "hosts")->first;
    for (size_t i = 0; i < config->host_count; i++, node = node->next) {
        warn_of_host(loader, node, config, roots, &config->hosts[i], now_s);
    }
    root_names_free(roots);
}
