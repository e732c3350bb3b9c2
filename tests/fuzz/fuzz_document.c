/* The configuration's YAML reader and the numbers in it. Whatever the bytes, a refusal comes with a problem on a real line.
 */
#include "base/check.h"
#include "config/address.h"
#include "config/document.h"
#include "config/units.h"

#include <stdlib.h>

static void use_scalar(const char *text) {
    uint64_t value;
    if (units_parse_number(text, &value) || units_parse_duration(text, &value) || units_parse_size(text, &value)) {
        uint64_t again = 0;
        char formatted[UNITS_TEXT_SIZE];
        units_format_size(value, formatted);
        CHECK(units_parse_size(formatted, &again) && again == value);
    }
    struct config_address address;
    struct error error;
    if (address_parse(text, &address, &error) == 0) {
        CHECK(address_equal(&address, &address) && address_overlaps(&address, &address));
    }
    address_check_name(text);
}

/* The reader promises at most DOCUMENT_DEPTH_MAX levels. */
static void walk(const struct document_node *node, unsigned depth) {
    CHECK(depth <= DOCUMENT_DEPTH_MAX + 1 && node->line > 0);
    size_t children = 0;
    for (const struct document_node *child = node->first; child != NULL; child = child->next, children++) {
        walk(child, depth + 1);
    }
    CHECK(children == (node->type == DOCUMENT_MAPPING ? node->count * 2 : node->count));
    if (node->type == DOCUMENT_SCALAR) {
        use_scalar(node->text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config_problems problems = {0};
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80; /* NEL, LS and PS are line ends too */
    }
    struct document document;
    if (document_read(&document, bytes_of(data, size), "fuzz", &problems)) {
        walk(document.root, 1);
    } else {
        CHECK(problems.count > 0);
    }
    for (size_t i = 0; i < problems.count; i++) {
        CHECK(problems.items[i].line >= 1 && problems.items[i].line <= lines);
    }
    document_free(&document);
    config_problems_free(&problems);
    return 0;
}
