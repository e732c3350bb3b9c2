/* The modes of sallyport-load: a table of behaviours, one row each. A new kind of load is a new row. */
#ifndef BENCH_LOAD_MODES_H
#define BENCH_LOAD_MODES_H

#include "load/behaviour.h"

#include <stddef.h>

extern const struct behaviour modes[];
extern const size_t mode_count;

#endif
