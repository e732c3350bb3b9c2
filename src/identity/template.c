#include "identity/template.h"

#include <stdio.h>
#include <stdlib.h>

/* A template in the making. */
struct template_reader {
    const char *next; /* of what is to be read */
    struct template *template;
    size_t size;  /* bytes of the template's text so far */
    size_t begun; /* where the text of the part in the making begins */
};

static bool is_white(char c) {
    return c == ' ' || c == '\t';
}

static const char *find_fault(const char *text, size_t size) {
    if (size == 0) {
        return "it is empty";
    }
    if (size > TEMPLATE_SIZE_MAX) {
        return "it has more than 8 KiB";
    }
    if (is_white(text[0]) || is_white(text[size - 1])) {
        return "it has white space at an end";
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] >= 0x7f) {
            return "it has a character beyond ASCII";
        }
        if (text[i] < ' ' && text[i] != '\t') {
            return "it has a control character, such as a line break";
        }
    }
    return NULL;
}

static struct template_part *end_part(struct template_reader *reader) {
    struct template *template = reader->template;
    struct template_part *part = &template->parts[template->field_count];
    part->text = bytes_of(template->text + reader->begun, reader->size - reader->begun);
    reader->begun = reader->size;
    return part;
}

/* Reads the field behind a "{". Returns why it cannot. */
static const char *read_field(struct template_reader *reader, struct template_fault *fault) {
    const char *end = strchr(reader->next, '}');
    if (end == NULL) {
        return "it has a { without its }; a brace of the text itself is {{";
    }
    if (reader->template->field_count == TEMPLATE_FIELDS_MAX) {
        return "it has more than 16 fields";
    }
    char name[TEMPLATE_NAME_SIZE];
    size_t size = (size_t)(end - reader->next);
    int cut = size < sizeof name ? (int)size : (int)sizeof name - 1;
    snprintf(name, sizeof name, "%.*s", cut, reader->next);
    struct template_part *part = end_part(reader);
    if (size >= sizeof name || !field_parse(name, &part->field)) {
        snprintf(fault->field, sizeof fault->field, "%s", name);
        return "it has a field that there is not";
    }
    reader->template->field_count++;
    reader->next = end + 1;
    return NULL;
}

static const char *read_all(struct template_reader *reader, struct template_fault *fault) {
    while (*reader->next != '\0') {
        char c = *reader->next++;
        bool is_brace = c == '{' || c == '}';
        if (is_brace && *reader->next == c) {
            reader->next++;
        } else if (c == '{') {
            const char *why = read_field(reader, fault);
            if (why != NULL) {
                return why;
            }
            continue;
        } else if (c == '}') {
            return "it has a } without its {; a brace of the text itself is }}";
        }
        reader->template->text[reader->size++] = c;
    }
    end_part(reader);
    return NULL;
}

struct template *template_parse(const char *text, struct template_fault *fault) {
    size_t size = strlen(text);
    *fault = (struct template_fault){.why = find_fault(text, size)};
    if (fault->why != NULL) {
        return NULL;
    }
    struct template *template = calloc(1, sizeof *template + size);
    if (template == NULL) {
        fault->why = "out of memory";
        return NULL;
    }
    struct template_reader reader = {.next = text, .template = template};
    fault->why = read_all(&reader, fault);
    if (fault->why != NULL) {
        free(template);
        return NULL;
    }
    return template;
}

bool template_has(const struct template *template, enum field_source source) {
    for (size_t i = 0; i < template->field_count; i++) {
        if (field_source(&template->parts[i].field) == source) {
            return true;
        }
    }
    return false;
}
