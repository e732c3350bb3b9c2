#include "edge/preface.h"

#include "edge/verdict.h"
#include "guard/proxy_write.h"
#include "x509/certificate.h"
#include "x509/name.h"
#include "x509/oid.h"

_Static_assert((int)PROXY_WRITE_MAX <= (int)RELAY_PREFACE_MAX, "a header fits");

/* Appends the common name of a client with a valid certificate. Nobody vouches for that of another one. */
static void append_common_name(struct text *out, const struct client *client) {
    struct certificate leaf;
    struct name_attribute attribute;
    const char *why;

    if (client->verdict.identity->status == STATUS_VALID && certificate_read(&leaf, verdict_leaf(client), &why) &&
        name_find(leaf.subject, OID_ATTRIBUTE_COMMON_NAME, &attribute)) {
        name_append_value(out, &attribute);
    }
}

size_t preface_write(const struct client *client, uint8_t out[static RELAY_PREFACE_MAX]) {
    const struct config *config = client->site->config;
    bool certified = client->verdict.identity->status != STATUS_NONE;
    char name[PROXY_WRITE_COMMON_NAME_MAX];
    struct text common_name = text_over(name, sizeof name);

    struct proxy_facts facts = {
        .client = &client->peer.any,
        .server = (const struct sockaddr *)&config->listen[client->listener].address.address,
    };
    if (client->host->origin_proxy == CONFIG_ORIGIN_PROXY_V1) {
        return proxy_write_v1(&facts, out);
    }
    append_common_name(&common_name, client);
    facts.authority = bytes_of_string(client->name);
    facts.protocol = client->host->is_tcp ? bytes_of(NULL, 0) : bytes_of_string("http/1.1");
    facts.tls_version = bytes_of_string(tls_session_version(client->tls));
    facts.tls_cipher = bytes_of_string(tls_session_cipher(client->tls));
    facts.common_name = common_name.overflow ? bytes_of(NULL, 0) : text_bytes(&common_name);
    facts.presented = certified && !client->verdict.by_ticket;
    facts.certified = certified;
    facts.valid = client->verdict.identity->status == STATUS_VALID;
    return proxy_write_v2(&facts, out);
}
