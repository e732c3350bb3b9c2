"""Processes that are pinned to a core, and what they cost: CPU time of all threads and children, resident memory."""

import ctypes
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
DESCRIPTORS = 65536
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def raise_descriptors(need):
    """
    Lifts this process's limit, which those it starts inherit, to `need` or more, or else as far as it may. Returns what it is then:
    each process has that to itself.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = max(DESCRIPTORS, need)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return descriptors()


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def pin(core, idle=False):
    """
    For what is started: stays on the core, or on a set of them, and ends when this process ends, however that comes. An idle one has what the
    others on the core leave: whatever the niceness, they would else wait until its time slice of some milliseconds is over.
    """
    def before_exec():
        if idle:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.sched_setaffinity(0, {core} if isinstance(core, int) else core)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return before_exec


class Process:
    """Started on `core`, ended with the `with` block. Its children are counted with it."""

    def __init__(self, name, command, core, log, environment=None):
        self.name = name
        self.log = pathlib.Path(log)
        self.output = open(self.log, "wb")
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            preexec_fn=pin(core), env={**os.environ, **(environment or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def fail(self, what):
        raise SystemExit(f"run: {self.name} {what}: {self.log.read_text(errors='replace').strip()[-2000:] or 'it says nothing'}")

    def check_alive(self):
        if self.process.poll() is not None:
            self.fail(f"ended with {self.process.returncode}")

    def pids(self):
        """Its own and its children's."""
        pids = [self.process.pid]
        for pid in pids:
            try:
                pids += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            except FileNotFoundError:
                continue
        return pids

    def cpu_seconds(self):
        """User and system time since the start, of every thread."""
        ticks = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def rss_bytes(self):
        """Anonymous and private memory that is resident; shared pages of libraries are nobody's cost for a connection."""
        total = 0
        for pid in self.pids():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += 1024 * int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        return total


def waited_seconds():
    """CPU time of all children of this process that have ended and been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def core_busy_seconds(core):
    """Time that a core did not idle since boot, interrupts included. Time that the hypervisor took is not ours."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _iowait, irq, softirq = map(int, line.split()[1:8])
            return (user + nice + system + irq + softirq) / TICKS
    raise SystemExit(f"run: this machine has no core {core}")


def wait_until(ready, process, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not ready():
        process.check_alive()
        if time.monotonic() > deadline:
            process.fail(what)
        time.sleep(0.02)
