#include "exposition.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, METRICS_MAX = 64 };

/* Where the reader stands: the metric that TYPE has opened, and the histogram series whose buckets are being read. */
struct state {
    char metrics[METRICS_MAX][NAME_SIZE]; /* all so far */
    size_t metric_count;
    char helped[NAME_SIZE]; /* by the last HELP */
    char type[NAME_SIZE];
    bool in_buckets, summed;
    char series[4096]; /* a histogram's labels without `le` */
    double last_bound, last_count;
};

static const char *metric(const struct state *state) {
    return state->metric_count > 0 ? state->metrics[state->metric_count - 1] : "";
}

static size_t name_size(const char *text, bool colons) {
    size_t size = 0;
    while (isalpha((unsigned char)text[size]) || text[size] == '_' || (colons && text[size] == ':') ||
           (size > 0 && isdigit((unsigned char)text[size]))) {
        size++;
    }
    return size;
}

static void read_comment(struct state *state, const char *line) {
    bool help = strncmp(line, "# HELP ", 7) == 0;
    cr_assert(help || strncmp(line, "# TYPE ", 7) == 0, "neither HELP nor TYPE: %s", line);
    const char *name = line + 7;
    size_t size = name_size(name, true);
    cr_assert(size > 0 && size < NAME_SIZE && name[size] == ' ', "%s", line);
    const char *rest = name + size + 1;
    cr_assert(!state->in_buckets, "a histogram without its count before %s", line);
    if (help) {
        cr_assert_gt(strlen(rest), 5);
        cr_assert_null(strchr(rest, '\\'));
        memcpy(state->helped, name, size);
        state->helped[size] = '\0';
        for (size_t i = 0; i < state->metric_count; i++) {
            cr_assert_str_neq(state->metrics[i], state->helped, "HELP twice");
        }
        return;
    }
    cr_assert(strlen(state->helped) == size && strncmp(state->helped, name, size) == 0, "TYPE without HELP: %s", line);
    cr_assert(strcmp(rest, "counter") == 0 || strcmp(rest, "gauge") == 0 || strcmp(rest, "histogram") == 0, "%s", line);
    cr_assert_lt(state->metric_count, METRICS_MAX);
    strcpy(state->metrics[state->metric_count++], state->helped);
    strcpy(state->type, rest);
    state->helped[0] = '\0';
}

/* From the brace on; the labels less `le` go to `series`, the value of `le` to `bound`. Returns what comes behind. */
static const char *read_labels(const char *at, char *series, char *bound) {
    bool first = true;
    for (at++; *at != '}'; first = false) {
        if (!first) {
            cr_assert_eq(*at++, ',');
        }
        const char *start = at;
        size_t size = name_size(at, false);
        cr_assert_gt(size, 0);
        at += size;
        cr_assert_eq(strncmp(at, "=\"", 2), 0, "%s", at);
        const char *value = at += 2;
        while (*at != '"') {
            cr_assert_neq(*at, '\0');
            if (*at == '\\') {
                at++;
                cr_assert(*at != '\0' && strchr("\\\"n", *at) != NULL, "unknown escape: %s", at - 1);
            }
            at++;
        }
        if (size == 2 && strncmp(start, "le", 2) == 0) {
            cr_assert_lt(at - value, NAME_SIZE);
            memcpy(bound, value, (size_t)(at - value));
            bound[at - value] = '\0';
        } else {
            strncat(series, start, (size_t)(at + 1 - start));
        }
        at++;
    }
    return at + 1;
}

static double read_number(const char *text) {
    cr_assert(!isspace((unsigned char)*text) && *text != '\0');
    char *end;
    double value = strtod(text, &end);
    cr_assert_eq(*end, '\0', "not a number: %s", text);
    return value;
}

static void read_histogram_sample(struct state *state, const char *suffix, const char *series, const char *bound,
                                  double value) {
    if (strcmp(suffix, "_bucket") == 0) {
        double limit = strcmp(bound, "+Inf") == 0 ? INFINITY : read_number(bound);
        if (!state->in_buckets) {
            strcpy(state->series, series);
            state->last_bound = -INFINITY;
            state->last_count = 0;
            state->summed = false;
            state->in_buckets = true;
        }
        cr_assert_str_eq(series, state->series, "buckets of two series are mixed");
        cr_assert_gt(limit, state->last_bound);
        cr_assert_geq(value, state->last_count, "buckets are cumulative");
        state->last_bound = limit;
        state->last_count = value;
        return;
    }
    cr_assert(state->in_buckets && isinf(state->last_bound), "%s before +Inf", suffix);
    cr_assert_str_eq(series, state->series);
    cr_assert_str_eq(bound, "");
    if (strcmp(suffix, "_sum") == 0) {
        cr_assert(!state->summed);
        state->summed = true;
    } else {
        cr_assert_str_eq(suffix, "_count");
        cr_assert(state->summed);
        cr_assert_eq(value, state->last_count, "the count is that of +Inf");
        state->in_buckets = false;
    }
}

static double read_sample(struct state *state, char *line) {
    size_t size = name_size(line, true);
    size_t opened = strlen(metric(state));
    cr_assert(opened > 0 && state->helped[0] == '\0' && size >= opened && strncmp(line, metric(state), opened) == 0,
              "a sample of no open metric: %s", line);
    char suffix[NAME_SIZE] = "", series[4096] = "", bound[NAME_SIZE] = "";
    memcpy(suffix, line + opened, size - opened);
    const char *at = line + size;
    if (*at == '{') {
        cr_assert_lt(strlen(line), sizeof series);
        at = read_labels(at, series, bound);
    }
    cr_assert_eq(*at, ' ', "%s", line);
    double value = read_number(at + 1);
    line[at - line] = '\0';
    if (strcmp(state->type, "histogram") == 0) {
        read_histogram_sample(state, suffix, series, bound, value);
    } else {
        cr_assert_str_eq(suffix, "", "%s", line);
        bool total = opened > 6 && strcmp(metric(state) + opened - 6, "_total") == 0;
        cr_assert_eq(total, strcmp(state->type, "counter") == 0, "only counters end in _total: %s", line);
    }
    return value;
}

static int compare_series(const void *a, const void *b) {
    return strcmp(((const struct sample *)a)->series, ((const struct sample *)b)->series);
}

void exposition_read(struct exposition *exposition, const char *page, size_t size) {
    cr_assert(size > 0 && page[size - 1] == '\n', "the last line ends too");
    cr_assert_null(memchr(page, '\0', size));
    cr_assert_null(memchr(page, '\r', size));
    size_t lines = 0;
    for (size_t i = 0; i < size; i++) {
        lines += page[i] == '\n';
    }
    *exposition = (struct exposition){.samples = calloc(lines, sizeof *exposition->samples), .text = strndup(page, size)};
    struct state *state = calloc(1, sizeof *state);
    /* Not by strchr: with ASan's strict_string_checks it reads all of a large page behind the line, each time. */
    for (char *line = exposition->text, *next; *line != '\0'; line = next) {
        char *end = memchr(line, '\n', size - (size_t)(line - exposition->text));
        *end = '\0';
        next = end + 1;
        if (*line == '#') {
            read_comment(state, line);
        } else {
            double value = read_sample(state, line);
            exposition->samples[exposition->count++] = (struct sample){line, value};
        }
    }
    cr_assert(!state->in_buckets && state->helped[0] == '\0');
    free(state);
    qsort(exposition->samples, exposition->count, sizeof *exposition->samples, compare_series);
    for (size_t i = 1; i < exposition->count; i++) {
        cr_assert_str_neq(exposition->samples[i].series, exposition->samples[i - 1].series, "a series twice");
    }
}

void exposition_free(struct exposition *exposition) {
    free(exposition->samples);
    free(exposition->text);
}

double exposition_value(const struct exposition *exposition, const char *series) {
    const struct sample *found = bsearch(&(struct sample){.series = series}, exposition->samples, exposition->count,
                                         sizeof *exposition->samples, compare_series);
    cr_assert_not_null(found, "no series %s", series);
    return found->value;
}

size_t exposition_count(const struct exposition *exposition, const char *prefix) {
    size_t count = 0;
    for (size_t i = 0; i < exposition->count; i++) {
        count += strncmp(exposition->samples[i].series, prefix, strlen(prefix)) == 0;
    }
    return count;
}
