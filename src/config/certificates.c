#include "config/certificates.h"

#include "base/check.h"
#include "config/advice.h"
#include "config/file.h"
#include "x509/container.h"

#include <stdlib.h>

static bool are_swapped(struct bytes chain, struct bytes key) {
    enum { KEYS = CONTAINER_KEY | CONTAINER_ENCRYPTED_KEY };
    unsigned in_chain = container_read(chain);
    unsigned in_key = container_read(key);
    return (in_chain & KEYS) != 0 && (in_chain & CONTAINER_CERTIFICATE) == 0 && (in_key & CONTAINER_CERTIFICATE) != 0 &&
           (in_key & KEYS) == 0;
}

static void use_files(const struct loader *loader, const struct document_node *certificate, struct bytes chain_pem,
                      const struct document_node *key, const char *key_path, struct bytes key_pem,
                      struct config_certificate *loaded) {
    bool at_key = false;
    struct error error;
    if (are_swapped(chain_pem, key_pem)) {
        loader_problem(loader, certificate, "certificate and key are swapped: %s is a private key, and %s is a certificate",
                       loaded->path, key_path);
    } else {
        bool is_other = advice_report(loader, certificate, "certificate", loaded->path, chain_pem, ADVICE_CHAIN);
        is_other = advice_report(loader, key, "key", key_path, key_pem, ADVICE_KEY) || is_other;
        loaded->credentials = is_other ? NULL : tls_credentials_load(chain_pem, key_pem, &at_key, &error);
        if (!is_other && loaded->credentials == NULL) {
            loader_problem(loader, at_key ? key : certificate, "%s: %s: %s", at_key ? "key" : "certificate",
                           at_key ? key_path : loaded->path, error.text);
        }
    }
}

void certificates_load_pair(const struct loader *loader, const struct document_node *certificate,
                            const struct document_node *key, struct config_certificate *loaded) {
    char *key_path = NULL;
    struct bytes chain_pem;
    bool has_chain = value_file(loader, certificate, "certificate", VALUES_PEM_SIZE_MAX, &loaded->path, &chain_pem);
    struct bytes key_pem;
    bool has_key = value_file(loader, key, "key", VALUES_PEM_SIZE_MAX, &key_path, &key_pem);
    if (has_chain && has_key) {
        use_files(loader, certificate, chain_pem, key, key_path, key_pem, loaded);
    }
    file_content_free(&chain_pem);
    file_content_free(&key_pem);
    free(key_path);
}

/* Finds a problem when an earlier item has a key of the kind of the last one. */
static void check_kind(const struct loader *loader, const struct document_node *list, const struct document_node *item,
                       const struct config_host *host) {
    const struct config_certificate *last = &host->certificates[host->certificate_count - 1];
    const struct document_node *other = list->first;
    for (size_t i = 0; last->credentials != NULL && i + 1 < host->certificate_count; i++, other = other->next) {
        const struct config_certificate *earlier = &host->certificates[i];
        if (earlier->credentials != NULL &&
            strcmp(tls_credentials_kind(earlier->credentials), tls_credentials_kind(last->credentials)) == 0) {
            loader_problem(
                loader, document_value(item, "certificate"),
                "certificates: %s has an %s key, as %s has at line %u: a host serves one certificate of each kind",
                last->path, tls_credentials_kind(last->credentials), earlier->path,
                document_value(other, "certificate")->line);
            return;
        }
    }
}

static void load_list(const struct loader *loader, const struct document_node *list, struct config_host *host) {
    if (!value_list(loader, list, "certificates")) {
        return;
    }
    if (list->count > CONFIG_CERTIFICATES_MAX) {
        loader_problem(loader, list,
                       "certificates has %zu items, and a host serves three at most: one with an ECDSA key, one with an "
                       "Ed25519 key and one with an RSA key",
                       list->count);
        return;
    }
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        const struct document_node *certificate;
        const struct document_node *key;
        const struct value_key keys[] = {
            value_key_required("certificate", &certificate),
            value_key_required("key", &key),
        };
        value_mapping(loader, item, "an item of certificates", keys, ARRAY_LENGTH(keys));
        certificates_load_pair(loader, certificate, key, &host->certificates[host->certificate_count++]);
        check_kind(loader, list, item, host);
    }
}

void certificates_load(const struct loader *loader, const struct document_node *node, const struct certificates_nodes *nodes,
                       struct config_host *host) {
    bool has_pair = nodes->certificate != NULL || nodes->key != NULL;
    if (nodes->certificates != NULL && has_pair) {
        loader_problem(loader, nodes->certificates,
                       "certificates does not go together with %s: make the pair of certificate and key an item of the list",
                       nodes->certificate != NULL ? "certificate" : "key");
        return;
    }
    if (nodes->certificates != NULL) {
        load_list(loader, nodes->certificates, host);
        return;
    }
    if (nodes->certificate == NULL) {
        loader_problem(loader, node, "key \"certificate\" is missing in this host");
    }
    if (nodes->key == NULL) {
        loader_problem(loader, node, "key \"key\" is missing in this host");
    }
    certificates_load_pair(loader, nodes->certificate, nodes->key, &host->certificates[host->certificate_count++]);
}

const struct document_node *certificates_node(const struct document_node *node, size_t index) {
    const struct document_node *list = document_value(node, "certificates");
    if (list == NULL) {
        return node;
    }
    const struct document_node *item = list->first;
    for (; index > 0; index--) {
        item = item->next;
    }
    return item;
}
