/* The steps of one side of a bare exchange of bytes, as text: "r300 s1200 r900 S400 R90 s180 w". */
#ifndef BENCH_LIMIT_SCRIPT_H
#define BENCH_LIMIT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

enum { SCRIPT_STEPS_MAX = 16, SCRIPT_SIZE_MAX = 1 << 30 };

enum script_kind {
    SCRIPT_RECEIVE = 'r',
    SCRIPT_SEND = 's',
    SCRIPT_RECEIVE_ORIGIN = 'R', /* on a connection to the origin that one side has at a time */
    SCRIPT_SEND_ORIGIN = 'S',
    SCRIPT_FORWARD = 'f',        /* from the origin, as it comes */
    SCRIPT_FORWARD_ORIGIN = 'F', /* to the origin, as it comes */
};

/* The way on from the last step. */
enum script_end {
    SCRIPT_LOOP = 'l',
    SCRIPT_CLOSE = 'c', /* with a reset */
    SCRIPT_WAIT = 'w',  /* until the other side closes */
};

struct script {
    struct {
        enum script_kind kind;
        uint32_t size; /* bytes, 1 to SCRIPT_SIZE_MAX */
    } steps[SCRIPT_STEPS_MAX];
    unsigned count;
    enum script_end end;
};

/* False: the text is no script. */
bool script_parse(struct script *script, const char *text);

#endif
