#include "config/warnings_server.h"

#include "config/advice.h"
#include "config/certificates.h"
#include "config/words.h"
#include "x509/name.h"
#include "x509/server_name.h"

#include <stdlib.h>
#include <sys/stat.h>

enum {
    NAMES_TEXT_SIZE = 512,
    OTHERS_READ = S_IROTH,
    OTHERS_WRITE = S_IWGRP | S_IWOTH,
};

/* One of a host's chains, as far as it can be read. */
struct chain {
    const struct loader *loader;
    const struct document_node *node; /* the node that names the file */
    const struct root_names *roots;
    const struct config_host *host;
    const struct config_certificate *loaded;
    struct certificate items[TLS_CHAIN_MAX];
    size_t count;
};

static void warn_of_dates(const struct chain *chain, size_t index, int64_t now_s) {
    const struct certificate *certificate = &chain->items[index];
    char what[64];
    snprintf(what, sizeof what, index == 0 ? "the certificate" : "certificate %zu of the chain", index + 1);
    char time[WORDS_TIME_SIZE];
    if (certificate->not_after < now_s) {
        words_time(certificate->not_after, time);
        if (index == 0) {
            loader_warning_of_end(chain->loader, chain->node,
                                  "certificate: %s has expired, at %s: clients refuse it; replace it", chain->loaded->path,
                                  time);
        } else {
            loader_warning(chain->loader, chain->node,
                           "certificate: %s: %s has expired, at %s: clients refuse it; replace it", chain->loaded->path,
                           what, time);
        }
    } else if (certificate->not_before > now_s) {
        loader_warning(chain->loader, chain->node,
                       "certificate: %s: %s is not valid before %s: clients refuse it until then", chain->loaded->path, what,
                       words_time(certificate->not_before, time));
    }
}

/* The default host serves clients that connect by IP address too: a certificate for an address is for them. */
static void warn_of_name(const struct chain *chain) {
    const struct certificate *leaf = &chain->items[0];
    const struct config_host *host = chain->host;
    if (server_name_is_covered(leaf, host->name) || (host->is_default && server_name_has_ip(leaf))) {
        return;
    }
    char names[NAMES_TEXT_SIZE];
    struct text text = text_over(names, sizeof names - 1);
    server_name_append_all(&text, leaf);
    names[text.size] = '\0';
    loader_warning(chain->loader, chain->node, "certificate: %s is not for the name \"%s\": clients refuse it; %s%s%s",
                   chain->loaded->path, host->name,
                   text.size > 0 ? "it is for " : "its subjectAltName has no DNS name, and its common name does not count",
                   names, text.overflow ? " and others" : "");
}

static bool has_issued(const struct certificate *issuer, const struct certificate *certificate) {
    return name_equal(issuer->subject, certificate->issuer);
}

static void warn_of_leaf_alone(const struct chain *chain) {
    const struct certificate *leaf = &chain->items[0];
    if (certificate_is_self_issued(leaf) || root_names_has(chain->roots, leaf->issuer)) {
        return;
    }
    char name[WORDS_NAME_SIZE];
    loader_warning(chain->loader, chain->node,
                   "certificate: %s has no certificate of its issuer %s: clients refuse it unless they have that already, "
                   "as a root; append the certificate of the issuer",
                   chain->loaded->path, words_name(leaf->issuer, name));
}

/* Clients look for the issuer of a certificate in the next one (RFC 5246 section 7.4.2), though many find it elsewhere too.
 */
static void warn_of_order(const struct chain *chain) {
    for (size_t i = 1; i < chain->count; i++) {
        if (!has_issued(&chain->items[i], &chain->items[i - 1])) {
            loader_warning(chain->loader, chain->node,
                           "certificate: %s: certificate %zu of the chain has not issued the one before it, and some "
                           "clients refuse that; put behind each certificate that of its issuer",
                           chain->loaded->path, i + 1);
            return;
        }
    }
}

static void warn_of_chain(struct chain *chain, int64_t now_s) {
    const struct tls_credentials *credentials = chain->loaded->credentials;
    const char *why;
    while (chain->count < credentials->chain_count &&
           certificate_read(&chain->items[chain->count], credentials->chain[chain->count], &why)) {
        chain->count++;
    }
    if (chain->count < credentials->chain_count) {
        loader_warning(chain->loader, chain->node,
                       "certificate: %s: certificate %zu of the chain breaks a rule of X.509, and clients may refuse it: %s",
                       chain->loaded->path, chain->count + 1, why);
        return;
    }
    for (size_t i = 0; i < chain->count; i++) {
        warn_of_dates(chain, i, now_s);
    }
    warn_of_name(chain);
    if (chain->count == 1) {
        warn_of_leaf_alone(chain);
    }
    warn_of_order(chain);
}

/* The group may read the key: that is usual for a service with an account of its own. */
static void warn_of_key(const struct loader *loader, const struct document_node *node) {
    char *path = value_path(loader, node);
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & (OTHERS_READ | OTHERS_WRITE)) != 0) {
        char *quoted = advice_quote(path);
        loader_warning(loader, node, "key: %s can be %s by other users of this machine (mode %04o): chmod g-w,o= %s", path,
                       (status.st_mode & OTHERS_READ) != 0 ? "read" : "changed", (unsigned)status.st_mode & 07777, quoted);
        free(quoted);
    }
    free(path);
}

/* Nearly every client can verify RSA, and takes no certificate behind one that it can verify. */
static void warn_of_order_of_keys(const struct loader *loader, const struct document_node *node,
                                  const struct config_host *host) {
    for (size_t i = 0; i + 1 < host->certificate_count; i++) {
        const struct config_certificate *loaded = &host->certificates[i];
        if (loaded->credentials->needs_key == SERVER_KEY_RSA) {
            loader_warning(loader, document_value(certificates_node(node, i), "certificate"),
                           "certificates: %s has an RSA key, which nearly all clients can verify: what stands behind it is "
                           "hardly ever served; put it last",
                           loaded->path);
        }
    }
}

void warnings_find_server(const struct loader *loader, const struct document_node *node, const struct root_names *roots,
                          const struct config_host *host, int64_t now_s) {
    for (size_t i = 0; i < host->certificate_count; i++) {
        const struct document_node *pair = certificates_node(node, i);
        struct chain chain = {.loader = loader,
                              .node = document_value(pair, "certificate"),
                              .roots = roots,
                              .host = host,
                              .loaded = &host->certificates[i]};
        warn_of_chain(&chain, now_s);
        warn_of_key(loader, document_value(pair, "key"));
    }
    warn_of_order_of_keys(loader, node, host);
}
