#include "command/options.h"

#include <getopt.h>
#include <stdio.h>

static enum options_result refuse(const char *command, const char *what) {
    fprintf(stderr, "sallyport %s: %s; see sallyport %s --help\n", command, what, command);
    return OPTIONS_USAGE;
}

/* Names the option: getopt keeps the letter of a short one, and has just passed a long one. */
static enum options_result refuse_option(char **argv) {
    if (optopt != 0) {
        fprintf(stderr, "sallyport %s: option \"-%c\" is not known here; see sallyport %s --help\n", argv[0], optopt,
                argv[0]);
    } else {
        fprintf(stderr, "sallyport %s: option \"%s\" is not known here; see sallyport %s --help\n", argv[0],
                argv[optind - 1], argv[0]);
    }
    return OPTIONS_USAGE;
}

/* Reads the options of a command. `json` is NULL for a command without that option. */
static enum options_result read_all(int argc, char **argv, const char *usage, const char **path, bool *json) {
    static const struct option all[] = {
        {"json", no_argument, NULL, 'j'},
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const struct option *options = json == NULL ? all + 1 : all;
    const char *found = NULL;
    opterr = 0;
    optind = 0; /* glibc: starts over, also after an earlier use in this process */
    for (int option; (option = getopt_long(argc, argv, "+:c:h", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            if (found != NULL) {
                return refuse(argv[0], "-c is given twice");
            }
            found = optarg;
            break;
        case 'j':
            *json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return OPTIONS_HELP;
        case ':':
            return refuse(argv[0], "-c needs the configuration file");
        default:
            return refuse_option(argv);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "sallyport %s: unexpected argument \"%s\"; see sallyport %s --help\n", argv[0], argv[optind],
                argv[0]);
        return OPTIONS_USAGE;
    }
    if (found == NULL) {
        return refuse(argv[0], "-c FILE is missing");
    }
    *path = found;
    return OPTIONS_GO_ON;
}

enum options_result options_read_config(int argc, char **argv, const char *usage, const char **path) {
    return read_all(argc, argv, usage, path, NULL);
}

enum options_result options_read_check(int argc, char **argv, const char *usage, const char **path, bool *json) {
    *json = false;
    return read_all(argc, argv, usage, path, json);
}
