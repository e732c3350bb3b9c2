"""The servers under test, and the origin behind them. Each has the same job; see the templates beside bench/run."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import urllib.request

from .processes import Process, descriptors, wait_until

BENCH = pathlib.Path(__file__).resolve().parents[1]
OWN, SINGLE, BEFORE = "sallyport", "sallyport-single", "sallyport-before"
START_MAX, HOSTS_A_SECOND = 20, 200  # seconds until a server accepts connections, and hosts that it reads in one, on a bad day
LARGE_SIZE = 2**17  # of an answer that no window of an attacker has room for; thousands of them have to fit into the kernel
LARGE_PATH = f"/bytes/{LARGE_SIZE}"

SALLYPORT = """\
listen:
  - address: "@address@"
admin:
  address: "@admin@"
shards: @shards@
cert_cache: {entries: @cache@}
@setup@
limits:
  connections: @connections@
  idle_timeout: 600s
hosts:
"""

SALLYPORT_HOST = """\
  - name: "@host@"
    certificate: @certificate@
    key: @key@
    client_auth:
      mode: @mode@
      ca: [@client_roots@]
      max_depth: 4
@client_auth@
    origin:
      - address: @origin@
"""

# What differs between the setups: "tickets" resumes and the others do not, "crl" checks revocation of the whole chain, "unguarded" lets any source show as many bad
# certificates as it likes, "report" lets clients without a valid certificate pass and tells the origin (h2load has none).
SALLYPORT_SETUPS = {
    "plain": "tickets: {lifetime: 0s}",
    "tickets": "tickets: {lifetime: 1h}",
    "crl": "tickets: {lifetime: 0s}",
    "unguarded": "tickets: {lifetime: 0s}\nadmission: {allow: [127.0.0.0/8]}",
    "report": "tickets: {lifetime: 0s}",
}
# Without the last line OpenSSL sends two tickets all the same, which name sessions that nobody keeps.
NGINX_SETUPS = {
    "plain": "ssl_session_tickets off;\n        ssl_conf_command NumTickets 0;",
    "tickets": "ssl_session_tickets on;\n        ssl_session_timeout 1h;",
    "crl": "ssl_session_tickets off;\n        ssl_conf_command NumTickets 0;\n        ssl_crl @crls@;",
}
NGINX_SETUPS["unguarded"] = NGINX_SETUPS["report"] = NGINX_SETUPS["plain"]
NGINX_DENY = 'if ($cert_status != valid) {\n                return 403 "client certificate required\\n";\n            }'
HAPROXY_SETUPS = {
    "plain": {"lifetime": 1, "tickets": "no-tls-tickets", "crl": ""},
    "tickets": {"lifetime": 3600, "tickets": "", "crl": ""},
    "crl": {"lifetime": 1, "tickets": "no-tls-tickets", "crl": "crl-file @crls@"},
}
HAPROXY_SETUPS["unguarded"] = HAPROXY_SETUPS["report"] = HAPROXY_SETUPS["plain"]
HAPROXY_DENY = "http-request deny status 403 unless { ssl_c_used } { ssl_c_verify 0 }"


# Values that a caller need not have. `hosts`: how many there are, named h0.NAME and so on; 0: NAME itself.
DEFAULTS = {"curves": "X25519:prime256v1", "shards": 1, "cache": 262144, "hosts": 0, "nginx": "nginx", "haproxy": "haproxy"}


def host_names(values):
    return [f"h{number}.{values['name']}" for number in range(values["hosts"])] or [values["name"]]


def free_ports(count):
    """So many different ones: all are held until the last is there, or one could come twice."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def free_port():
    return free_ports(1)[0]


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
    """One of the servers, ready to accept, pinned to `core`, or to all of a set of them. `environment`: what is added to ours."""

    def __init__(self, kind, setup, command, template, folder, core, values, environment=None):
        self.kind = kind
        self.is_sallyport = kind in (OWN, SINGLE, BEFORE)
        self.setup = setup
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.port, self.admin_port = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        self.admin = f"127.0.0.1:{self.admin_port}"
        config = folder / f"{kind}.conf"
        values = {**values, "folder": folder, "config": config, "address": self.address, "port": self.port, "admin": self.admin,
                  "core": core, "affinity": f"{1 << core:b}" if isinstance(core, int) else "auto", "descriptors": descriptors(), "user": "user root;" if os.geteuid() == 0 else ""}
        config.write_text(fill(template, values))
        super().__init__(kind, [fill(part, values) for part in command], core, folder / "output.log", environment)
        wait_until(self.accepts, self, "does not accept connections", START_MAX + values.get("hosts", 0) / HOSTS_A_SECOND)

    def accepts(self):
        """Of Sallyport its metrics too, whose listener begins a moment later than the others."""
        ports = [self.port, self.admin_port] if self.is_sallyport else [self.port]
        try:
            for port in ports:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def samples(self, name):
        """{labels: value} of one of Sallyport's metrics, labels as they stand in the text; {} when there is none of that name."""
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=10) as answer:
            page = answer.read().decode()
        found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", page, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    def crypto(self):
        """The path of Sallyport's public-key operations: accelerated-batch, accelerated or portable; None for a server that does not tell."""
        if not self.is_sallyport:
            return None
        told = re.search(r'crypto="([\w-]+)"', next(iter(self.samples("sallyport_build_info"))))
        return told and told[1]

    def cache_counts(self):
        """{"hits": ..., "misses": ...} of Sallyport's cache of verified chains; None for a server that does not tell."""
        if not self.is_sallyport:
            return None
        samples = {what: self.samples(f"sallyport_cert_cache_{what}_total") for what in ("hits", "misses")}
        return {what: sum(values.values()) for what, values in samples.items()} if all(samples.values()) else None

    def handshake_work(self):
        """{"class": seconds} that Sallyport has spent on handshakes of those who were not known; None for another server."""
        if not self.is_sallyport:
            return None
        samples = self.samples("sallyport_handshake_work_seconds_total")
        return {labels: seconds for labels, seconds in samples.items() if '"known"' not in labels}

    def rejected(self):
        """{"stage reason": count} of what Sallyport has turned away; None for a server that does not tell."""
        if not self.is_sallyport:
            return None
        return {" ".join(re.findall(r'"(.*?)"', labels)): count for labels, count in self.samples("sallyport_rejected_total").items()}


def origin(folder, core, values):
    values = {**DEFAULTS, **values}
    return Server("origin", "plain", ["@origin_binary@", "@address@"], "", folder, core, values)


def sallyport(setup, folder, core, values, kind=OWN, environment=None):
    client_auth = fill("      crl: [@crls@]", values) if setup == "crl" else ""
    values = {**DEFAULTS, **values, "setup": SALLYPORT_SETUPS[setup], "client_auth": client_auth,
              "mode": "report" if setup == "report" else "enforce"}
    if values["hosts"]:
        # Short paths, which are relative to the configuration: with thousands of hosts it would be larger than Sallyport takes.
        values |= {name: os.path.relpath(values[name], folder) for name in ("certificate", "key", "client_roots")}
    hosts = "".join(SALLYPORT_HOST.replace("@host@", name) for name in host_names(values))
    return Server(kind, setup, ["@binary@", "run", "-c", "@config@"], SALLYPORT + hosts, folder, core, values, environment)


def sallyport_single(setup, folder, core, values):
    """Without batches of public-key operations, as on a processor that has no AVX-512 IFMA."""
    return sallyport(setup, folder, core, values, SINGLE, {"SALLYPORT_CRYPTO": "single"})


def sallyport_before(setup, folder, core, values):
    """Another build of it, which knows no batches or does without them."""
    return sallyport(setup, folder, core, {**values, "binary": values["before"]}, BEFORE, {"SALLYPORT_CRYPTO": "single"})


def nginx(setup, folder, core, values):
    values = {**DEFAULTS, **values, "setup": fill(NGINX_SETUPS[setup], values), "deny": "" if setup == "report" else NGINX_DENY,
              "verify": "optional_no_ca" if setup == "report" else "optional"}
    template = (BENCH / "nginx.conf.in").read_text()
    return Server("nginx", setup, ["@nginx@", "-p", "@folder@", "-c", "@config@"], template, folder, core, values)


def haproxy(setup, folder, core, values):
    values = {**DEFAULTS, **values}
    values = {**values, **{name: fill(str(text), values) for name, text in HAPROXY_SETUPS[setup].items()},
              "deny": "" if setup == "report" else HAPROXY_DENY}
    template = (BENCH / "haproxy.cfg.in").read_text()
    return Server("haproxy", setup, ["@haproxy@", "-db", "-f", "@config@"], template, folder, core, values)


def nghttpd(setup, folder, core, values):
    """
    The server of nghttp2, with files instead of an origin, and HTTP/2 alone. It asks for no certificate: it would end the handshake
    of a client that has none.
    """
    files = pathlib.Path(folder) / "files" / "bytes"
    files.mkdir(parents=True)
    (files.parent / "index.html").write_text("ok\n")
    (files / str(LARGE_SIZE)).write_bytes(bytes(LARGE_SIZE))
    return Server("nghttpd", setup, ["nghttpd", "--workers=1", "--address=127.0.0.1", f"--htdocs={files.parent}", "@port@", "@key@",
                                     "@certificate@"], "", folder, core, values)


START = {OWN: sallyport, SINGLE: sallyport_single, BEFORE: sallyport_before, "nginx": nginx, "haproxy": haproxy, "nghttpd": nghttpd}
VERSION = {
    OWN: lambda values: version_of(values["binary"], "--version"),
    SINGLE: lambda values: version_of(values["binary"], "--version"),
    BEFORE: lambda values: version_of(values["before"], "--version"),
    "nginx": lambda values: version_of(values.get("nginx", "nginx"), "-v"),
    "haproxy": lambda values: version_of(values.get("haproxy", "haproxy"), "-v"),
    "nghttpd": lambda values: version_of("nghttpd", "--version"),
}
