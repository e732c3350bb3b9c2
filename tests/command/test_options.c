#include "command/options.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

static const char usage[] = "usage: sallyport test\n";
static const char *path;

#define READ(...) read_arguments((char *[]){"test", __VA_ARGS__, NULL})

static enum options_result read_arguments(char **argv) {
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    path = NULL;
    return options_read_config(argc, argv, usage, &path);
}

Test(options, the_file_is_found_in_every_spelling) {
    cr_assert_eq(READ("-c", "a.yaml"), OPTIONS_GO_ON);
    cr_assert_str_eq(path, "a.yaml");
    cr_assert_eq(READ("-cb.yaml"), OPTIONS_GO_ON);
    cr_assert_str_eq(path, "b.yaml");
    cr_assert_eq(READ("--config", "c.yaml"), OPTIONS_GO_ON);
    cr_assert_str_eq(path, "c.yaml");
    cr_assert_eq(READ("--config=d.yaml"), OPTIONS_GO_ON);
    cr_assert_str_eq(path, "d.yaml");
}

Test(options, help_goes_to_stdout, .init = cr_redirect_stdout) {
    cr_assert_eq(READ("--help"), OPTIONS_HELP);
    cr_assert_eq(READ("-c", "a.yaml", "-h"), OPTIONS_HELP);
    fflush(stdout);
    cr_assert_stdout_eq_str("usage: sallyport test\nusage: sallyport test\n");
}

Test(options, all_else_is_wrong_usage, .init = cr_redirect_stderr) {
    cr_assert_eq(read_arguments((char *[]){"test", NULL}), OPTIONS_USAGE);
    cr_assert_eq(READ("-c"), OPTIONS_USAGE);
    cr_assert_eq(READ("a.yaml"), OPTIONS_USAGE);
    cr_assert_eq(READ("-c", "a", "-c", "b"), OPTIONS_USAGE);
    cr_assert_eq(READ("-c", "a", "b"), OPTIONS_USAGE);
    cr_assert_eq(READ("-xc", "a"), OPTIONS_USAGE);
    cr_assert_eq(READ("--nope"), OPTIONS_USAGE);
    fflush(stderr);
    cr_assert_stderr_eq_str("sallyport test: -c FILE is missing; see sallyport test --help\n"
                            "sallyport test: -c needs the configuration file; see sallyport test --help\n"
                            "sallyport test: unexpected argument \"a.yaml\"; see sallyport test --help\n"
                            "sallyport test: -c is given twice; see sallyport test --help\n"
                            "sallyport test: unexpected argument \"b\"; see sallyport test --help\n"
                            "sallyport test: option \"-x\" is not known here; see sallyport test --help\n"
                            "sallyport test: option \"--nope\" is not known here; see sallyport test --help\n");
}
