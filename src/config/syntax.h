/* Says in other words what libyaml finds wrong with a text, so that they tell what to change. */
#ifndef CONFIG_SYNTAX_H
#define CONFIG_SYNTAX_H

#include "base/bytes.h"

enum { SYNTAX_TEXT_SIZE = 320 };

/* A fault as libyaml has it. Lines are from 1. */
struct syntax_fault {
    const char *problem; /* "did not find expected key" */
    const char *context; /* "while parsing a block mapping"; "" for none */
    unsigned line;       /* of the problem */
    unsigned begin;      /* of the context; of no meaning without one */
};

/* Writes one line to `out`. `text`: the whole file. */
void syntax_explain(const struct syntax_fault *fault, struct bytes text, char out[static SYNTAX_TEXT_SIZE]);

#endif
