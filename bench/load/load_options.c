#include "load/load_options.h"

#include "base/key_group.h"
#include "base/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOPBACK_END 0x7fffffffU /* 127.255.255.255 cannot be bound */
#define SOURCE_FIRST 0x7f400001  /* 127.64.0.1; leaves 127.0.0.0/10 to everybody else */

static const char usage_head[] =
    "usage: sallyport-load MODE --connect ADDRESS:PORT [OPTION]...\n"
    "\n"
    "Loads a TLS server from one thread: a closed loop, in which a connection that has ended is followed by another;\n"
    "or an open one, in which connections begin at a rate whatever the server does. Hostile modes are floods: they count\n"
    "what the server did to each connection.\n"
    "\n"
    "modes:\n";

static const char usage_tail[] =
    "\n"
    "options:\n"
    "  --connect ADDRESS:PORT  the server, by address: 127.0.0.1:8443 or [::1]:8443\n"
    "  --sni NAME              server name and Host header (default: localhost)\n"
    "  --path PATH             what to GET (default: /)\n"
    "  --cert FILE|FOLDER      client certificate: one PEM with leaf, intermediates and key, or a folder of such *.pem;\n"
    "                          may be given again; connections take them in turn (default: none is presented)\n"
    "  --connections N         at the same time, 1 to 60000 (default: 64; idle: 1000)\n"
    "  --duration SECONDS      how long to measure, or to hold: 0.1 to 3600 (default: 5)\n"
    "  --warmup SECONDS        load before that, which is not measured: 0 to 60 (default: 0.5, or 0 with --count)\n"
    "  --count N               end after N answers if that comes before the time is over; hostile: after N connections,\n"
    "                          and no more are made\n"
    "  --rate N                open loop: N connections begin each second, as long as no more than --connections are open;\n"
    "                          latencies count from when one was due. 1 to 1000000 (default: a closed loop)\n"
    "  --timeout SECONDS       to connect and shake hands, and again to answer: 0.1 to 600 (default: 30; hostile: 3)\n"
    "  --http2                 requests by HTTP/2 (default: by HTTP/1.1)\n"
    "  --upload BYTES          each request is a POST with a body of so many bytes: 1 to 1073741824 (default: a GET)\n"
    "  --hosts N               connections name the hosts h0.NAME to hN-1.NAME of --sni in turn, 1 to 100000\n"
    "  --tls 1.2|1.3           the one version that is offered (default: 1.3)\n"
    "  --group NAME            the one group of key exchange that is offered, as x25519 or X25519MLKEM768 (default: "
    "x25519,\n"
    "                          and secp256r1 where the server lacks it)\n"
    "  --issuer-key FILE       issued: the key of the issuer of --cert, PEM, P-256\n"
    "  --identities N          issued: so many certificates, the same ones in every run, one after the other and again "
    "from\n"
    "                          the first: 1 to 16777216 (default: each is new)\n"
    "  --repeats N             h2-...: of the attack on each connection, 1 to 1000000000 (default: 10000)\n"
    "  --interval SECONDS      slow, hold, h2-...: between a byte, GET or look at the held streams and the\n"
    "                          next, 0.01 to 60 (default: 0.1)\n"
    "  --source-addresses N    connect from N addresses of 127.0.0.0/8 in turn, 1 to 1048576\n"
    "  --source-first ADDRESS  the first of them (default: 127.64.0.1)\n"
    "  --close reset|fin       how a mode that closes connections does it (default: reset, which leaves no port in "
    "TIME_WAIT)\n"
    "  --expect STATUS         the status that a good answer has (default: 200). Hostile: what may come of a connection,\n"
    "                          comma-separated: left, hello, fin, reset, timeout, refused, connect_timeout, alert_N,\n"
    "                          status_N, goaway_N, http1 (default: anything but refused)\n"
    "  --json                  one JSON object instead of the table\n"
    "  --help                  this text\n"
    "\n"
    "Hostile modes end by --duration too, have no warm-up unless it is asked for, and tell once a second how they fare, as\n"
    "all modes do. SIGINT and SIGTERM end the measured time as --duration does. The server's certificate and its signature\n"
    "are not checked. Exit status: 0 done and every answer was good, or all that came of hostile connections was expected;\n"
    "1 something failed (the result is printed all the same); 2 wrong usage.\n";

enum option_letter {
    OPTION_CONNECT = 256,
    OPTION_SNI,
    OPTION_PATH,
    OPTION_CERT,
    OPTION_CONNECTIONS,
    OPTION_DURATION,
    OPTION_WARMUP,
    OPTION_COUNT,
    OPTION_RATE,
    OPTION_TIMEOUT,
    OPTION_INTERVAL,
    OPTION_HTTP2,
    OPTION_UPLOAD,
    OPTION_HOSTS,
    OPTION_TLS,
    OPTION_GROUP,
    OPTION_ISSUER,
    OPTION_IDENTITIES,
    OPTION_REPEATS,
    OPTION_SOURCES,
    OPTION_SOURCE_FIRST,
    OPTION_CLOSE,
    OPTION_EXPECT,
    OPTION_JSON,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"sni", required_argument, NULL, OPTION_SNI},
    {"path", required_argument, NULL, OPTION_PATH},
    {"cert", required_argument, NULL, OPTION_CERT},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"warmup", required_argument, NULL, OPTION_WARMUP},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
    {"http2", no_argument, NULL, OPTION_HTTP2},
    {"upload", required_argument, NULL, OPTION_UPLOAD},
    {"hosts", required_argument, NULL, OPTION_HOSTS},
    {"tls", required_argument, NULL, OPTION_TLS},
    {"group", required_argument, NULL, OPTION_GROUP},
    {"issuer-key", required_argument, NULL, OPTION_ISSUER},
    {"identities", required_argument, NULL, OPTION_IDENTITIES},
    {"repeats", required_argument, NULL, OPTION_REPEATS},
    {"source-first", required_argument, NULL, OPTION_SOURCE_FIRST},
    {"source-addresses", required_argument, NULL, OPTION_SOURCES},
    {"close", required_argument, NULL, OPTION_CLOSE},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void print_usage(const struct behaviour *modes, size_t mode_count) {
    fputs(usage_head, stdout);
    for (size_t i = 0; i < mode_count; i++) {
        printf("  %-16s %s\n", modes[i].name, modes[i].summary);
    }
    fputs(usage_tail, stdout);
}

static bool refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool refuse(const char *format, ...) {
    fputs("sallyport-load: ", stderr);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("; see sallyport-load --help\n", stderr);
    return false;
}

static bool read_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *number) {
    errno = 0;
    char *end;
    *number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *number < min || *number > max) {
        return refuse("--%s takes a whole number from %llu to %llu, not '%s'", option, (unsigned long long)min,
                      (unsigned long long)max, text);
    }
    return true;
}

static bool read_seconds(const char *option, const char *text, double min, double max, uint64_t *ns) {
    char *end;
    double seconds = strtod(text, &end);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || !isfinite(seconds) || seconds < min || seconds > max) {
        return refuse("--%s takes seconds from %g to %g, not '%s'", option, min, max, text);
    }
    *ns = (uint64_t)(seconds * 1e9);
    return true;
}

/* Returns whether a text can stand in a request line or a header as it is. */
static bool is_printable(const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~') {
            return false;
        }
    }
    return text[0] != '\0';
}

static bool read_text(const char *option, const char *text, const char *what, size_t size_max, bool good,
                      const char **value) {
    if (!good || !is_printable(text) || strlen(text) > size_max) {
        return refuse("--%s takes %s of at most %zu characters without blanks, not '%s'", option, what, size_max, text);
    }
    *value = text;
    return true;
}

static bool read_milliseconds(const char *option, const char *text, double min, double max, uint64_t *ms) {
    uint64_t ns = 0;
    bool good = read_seconds(option, text, min, max, &ns);

    *ms = ns / 1000000;
    return good;
}

static bool read_source(const char *text, uint32_t *source) {
    struct in_addr address;

    if (inet_pton(AF_INET, text, &address) != 1 || ntohl(address.s_addr) >> 24 != IN_LOOPBACKNET) {
        return refuse("--source-first takes an address of 127.0.0.0/8, not '%s'", text);
    }
    *source = ntohl(address.s_addr);
    return true;
}

/* A status, or what may come of a hostile connection. */
static bool read_expected(struct load_options *options) {
    const char *text = options->expect_text;
    uint64_t status = 200;

    if (!options->behaviour->hostile) {
        bool good = text == NULL || read_number("expect", text, 200, 599, &status);

        options->expected_status = (unsigned)status;
        return good;
    }
    for (unsigned i = 0; i < OUTCOMES; i++) {
        options->expected_outcomes[i] = text == NULL && i != OUTCOME_REFUSED && i != OUTCOME_CONNECT_FAILED;
    }
    for (const char *next = text; next != NULL;) {
        size_t size = strcspn(next, ",");
        unsigned outcome = outcome_find(bytes_of(next, size));

        if (outcome == OUTCOMES) {
            return refuse("--expect: '%.*s' is nothing that can come of a connection", (int)size, next);
        }
        options->expected_outcomes[outcome] = true;
        next = next[size] == '\0' ? NULL : next + size + 1;
    }
    return true;
}

static bool read_close(const char *text, enum load_options_close *how) {
    if (strcmp(text, "reset") == 0) {
        *how = LOAD_OPTIONS_CLOSE_RESET;
    } else if (strcmp(text, "fin") == 0) {
        *how = LOAD_OPTIONS_CLOSE_FIN;
    } else {
        return refuse("--close takes reset or fin, not '%s'", text);
    }
    return true;
}

static bool read_connect(struct load_options *options, const char *text) {
    options->connect_text = text;
    if (socket_address_parse(text, &options->address, &options->address_size) < 0) {
        return refuse("--connect takes ADDRESS:PORT such as 127.0.0.1:8443 or [::1]:8443, not '%s'", text);
    }
    return true;
}

static bool read_version(const char *text, bool *tls12) {
    *tls12 = strcmp(text, "1.2") == 0;
    return *tls12 || strcmp(text, "1.3") == 0 || refuse("--tls takes 1.2 or 1.3, not '%s'", text);
}

static bool read_group(const char *text, uint16_t *group) {
    enum key_group found = key_group_find(text);

    *group = key_group_number(found);
    return found != KEY_GROUP_NONE || refuse("--group takes x25519, secp256r1, X25519MLKEM768 and the like, not '%s'", text);
}

static bool read_u32(const char *option, const char *text, uint32_t max, uint32_t *value) {
    uint64_t number = 0;
    bool good = read_number(option, text, 1, max, &number);

    *value = (uint32_t)number;
    return good;
}

/* The options that say what a client is, and what it asks for. */
static bool read_client_option(struct load_options *options, int letter, const char *text) {
    switch (letter) {
    case OPTION_UPLOAD:
        return read_u32("upload", text, LOAD_OPTIONS_UPLOAD_MAX, &options->upload);
    case OPTION_HOSTS:
        return read_u32("hosts", text, LOAD_OPTIONS_HOSTS_MAX, &options->hosts);
    case OPTION_TLS:
        return read_version(text, &options->tls12);
    case OPTION_GROUP:
        return read_group(text, &options->group);
    case OPTION_ISSUER:
        options->issuer = text;
        return true;
    case OPTION_IDENTITIES:
        return read_number("identities", text, 1, LOAD_OPTIONS_IDENTITIES_MAX, &options->identities);
    default:
        options->json = true;
        return true;
    }
}

static bool read_option(struct load_options *options, int letter, const char *text) {
    switch (letter) {
    case OPTION_CONNECT:
        return read_connect(options, text);
    case OPTION_SNI:
        return read_text("sni", text, "a name", 255, true, &options->name);
    case OPTION_PATH:
        return read_text("path", text, "a path that begins with '/'", 4096, text[0] == '/', &options->path);
    case OPTION_CERT:
        if (options->cert_count == LOAD_OPTIONS_CERTS_MAX) {
            return refuse("--cert is given more than %d times: name a folder", LOAD_OPTIONS_CERTS_MAX);
        }
        options->certs[options->cert_count++] = text;
        return true;
    case OPTION_CONNECTIONS:
        return read_u32("connections", text, LOAD_OPTIONS_CONNECTIONS_MAX, &options->connections);
    case OPTION_DURATION:
        return read_seconds("duration", text, 0.1, LOAD_OPTIONS_DURATION_MAX_S, &options->duration_ns);
    case OPTION_WARMUP:
        return read_seconds("warmup", text, 0, 60, &options->warmup_ns);
    case OPTION_COUNT:
        return read_number("count", text, 1, UINT64_MAX / 2, &options->count);
    case OPTION_SOURCES:
        return read_u32("source-addresses", text, LOAD_OPTIONS_SOURCES_MAX, &options->source_addresses);
    case OPTION_CLOSE:
        return read_close(text, &options->close);
    case OPTION_SOURCE_FIRST:
        return read_source(text, &options->source_first);
    case OPTION_RATE:
        return read_number("rate", text, 1, 1000000, &options->rate);
    case OPTION_TIMEOUT:
        return read_milliseconds("timeout", text, 0.1, 600, &options->timeout_ms);
    case OPTION_INTERVAL:
        return read_milliseconds("interval", text, 0.01, 60, &options->interval_ms);
    case OPTION_HTTP2:
        options->http2 = true;
        return true;
    case OPTION_REPEATS:
        return read_number("repeats", text, 1, 1000000000, &options->repeats);
    case OPTION_EXPECT:
        options->expect_text = text;
        return true;
    default:
        return read_client_option(options, letter, text);
    }
}

static bool is_loopback(const struct sockaddr_storage *address) {
    return address->ss_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Checks what a client is against the mode. */
static bool complete_client(const struct load_options *options) {
    const struct behaviour *behaviour = options->behaviour;
    bool bare = behaviour->connected != NULL || behaviour->attack != NULL || behaviour->tickets != TICKETS_NONE;

    if (bare && (options->tls12 || options->group != 0 || options->hosts > 0 || options->upload > 0)) {
        return refuse("%s takes none of --tls, --group, --hosts and --upload", behaviour->name);
    }
    if (options->http2 && (options->hosts > 0 || options->upload > 0)) {
        return refuse("--hosts and --upload are for HTTP/1.1");
    }
    if (options->tls12 && behaviour->resumes) {
        return refuse("%s is for TLS 1.3", behaviour->name);
    }
    if ((behaviour->forgery == FORGE_ISSUED) != (options->issuer != NULL)) {
        return refuse(options->issuer == NULL ? "%s needs --issuer-key" : "%s takes no --issuer-key", behaviour->name);
    }
    if (options->identities > 0 && behaviour->forgery != FORGE_ISSUED) {
        return refuse("%s takes no --identities", behaviour->name);
    }
    return true;
}

/* Checks the options against each other, and sets the defaults that depend on others. */
static bool complete(struct load_options *options, bool warmup_given) {
    const struct behaviour *behaviour = options->behaviour;

    if (options->connect_text == NULL) {
        return refuse("--connect ADDRESS:PORT is missing");
    }
    if (options->source_addresses > 0 && options->source_first + options->source_addresses > LOOPBACK_END) {
        return refuse("--source-addresses and --source-first lead beyond 127.0.0.0/8");
    }
    if (options->source_addresses > 0 && !is_loopback(&options->address)) {
        return refuse("--source-addresses works only towards an address of 127.0.0.0/8, which %s is not",
                      options->connect_text);
    }
    if (behaviour->holds && (options->count > 0 || warmup_given)) {
        return refuse("%s takes neither --count nor --warmup", behaviour->name);
    }
    if (options->close == LOAD_OPTIONS_CLOSE_FIN && !behaviour->closes) {
        return refuse("--close has no meaning for %s, which keeps its connections", behaviour->name);
    }
    if (options->rate > 0 && !behaviour->closes && !behaviour->hostile) {
        return refuse("--rate has no meaning for %s, which keeps its connections", behaviour->name);
    }
    if ((behaviour->forgery != FORGE_NONE || behaviour->tickets > TICKETS_JUNK) && options->cert_count == 0) {
        return refuse("%s needs --cert", behaviour->name);
    }
    if (options->http2 && (behaviour->connected != NULL || behaviour->attack != NULL)) {
        return refuse("--http2 has no meaning for %s, which makes no requests of HTTP/1.1", behaviour->name);
    }
    if (!complete_client(options)) {
        return false;
    }
    if (!read_expected(options)) {
        return false;
    }
    if (options->timeout_ms == 0) {
        options->timeout_ms = behaviour->hostile ? 3000 : 30000;
    }
    if (options->connections == 0) {
        options->connections = behaviour->connections_default;
    }
    if (!warmup_given) {
        options->warmup_ns = options->count > 0 || behaviour->holds || behaviour->hostile ? 0 : 500000000;
    }
    return true;
}

static bool find_mode(struct load_options *options, const struct behaviour *modes, size_t mode_count, int argc,
                      char **argv) {
    if (optind == argc) {
        return refuse("a mode is missing");
    }
    for (size_t i = 0; i < mode_count; i++) {
        if (strcmp(modes[i].name, argv[optind]) == 0) {
            options->behaviour = &modes[i];
        }
    }
    if (options->behaviour == NULL) {
        return refuse("'%s' is not a mode", argv[optind]);
    }
    if (optind + 1 < argc) {
        return refuse("unexpected argument '%s'", argv[optind + 1]);
    }
    return true;
}

enum load_options_result load_options_parse(struct load_options *options, const struct behaviour *modes, size_t mode_count,
                                            int argc, char **argv) {
    bool warmup_given = false;

    *options = (struct load_options){.name = "localhost",
                                     .path = "/",
                                     .duration_ns = 5000000000,
                                     .interval_ms = 100,
                                     .repeats = 10000,
                                     .source_first = SOURCE_FIRST};
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, ":", long_options, NULL)) != -1;) {
        if (letter == OPTION_HELP) {
            print_usage(modes, mode_count);
            return LOAD_OPTIONS_HELP;
        }
        if (letter == ':') {
            refuse("%s needs a value", argv[optind - 1]);
            return LOAD_OPTIONS_REFUSE;
        }
        if (letter == '?') {
            refuse("'%s' is not an option", argv[optind - 1]);
            return LOAD_OPTIONS_REFUSE;
        }
        warmup_given = warmup_given || letter == OPTION_WARMUP;
        if (!read_option(options, letter, optarg)) {
            return LOAD_OPTIONS_REFUSE;
        }
    }
    return find_mode(options, modes, mode_count, argc, argv) && complete(options, warmup_given) ? LOAD_OPTIONS_RUN
                                                                                                : LOAD_OPTIONS_REFUSE;
}
