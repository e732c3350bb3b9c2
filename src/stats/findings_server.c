#include "stats/findings_server.h"

#include "base/text.h"

#include <stdio.h>

static bool was(const struct findings_marks *marks, enum finding_what what) {
    return (marks->found >> what & 1) != 0;
}

static struct text begin(struct finding *finding, enum finding_level level, enum finding_what what) {
    *finding = (struct finding){.level = level, .what = what};
    return text_over(finding->text, sizeof finding->text - 1);
}

/* Returns whether the server's own clients are too many, and not strangers. */
static bool are_own(const struct findings_server *server) {
    return server->valid >= 0.9 * server->handshakes && server->refused < 0.1 * server->handshakes &&
           server->work_known >= server->work_others;
}

static void append_load(struct text *text, const struct findings_server *server) {
    if (server->refused >= 1) {
        text_append_format(text, " %.0f connections and requests a second are refused.", server->refused);
    }
    text_append_format(text, " Handshakes of known clients take %.2f cores, those of all others %.2f.", server->work_known,
                       server->work_others);
    if (are_own(server)) {
        text_append_string(text, " Nearly all are valid clients of yours: this machine is too small for them.");
    }
}

static void judge_admission(struct findings *findings, const struct findings_server *server,
                            const struct findings_marks *before, struct findings_marks *now) {
    unsigned flooded_least = was(before, FINDING_FLOODED) ? FINDINGS_ADMISSION_LEAVE_S : FINDINGS_FLOODED_S;
    unsigned loaded_least =
        was(before, FINDING_LOADED) || was(before, FINDING_FLOODED) ? FINDINGS_ADMISSION_LEAVE_S : FINDINGS_LOADED_S;
    struct finding finding;
    if (server->flooded_s >= flooded_least) {
        struct text text = begin(&finding, FINDING_CRITICAL, FINDING_FLOODED);
        text_append_string(&text,
                           "The server is flooded: known clients are served first, all others get what these leave over.");
        append_load(&text, server);
    } else if (server->loaded_s >= loaded_least) {
        struct text text = begin(&finding, FINDING_WARNING, FINDING_LOADED);
        text_append_string(&text,
                           "The server has more to do than it can: known clients are served first, and sources that have "
                           "failed of late are turned away.");
        append_load(&text, server);
    } else {
        return;
    }
    now->found |= 1u << finding.what;
    findings_add(findings, &finding);
}

static void judge_places(struct findings *findings, const struct findings_server *server,
                         const struct findings_marks *before, struct findings_marks *now) {
    uint64_t least = was(before, FINDING_PLACES_TAKEN) ? FINDINGS_PLACES_LEAST_LEAVE : FINDINGS_PLACES_LEAST;
    if (server->places_refused < least) {
        return;
    }
    struct finding finding;
    struct text text = begin(&finding, FINDING_CRITICAL, FINDING_PLACES_TAKEN);
    text_append_format(&text,
                       "All places for connections are taken: %llu connections were refused in the last minute. Raise "
                       "limits.connections, or look for clients that keep connections open without need.",
                       (unsigned long long)server->places_refused);
    now->found |= 1u << finding.what;
    findings_add(findings, &finding);
}

static void judge_files(struct findings *findings, const struct findings_server *server, struct findings_marks *now) {
    struct finding finding;
    if (server->reload_failed) {
        struct text text = begin(&finding, FINDING_WARNING, FINDING_RELOAD_FAILED);
        text_append_string(&text, "The last reload failed: the configuration of ");
        text_append_time(&text, server->config_loaded_s);
        text_append_string(&text,
                           " is still served. The log says what is wrong with the file, and so does sallyport check.");
        now->found |= 1u << finding.what;
        findings_add(findings, &finding);
    }
    if (server->log_dropped > 0) {
        struct text text = begin(&finding, FINDING_WARNING, FINDING_LOG_DROPPED);
        text_append_format(
            &text,
            "%llu lines of the access log were lost in the last minute: the disk is full, or too slow. Requests "
            "do not wait for it.",
            (unsigned long long)server->log_dropped);
        now->found |= 1u << finding.what;
        findings_add(findings, &finding);
    }
}

void findings_of_server(struct findings *findings, const struct findings_server *server, struct findings_marks *marks) {
    struct findings_marks now = {0};
    judge_admission(findings, server, marks, &now);
    judge_places(findings, server, marks, &now);
    judge_files(findings, server, &now);
    *marks = now;
}
