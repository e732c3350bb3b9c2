"""Where it all runs: what is measured is built, two cores, how quiet they are, what stands beside the figures."""

import argparse
import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

from . import processes, servers

QUIET_MAX = 0.05  # share of a core that others may use before the run, if its figures shall be published
DISTURBED_MIN = 0.1  # and of the server's core during a run: interrupts alone make a few hundredths


def whole_number(low, high):
    def parse(text):
        number = int(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{low} to {high}")
        return number
    return parse


def number(low, high):
    def parse(text):
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{low:g} to {high:g}")
        return value
    return parse


def build(folder):
    """Brings what is measured up to date."""
    targets = ["sallyport", "bench/sallyport-load", "bench/sallyport-origin", "bench/sallyport-micro", "bench/sallyport-limit"]
    result = subprocess.run(["ninja", "-C", str(folder), *targets], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"run: ninja -C {folder} failed:\n{result.stdout[-4000:]}{result.stderr}")


def choose_cores(chosen):
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("run: two cores are needed, one for the server and one for the load")
    chosen.server_core = usable[0] if chosen.server_core is None else chosen.server_core
    chosen.load_core = usable[1] if chosen.load_core is None else chosen.load_core
    for core in (chosen.server_core, chosen.load_core):
        if core not in usable:
            raise SystemExit(f"run: core {core} is not usable here, these are: {usable}")
    if chosen.server_core == chosen.load_core:
        raise SystemExit("run: server and load need a core each")
    # For a second shard: a core that nobody has, or where there is none the load's.
    chosen.more_cores = {chosen.server_core, next((core for core in usable if core not in (chosen.server_core, chosen.load_core)),
                                                  chosen.load_core)}


def others_busy(chosen, seconds=1.0):
    """The share of the two cores that all other processes take right now: the larger one."""
    cores = (chosen.server_core, chosen.load_core)
    before = [processes.core_busy_seconds(core) for core in cores]
    time.sleep(seconds)
    return max((processes.core_busy_seconds(core) - start) / seconds for core, start in zip(cores, before))


def check_quiet(chosen):
    """The share of the cores that others use. Ends when figures shall be published that this would make worthless."""
    busy = others_busy(chosen)
    if busy > QUIET_MAX:
        warning = f"others use {busy:.0%} of a core that is measured here"
        if chosen.results:
            raise SystemExit(f"run: {warning}: nothing to publish; wait until the machine is quiet")
        print(f"run: {warning}: the figures are not worth much", file=sys.stderr)
    return busy


def check_programs(chosen, values, load):
    """That all is there that will be started."""
    for binary in (values["binary"], values["origin_binary"], load):
        if not binary.exists():
            raise SystemExit(f"run: {binary} is missing: run tools/build first, or name a build folder with --build")
    for kind in chosen.servers:
        if servers.VERSION[kind](values) is None:
            raise SystemExit(f"run: {kind} is missing: run tools/deps --check")


def surroundings(chosen, values, busy):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    commit = subprocess.run(["git", "-C", str(servers.BENCH), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "commit": commit.stdout.strip() or None,
        "versions": {kind: servers.VERSION[kind](values) for kind in chosen.servers},
        "command": " ".join([f"bench/{pathlib.Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "others_busy": busy,
    }
