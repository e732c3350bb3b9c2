#include "config/warnings_clients.h"

#include "base/check.h"
#include "config/memory.h"
#include "config/words.h"
#include "path/revocation_list.h"
#include "x509/name.h"
#include "x509/signature.h"

#include <stdio.h>
#include <stdlib.h>

/* Returns item `number` of a list, from 1; the list itself when it has no such item. */
static const struct document_node *item_of(const struct document_node *list, unsigned number) {
    const struct document_node *item = list->first;
    for (unsigned i = 1; i < number && item != NULL; i++) {
        item = item->next;
    }
    return item == NULL ? list : item;
}

static void warn_of_root_dates(const struct loader *loader, const struct document_node *ca,
                               const struct trust_anchor *anchor, int64_t now_s) {
    const struct certificate *root = &anchor->certificate;
    const struct document_node *item = item_of(ca, anchor->file);
    char name[WORDS_NAME_SIZE];
    char time[WORDS_TIME_SIZE];
    if (root->not_after < now_s) {
        loader_warning_of_end(loader, item, "client_auth.ca: the root %s has expired, at %s: its clients are not valid",
                              words_name(root->subject, name), words_time(root->not_after, time));
    } else if (root->not_before > now_s) {
        loader_warning(loader, item,
                       "client_auth.ca: the root %s is not valid before %s: its clients are not valid until then",
                       words_name(root->subject, name), words_time(root->not_before, time));
    }
}

static bool is_root(const struct trust *trust, const struct revocation_list *list) {
    for (size_t i = 0; i < trust_count(trust); i++) {
        if (trust_anchor(trust, i)->subject_hash == list->issuer_hash && name_equal(trust_name(trust, i), list->issuer)) {
            return true;
        }
    }
    return false;
}

static bool has_list_of_intermediate(const struct config_host *host) {
    for (size_t i = 0; i < revocation_count(host->revocation); i++) {
        if (!is_root(host->trust, revocation_list_at(host->revocation, i))) {
            return true;
        }
    }
    return false;
}

struct issuer {
    uint64_t hash; /* name_hash of the name */
    struct bytes name;
};

/* The facts about a host's lists that are needed for each of its roots, found once for all of them. */
struct lists {
    const struct config_host *host;
    bool speak_for_intermediate;
    bool *speak_for;        /* of each root: there is a list for the certificates that it has issued */
    struct issuer *issuers; /* of the roots that have a list and are issued by another CA */
    size_t issuer_count;
};

static void lists_read(struct lists *lists, const struct config_host *host) {
    size_t count = trust_count(host->trust);
    *lists = (struct lists){
        .host = host,
        .speak_for_intermediate = has_list_of_intermediate(host),
        .speak_for = memory_allocate(count, sizeof *lists->speak_for),
        .issuers = memory_allocate(count, sizeof *lists->issuers),
    };
    for (size_t i = 0; i < count; i++) {
        const struct trust_anchor *anchor = trust_anchor(host->trust, i);
        struct bytes issuer = anchor->certificate.issuer;
        lists->speak_for[i] = revocation_speaks_for(host->revocation, anchor);
        if (lists->speak_for[i] && !certificate_is_self_issued(&anchor->certificate)) {
            lists->issuers[lists->issuer_count++] = (struct issuer){.hash = name_hash(issuer), .name = issuer};
        }
    }
}

static void lists_free(struct lists *lists) {
    free(lists->speak_for);
    free(lists->issuers);
}

/*
 * Returns whether the root has issued another root of the file that has a list: then the list of the other is enough, since
 * that one issues the clients.
 */
static bool has_issued_root_with_list(const struct lists *lists, const struct trust_anchor *anchor) {
    for (size_t i = 0; i < lists->issuer_count; i++) {
        if (lists->issuers[i].hash == anchor->subject_hash &&
            name_equal(lists->issuers[i].name, anchor->certificate.subject)) {
            return true;
        }
    }
    return false;
}

/*
 * Returns whether clients of the root have no list. Clients of intermediates need more lists, but the intermediates are not
 * known here: clients present them. With crl_check: leaf the list of a root counts for its own clients alone, so there is no
 * warning when a list of an intermediate is given.
 */
static bool lacks_list(const struct lists *lists, size_t root) {
    if (lists->host->policy.revocation_scope == REVOCATION_LEAF && lists->speak_for_intermediate) {
        return false;
    }
    return !lists->speak_for[root] && !has_issued_root_with_list(lists, trust_anchor(lists->host->trust, root));
}

/* Adds one warning for each file, since a file may have a hundred roots. */
static void warn_of_missing_lists(const struct loader *loader, const struct document_node *ca,
                                  const struct config_host *host) {
    struct lists lists;
    lists_read(&lists, host);
    size_t count = trust_count(host->trust);
    for (size_t i = 0, next; i < count; i = next) {
        const struct trust_anchor *first = NULL;
        size_t lacking = 0;
        unsigned file = trust_anchor(host->trust, i)->file;
        for (next = i; next < count && trust_anchor(host->trust, next)->file == file; next++) {
            const struct trust_anchor *anchor = trust_anchor(host->trust, next);
            if (lacks_list(&lists, next)) {
                first = first == NULL ? anchor : first;
                lacking++;
            }
        }
        if (lacking == 0) {
            continue;
        }
        char others[64] = "";
        if (lacking > 1) {
            snprintf(others, sizeof others, " and %zu other %s of this file", lacking - 1, lacking == 2 ? "root" : "roots");
        }
        char name[WORDS_NAME_SIZE];
        loader_warning(loader, item_of(ca, file),
                       "client_auth.ca: no list in client_auth.crl is of %s%s: %s clients will be crl_missing; add the list "
                       "to client_auth.crl",
                       words_name(first->certificate.subject, name), others, lacking > 1 ? "their" : "its");
    }
    lists_free(&lists);
}

static void warn_of_list_dates(const struct loader *loader, const struct document_node *crl, const struct config_host *host,
                               size_t index, int64_t now_s) {
    const struct revocation_list *list = revocation_list_at(host->revocation, index);
    const struct document_node *item = item_of(crl, list->origin.file);
    char name[WORDS_NAME_SIZE];
    char time[WORDS_TIME_SIZE];
    if (list->this_update > now_s) {
        loader_warning(loader, item, "client_auth.crl: the list of %s does not count before %s: its date is in the future",
                       words_name(list->issuer, name), words_time(list->this_update, time));
    } else if (list->next_update < now_s && !revocation_is_replaced(host->revocation, index, now_s)) {
        loader_warning_of_end(loader, item, "client_auth.crl: the list of %s has ended, at %s: %s",
                              words_name(list->issuer, name), words_time(list->next_update, time),
                              host->policy.accept_stale_crls
                                  ? "it counts as current, as crl_stale says; replace it all the same"
                                  : "its clients will be crl_stale; replace it");
    }
}

static void warn_of_settings_without_lists(const struct loader *loader, const struct document_node *client_auth) {
    static const char *const keys[] = {"crl_check", "crl_stale"};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        const struct document_node *node = document_value(client_auth, keys[i]);
        if (node != NULL) {
            loader_warning(loader, node,
                           "client_auth.%s does nothing without client_auth.crl: nobody's certificate counts as revoked",
                           keys[i]);
        }
    }
}

/*
 * Warns where a chain of three certificates (two where max_depth is 2) that are as large as their root does not fit. A
 * certificate of ML-DSA has 4 to 8 KB, most of them key and signature; others have one.
 */
static void warn_of_chain_size(const struct loader *loader, const struct document_node *ca, const struct config *config,
                               const struct config_host *host) {
    enum { USUAL_DEPTH = 3 };
    const struct certificate *largest = NULL;
    unsigned file = 0;
    for (size_t i = 0; i < trust_count(host->trust); i++) {
        const struct trust_anchor *anchor = trust_anchor(host->trust, i);
        if (signature_is_ml_dsa(&anchor->key) && (largest == NULL || anchor->certificate.der.size > largest->der.size)) {
            largest = &anchor->certificate;
            file = anchor->file;
        }
    }
    unsigned depth = host->policy.depth_max < USUAL_DEPTH ? host->policy.depth_max : USUAL_DEPTH;
    if (largest == NULL || depth * largest->der.size <= config->limits.certificate_chain_size) {
        return;
    }
    char name[WORDS_NAME_SIZE];
    loader_warning(loader, item_of(ca, file),
                   "client_auth.ca: the root %s has %zu bytes, and of certificates as large as that %zu have room in "
                   "limits.certificate_chain_size: longer chains will be too_large; raise it to %zuKiB",
                   words_name(largest->subject, name), largest->der.size,
                   config->limits.certificate_chain_size / largest->der.size, (depth * largest->der.size + 1023) / 1024);
}

void warnings_find_clients(const struct loader *loader, const struct document_node *client_auth, const struct config *config,
                           const struct config_host *host, int64_t now_s) {
    if (host->mode == CONFIG_OFF) {
        return;
    }
    const struct document_node *ca = document_value(client_auth, "ca");
    for (size_t i = 0; i < trust_count(host->trust); i++) {
        warn_of_root_dates(loader, ca, trust_anchor(host->trust, i), now_s);
    }
    warn_of_chain_size(loader, ca, config, host);
    if (host->revocation == NULL) {
        warn_of_settings_without_lists(loader, client_auth);
        return;
    }
    warn_of_missing_lists(loader, ca, host);
    for (size_t i = 0; i < revocation_count(host->revocation); i++) {
        warn_of_list_dates(loader, document_value(client_auth, "crl"), host, i, now_s);
    }
}
