/* The results of a run, for people and for programs. */
#ifndef BENCH_LOAD_REPORT_H
#define BENCH_LOAD_REPORT_H

#include "load/load.h"

void report_table(const struct load *load);
/* One JSON object (RFC 8259) on one line. */
void report_json(const struct load *load);

#endif
