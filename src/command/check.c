#include "command/check.h"

#include "base/clock.h"
#include "base/hash.h"
#include "command/options.h"
#include "config/config.h"
#include "tls/context.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TIME_TEXT_SIZE = 32 };

static const char usage[] = "usage: sallyport check -c FILE\n"
                            "\n"
                            "Reads the configuration and every file that it names, and prints what would be served,\n"
                            "one line for each host; or every problem as FILE:LINE: message. What is served but hardly\n"
                            "meant goes to stderr as FILE:LINE: warning: message.\n"
                            "\n"
                            "  -c, --config FILE   the configuration (YAML)\n"
                            "  -h, --help          this text\n"
                            "\n"
                            "Exit status: 0 the file is good, 1 it has problems, 2 wrong usage.\n";

static const char *format_time(int64_t seconds, char buffer[static TIME_TEXT_SIZE]) {
    struct text text = text_over(buffer, TIME_TEXT_SIZE - 1);
    text_append_time(&text, seconds);
    buffer[text.size] = '\0';
    return buffer;
}

/* Roots by the one that ends first: that is the date to have in mind. */
static void print_roots(const struct trust *trust) {
    size_t count = trust_count(trust);
    int64_t first = trust_not_after(trust, 0);
    for (size_t i = 1; i < count; i++)
        if (trust_not_after(trust, i) < first)
            first = trust_not_after(trust, i);
    char time[TIME_TEXT_SIZE];
    printf(", %zu %s %s %s", count, count == 1 ? "root" : "roots, the first",
           first < clock_wall_seconds() ? "expired" : "expires", format_time(first, time));
}

/* Likewise for the lists: the first that ends. */
static void print_crls(const struct revocation *revocation) {
    size_t count = revocation_count(revocation);
    int64_t end = revocation_next_update(revocation);
    printf(", %zu %s with %" PRIu64 " revoked", count, count == 1 ? "CRL" : "CRLs", revocation_entries(revocation));
    if (end == INT64_MAX)
        return;
    char time[TIME_TEXT_SIZE];
    printf(", %s %s %s", count == 1 ? "it" : "the first", end < clock_wall_seconds() ? "ended" : "ends",
           format_time(end, time));
}

static void print_host(const struct config_host *host) {
    char time[TIME_TEXT_SIZE];
    int64_t end = host->credentials->not_after;
    printf("%s: %s%s, certificate %s %s", host->name, config_mode_name(host->mode), host->is_default ? ", default" : "",
           end < clock_wall_seconds() ? "expired" : "expires", format_time(end, time));
    if (host->trust != NULL)
        print_roots(host->trust);
    if (host->revocation != NULL)
        print_crls(host->revocation);
    printf(", headers");
    for (size_t i = 0; i < host->forward.count; i++)
        printf(" %s", host->forward.headers[i].name);
    printf(", origin");
    for (size_t i = 0; i < host->origin_count; i++)
        printf(" %s", host->origins[i].text);
    putchar('\n');
}

static int check(const char *path) {
    struct config_problems problems = {0};
    struct config *config = config_load(path, &problems);
    if (config == NULL) {
        config_problems_print(&problems, stderr);
        config_problems_free(&problems);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < config->host_count; i++)
        print_host(&config->hosts[i]);
    config_warnings_print(&config->warnings, stderr);
    config_release(config);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "sallyport check: cannot write to stdout\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int command_check(int argc, char **argv) {
    const char *path = NULL;
    enum options_result result = options_read_config(argc, argv, usage, &path);
    if (result != OPTIONS_GO_ON)
        return result == OPTIONS_HELP ? EXIT_SUCCESS : OPTIONS_EXIT_USAGE;
    hash_init();
    if (tls_library_init() < 0) {
        fprintf(stderr, "sallyport check: wolfSSL cannot be initialised\n");
        return EXIT_FAILURE;
    }
    int status = check(path);
    tls_library_cleanup();
    return status;
}
