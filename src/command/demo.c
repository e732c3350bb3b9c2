#include "command/demo.h"

#include "base/check.h"
#include "base/log.h"
#include "command/options.h"
#include "command/startup.h"
#include "config/load.h"
#include "demo/lines.h"
#include "demo/origin.h"
#include "demo/pki.h"
#include "demo/run.h"
#include "demo/site.h"
#include "server/server.h"
#include "tls/context.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] = "usage: sallyport demo [--dir DIR] [--port N] [--all] [--once]\n"
                            "\n"
                            "Makes certificates, starts an origin that answers with the request it received,\n"
                            "serves the hosts enforce.localhost and report.localhost before it, and prints\n"
                            "the dashboard's address and four curl lines to try. Only this machine can reach\n"
                            "it. Ctrl-C ends it.\n"
                            "\n"
                            "  --dir DIR    where the certificates and the configuration go, and stay; those\n"
                            "               of an earlier demo are used again. Without it: a temporary\n"
                            "               folder, removed at the end\n"
                            "  --port N     the port of both hosts (default 8443; 0: any free one)\n"
                            "  --all        print every curl line that --once runs\n"
                            "  --once       run the curl lines, check the answers, print a table and end;\n"
                            "               where port 8443 is taken, on any free one\n"
                            "  -h, --help   this text\n"
                            "\n"
                            "Exit status: 0 all is well, 1 something failed, 2 wrong usage.\n";

struct demo_options {
    const char *folder; /* NULL: temporary */
    uint16_t port;
    bool port_given;
    bool all;
    bool once;
};

struct demo {
    struct demo_folder folder;
    struct demo_ports ports;
    struct demo_origin *origin;
    struct config *config;
    struct server *server;
    char ski[DEMO_PKI_SKI_SIZE];
    bool reused;
};

static enum options_result refuse(const char *what, const char *argument) {
    fprintf(stderr, "sallyport demo: %s \"%s\"; see sallyport demo --help\n", what, argument);
    return OPTIONS_USAGE;
}

static enum options_result parse_port(const char *text, struct demo_options *options) {
    errno = 0;
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || port > UINT16_MAX) {
        return refuse("--port needs a number from 0 to 65535, not", text);
    }
    options->port = (uint16_t)port;
    options->port_given = true;
    return OPTIONS_GO_ON;
}

static enum options_result parse_options(int argc, char **argv, struct demo_options *options) {
    static const struct option known[] = {
        {"dir", required_argument, NULL, 'd'}, {"port", required_argument, NULL, 'p'}, {"all", no_argument, NULL, 'a'},
        {"once", no_argument, NULL, 'o'},      {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    *options = (struct demo_options){.port = DEMO_PORT_DEFAULT};
    opterr = 0;
    optind = 0; /* glibc: starts over */
    for (int option; (option = getopt_long(argc, argv, "+:h", known, NULL)) != -1;) {
        switch (option) {
        case 'd':
            options->folder = optarg;
            break;
        case 'p':
            if (parse_port(optarg, options) != OPTIONS_GO_ON) {
                return OPTIONS_USAGE;
            }
            break;
        case 'a':
            options->all = true;
            break;
        case 'o':
            options->once = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return OPTIONS_HELP;
        case ':':
            return refuse("a value is missing after", argv[optind - 1]);
        default:
            return refuse("unknown option", argv[optind - 1]);
        }
    }
    return optind < argc ? refuse("unexpected argument", argv[optind]) : OPTIONS_GO_ON;
}

static int start_server(struct demo *demo, struct error *error) {
    struct config_problems problems = {0};
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/sallyport.yaml", demo->folder.path);
    demo->config = config_load(path, &problems);
    if (demo->config == NULL) {
        config_problems_print(&problems, stderr);
        config_problems_free(&problems);
        return error_fail(error, -EINVAL, "%s: the demo's own configuration does not load", path);
    }
    demo->server = server_start(demo->config, error);
    return demo->server == NULL ? -EIO : 0;
}

static int start(struct demo *demo, const struct demo_options *options, struct error *error) {
    int result = demo_folder_open(&demo->folder, options->folder, error);
    if (result == 0) {
        result = demo_site_choose_ports(&demo->ports, options->port, options->once && !options->port_given, error);
    }
    if (result == 0) {
        result = demo_site_prepare(&demo->folder, &demo->reused, error);
    }
    if (result == 0) {
        result = demo_pki_ski(&demo->folder, "pizza.pem", demo->ski);
        if (result != 0) {
            error_set(error, "%s/pizza.pem: has no Subject Key Identifier", demo->folder.path);
        }
    }
    if (result == 0) {
        demo->origin = demo_origin_start(error);
        result = demo->origin == NULL ? -EIO : 0;
    }
    if (result != 0) {
        return result;
    }
    demo->ports.origin = demo_origin_port(demo->origin);
    result = demo_site_write_config(&demo->folder, &demo->ports, error);
    return result != 0 ? result : start_server(demo, error);
}

static int stop(struct demo *demo) {
    int result = 0;
    if (demo->server != NULL) {
        server_stop(demo->server);
        result = server_join(demo->server);
    }
    demo_origin_stop(demo->origin);
    if (demo->config != NULL) {
        config_release(demo->config);
    }
    demo_folder_close(&demo->folder, demo_site_files, demo_site_file_count);
    return result;
}

static void print_title(void) {
    printf("Sallyport %s demo (wolfSSL %s, %s crypto)\n\n", SALLYPORT_VERSION, tls_library_version(), tls_library_crypto());
}

/* Prints, together with print_lines, at most 23 rows of 80 columns, unless the folder's path is long. */
static void print_start(const struct demo *demo) {
    const char *keep = demo->folder.temporary ? "removed at the end; --dir keeps one"
                       : demo->reused         ? "certificates of an earlier demo"
                                              : "made now";
    printf("  dashboard  http://127.0.0.1:%u/  open it in a browser\n", (unsigned)demo->ports.admin);
    printf("  enforce    https://%s:%u/  403 without a valid certificate\n", DEMO_HOST_ENFORCE, (unsigned)demo->ports.https);
    printf("  report     https://%s:%u/   all requests, with a verdict\n", DEMO_HOST_REPORT, (unsigned)demo->ports.https);
    printf("  origin     http://127.0.0.1:%u/  answers with the request that it received\n", (unsigned)demo->ports.origin);
    printf("  folder     %s  %s\n\n", demo->folder.path, keep);
}

static bool has_proxy(void) {
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return true;
        }
    }
    return false;
}

static void print_lines(const struct demo *demo, bool all) {
    printf("Try these in another terminal");
    if (!all) {
        printf(" (--all shows %zu more)", demo_line_count - demo_line_count_first());
    }
    printf(":\n\n  cd %s\n", demo->folder.path);
    if (has_proxy()) {
        printf("  export no_proxy=localhost,127.0.0.1  # the proxy set here cannot find it\n");
    }
    for (size_t i = 0; i < demo_line_count; i++) {
        if (all || demo_lines[i].first) {
            char buffer[512];
            struct text text = text_over(buffer, sizeof buffer);
            demo_line_write(&demo_lines[i], &demo->ports, &text);
            printf("  # %s: %s\n  %.*s\n", demo_lines[i].title, demo_lines[i].shows, (int)text.size, text.data);
        }
    }
    printf("\nCtrl-C ends the demo.\n");
}

/* Returns the result of the lines with --once; else 0 when a signal has come. */
static int serve(struct demo *demo, const struct demo_options *options, const sigset_t *signals) {
    print_title();
    if (options->once) {
        fflush(stdout);
        return demo_run_lines(&demo->folder, &demo->ports, demo->ski);
    }
    print_start(demo);
    print_lines(demo, options->all);
    fflush(stdout);
    while (sigwaitinfo(signals, NULL) < 0) {
        CHECK(errno == EINTR);
    }
    return 0;
}

static int run(const struct demo_options *options) {
    /* The signals are blocked before any thread starts, so that only the main thread takes them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    CHECK(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_WARNING);

    struct demo demo = {.folder.descriptor = -1};
    struct error error = {""};
    int result = start(&demo, options, &error);
    int status = EXIT_FAILURE;
    if (result != 0) {
        fprintf(stderr, "sallyport demo: %s\n", error.text);
    } else {
        status = serve(&demo, options, &signals);
    }
    if (stop(&demo) != 0) {
        status = EXIT_FAILURE;
    }
    return status;
}

int command_demo(int argc, char **argv) {
    struct demo_options options;
    enum options_result parsed = parse_options(argc, argv, &options);
    if (parsed != OPTIONS_GO_ON) {
        return parsed == OPTIONS_HELP ? EXIT_SUCCESS : OPTIONS_EXIT_USAGE;
    }
    const char *fault = startup_begin();
    if (fault != NULL) {
        fprintf(stderr, "sallyport demo: %s\n", fault);
        return EXIT_FAILURE;
    }
    int status = run(&options);
    startup_end();
    return status;
}
