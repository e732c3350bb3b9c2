#include "command/check.h"

#include "command/check_json.h"
#include "command/check_table.h"
#include "command/options.h"
#include "command/startup.h"
#include "config/load.h"
#include "server/capacity.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] = "usage: sallyport check -c FILE [--json]\n"
                            "\n"
                            "Reads the configuration and every file that it names, and prints a table of what would be\n"
                            "served; or every problem, to stderr, as FILE:LINE: message. What would be served as the file\n"
                            "says, but hardly as it is meant, goes to stderr as FILE:LINE: warning: message.\n"
                            "\n"
                            "  -c, --config FILE   the configuration (YAML)\n"
                            "  --json              all of that as one JSON object, to stdout\n"
                            "  -h, --help          this text\n"
                            "\n"
                            "Exit status: 0 the file is good, whatever the warnings; 1 it has problems, 2 wrong usage.\n";

/* Prints what the check has found. False when the report could not be made. */
static bool report(const char *path, const struct config *config, const struct config_problems *problems, bool as_json) {
    if (as_json) {
        return check_json_print(path, config, problems, stdout) == 0;
    }
    if (config == NULL) {
        config_problems_print(problems, stderr);
    } else {
        check_table_print(config, stdout);
        config_warnings_print(&config->warnings, stderr);
    }
    return true;
}

static int check(const char *path, bool as_json) {
    struct config_problems problems = {0};
    struct config *config = config_load(path, &problems);
    int status = config == NULL ? EXIT_FAILURE : EXIT_SUCCESS;
    if (config != NULL) {
        capacity_warn(config);
    }
    bool is_told = report(path, config, &problems, as_json);
    if (config != NULL) {
        config_release(config);
    }
    config_problems_free(&problems);
    if (!is_told || fflush(stdout) != 0) {
        fprintf(stderr, "sallyport check: %s\n", is_told ? "cannot write to stdout" : "out of memory");
        return EXIT_FAILURE;
    }
    return status;
}

int command_check(int argc, char **argv) {
    const char *path = NULL;
    bool as_json = false;
    enum options_result result = options_read_check(argc, argv, usage, &path, &as_json);
    if (result != OPTIONS_GO_ON) {
        return result == OPTIONS_HELP ? EXIT_SUCCESS : OPTIONS_EXIT_USAGE;
    }
    const char *fault = startup_begin();
    if (fault != NULL) {
        fprintf(stderr, "sallyport check: %s\n", fault);
        return EXIT_FAILURE;
    }
    int status = check(path, as_json);
    startup_end();
    return status;
}
