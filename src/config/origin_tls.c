#include "config/origin_tls.h"

#include "base/check.h"
#include "config/certificates.h"
#include "config/memory.h"
#include "config/service.h"
#include "config/stores.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct origin_tls_nodes {
    const struct document_node *ca;
    const struct document_node *name;
    const struct document_node *certificate;
    const struct document_node *key;
    const struct document_node *min_version;
};

char *origin_tls_host_of(const char *address) {
    char *host = memory_copy_lower_case(address);
    char *colon = strrchr(host, ':');
    if (colon != NULL) {
        *colon = '\0';
    }
    size_t size = strlen(host);
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        memmove(host, host + 1, size - 2);
        host[size - 2] = '\0';
    } else if (size > 0 && host[size - 1] == '.') {
        host[size - 1] = '\0';
    }
    return host;
}

static bool is_address(const char *name) {
    uint8_t address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* Returns the name that all origins have to prove, in place of their own; NULL: none is set. */
static const char *load_name(const struct loader *loader, const struct document_node *node) {
    const char *name = node == NULL ? NULL : value_string(loader, node, "origin_tls.name");
    const char *fault = name == NULL || is_address(name) ? NULL : address_check_name(name);
    if (fault != NULL) {
        loader_problem(loader, node, "origin_tls.name \"%s\" is neither a host name nor an address: %s", name, fault);
        return NULL;
    }
    return name;
}

/* Sets the names that origins have to prove: `name`, or else their own. */
static void set_names(const struct loader *loader, const struct document_node *node, const char *name,
                      struct config_host *host) {
    for (size_t i = 0; i < host->origin_count; i++) {
        struct config_origin *origin = &host->origins[i];
        if (name != NULL) {
            origin->tls_name = memory_copy_lower_case(name);
        } else if (origin->kind == CONFIG_ORIGIN_SERVICE) {
            /* The domain that the file names, never what DNS without signatures says (RFC 9525 section 6.1). */
            origin->tls_name = memory_copy_lower_case(service_domain(origin->text));
        } else if (origin->kind != CONFIG_ORIGIN_UNIX) {
            origin->tls_name = origin_tls_host_of(origin->text);
        } else {
            loader_problem(loader, node,
                           "origin_tls needs a name: the Unix socket \"%s\" says none that a certificate is for",
                           origin->text);
        }
    }
}

static void load_certificate(const struct loader *loader, const struct document_node *node,
                             const struct origin_tls_nodes *nodes, struct config_origin_tls *tls) {
    if (nodes->certificate == NULL && nodes->key == NULL) {
        return;
    }
    if (nodes->certificate == NULL || nodes->key == NULL) {
        loader_problem(loader, node,
                       "origin_tls has %s without %s: a certificate needs its key, and the key its certificate",
                       nodes->key == NULL ? "certificate" : "key", nodes->key == NULL ? "key" : "certificate");
        return;
    }
    certificates_load_pair(loader, nodes->certificate, nodes->key, &tls->certificate);
}

void origin_tls_load(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    static const char *const versions[] = {"1.2", "1.3"};
    struct origin_tls_nodes nodes = {0};
    const struct value_key keys[] = {
        value_key_required("ca", &nodes.ca),
        value_key_optional("name", &nodes.name),
        value_key_optional("certificate", &nodes.certificate),
        value_key_optional("key", &nodes.key),
        value_key_optional("min_version", &nodes.min_version),
    };
    size_t version = 0;
    if (node == NULL || !value_mapping(loader, node, "origin_tls", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    struct config_origin_tls *tls = memory_allocate(1, sizeof *tls);
    host->origin_tls = tls;
    if (nodes.ca != NULL) {
        tls->trust = stores_load_trust(loader, nodes.ca, "origin_tls.ca");
    }
    set_names(loader, node, load_name(loader, nodes.name), host);
    load_certificate(loader, node, &nodes, tls);
    value_choice(loader, nodes.min_version, "origin_tls.min_version", versions, ARRAY_LENGTH(versions), &version);
    tls->only_tls13 = version == 1;
}
