/* Shared by the tests of /stats.json: two hosts in two shards, the first in mode report, and a sampler. */
#ifndef TESTS_STATS_REPORT_SCENE_H
#define TESTS_STATS_REPORT_SCENE_H

#include "stats/sampler.h"

struct report_scene {
    struct stats stats;
    struct sampler sampler; /* at second 50 since the epoch, 1000 ms of the monotonic clock */
};
extern struct report_scene scene;

void scene_begin(void);
void scene_end(void);
/* Renders /stats.json and fails the test unless `part` is in it. */
void scene_expect(const char *part);

#endif
