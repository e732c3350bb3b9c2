#include "config/client_auth.h"

#include "base/check.h"
#include "config/bodies.h"
#include "config/file.h"
#include "config/memory.h"
#include "tls/session.h"

#include <stdlib.h>

_Static_assert((int)CLIENT_AUTH_DEPTH_MAX <= (int)TLS_PEER_CHAIN_MAX, "TLS must let the deepest chain in");

struct client_auth_nodes {
    const struct document_node *mode;
    const struct document_node *ca;
    const struct document_node *crl;
    const struct document_node *crl_check;
    const struct document_node *crl_stale;
    const struct document_node *max_depth;
    const struct document_node *advertise_ca_names;
    const struct document_node *deny;
};

const char *config_mode_name(enum config_mode mode) {
    static const char *const names[] = {"off", "report", "enforce"};
    return names[mode];
}

static void load_mode(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const char *const words[] = {config_mode_name(CONFIG_OFF), config_mode_name(CONFIG_REPORT),
                                 config_mode_name(CONFIG_ENFORCE)};
    size_t index = CONFIG_OFF;
    value_choice(loader, node, "client_auth.mode", words, ARRAY_LENGTH(words), &index);
    host->mode = (enum config_mode)index;
}

static bool add_ca_file(const struct loader *loader, const struct document_node *node, struct trust *trust) {
    char *path = NULL;
    struct bytes content;
    bool good = value_file(loader, node, "client_auth.ca", VALUES_PEM_SIZE_MAX, &path, &content);
    char error[IDENTITY_ERROR_SIZE];
    if (good && trust_add_file(trust, content, error) < 0) {
        loader_problem(loader, node, "client_auth.ca: %s: %s", path, error);
        good = false;
    }
    file_content_free(&content);
    free(path);
    return good;
}

static void load_trust(const struct loader *loader, const struct client_auth_nodes *nodes, struct config_host *host) {
    if (nodes->ca == NULL && host->mode != CONFIG_OFF)
        loader_problem(loader, nodes->mode, "client_auth.mode %s needs client_auth.ca: the roots to check against",
                       config_mode_name(host->mode));
    if (!value_list(loader, nodes->ca, "client_auth.ca"))
        return;
    struct trust *trust = trust_create();
    CHECK(trust != NULL);
    bool good = true;
    for (const struct document_node *item = nodes->ca->first; item != NULL; item = item->next)
        good = add_ca_file(loader, item, trust) && good;
    if (good && host->mode != CONFIG_OFF)
        host->trust = trust;
    else
        trust_free(trust);
}

/* What TLS could not send must be found here, and not at start. */
static void check_ca_names(const struct loader *loader, const struct client_auth_nodes *nodes,
                           const struct config_host *host) {
    size_t size = 0;
    if (host->trust == NULL || !host->advertise_ca_names)
        return;
    for (size_t i = 0; i < trust_count(host->trust); i++)
        size += 2 + trust_name(host->trust, i).size;
    if (size > TLS_CA_NAMES_SIZE_MAX)
        loader_problem(loader, nodes->ca,
                       "client_auth.ca: the names of %zu roots have %zu bytes, a CertificateRequest takes %d: set "
                       "advertise_ca_names: false",
                       trust_count(host->trust), size, TLS_CA_NAMES_SIZE_MAX);
}

/* Revocation comes with a later version. Until then a list that is named must not seem to be checked. */
static void refuse_revocation(const struct loader *loader, const struct client_auth_nodes *nodes) {
    static const char *const checks[] = {"chain", "leaf"};
    static const char *const stales[] = {"reject", "accept"};
    size_t ignored = 0;
    value_choice(loader, nodes->crl_check, "client_auth.crl_check", checks, ARRAY_LENGTH(checks), &ignored);
    value_choice(loader, nodes->crl_stale, "client_auth.crl_stale", stales, ARRAY_LENGTH(stales), &ignored);
    if (nodes->crl == NULL || !value_list(loader, nodes->crl, "client_auth.crl"))
        return;
    for (const struct document_node *item = nodes->crl->first; item != NULL; item = item->next)
        value_string(loader, item, "client_auth.crl");
    loader_problem(loader, nodes->crl,
                   "client_auth.crl: revocation lists are not supported by this version; remove the key");
}

/* The file that `node` names, or the built-in text when it is NULL. */
static struct bytes load_body(const struct loader *loader, const struct document_node *node, const char *key,
                              const char *built_in) {
    struct bytes body = bytes_of(NULL, 0);
    if (node == NULL)
        return bytes_of(memory_copy_string(built_in), strlen(built_in));
    char *path = NULL;
    value_file(loader, node, key, CLIENT_AUTH_BODY_SIZE_MAX, &path, &body);
    free(path);
    return body;
}

static void load_bodies(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const struct document_node *json = NULL;
    const struct document_node *html = NULL;
    const struct value_key keys[] = {{"json", &json, false}, {"html", &html, false}};
    value_mapping(loader, node, "client_auth.deny", keys, ARRAY_LENGTH(keys));
    host->deny_json = load_body(loader, json, "client_auth.deny.json", bodies_json);
    host->deny_html = load_body(loader, html, "client_auth.deny.html", bodies_html);
}

void client_auth_load(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    struct client_auth_nodes nodes = {0};
    const struct value_key keys[] = {
        {"mode", &nodes.mode, true},
        {"ca", &nodes.ca, false},
        {"crl", &nodes.crl, false},
        {"crl_check", &nodes.crl_check, false},
        {"crl_stale", &nodes.crl_stale, false},
        {"max_depth", &nodes.max_depth, false},
        {"advertise_ca_names", &nodes.advertise_ca_names, false},
        {"deny", &nodes.deny, false},
    };
    uint32_t depth = CLIENT_AUTH_DEPTH_DEFAULT;
    host->mode = CONFIG_OFF;
    host->advertise_ca_names = true;
    value_mapping(loader, node, "client_auth", keys, ARRAY_LENGTH(keys));
    load_mode(loader, nodes.mode, host);
    load_trust(loader, &nodes, host);
    refuse_revocation(loader, &nodes);
    value_number(loader, nodes.max_depth, "client_auth.max_depth", 1, CLIENT_AUTH_DEPTH_MAX, &depth);
    value_boolean(loader, nodes.advertise_ca_names, "client_auth.advertise_ca_names", &host->advertise_ca_names);
    check_ca_names(loader, &nodes, host);
    load_bodies(loader, nodes.deny, host);
    host->policy.trust = host->trust;
    host->policy.depth_max = depth;
}

void client_auth_free(struct config_host *host) {
    if (host->trust != NULL)
        trust_free(host->trust);
    file_content_free(&host->deny_json);
    file_content_free(&host->deny_html);
}
