/* The curl lines that show what Sallyport does, in one table: printed for people to try, and run by `demo --once`. */
#ifndef DEMO_LINES_H
#define DEMO_LINES_H

#include "base/text.h"
#include "demo/site.h"

enum {
    DEMO_LINE_OPTIONS_MAX = 4,
    DEMO_LINE_FRAGMENTS_MAX = 4,
    DEMO_LINE_ARGUMENTS_MAX = 24, /* room that demo_line_arguments needs */
    DEMO_LINE_URL_SIZE = 64,
    DEMO_LINE_GOT_SIZE = 64,
    DEMO_LINE_WIDTH = 78, /* columns: of a terminal of 80, behind an indent of two */
};

enum demo_target { DEMO_TO_ENFORCE, DEMO_TO_REPORT, DEMO_TO_ADMIN };

struct demo_line {
    const char *title;
    const char *shows; /* for people: what to look at. With the title at most 74 characters, so that both fit in one row */
    bool first;        /* is printed also without --all */
    enum demo_target target;
    const char *path;
    const char *options[DEMO_LINE_OPTIONS_MAX];
    const char *expected; /* the answer as demo_line_judge sums it up */
    const char *has[DEMO_LINE_FRAGMENTS_MAX];
    const char *lacks[DEMO_LINE_FRAGMENTS_MAX];
    bool shows_ski; /* the answer must hold X-Client-Cert-SKI with the identifier of pizza.pem */
};

extern const struct demo_line demo_lines[];
extern const size_t demo_line_count;

/* Returns how many lines have `first`. */
size_t demo_line_count_first(void);
/*
 * Writes the line as one types it in the demo's folder, quoted for a shell. A row of more than DEMO_LINE_WIDTH columns is
 * continued in the next one, by a backslash at its end, with an indent of six.
 */
void demo_line_write(const struct demo_line *line, const struct demo_ports *ports, struct text *out);
/*
 * Writes the line as arguments for exec: "curl" first, NULL last. `extra` (NULL at its end, at most 8) goes behind "curl".
 * `arguments` points into `line`, `extra` and `url`.
 */
void demo_line_arguments(const struct demo_line *line, const struct demo_ports *ports, const char *const *extra,
                         char url[static DEMO_LINE_URL_SIZE], const char *arguments[static DEMO_LINE_ARGUMENTS_MAX]);

struct demo_verdict {
    bool ok;
    char got[DEMO_LINE_GOT_SIZE]; /* "403 json"; "200 valid, ok" (status and reason as the origin saw them); "421" */
    const char *missing;          /* a fragment that should be there, or NULL */
    const char *unwanted;         /* one that should not, or NULL */
};

/* Compares the output of `curl -i` with what the line expects. `ski` is that of pizza.pem, in hex. */
struct demo_verdict demo_line_judge(const struct demo_line *line, struct bytes output, const char *ski);

#endif
