#include "load/progress.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { INTERVAL_NS = 1000000000, LINE_SIZE = 4096 };

void progress_begin(struct progress *progress, uint64_t now_ns) {
    memset(progress, 0, sizeof *progress);
    progress->begin_ns = progress->last_ns = now_ns;
}

static void append_outcomes(struct text *line, const uint64_t *from, const uint64_t *to, double seconds) {
    for (unsigned i = 0; i < OUTCOMES; i++) {
        char name[OUTCOME_NAME_SIZE];

        if (to[i] > from[i]) {
            outcome_name(i, name);
            text_append_format(line, "  %s %.0f /s", name, (double)(to[i] - from[i]) / seconds);
        }
    }
}

void progress_tell(struct progress *progress, const struct load_shared *shared, uint32_t open, uint64_t now_ns) {
    const struct tally *tally = &shared->tally;
    double seconds = (double)(now_ns - progress->last_ns) / 1e9;
    char buffer[LINE_SIZE];
    struct text line = text_over(buffer, sizeof buffer);

    if (now_ns < progress->last_ns + INTERVAL_NS) {
        return;
    }
    text_append_format(&line, "%6.0f s  %u open  %.0f connections /s", (double)(now_ns - progress->begin_ns) / 1e9, open,
                       (double)(tally->counters[TALLY_CONNECTIONS] - progress->counters[TALLY_CONNECTIONS]) / seconds);
    if (shared->options->behaviour->hostile) {
        append_outcomes(&line, progress->outcomes, tally->outcomes, seconds);
    } else {
        text_append_format(&line, "  %.0f answers /s  %llu failures",
                           (double)(tally->counters[TALLY_ANSWERS] - progress->counters[TALLY_ANSWERS]) / seconds,
                           (unsigned long long)tally_failures(progress->counters, tally->counters));
    }
    text_append_char(&line, '\n');
    fwrite(line.data, 1, line.size, stderr);
    progress->last_ns = now_ns;
    memcpy(progress->counters, tally->counters, sizeof progress->counters);
    memcpy(progress->outcomes, tally->outcomes, sizeof progress->outcomes);
}
