/* sallyport-load: a load generator for TLS servers with client authentication. */
#include "load/client.h"
#include "load/modes.h"
#include "load/report.h"
#include "load/stolen_sessions.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static int run(const struct load_options *options, const struct stolen_session *stolen) {
    struct load *load = calloc(1, sizeof *load);

    if (load == NULL) {
        fputs("sallyport-load: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    if (load_run(load, options, stolen) < 0) {
        fprintf(stderr, "sallyport-load: %s\n", load->fatal);
        load_destroy(load);
        free(load);
        return EXIT_FAILURE;
    }
    if (options->json) {
        report_json(load);
    } else if (load->begin.ns != 0) {
        report_table(load);
    }
    if (load->fatal[0] != '\0') {
        fprintf(stderr, "sallyport-load: %s\n", load->fatal);
    }
    bool good = load_is_good(load);
    load_destroy(load);
    free(load);
    return fflush(stdout) == 0 && good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct load_options options;
    enum load_options_result parsed = load_options_parse(&options, modes, mode_count, argc, argv);

    if (parsed != LOAD_OPTIONS_RUN) {
        return parsed == LOAD_OPTIONS_HELP ? EXIT_SUCCESS : EXIT_USAGE;
    }
    struct sigaction stop = {.sa_handler = load_stop, .sa_flags = (int)SA_RESETHAND}; /* the second one kills */

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    if (client_library_init() < 0) {
        fputs("sallyport-load: wolfSSL cannot be initialised\n", stderr);
        return EXIT_FAILURE;
    }
    if (!stolen_session_is_needed(options.behaviour)) {
        return run(&options, NULL);
    }
    struct stolen_session stolen = {0};
    char error[PEM_FILE_ERROR_SIZE];

    if (stolen_session_get(&stolen, &options, error) < 0) {
        fprintf(stderr, "sallyport-load: %s\n", error);
        stolen_session_free(&stolen);
        return EXIT_FAILURE;
    }
    int status = run(&options, &stolen);

    stolen_session_free(&stolen);
    return status;
}
