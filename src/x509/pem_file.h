/*
 * Files of roots or of CRLs: PEM with one or several blocks, or one DER structure. Each block is handed on decoded, with the
 * place by which messages name it.
 */
#ifndef X509_PEM_FILE_H
#define X509_PEM_FILE_H

#include "base/bytes.h"
#include "base/error.h"

/* Where an item was found. */
struct pem_file_place {
    unsigned file;  /* from 1, in the order in which files were added */
    unsigned block; /* from 1; 0: the file is DER */
    unsigned line;
};

struct pem_file_item {
    struct pem_file_place place;
    struct bytes label; /* "CERTIFICATE"; size 0: the file is DER */
    struct bytes der;   /* valid until pem_file_add returns */
};

/* Takes one item: 0, or a negative errno with a line in *error, which ends the reading. */
typedef int pem_file_add(void *owner, const struct pem_file_item *item, struct error *error);

/*
 * Gives each item of `file`, whose number is `number`, to `add` together with `owner`. Returns the number of items, 0
 * included; or -EINVAL (an empty file, broken PEM), -ENOMEM, or what `add` has returned, each with a line in *error.
 */
int pem_file_read(struct bytes file, unsigned number, pem_file_add *add, void *owner, struct error *error);

bool pem_file_label_is(const struct pem_file_item *item, const char *label);

/* The words of messages about the items of one kind of file. */
struct pem_file_words {
    const char *block;   /* "certificate" 3 (line 40) */
    const char *der;     /* the DER "certificate" */
    const char *verdict; /* "is no usable root" */
};

/* Writes which item is refused, and why. Returns -EINVAL. */
int pem_file_refuse(struct error *error, const struct pem_file_words *words, const struct pem_file_place *place,
                    const char *why);
/* Writes that an item has another label than it should; `wanted` is as "not a CERTIFICATE". Returns -EINVAL. */
int pem_file_refuse_label(struct error *error, const struct pem_file_item *item, const char *wanted);

#endif
