#include "path/revocation_list.h"

#include "base/check.h"
#include "x509/name.h"
#include "x509/oid.h"

#include <errno.h>
#include <stdlib.h>

enum { JOINED_ROOM = 16 /* for the tags and lengths around a relative name */ };

/* Copies `from` to `*at`, which moves behind it. */
static struct bytes place(uint8_t **at, struct bytes from) {
    if (from.size > 0) {
        memcpy(*at, from.data, from.size);
    }
    struct bytes placed = bytes_of(*at, from.size);
    *at += from.size;
    return placed;
}

static int keep_scope(struct revocation_list *list, const struct crl *crl, uint8_t *at, size_t room, struct error *error) {
    list->scope.only_user_certificates = crl->only_user_certificates;
    list->scope.only_ca_certificates = crl->only_ca_certificates;
    if (crl->point_relative.size > 0) {
        size_t size = distribution_point_join(crl->issuer, crl->point_relative, at, room);
        if (size == 0) {
            return error_fail(error, -EINVAL, "its issuingDistributionPoint cannot be read");
        }
        list->scope.name = bytes_of(at, size);
    } else if (crl->point_names.size > 0) {
        list->scope.names = place(&at, crl->point_names);
    }
    return 0;
}

/* Keeps all but the serials and a message of Ed25519 or ML-DSA. */
static int keep_head(struct revocation_list *list, const struct crl *crl, struct error *error) {
    uint8_t digest[SIGNATURE_DIGEST_MAX];
    size_t digest_size = signature_digest(&list->algorithm, crl->tbs, digest);
    size_t point_size =
        crl->point_relative.size > 0 ? crl->issuer.size + crl->point_relative.size + JOINED_ROOM : crl->point_names.size;
    size_t size = crl->issuer.size + crl->aki.size + crl->signature.size + digest_size + point_size;
    uint8_t *at = malloc(size);
    if (at == NULL) {
        return error_fail(error, -ENOMEM, "out of memory");
    }
    list->storage = at;
    list->issuer = place(&at, crl->issuer);
    list->issuer_hash = name_hash(list->issuer);
    list->aki = place(&at, crl->aki);
    list->signature = place(&at, crl->signature);
    list->digest = place(&at, bytes_of(digest, digest_size));
    list->this_update = crl->this_update;
    list->next_update = crl->next_update;
    signature_sha256(crl->der, list->fingerprint);
    return keep_scope(list, crl, at, point_size, error);
}

static int keep_message(struct revocation_list *list, const struct crl *crl, struct error *error) {
    if (list->digest.size > 0) {
        return 0;
    }
    uint8_t *message = malloc(crl->tbs.size);
    if (message == NULL) {
        return error_fail(error, -ENOMEM, "out of memory");
    }
    memcpy(message, crl->tbs.data, crl->tbs.size);
    list->message = bytes_of(message, crl->tbs.size);
    return 0;
}

/* Reads the entries twice: first to check their form and to measure the room that they need. */
static int keep_entries(struct revocation_list *list, const struct crl *crl, struct error *error) {
    struct bytes rest = crl->entries;
    size_t count = 0;
    size_t octets = 0;
    struct crl_entry entry;
    const char *fault;
    enum crl_result found;
    while ((found = crl_next_entry(crl, &rest, &entry, &fault)) == CRL_ENTRY) {
        count++;
        octets += entry.serial.size;
    }
    if (found == CRL_ERROR) {
        return error_fail(error, -EINVAL, "entry %zu: %s", count + 1, fault);
    }
    list->serials = serials_create(count, octets);
    if (list->serials == NULL) {
        return error_fail(error, -ENOMEM, "out of memory");
    }
    rest = crl->entries;
    while (crl_next_entry(crl, &rest, &entry, &fault) == CRL_ENTRY) {
        serials_add(list->serials, &(struct serials_entry){entry.serial, entry.date, entry.reason});
    }
    return 0;
}

static int judge_algorithm(struct revocation_list *list, const struct crl *crl, struct error *error) {
    enum reason reason = signature_judge_algorithm(&crl->signature_algorithm, &list->algorithm);
    if (reason == REASON_OK) {
        return 0;
    }
    if (reason == REASON_MALFORMED) {
        return error_fail(error, -EINVAL, "its signature algorithm is malformed");
    }
    char oid[128];
    struct text text = text_over(oid, sizeof oid);
    oid_append(&text, crl->signature_algorithm.oid);
    return error_fail(error, -EINVAL, "it is signed with an algorithm that is not accepted: %.*s", (int)text.size, oid);
}

struct revocation_list *revocation_list_create(struct bytes der, const struct pem_file_place *origin, int *result,
                                               struct error *error) {
    struct crl crl;
    const char *fault;
    if (!crl_read(&crl, der, &fault)) {
        *result = error_fail(error, -EINVAL, "%s", fault);
        return NULL;
    }
    struct revocation_list *list = calloc(1, sizeof(struct revocation_list));
    if (list == NULL) {
        *result = error_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    key_memo_init(&list->memo);
    list->origin = *origin;
    *result = judge_algorithm(list, &crl, error);
    *result = *result != 0 ? *result : keep_head(list, &crl, error);
    *result = *result != 0 ? *result : keep_entries(list, &crl, error);
    *result = *result != 0 ? *result : keep_message(list, &crl, error);
    if (*result != 0) {
        revocation_list_free(list);
        return NULL;
    }
    return list;
}

void revocation_list_free(struct revocation_list *list) {
    if (list == NULL) {
        return;
    }
    serials_free(list->serials);
    free((void *)list->message.data);
    free(list->storage);
    key_memo_destroy(&list->memo);
    free(list);
}

static bool check_signature(const struct revocation_list *list, const struct signature_key *key) {
    return list->digest.size > 0 ? signature_verify_digest(key, &list->algorithm, list->digest, list->signature)
                                 : signature_verify(key, &list->algorithm, list->message, list->signature);
}

bool revocation_list_is_by(struct revocation_list *list, const struct signature_key *key,
                           const uint8_t spki[static SIGNATURE_SHA256_SIZE], struct key_allowance *allowance) {
    bool holds;
    if (key_memo_find(&list->memo, spki, &holds)) {
        return holds;
    }
    bool is_dropped = list->digest.size == 0 && list->message.size == 0;
    if (is_dropped || !key_allowance_take(allowance)) {
        return false;
    }
    holds = check_signature(list, key);
    key_memo_add(&list->memo, spki, holds);
    return holds;
}

void revocation_list_drop_message(struct revocation_list *list) {
    if (atomic_load(&list->memo.count) == KEY_MEMO_MAX) {
        return;
    }
    free((void *)list->message.data);
    list->message = bytes_of(NULL, 0);
}
