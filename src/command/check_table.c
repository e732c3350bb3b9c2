#include "command/check_table.h"

#include "base/check.h"
#include "base/clock.h"
#include "config/units.h"
#include "config/words.h"
#include "path/terms.h"

#include <inttypes.h>

enum {
    HOST_WIDTH = 22,
    MODE_WIDTH = 7,
    DATE_WIDTH = 21, /* a time, and a mark when the time is past */
    INDENT = 4,
    DEEP_INDENT = 8, /* of a line that continues the one before */
};

/* A line under a row while words are put on it. */
struct wrapped {
    FILE *out;
    size_t used; /* columns */
    bool is_first;
};

static void begin_line(struct wrapped *line, FILE *out) {
    *line = (struct wrapped){.out = out, .used = INDENT, .is_first = true};
    fprintf(out, "%*s", INDENT, "");
}

static void break_line(struct wrapped *line) {
    fprintf(line->out, "\n%*s", DEEP_INDENT, "");
    line->used = DEEP_INDENT;
    line->is_first = true;
}

/* Puts the word on the line, or on the next one when it does not fit, or in parts on several lines when it fits on none. */
static void put_word(struct wrapped *line, const char *word) {
    size_t size = strlen(word);
    if (!line->is_first && line->used + 1 + size > CHECK_TABLE_WIDTH) {
        break_line(line);
    }
    if (!line->is_first) {
        fputc(' ', line->out);
        line->used++;
    }
    while (size > CHECK_TABLE_WIDTH - line->used) {
        size_t part = CHECK_TABLE_WIDTH - line->used;
        fprintf(line->out, "%.*s", (int)part, word);
        word += part;
        size -= part;
        break_line(line);
    }
    fputs(word, line->out);
    line->used += size;
    line->is_first = false;
}

static void end_line(struct wrapped *line) {
    fputc('\n', line->out);
}

/* Writes the time to a cell, with a mark when it is past. Returns whether it is past. */
static bool format_end(int64_t end, int64_t now_s, char cell[static WORDS_TIME_SIZE]) {
    if (end == INT64_MAX) {
        snprintf(cell, WORDS_TIME_SIZE, "no end");
        return false;
    }
    char time[WORDS_TIME_SIZE];
    snprintf(cell, WORDS_TIME_SIZE, "%.*s%s", DATE_WIDTH - 1, words_time(end, time), end < now_s ? "!" : "");
    return end < now_s;
}

/* Returns the earliest notAfter of the roots. */
static int64_t end_of_roots(const struct trust *trust) {
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < trust_count(trust); i++) {
        first = trust_not_after(trust, i) < first ? trust_not_after(trust, i) : first;
    }
    return first;
}

/* Returns the earliest nextUpdate of the lists that no newer one replaces. */
static int64_t end_of_lists(const struct revocation *revocation, int64_t now_s) {
    struct terms terms;
    CHECK(terms_of_lists(&terms, revocation, now_s) == 0); /* else out of memory */
    int64_t first = terms.count > 0 ? terms.items[0].end : TERM_NEVER;
    terms_free(&terms);
    return first;
}

static bool print_row(const struct config_host *host, int64_t now_s, FILE *out) {
    char roots[WORDS_TIME_SIZE] = "-";
    char lists[WORDS_TIME_SIZE] = "-";
    char certificate[WORDS_TIME_SIZE];
    bool has_ended = format_end(config_first_to_end(host)->credentials->not_after, now_s, certificate);
    if (host->trust != NULL) {
        has_ended = format_end(end_of_roots(host->trust), now_s, roots) || has_ended;
    }
    if (host->revocation != NULL) {
        has_ended = format_end(end_of_lists(host->revocation, now_s), now_s, lists) || has_ended;
    }
    const char *name = host->name;
    if (strlen(name) > HOST_WIDTH) {
        for (; strlen(name) > CHECK_TABLE_WIDTH; name += CHECK_TABLE_WIDTH) {
            fprintf(out, "%.*s\n", CHECK_TABLE_WIDTH, name);
        }
        fprintf(out, "%s\n", name);
        name = "";
    }
    fprintf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", HOST_WIDTH, name, MODE_WIDTH, config_mode_name(host->mode), DATE_WIDTH,
            certificate, DATE_WIDTH, roots, lists);
    return has_ended;
}

static void print_counts(const struct config_host *host, FILE *out) {
    if (!host->is_default && host->trust == NULL) {
        return;
    }
    struct wrapped line;
    begin_line(&line, out);
    if (host->is_default) {
        put_word(&line, host->trust == NULL ? "default host" : "default host,");
    }
    char text[96];
    if (host->trust != NULL) {
        size_t count = trust_count(host->trust);
        snprintf(text, sizeof text, "%zu %s,", count, count == 1 ? "root" : "roots");
        put_word(&line, text);
    }
    if (host->trust != NULL && host->revocation == NULL) {
        put_word(&line, "no CRLs");
    } else if (host->revocation != NULL) {
        size_t count = revocation_count(host->revocation);
        snprintf(text, sizeof text, "%zu %s with %" PRIu64 " revoked", count, count == 1 ? "CRL" : "CRLs",
                 revocation_entries(host->revocation));
        put_word(&line, text);
    }
    end_line(&line);
}

/* The row has the first end of several certificates; here each has its own, behind the kind of its key. */
static void print_certificates(const struct config_host *host, int64_t now_s, FILE *out) {
    for (size_t i = 0; host->certificate_count > 1 && i < host->certificate_count; i++) {
        const struct config_certificate *certificate = &host->certificates[i];
        char end[WORDS_TIME_SIZE];
        format_end(certificate->credentials->not_after, now_s, end);
        struct wrapped line;
        begin_line(&line, out);
        put_word(&line, "certificate");
        put_word(&line, tls_credentials_kind(certificate->credentials));
        put_word(&line, "until");
        put_word(&line, end);
        put_word(&line, certificate->path);
        end_line(&line);
    }
}

static void print_health(const struct config_host *host, FILE *out) {
    if (host->health == NULL) {
        return;
    }
    char text[32 + UNITS_TEXT_SIZE];
    char interval[UNITS_TEXT_SIZE];
    units_format_duration(host->health->interval_ms, interval);
    snprintf(text, sizeof text, "every %s%s", interval, host->required ? ", required" : "");
    struct wrapped line;
    begin_line(&line, out);
    put_word(&line, "health checks");
    put_word(&line, host->health->path == NULL ? "by connection" : host->health->path);
    put_word(&line, text);
    end_line(&line);
}

/* How its origins learn about a client: from headers, or at a tcp host from the PROXY header alone. */
static void print_protocol(const struct config_host *host, FILE *out) {
    struct wrapped line;
    begin_line(&line, out);
    put_word(&line, host->is_tcp ? "protocol tcp" : "headers");
    for (size_t i = 0; i < host->forward.count; i++) {
        put_word(&line, host->forward.headers[i].name);
    }
    end_line(&line);
}

static void print_origins(const struct config_host *host, FILE *out) {
    struct wrapped line;
    begin_line(&line, out);
    put_word(&line, "origins");
    for (size_t i = 0; i < host->origin_count; i++) {
        const struct config_origin *origin = &host->origins[i];
        for (size_t j = 0; j < origin->address_count; j++) {
            put_word(&line, origin->addresses[j].text);
        }
        if (origin->weight > 1) {
            char text[32];
            snprintf(text, sizeof text, "(weight %" PRIu32 ")", origin->weight);
            put_word(&line, text);
        }
        if (origin->backup) {
            put_word(&line, "(backup)");
        }
    }
    end_line(&line);
}

/* How its origins are reached and chosen, where that is not as it is without any setting. */
static void print_way(const struct config_host *host, FILE *out) {
    static const char *const balances[] = {
        [CONFIG_LEAST_CONNECTIONS] = "balance: least_connections", [CONFIG_HASH] = "balance: hash"};
    const char *words[] = {
        host->origin_tls != NULL ? "origin_tls" : NULL,
        host->origin_tls != NULL && host->origin_tls->certificate.credentials != NULL ? "with a certificate" : NULL,
        host->origin_http2 ? "origin_protocol: http2" : NULL,
        host->origin_proxy == CONFIG_ORIGIN_PROXY_V1   ? "origin_proxy_protocol: v1"
        : host->origin_proxy == CONFIG_ORIGIN_PROXY_V2 ? "origin_proxy_protocol: v2"
                                                       : NULL,
        balances[host->balance],
    };
    struct wrapped line;
    bool any = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i] != NULL) {
            if (!any) {
                begin_line(&line, out);
            }
            any = true;
            put_word(&line, words[i]);
        }
    }
    if (any) {
        end_line(&line);
    }
}

static void print_host(const struct config_host *host, int64_t now_s, FILE *out) {
    print_counts(host, out);
    print_certificates(host, now_s, out);
    print_protocol(host, out);
    print_origins(host, out);
    print_way(host, out);
    print_health(host, out);
}

static void print_balancers(const struct config_listener *listener, FILE *out) {
    struct wrapped line;
    begin_line(&line, out);
    put_word(&line, "PROXY headers from");
    for (size_t i = 0; i < listener->proxy_count; i++) {
        char text[PREFIX_TEXT_SIZE];
        prefix_write(&listener->proxies[i], text);
        put_word(&line, text);
    }
    end_line(&line);
}

/* Prints a listener that is more than an address where clients connect. */
static void print_listener(const struct config_listener *listener, FILE *out) {
    if (listener->proxy_count == 0 && listener->redirect_port == 0) {
        return;
    }
    fprintf(out, "%s\n", listener->address.text);
    if (listener->redirect_port > 0) {
        struct wrapped line;
        char text[64];
        snprintf(text, sizeof text, "redirects to https, port %u", listener->redirect_port);
        begin_line(&line, out);
        put_word(&line, text);
        end_line(&line);
    }
    if (listener->proxy_count > 0) {
        print_balancers(listener, out);
    }
}

void check_table_print(const struct config *config, FILE *out) {
    int64_t now_s = clock_wall_seconds();
    bool has_ended = false;
    fprintf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", HOST_WIDTH, "HOST", MODE_WIDTH, "MODE", DATE_WIDTH, "CERTIFICATE UNTIL",
            DATE_WIDTH, "ROOTS UNTIL", "CRLS UNTIL");
    for (size_t i = 0; i < config->host_count; i++) {
        has_ended = print_row(&config->hosts[i], now_s, out) || has_ended;
        print_host(&config->hosts[i], now_s, out);
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        print_listener(&config->listen[i], out);
    }
    if (has_ended) {
        fprintf(out, "! has ended\n");
    }
}
