/* `demo --once`: runs the demo's curl lines, checks the answers and prints a table. */
#ifndef DEMO_RUN_H
#define DEMO_RUN_H

#include "demo/lines.h"

enum {
    DEMO_RUN_OUTPUT_MAX = 512 * 1024, /* of one curl; the rest is dropped */
    DEMO_RUN_TIMEOUT_S = 20,          /* for one curl */
};

/*
 * Runs every line with the curl on PATH, in the demo's folder, and prints the table to stdout; lines that failed follow in
 * full. 0 when every answer was as expected, 1 if not, or when SIGINT or SIGTERM (blocked by the caller) came meanwhile.
 */
int demo_run_lines(const struct demo_folder *folder, const struct demo_ports *ports, const char *ski);

#endif
