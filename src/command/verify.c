#include "command/verify.h"

#include "base/check.h"
#include "base/clock.h"
#include "command/options.h"
#include "command/startup.h"
#include "command/timestamp.h"
#include "config/client_auth.h"
#include "config/file.h"
#include "config/load.h"
#include "guard/offer.h"
#include "identity/identity.h"
#include "x509/pem.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_VALID = 0,
    EXIT_INVALID = 1,
    EXIT_UNUSABLE = OPTIONS_EXIT_USAGE,
    /* The defaults of the configuration: client_auth.max_depth and limits.certificate_chain_size. */
    DEPTH_DEFAULT = 4,
    DEPTH_MAX = 16,
    FIELDS_MAX = 64, /* more than there are, but for extensions */
    CHAIN_SIZE_MAX = 16 * 1024,
    CERTIFICATES_MAX = 64, /* of CHAIN; more than the server takes, so that the server's code reports the excess */
    FILE_SIZE_MAX = 4 * 1024 * 1024,
};

static const char usage[] =
    "usage: sallyport verify --ca FILE [--ca FILE]... [--crl FILE]... [--at TIME] [--max-depth N] [--json] CHAIN\n"
    "       sallyport verify -c FILE --host NAME [--at TIME] [--json] CHAIN\n"
    "\n"
    "Judges a client certificate by the code and with the limits that the server uses, and prints the status, the\n"
    "reason, and each field of the certificate that a header could carry.\n"
    "\n"
    "  CHAIN             the certificate and its intermediates: PEM, the client's own first; or one in DER\n"
    "  --ca FILE         trusted roots, PEM or DER; may be given more than once\n"
    "  --crl FILE        revocation lists, PEM or DER; may be given more than once. Every certificate below the root then\n"
    "                    needs a current list of its issuer; without --crl revocation is not checked\n"
    "  -c, --config FILE the configuration of a server, whose host's roots, lists and limits are used; its files must be\n"
    "                    readable, as for `sallyport check`\n"
    "  --host NAME       the server name that the client asks for; \"\": it sends none\n"
    "  --at TIME         judge as of this time (RFC 3339, as 2026-11-24T02:26:00Z); now when absent\n"
    "  --max-depth N     intermediates and client certificate at most, 1 to 16; 4 when absent\n"
    "  --json            print one JSON object\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit status: 0 valid, 1 invalid, 2 arguments or files that cannot be used.\n";

struct arguments {
    const char *config_path;
    const char *host_name;
    struct config *config; /* loaded when all arguments are known; owns `host` */
    const struct config_host *host;
    struct trust *trust;
    struct revocation *revocation; /* NULL: not checked */
    const char **crl_paths;        /* of the files of --crl, in order; room for as many as there are arguments */
    size_t crl_count;
    const char *chain_path;
    int64_t at;
    size_t depth_max;
    bool depth_given;
    bool json;
};

/* The presented certificates; they are views of `content`. */
struct presented {
    struct bytes content;
    size_t size_max; /* bytes of all of them */
    struct bytes certificates[CERTIFICATES_MAX];
    size_t count;
    bool too_large;
};

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("sallyport verify: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_UNUSABLE;
}

static int read_file(const char *path, size_t size_max, struct bytes *content) {
    struct error error;
    if (file_read(path, size_max, content, &error) < 0) {
        return refuse("%s: %s", path, error.text);
    }
    return 0;
}

static int add_roots(struct trust *trust, const char *path) {
    struct bytes content;
    if (read_file(path, FILE_SIZE_MAX, &content) != 0) {
        return EXIT_UNUSABLE;
    }
    struct error error;
    int result = trust_add_file(trust, content, &error);
    file_content_free(&content);
    return result < 0 ? refuse("%s: %s", path, error.text) : 0;
}

static int add_crls(struct arguments *arguments, const char *path) {
    if (arguments->revocation == NULL && (arguments->revocation = revocation_create()) == NULL) {
        return refuse("out of memory");
    }
    arguments->crl_paths[arguments->crl_count++] = path;
    struct bytes content;
    if (read_file(path, CLIENT_AUTH_CRL_SIZE_MAX, &content) != 0) {
        return EXIT_UNUSABLE;
    }
    struct error error;
    int result = revocation_add_file(arguments->revocation, content, &error);
    file_content_free(&content);
    return result < 0 ? refuse("%s: %s", path, error.text) : 0;
}

/* Counts as the server does: keeps neither a certificate that goes over the limit nor those behind it. */
static void present(struct presented *presented, struct bytes der, size_t *total) {
    *total += der.size;
    presented->too_large = presented->too_large || *total > presented->size_max;
    if (!presented->too_large && presented->count < CERTIFICATES_MAX) {
        presented->certificates[presented->count++] = der;
    }
}

/* Decodes each block over its own base64 text, which is longer. */
static int read_pem_chain(const char *path, struct presented *presented) {
    struct pem_reader reader = pem_reader_of(presented->content);
    size_t total = 0;
    struct pem_block block;
    enum pem_result found;
    while ((found = pem_next(&reader, &block)) == PEM_BLOCK) {
        if (!pem_label_is(&block, "CERTIFICATE")) {
            continue; /* a key in the same file is passed over */
        }
        uint8_t *der = (uint8_t *)block.body.data;
        pem_decode(&block, der);
        present(presented, bytes_of(der, block.size), &total);
    }
    if (found == PEM_ERROR) {
        return refuse("%s: line %u: %s", path, reader.error_line, reader.error);
    }
    if (total == 0) {
        return refuse("%s: there is no certificate in it: neither PEM nor DER", path);
    }
    return 0;
}

static int read_chain(const char *path, struct presented *presented) {
    if (read_file(path, FILE_SIZE_MAX, &presented->content) != 0) {
        return EXIT_UNUSABLE;
    }
    size_t total = 0;
    if (!pem_is_der(presented->content)) {
        return read_pem_chain(path, presented);
    }
    present(presented, presented->content, &total);
    return 0;
}

static void print_json_member(const char *name, struct bytes value, bool first) {
    char buffer[IDENTITY_HEADER_VALUE_MAX * 6 + 2]; /* at worst each byte is \uXXXX */
    struct text text = text_over(buffer, sizeof buffer);
    text_append_json(&text, value);
    printf("%s\"%s\": %.*s", first ? "{" : ", ", name, (int)text.size, text.data);
}

static void print_member(bool json, const char *name, struct bytes value, bool first) {
    if (json) {
        print_json_member(name, value, first);
    } else {
        printf("%s: %.*s\n", name, (int)value.size, (const char *)value.data);
    }
}

/* Prints the header block that the server would send: "name: value\r\n" for each field, status and reason first. */
static void print_identity(const struct identity *identity, bool json) {
    struct bytes rest = identity->headers;
    for (size_t line = 0; rest.size > 0; line++) {
        const uint8_t *colon = memchr(rest.data, ':', rest.size);
        const uint8_t *end = memchr(rest.data, '\r', rest.size);
        CHECK(colon != NULL && end != NULL && colon + 2 <= end);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(colon - rest.data), (const char *)rest.data);
        print_member(json, name, bytes_of(colon + 2, (size_t)(end - colon) - 2), line == 0);
        rest = bytes_of(end + 2, rest.size - (size_t)(end + 2 - rest.data));
        if (line == 1 && identity->detail[0] != '\0') {
            print_member(json, "detail", bytes_of_string(identity->detail), false);
        }
    }
    if (json) {
        fputs("}\n", stdout);
    }
}

/* The headers of `verify`: each field but those of a connection, under the contract's own name. */
struct fields {
    char names[FIELDS_MAX][FIELD_NAME_SIZE];
    struct forward_header headers[FIELDS_MAX];
    size_t count;
};

static void list_fields(struct fields *fields) {
    fields->count = 0;
    for (size_t i = 0;; i++) {
        CHECK(fields->count < FIELDS_MAX);
        char *name = fields->names[fields->count];
        struct forward_header *header = &fields->headers[fields->count];
        if (!field_name_at(i, name)) {
            return;
        }
        CHECK(field_parse(name, &header->field));
        header->name = name;
        header->template = NULL;
        fields->count += field_source(&header->field) != FIELD_OF_CONNECTION;
    }
}

static int judge(const struct arguments *arguments, const struct presented *presented) {
    struct fields fields;
    list_fields(&fields);
    const struct forward forward = {fields.headers, fields.count};
    struct identity_policy policy = {
        .trust = arguments->trust,
        .depth_max = arguments->depth_max,
        .revocation = arguments->revocation,
        .revocation_scope = REVOCATION_CHAIN,
    };
    if (arguments->host != NULL) {
        policy = arguments->host->policy;
    }
    policy.answers = NULL;
    policy.forward = &forward; /* all fields, and not only those that the host forwards */
    struct identity *identity =
        identity_judge(&policy, presented->certificates, presented->count, presented->too_large, arguments->at);
    if (identity == NULL) {
        return refuse("out of memory");
    }
    print_identity(identity, arguments->json);
    int status = identity->status == STATUS_VALID ? EXIT_VALID : EXIT_INVALID;
    identity_release(identity);
    return fflush(stdout) == 0 ? status : refuse("cannot write to stdout");
}

static int set_depth(struct arguments *arguments, const char *text) {
    char *end;
    unsigned long depth = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || depth < 1 || depth > DEPTH_MAX) {
        return refuse("--max-depth is \"%s\", it must be 1 to %d", text, DEPTH_MAX);
    }
    arguments->depth_max = depth;
    arguments->depth_given = true;
    return 0;
}

static int set_time(struct arguments *arguments, const char *text) {
    if (!timestamp_parse(text, &arguments->at)) {
        return refuse("--at is \"%s\", it must be a time as 2026-11-24T02:26:00Z", text);
    }
    return 0;
}

static int set_once(const char **value, const char *option) {
    if (*value != NULL) {
        return refuse("%s is given twice", option);
    }
    *value = optarg;
    return 0;
}

enum { OPTION_CONFIG = 'c', OPTION_CA = 256, OPTION_CRL, OPTION_AT, OPTION_HOST, OPTION_MAX_DEPTH, OPTION_JSON };

static int set_option(struct arguments *arguments, int option, char **argv) {
    switch (option) {
    case OPTION_CONFIG:
        return set_once(&arguments->config_path, "-c");
    case OPTION_HOST:
        return set_once(&arguments->host_name, "--host");
    case OPTION_CA:
        return add_roots(arguments->trust, optarg);
    case OPTION_CRL:
        return add_crls(arguments, optarg);
    case OPTION_AT:
        return set_time(arguments, optarg);
    case OPTION_MAX_DEPTH:
        return set_depth(arguments, optarg);
    case OPTION_JSON:
        arguments->json = true;
        return 0;
    case ':':
        return refuse("%s needs a value; see sallyport verify --help", argv[optind - 1]);
    default:
        return refuse("unknown option \"%s\"; see sallyport verify --help", argv[optind - 1]);
    }
}

static int check_crls(const struct arguments *arguments) {
    struct error error;
    if (arguments->revocation == NULL || revocation_check(arguments->revocation, arguments->trust, &error) == 0) {
        return 0;
    }
    unsigned file = revocation_file_at_fault(arguments->revocation);
    return refuse("%s: %s", file == 0 ? "--crl" : arguments->crl_paths[file - 1], error.text);
}

/* Sees that roots, lists and limits come from a host or from the command line, never from both. */
static int check_sources(const struct arguments *arguments) {
    bool has_roots = trust_count(arguments->trust) > 0;
    const char *own = has_roots                  ? "--ca"
                      : arguments->crl_count > 0 ? "--crl"
                      : arguments->depth_given   ? "--max-depth"
                                                 : NULL;
    if (arguments->config_path != NULL && own != NULL) {
        return refuse("%s and -c exclude each other: with -c the host's own settings are used", own);
    }
    if (arguments->config_path != NULL && arguments->host_name == NULL) {
        return refuse("-c needs --host NAME: the server name that the client asks for; see sallyport verify --help");
    }
    if (arguments->config_path == NULL && arguments->host_name != NULL) {
        return refuse("--host needs -c FILE: the configuration that has the host; see sallyport verify --help");
    }
    if (arguments->config_path == NULL && !has_roots) {
        return refuse("--ca FILE is missing, or -c FILE --host NAME; see sallyport verify --help");
    }
    return 0;
}

/* Reads the arguments. 0, or EXIT_UNUSABLE; *help is set when --help was asked for instead. */
static int read_arguments(int argc, char **argv, struct arguments *arguments, bool *help) {
    static const struct option options[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"host", required_argument, NULL, OPTION_HOST},
        {"ca", required_argument, NULL, OPTION_CA},
        {"crl", required_argument, NULL, OPTION_CRL},
        {"at", required_argument, NULL, OPTION_AT},
        {"max-depth", required_argument, NULL, OPTION_MAX_DEPTH},
        {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    optind = 0; /* glibc: starts over, also after an earlier use in this process */
    for (int option; (option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1;) {
        *help = *help || option == 'h';
        if (option != 'h' && set_option(arguments, option, argv) != 0) {
            return EXIT_UNUSABLE;
        }
    }
    if (*help) {
        return 0;
    }
    if (argc - optind != 1) {
        return refuse("%s; see sallyport verify --help", argc == optind ? "CHAIN is missing" : "more than one CHAIN");
    }
    arguments->chain_path = argv[optind];
    int status = check_sources(arguments);
    return status != 0 ? status : check_crls(arguments);
}

static int refuse_unserved(const struct arguments *arguments, const char *name) {
    const struct config *config = arguments->config;
    char buffer[1024];
    struct text text = text_over(buffer, sizeof buffer - 1);
    for (size_t i = 0; i < config->host_count && !text.overflow; i++) {
        text_append_format(&text, "%s%s", i == 0 ? "" : ", ", config->hosts[i].name);
    }
    buffer[text.size] = '\0';
    return refuse("%s: no host serves %s%s: its clients get the alert unrecognized_name; the hosts are %s%s",
                  arguments->config_path, name[0] != '\0' ? "the server name " : "clients without a server name", name,
                  buffer, text.overflow ? ", ..." : "");
}

/* Finds the host as the server does, with the server name of a client's hello. */
static int find_host(struct arguments *arguments) {
    struct hello hello = {0};
    if (arguments->host_name[0] != '\0' && !offer_take_name(bytes_of_string(arguments->host_name), &hello)) {
        return refuse("--host is \"%s\": %s", arguments->host_name, hello.fault);
    }
    arguments->host = config_find_host(arguments->config, hello.name);
    if (arguments->host == NULL) {
        return refuse_unserved(arguments, hello.name);
    }
    if (arguments->host->mode == CONFIG_OFF) {
        return refuse("%s: host %s has mode off: its clients are asked for no certificate, so there is no verdict",
                      arguments->config_path, arguments->host->name);
    }
    return 0;
}

static int load_host(struct arguments *arguments) {
    struct config_problems problems = {0};
    arguments->config = config_load(arguments->config_path, &problems);
    if (arguments->config == NULL) {
        config_problems_print(&problems, stderr);
        config_problems_free(&problems);
        return EXIT_UNUSABLE;
    }
    return find_host(arguments);
}

static int verify(int argc, char **argv, struct arguments *arguments) {
    bool help = false;
    int status = read_arguments(argc, argv, arguments, &help);
    if (status != 0 || help) {
        if (help) {
            fputs(usage, stdout);
        }
        return status;
    }
    struct presented presented = {.size_max = CHAIN_SIZE_MAX};
    if (arguments->config_path != NULL) {
        status = load_host(arguments);
        if (status != 0) {
            return status;
        }
        presented.size_max = arguments->config->limits.certificate_chain_size;
    }
    status = read_chain(arguments->chain_path, &presented);
    if (status == 0) {
        status = judge(arguments, &presented);
    }
    file_content_free(&presented.content);
    return status;
}

int command_verify(int argc, char **argv) {
    struct arguments arguments = {.at = clock_wall_seconds(), .depth_max = DEPTH_DEFAULT};
    const char *fault = startup_begin();
    if (fault != NULL) {
        return refuse("%s", fault);
    }
    arguments.trust = trust_create();
    arguments.crl_paths = calloc((size_t)argc, sizeof *arguments.crl_paths);
    bool ready = arguments.trust != NULL && arguments.crl_paths != NULL;
    int status = ready ? verify(argc, argv, &arguments) : refuse("out of memory");
    if (arguments.config != NULL) {
        config_release(arguments.config);
    }
    free(arguments.crl_paths);
    revocation_free(arguments.revocation);
    trust_free(arguments.trust);
    startup_end();
    return status;
}
