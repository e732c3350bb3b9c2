#include "config/host.h"

#include "base/check.h"
#include "config/certificates.h"
#include "config/client_auth.h"
#include "config/header_rules.h"
#include "config/headers.h"
#include "config/health.h"
#include "config/memory.h"
#include "config/methods.h"
#include "config/origin_tls.h"
#include "config/origins.h"
#include "config/protocol.h"

enum { NAME_SIZE_MAX = 2 + ADDRESS_NAME_MAX + 1 /* with "*." and its NUL */ };

static void load_name(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const char *name = value_string(loader, node, "name");
    if (name == NULL) {
        return;
    }
    bool is_wildcard = name[0] == '*';
    const char *checked = name;
    if (is_wildcard && name[1] != '.') {
        loader_problem(loader, node, "name \"%s\": a wildcard is \"*.\" and a domain; it stands for one whole label", name);
        return;
    }
    if (is_wildcard) {
        checked += 2;
    }
    const char *fault = address_check_name(checked);
    if (fault != NULL) {
        loader_problem(loader, node, "name \"%s\" is no host name: %s", name, fault);
        return;
    }
    host->name = memory_copy_lower_case(name);
}

/*
 * Makes the host's ticket scope from content, as the policy's digest is: a host that a reload does not change goes on
 * resuming its sessions.
 */
static void seal(struct config_host *host) {
    size_t size = strlen(host->name) + 1;
    CHECK(size <= NAME_SIZE_MAX);
    identity_policy_seal(&host->policy);
    uint8_t scope[NAME_SIZE_MAX + 1 + IDENTITY_DIGEST_SIZE];
    memcpy(scope, host->name, size);
    scope[size++] = (uint8_t)host->mode;
    memcpy(scope + size, host->policy.digest, IDENTITY_DIGEST_SIZE);
    signature_sha256(bytes_of(scope, size + IDENTITY_DIGEST_SIZE), host->ticket_scope);
}

void host_load(const struct loader *loader, const struct document_node *node, const struct config_limits *limits,
               struct config_host *host) {
    const struct document_node *name;
    const struct document_node *is_default;
    const struct document_node *protocol;
    struct certificates_nodes certificates;
    const struct document_node *client_auth;
    const struct document_node *forward;
    struct header_rules_nodes rules;
    const struct document_node *methods;
    const struct document_node *http2;
    struct origins_nodes origins;
    const struct document_node *origin_tls;
    struct health_nodes health;
    const struct value_key keys[] = {
        value_key_required("name", &name),
        value_key_optional("default", &is_default),
        value_key_optional("protocol", &protocol),
        value_key_optional("certificate", &certificates.certificate),
        value_key_optional("key", &certificates.key),
        value_key_optional("certificates", &certificates.certificates),
        value_key_optional("client_auth", &client_auth),
        value_key_optional("forward", &forward),
        value_key_optional("request_headers", &rules.request_headers),
        value_key_optional("response_headers", &rules.response_headers),
        value_key_optional("strict_transport_security", &rules.strict_transport_security),
        value_key_optional("methods", &methods),
        value_key_optional("http2", &http2),
        value_key_required("origin", &origins.origin),
        value_key_optional("origin_pool", &origins.pool),
        value_key_optional("origin_protocol", &origins.protocol),
        value_key_optional("origin_tls", &origin_tls),
        value_key_optional("origin_proxy_protocol", &origins.proxy_protocol),
        value_key_optional("timeouts", &origins.timeouts),
        value_key_optional("balance", &origins.choice.balance),
        value_key_optional("retry", &origins.choice.retry),
        value_key_optional("health", &health.health),
        value_key_optional("required", &health.required),
    };
    if (!value_mapping(loader, node, "this host", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    load_name(loader, name, host);
    value_boolean(loader, is_default, "default", &host->is_default);
    protocol_load(loader, protocol, node, host);
    certificates_load(loader, node, &certificates, host);
    client_auth_load(loader, client_auth, host);
    if (!host->is_tcp) { /* where all of these are problems already */
        headers_load(loader, forward, &host->forward, &host->strip);
        header_rules_load(loader, &rules, host);
    }
    host->policy.forward = &host->forward;
    host->policy.answers = &host->answers;
    host->policy.chain_size_max = limits->certificate_chain_size;
    methods_load(loader, methods, host);
    host->http2 = !host->is_tcp;
    value_boolean(loader, http2, "http2", &host->http2);
    origins_load(loader, &origins, host);
    origin_tls_load(loader, origin_tls, host);
    health_load(loader, &health, host);
    if (host->name != NULL) {
        seal(host);
    }
}
