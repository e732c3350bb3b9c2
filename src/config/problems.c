#include "config/problems.h"

#include "base/check.h"
#include "config/memory.h"

#include <stdlib.h>
#include <string.h>

static void make_room(struct config_problems *problems) {
    if (problems->count < problems->capacity) {
        return;
    }
    size_t capacity = problems->capacity == 0 ? 16 : problems->capacity * 2;
    problems->items = reallocarray(problems->items, capacity, sizeof *problems->items);
    CHECK(problems->items != NULL);
    problems->capacity = capacity;
}

static void replace_control_bytes(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

struct config_problem *problems_add_list(struct config_problems *problems, const char *file, unsigned line,
                                         const char *format, va_list arguments) {
    char *message = NULL;
    CHECK(vasprintf(&message, format, arguments) >= 0);
    replace_control_bytes(message);
    make_room(problems);
    size_t place = problems->count;
    while (place > 0 && problems->items[place - 1].line > line) {
        place--;
    }
    struct config_problem *item = &problems->items[place];
    memmove(item + 1, item, (problems->count - place) * sizeof *item);
    *item = (struct config_problem){.file = memory_copy_string(file), .line = line, .message = message};
    replace_control_bytes(item->file);
    problems->count++;
    return item;
}

void problems_add(struct config_problems *problems, const char *file, unsigned line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    problems_add_list(problems, file, line, format, arguments);
    va_end(arguments);
}

char *problem_text(const struct config_problem *problem, const char *kind) {
    char line[16] = "";
    char *text = NULL;
    if (problem->line > 0) {
        snprintf(line, sizeof line, ":%u", problem->line);
    }
    CHECK(asprintf(&text, "%s%s: %s%s", problem->file, line, kind, problem->message) >= 0);
    return text;
}

static void print_all(const struct config_problems *problems, const char *kind, FILE *out) {
    for (size_t i = 0; i < problems->count; i++) {
        char *text = problem_text(&problems->items[i], kind);
        fprintf(out, "%s\n", text);
        free(text);
    }
}

void config_problems_print(const struct config_problems *problems, FILE *out) {
    print_all(problems, "", out);
}

void config_warnings_print(const struct config_problems *warnings, FILE *out) {
    print_all(warnings, "warning: ", out);
}

void config_problems_free(struct config_problems *problems) {
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].file);
        free(problems->items[i].message);
    }
    free(problems->items);
    *problems = (struct config_problems){0};
}
