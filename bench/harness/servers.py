"""The servers under test, and the origin behind them. Each has the same job; see the templates beside bench/run."""

import os
import pathlib
import re
import socket
import subprocess

from .processes import Process, descriptors, wait_until

BENCH = pathlib.Path(__file__).resolve().parents[1]

SALLYPORT = """\
listen:
  - address: "@address@"
shards: 1
limits:
  connections: @connections@
  idle_timeout: 600s
hosts:
  - name: @name@
    certificate: @certificate@
    key: @key@
    client_auth:
      mode: enforce
      ca: [@client_roots@]
      max_depth: 4
    origin:
      - address: @origin@
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fill(template, values):
    return re.sub(r"@(\w+)@", lambda match: str(values[match.group(1)]), template)


def version_of(*command):
    """The first line that a program says about itself, or None when it is not there."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return (result.stdout + result.stderr).strip().splitlines()[0].partition(" - ")[0]


class Server(Process):
    """One of the servers, ready to accept, pinned to `core`."""

    def __init__(self, kind, command, template, folder, core, values):
        self.kind = kind
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        config = folder / f"{kind}.conf"
        values = {**values, "folder": folder, "config": config, "address": self.address, "core": core,
                  "affinity": f"{1 << core:b}", "descriptors": descriptors(), "user": "user root;" if os.geteuid() == 0 else ""}
        config.write_text(fill(template, values))
        super().__init__(kind, [fill(part, values) for part in command], core, folder / "output.log")
        wait_until(self.accepts, self, "does not accept connections")

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False


def origin(folder, core, values):
    return Server("origin", ["@origin_binary@", "@address@"], "", folder, core, values)


def sallyport(folder, core, values):
    return Server("sallyport", ["@binary@", "run", "-c", "@config@"], SALLYPORT, folder, core, values)


def nginx(folder, core, values):
    template = (BENCH / "nginx.conf.in").read_text()
    return Server("nginx", ["nginx", "-p", "@folder@", "-c", "@config@"], template, folder, core, values)


def haproxy(folder, core, values):
    template = (BENCH / "haproxy.cfg.in").read_text()
    return Server("haproxy", ["haproxy", "-db", "-f", "@config@"], template, folder, core, values)


START = {"sallyport": sallyport, "nginx": nginx, "haproxy": haproxy}
VERSION = {
    "sallyport": lambda values: version_of(values["binary"], "--version"),
    "nginx": lambda values: version_of("nginx", "-v"),
    "haproxy": lambda values: version_of("haproxy", "-v"),
}
