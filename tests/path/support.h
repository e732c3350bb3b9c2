/* Files of the corpus, and DER typed by hand. */
#ifndef TESTS_PATH_SUPPORT_H
#define TESTS_PATH_SUPPORT_H

#include "base/bytes.h"
#include "base/hash.h"
#include "path/trust.h"
#include "x509/pem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { SUPPORT_CHAIN_MAX = 32 };

/* Names are hashed with the process's secret. */
__attribute__((constructor)) static void support_draw_secret(void) {
    hash_init();
}

/* The whole file; aborts the test when it cannot be read. */
static inline struct bytes support_read(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s cannot be opened", path);
    uint8_t *data = malloc(1 << 20);
    size_t size = fread(data, 1, 1 << 20, file);
    fclose(file);
    cr_assert(size > 0 && size < 1 << 20, "%s has an odd size", path);
    return bytes_of(data, size);
}

static inline void support_free(struct bytes bytes) {
    free((void *)bytes.data);
}

/* Decodes the blocks of a PEM file; each is malloc'd with no byte to spare, so that reading past it is seen. */
static inline size_t support_chain(const char *folder, const char *name, struct bytes chain[static SUPPORT_CHAIN_MAX]) {
    struct bytes text = support_read(folder, name);
    struct pem_reader reader = pem_reader_of(text);
    size_t count = 0;
    struct pem_block block;
    while (pem_next(&reader, &block) == PEM_BLOCK) {
        cr_assert(count < SUPPORT_CHAIN_MAX);
        uint8_t *der = malloc(block.size);
        pem_decode(&block, der);
        chain[count++] = bytes_of(der, block.size);
    }
    support_free(text);
    return count;
}

static inline void support_free_chain(struct bytes *chain, size_t count) {
    for (size_t i = 0; i < count; i++) {
        support_free(chain[i]);
    }
}

static inline void support_add_root(struct trust *trust, const char *folder, const char *name) {
    struct error error = {""};
    struct bytes file = support_read(folder, name);
    cr_assert(trust_add_file(trust, file, &error) == 0, "%s: %s", name, error.text);
    support_free(file);
}

/* Bytes of a string literal. */
#define SUPPORT_BYTES(literal) bytes_of(literal, sizeof(literal) - 1)

#endif
