/* The command line: chooses a command and runs it. */
#include "base/check.h"
#include "base/core.h"
#include "command/check.h"
#include "command/demo.h"
#include "command/run.h"
#include "command/verify.h"
#include "tls/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: sallyport COMMAND [OPTION]...\n"
    "\n"
    "Terminates TLS with client certificates and relays requests to an origin, with the verdict in headers.\n"
    "\n"
    "  run -c FILE               serve in the foreground until SIGTERM\n"
    "  check -c FILE             validate the configuration and all that it names\n"
    "  verify --ca FILE CHAIN    judge a client certificate as the server would; with -c FILE --host NAME\n"
    "                            instead of --ca by the files and settings of that host\n"
    "  demo                      serve a demonstration on this machine\n"
    "\n"
    "  --version                 version, TLS library, and whether its crypto is accelerated\n"
    "  --help                    this text; `sallyport COMMAND --help` for a command's own\n"
    "\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage (verify: 0 valid, 1 invalid, 2 unusable).\n";

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} commands[] = {
    {"run", command_run},
    {"check", command_check},
    {"verify", command_verify},
    {"demo", command_demo},
};

static int print_version(void) {
    printf("sallyport %s\nwolfSSL %s, %s crypto\n", SALLYPORT_VERSION, tls_library_version(), tls_library_crypto());
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    core_forbid();
    const char *name = argv[1];
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].main(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--version") == 0) {
        return print_version();
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "sallyport: unknown command \"%s\": there are run, check, verify and demo; see sallyport --help\n",
            name);
    return EXIT_USAGE;
}
