/* The cores that this process may use, and pinning to one. */
#ifndef RING_CORES_H
#define RING_CORES_H

enum { CORES_MAX = 1024 };

/*
 * Fills `cores` with the numbers of the usable cores: those of the affinity mask, but no more of them than the cgroup's
 * CPU quota (v2 cpu.max, v1 cfs_quota_us; every ancestor counts) rounded up. Returns how many, at least 1.
 */
int cores_usable(int cores[static CORES_MAX]);
/* Pins the calling thread. 0 or a negative errno. */
int cores_pin(int core);

#endif
