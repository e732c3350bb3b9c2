#include "config/client_auth.h"

#include "base/check.h"
#include "config/bodies.h"
#include "config/file.h"
#include "config/memory.h"
#include "config/stores.h"
#include "tls/session.h"

#include <stdlib.h>

_Static_assert((int)CLIENT_AUTH_DEPTH_MAX <= (int)TLS_PEER_CHAIN_MAX, "TLS must let the deepest chain in");

struct client_auth_nodes {
    const struct document_node *mode;
    const struct document_node *ca;
    const struct document_node *crl;
    const struct document_node *crl_check;
    const struct document_node *crl_stale;
    const struct document_node *advertise_ca_names;
    const struct document_node *deny;
};

static void load_mode(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const char *const words[] = {config_mode_name(CONFIG_OFF), config_mode_name(CONFIG_REPORT),
                                 config_mode_name(CONFIG_ENFORCE)};
    size_t index = CONFIG_OFF;
    value_choice(loader, node, "client_auth.mode", words, ARRAY_LENGTH(words), &index);
    host->mode = (enum config_mode)index;
}

static int add_lists(void *revocation, struct bytes content, struct error *error) {
    return revocation_add_file(revocation, content, error);
}

static const struct store_files crl_files = {"client_auth.crl", CLIENT_AUTH_CRL_SIZE_MAX, ADVICE_LISTS, add_lists};

/* Loads the roots, in mode off too; NULL when there are none, or not all of them are good. */
static struct trust *load_trust(const struct loader *loader, const struct client_auth_nodes *nodes, enum config_mode mode) {
    if (nodes->ca == NULL && mode != CONFIG_OFF) {
        loader_problem(loader, nodes->mode, "client_auth.mode %s needs client_auth.ca: the roots to check against",
                       config_mode_name(mode));
    }
    return stores_load_trust(loader, nodes->ca, "client_auth.ca");
}

/*
 * Turns advertise_ca_names off if not all names fit. With some of the names a browser would offer only certificates of those
 * roots, and clients of the other roots could not get in.
 */
static void limit_ca_names(const struct loader *loader, const struct client_auth_nodes *nodes, struct config_host *host) {
    size_t size = 0;
    if (host->trust == NULL || !host->advertise_ca_names) {
        return;
    }
    for (size_t i = 0; i < trust_count(host->trust); i++) {
        size += 2 + trust_name(host->trust, i).size;
    }
    if (size <= TLS_CA_NAMES_SIZE_MAX) {
        return;
    }
    host->advertise_ca_names = false;
    loader_warning(
        loader, nodes->ca,
        "client_auth.ca: the names of %zu roots take %zu bytes, and a CertificateRequest has room for %d: none is "
        "sent to clients, and browsers offer all their certificates; advertise_ca_names: false means the same",
        trust_count(host->trust), size, TLS_CA_NAMES_SIZE_MAX);
}

/* `file`: the number of the file in the list, from 1; 0: the problem is of no file in particular. */
static void report_crl(const struct loader *loader, const struct document_node *crl, unsigned file, const char *error) {
    const struct document_node *item = crl->first;
    for (unsigned i = 1; i < file && item != NULL; i++) {
        item = item->next;
    }
    if (file == 0 || item == NULL) {
        loader_problem(loader, crl, "client_auth.crl: %s", error);
    } else {
        loader_problem(loader, item, "client_auth.crl: %s%s: %s", item->text[0] == '/' ? "" : loader->directory, item->text,
                       error);
    }
}

/* Reads all files, or gives NULL. The issuers of the lists can only be checked once all roots are known. */
static struct revocation *read_crls(const struct loader *loader, const struct client_auth_nodes *nodes,
                                    const struct trust *trust) {
    struct revocation *revocation = revocation_create();
    CHECK(revocation != NULL);
    bool good = stores_add(loader, nodes->crl, &crl_files, revocation);
    struct error error;
    if (good && trust != NULL && revocation_check(revocation, trust, &error) < 0) {
        report_crl(loader, nodes->crl, revocation_file_at_fault(revocation), error.text);
        good = false;
    }
    if (good) {
        return revocation;
    }
    revocation_free(revocation);
    return NULL;
}

static void load_revocation(const struct loader *loader, const struct client_auth_nodes *nodes, const struct trust *trust,
                            struct config_host *host) {
    static const char *const checks[] = {[REVOCATION_CHAIN] = "chain", [REVOCATION_LEAF] = "leaf"};
    static const char *const stales[] = {"reject", "accept"};
    size_t check = REVOCATION_CHAIN;
    size_t stale = 0;
    value_choice(loader, nodes->crl_check, "client_auth.crl_check", checks, ARRAY_LENGTH(checks), &check);
    value_choice(loader, nodes->crl_stale, "client_auth.crl_stale", stales, ARRAY_LENGTH(stales), &stale);
    host->policy.revocation_scope = (enum revocation_scope)check;
    host->policy.accept_stale_crls = stale == 1;
    if (!value_list(loader, nodes->crl, "client_auth.crl")) {
        return;
    }
    if (nodes->ca == NULL && host->mode == CONFIG_OFF) {
        loader_problem(loader, nodes->crl, "client_auth.crl needs client_auth.ca: the roots whose lists they are");
    }
    struct revocation *revocation = read_crls(loader, nodes, trust);
    if (host->mode != CONFIG_OFF) {
        host->revocation = revocation;
    } else {
        revocation_free(revocation);
    }
}

/* Loads roots and revocation lists. In mode off all of them are read and checked, and none is kept. */
static void load_authorities(const struct loader *loader, const struct client_auth_nodes *nodes, struct config_host *host) {
    struct trust *trust = load_trust(loader, nodes, host->mode);
    load_revocation(loader, nodes, trust, host);
    if (host->mode != CONFIG_OFF) {
        host->trust = trust;
    } else {
        trust_free(trust);
    }
}

/* Returns the content of the file that `node` names, or a copy of the built-in text when it is NULL. */
static struct bytes load_body(const struct loader *loader, const struct document_node *node, const char *key,
                              const char *built_in) {
    struct bytes body = bytes_of(NULL, 0);
    if (node == NULL) {
        return bytes_of(memory_copy_string(built_in), strlen(built_in));
    }
    char *path = NULL;
    value_file(loader, node, key, CLIENT_AUTH_BODY_SIZE_MAX, &path, &body);
    free(path);
    return body;
}

static void load_bodies(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const struct document_node *json = NULL;
    const struct document_node *html = NULL;
    const struct value_key keys[] = {value_key_optional("json", &json), value_key_optional("html", &html)};
    value_mapping(loader, node, "client_auth.deny", keys, ARRAY_LENGTH(keys));
    host->deny_json = load_body(loader, json, "client_auth.deny.json", bodies_json);
    host->deny_html = load_body(loader, html, "client_auth.deny.html", bodies_html);
}

void client_auth_load(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    struct client_auth_nodes nodes = {0};
    uint32_t depth;
    const struct value_key keys[] = {
        value_key_required("mode", &nodes.mode),
        value_key_optional("ca", &nodes.ca),
        value_key_optional("crl", &nodes.crl),
        value_key_optional("crl_check", &nodes.crl_check),
        value_key_optional("crl_stale", &nodes.crl_stale),
        value_key_number("max_depth", &depth, 4, 1, CLIENT_AUTH_DEPTH_MAX),
        value_key_optional("advertise_ca_names", &nodes.advertise_ca_names),
        value_key_optional("deny", &nodes.deny),
    };
    host->mode = CONFIG_OFF;
    host->advertise_ca_names = true;
    value_mapping(loader, node, "client_auth", keys, ARRAY_LENGTH(keys));
    load_mode(loader, nodes.mode, host);
    load_authorities(loader, &nodes, host);
    value_boolean(loader, nodes.advertise_ca_names, "client_auth.advertise_ca_names", &host->advertise_ca_names);
    limit_ca_names(loader, &nodes, host);
    load_bodies(loader, nodes.deny, host);
    host->policy.trust = host->trust;
    host->policy.depth_max = depth;
    host->policy.revocation = host->revocation;
}
