/* Whatever comes: blocks that decode to as many bytes as they say, an end, or an error with a line that exists. */
#include "base/check.h"
#include "base/hash.h"
#include "path/trust.h"
#include "x509/container.h"
#include "x509/pem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count_lines(const uint8_t *data, size_t size) {
    unsigned lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    return lines;
}

/* libFuzzer's own hook, once before any input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    hash_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pem_reader reader = pem_reader_of(bytes_of(data, size));
    struct pem_block block;
    enum pem_result result;
    while ((result = pem_next(&reader, &block)) == PEM_BLOCK) {
        CHECK(block.size > 0 && block.size <= size);
        uint8_t *der = malloc(block.size);
        pem_decode(&block, der);
        free(der);
    }
    CHECK(result == PEM_END || (reader.error_line >= 1 && reader.error_line <= count_lines(data, size)));

    /* container_read must have found a certificate in a file that trust_add_file takes. */
    unsigned found = container_read(bytes_of(data, size));
    struct trust *trust = trust_create();
    struct error error;
    if (trust_add_file(trust, bytes_of(data, size), &error) == 0) {
        CHECK(trust_count(trust) > 0 && (found & CONTAINER_CERTIFICATE) != 0);
    } else {
        CHECK(trust_count(trust) == 0 && error.text[0] != '\0');
    }
    trust_free(trust);
    return 0;
}
