#include "x509/pem_file.h"

#include "x509/pem.h"

#include <errno.h>
#include <stdlib.h>

enum { LABEL_SHOWN_MAX = 40 /* bytes of a label in a message */ };

static int add_block(const struct pem_block *block, const struct pem_file_place *place, pem_file_add *add, void *owner,
                     struct error *error) {
    uint8_t *der = malloc(block->size);
    if (der == NULL) {
        return error_fail(error, -ENOMEM, "out of memory");
    }
    pem_decode(block, der);
    const struct pem_file_item item = {*place, block->label, bytes_of(der, block->size)};
    int result = add(owner, &item, error);
    free(der);
    return result;
}

static int read_blocks(struct bytes file, unsigned number, pem_file_add *add, void *owner, struct error *error) {
    struct pem_reader reader = pem_reader_of(file);
    struct pem_file_place place = {.file = number};
    enum pem_result found;
    struct pem_block block;
    while ((found = pem_next(&reader, &block)) == PEM_BLOCK) {
        place.block++;
        place.line = block.line;
        int result = add_block(&block, &place, add, owner, error);
        if (result != 0) {
            return result;
        }
    }
    if (found == PEM_ERROR) {
        return error_fail(error, -EINVAL, "line %u: %s", reader.error_line, reader.error);
    }
    return (int)place.block;
}

int pem_file_read(struct bytes file, unsigned number, pem_file_add *add, void *owner, struct error *error) {
    if (file.size == 0) {
        return error_fail(error, -EINVAL, "the file is empty");
    }
    if (!pem_is_der(file)) {
        return read_blocks(file, number, add, owner, error);
    }
    int result = add(owner, &(struct pem_file_item){.place = {.file = number}, .der = file}, error);
    return result == 0 ? 1 : result;
}

bool pem_file_label_is(const struct pem_file_item *item, const char *label) {
    return bytes_equal(item->label, bytes_of_string(label));
}

int pem_file_refuse(struct error *error, const struct pem_file_words *words, const struct pem_file_place *place,
                    const char *why) {
    if (place->block == 0) {
        return error_fail(error, -EINVAL, "the DER %s %s: %s", words->der, words->verdict, why);
    }
    return error_fail(error, -EINVAL, "%s %u (line %u) %s: %s", words->block, place->block, place->line, words->verdict,
                      why);
}

int pem_file_refuse_label(struct error *error, const struct pem_file_item *item, const char *wanted) {
    int shown = item->label.size < LABEL_SHOWN_MAX ? (int)item->label.size : LABEL_SHOWN_MAX;
    return error_fail(error, -EINVAL, "block %u (line %u) is a %.*s, %s", item->place.block, item->place.line, shown,
                      (const char *)item->label.data, wanted);
}
