#include "limit/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool add_step(struct script *script, char kind, const char *size_text, char **end) {
    errno = 0;
    unsigned long long size = strtoull(size_text, end, 10);

    if (*end == size_text || errno != 0 || size == 0 || size > SCRIPT_SIZE_MAX || script->count == SCRIPT_STEPS_MAX) {
        return false;
    }
    script->steps[script->count].kind = (enum script_kind)kind;
    script->steps[script->count].size = (uint32_t)size;
    script->count++;
    return true;
}

bool script_parse(struct script *script, const char *text) {
    *script = (struct script){0};
    while (*text != '\0') {
        char kind = *text++;

        if (strchr("lcw", kind) != NULL) {
            script->end = (enum script_end)kind;
            return *text == '\0' && script->count > 0;
        }
        char *end;
        if (strchr("rsRSfF", kind) == NULL || *text < '0' || *text > '9' || !add_step(script, kind, text, &end)) {
            return false;
        }
        text = end;
        if (*text++ != ' ') {
            return false;
        }
    }
    return false;
}
