"""Fixtures: certificates, origins and a running server. The tests drive the built binary from outside.

SALLYPORT names the binary (default: build/sallyport).

A test that is marked `both_protocols` runs twice, over HTTP/1.1 and over HTTP/2: all that a Server does for it (`curl`,
`connect`, `open`, `raw`) speaks the protocol whose turn it is. In a module that is marked, `http1_only` excepts what is about
the text of HTTP/1.1."""

import contextlib
import http.client
import itertools
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest
import yaml

import http2
import origins
import pki as pki_module

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "path"))
BINARY = pathlib.Path(os.environ.get("SALLYPORT", ROOT / "build" / "sallyport")).resolve()
# The machine's own authorities are none of any test, and the openssl program reads all of them each time, whatever it is to do.
os.environ.update(SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=os.devnull)
SANITIZED = any(name in str(BINARY) for name in ("asan", "tsan"))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than about ten seconds")
    config.addinivalue_line("markers", "measured: asserts on memory, which the sanitizers distort")
    config.addinivalue_line("markers", "both_protocols: runs over HTTP/1.1 and over HTTP/2")
    config.addinivalue_line("markers", "http1_only: is about HTTP/1.1, in a module that is marked both_protocols")


def pytest_collection_modifyitems(items):
    """
    Slow tests come early, one between two modules: where several processes share the tests, one with a slow test last would
    keep all of them waiting.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [list(group) for _, group in itertools.groupby((item for item in items if item not in slow), lambda item: item.module)]
    items[:] = [item for one, group in itertools.zip_longest(slow, quick, fillvalue=[])
                for item in (one if isinstance(one, list) else [one]) + group]


def pytest_generate_tests(metafunc):
    marked = metafunc.definition.get_closest_marker
    if "protocol" in metafunc.fixturenames and marked("both_protocols") and not marked("http1_only"):
        metafunc.parametrize("protocol", ["http1", "http2"], indirect=True)


# For tests whose clients fail on purpose: on a busy machine a server would turn such a source away before it hears more of it.
NO_SUSPECTS = {"allow": ["127.0.0.1/32"]}

PORTS_OF_A_PROCESS = 1000


def reserve_ports():
    """
    A range of ports for this process, as long as it lives: other processes run tests at the same time. Below those that the
    kernel gives to clients, which would else be taken by one of them before a server listens there.
    """
    first_of_kernel = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for first in range(10000, min(first_of_kernel, 60000) - PORTS_OF_A_PROCESS + 1, PORTS_OF_A_PROCESS):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0sallyport-tests-{first}")  # abstract: it is gone with this process
            return range(first, first + PORTS_OF_A_PROCESS), claim
        except OSError:
            claim.close()
    raise AssertionError("all ranges of ports are taken")


ports, ports_claim = reserve_ports()
next_ports = itertools.cycle(ports)


def free_port():
    """One on which nobody listens, and that comes again only after all others of this process."""
    for port in itertools.islice(next_ports, PORTS_OF_A_PROCESS):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def wait_for(check, within=20):
    """Waits until check() is true; fails the test if that takes longer."""
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, "what the test waits for does not come"
        time.sleep(0.02)


def settled(value, within=30):
    """What value() gives once it has not changed for a second."""
    deadline = time.monotonic() + within
    last, since = value(), time.monotonic()
    while time.monotonic() < since + 1:
        assert time.monotonic() < deadline, f"it does not settle: {last}"
        time.sleep(0.05)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
    return last


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return pki_module.Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def corpus_root():
    """An issuer of certificates in DER that is spelled out: whatever is right or wrong in them."""
    import make_corpus

    return make_corpus.Issuer("Root", make_corpus.p256())


@pytest.fixture(scope="session")
def corpus_root_file(corpus_root, tmp_path_factory):
    import make_corpus

    path = tmp_path_factory.mktemp("corpus") / "root.pem"
    path.write_text(make_corpus.pem(corpus_root.root()))
    return str(path)


class Plain(yaml.CSafeDumper):
    """Without anchors, which the configuration refuses."""

    def ignore_aliases(self, data):
        return True


class Server:
    """A running sallyport, its configuration and the ways to talk to it."""

    def __init__(self, folder, config, environment=None, preexec=None, protocol="http1"):
        self.protocol = protocol  # of the clients that it makes
        self.folder = folder
        self.config = config
        self.port = int(config["listen"][0]["address"].rsplit(":", 1)[1])
        self.admin_port = int(config["admin"]["address"].rsplit(":", 1)[1]) if "admin" in config else None
        self.path = folder / "sallyport.yaml"
        self.path.write_text(yaml.dump(config, Dumper=Plain, sort_keys=False))
        self.server_root = None
        self.log = folder / "stderr.log"
        self.process = subprocess.Popen(
            [str(BINARY), "run", "-c", str(self.path)], stdout=subprocess.PIPE, stderr=open(self.log, "wb"),
            env={**os.environ, **(environment or {})}, preexec_fn=preexec)
        self.stopped = False

    def wait_until_ready(self):
        """
        Until it says so. Connections are accepted before that, while it still allocates what it will have all the time: who
        measures its memory must not begin then.
        """
        deadline = time.monotonic() + 60
        while " INFO ready: " not in self.stderr():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.stderr()}")
            assert time.monotonic() < deadline, f"not ready: {self.stderr()}"
            time.sleep(0.01)
        return self

    def stderr(self):
        return self.log.read_text(errors="replace")

    def stop(self, with_signal=signal.SIGTERM, timeout=30):
        """Ends the server, which must leave nothing behind: it counts for itself and exits 0."""
        if self.stopped:
            return
        self.stopped = True
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end within {timeout} s: {self.stderr()}")
        log = self.stderr()
        assert "left over" not in log, log
        assert "ERROR: AddressSanitizer" not in log and "runtime error" not in log and "LeakSanitizer" not in log, log
        assert code == 0, f"exit code {code}: {log}"

    def reload(self, hosts=None, **top):
        """Writes the changed configuration, has it loaded, and gives whether it was taken."""
        if hosts is not None:
            self.config["hosts"] = hosts
        self.config.update(top)
        self.path.write_text(yaml.dump(self.config, Dumper=Plain, sort_keys=False))
        return self.hang_up()

    def hang_up(self):
        """SIGHUP, and waits until the server says what came of it."""
        before = {result: self.metric("sallyport_config_reloads_total", result=result) for result in ("ok", "failed")}
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for result, count in before.items():
                if self.metric("sallyport_config_reloads_total", result=result) > count:
                    return result == "ok"
            time.sleep(0.01)
        raise AssertionError(f"SIGHUP led to nothing: {self.stderr()}")

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def cpu_seconds(self):
        """What the process has spent: other work of the machine does not count."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def unread(self, port=None):
        """Connections that the server has not accepted, and bytes of its clients that it has not read: the kernel still has them."""
        waiting, port = 0, f":{port or self.port:04X}"
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
            if port + " " not in line:
                continue
            _, local, _, _, queues = line.split()[:5]
            unacknowledged, received = (int(size, 16) for size in queues.split(":"))
            waiting += received if local.endswith(port) else unacknowledged  # received by a listener: its connections
        return waiting

    def wait_until_read(self, port=None):
        """Until the server has read all that its clients have sent over IPv4, however little of a processor it gets."""
        wait_for(lambda: self.unread(port) == 0, within=60)

    def admin(self, path):
        """(status, body) of a GET on the admin listener: by Python, since a curl for each look takes more CPU than the look."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=20)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def metric(self, name, **labels):
        """The sum of a metric's samples that have these labels."""
        _, page = self.admin("/metrics")
        total = 0.0
        for line in page.splitlines():
            if not line.startswith(name):
                continue
            match = re.match(r"^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$", line)
            if not match or match.group(1) != name:
                continue
            found = dict(re.findall(r'(\w+)="([^"]*)"', match.group(2) or ""))
            if all(found.get(key) == value for key, value in labels.items()):
                total += float(match.group(3))
        return total

    def curl_command(self, host, path, *options):
        """The command of a curl that asks a host of this server, in the protocol whose turn it is."""
        return ["curl", "-s", "-S", "--http2" if self.protocol == "http2" else "--http1.1", "--cacert", str(self.server_root),
                "--resolve", f"{host}:{self.port}:127.0.0.1", *map(str, options), f"https://{host}:{self.port}{path}"]

    def curl(self, host, path="/", *options, cert=None, version=None, check=True, timeout=20):
        """Runs curl against a host of this server. Gives a Response; a TLS failure raises unless check is False."""
        more = ["-i", "-m", timeout]
        if cert is not None:
            more += ["--cert", cert]
        if version == "1.2":
            more += ["--tlsv1.2", "--tls-max", "1.2"]
        elif version == "1.3":
            more += ["--tlsv1.3"]
        result = subprocess.run(self.curl_command(host, path, *more, *options), capture_output=True)
        if check:
            assert result.returncode == 0, f"curl {result.returncode}: {result.stderr.decode()} {self.stderr()}"
        response = Response(result)
        assert not response.head or response.head.startswith(b"HTTP/2") == (self.protocol == "http2"), response.head
        return response

    def connect(self, host, cert=None, version=None, sni=True):
        """
        A TLS connection by Python's ssl (OpenSSL), for requests that no well-behaved client sends; over HTTP/2 a TextSocket,
        which takes well-formed ones alone.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.server_root)
        if cert is not None:
            context.load_cert_chain(cert)
        if version == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return self.over_tls(context, host if sni else None)

    def over_tls(self, context, name, session=None):
        """A connection that takes requests and gives answers as text of HTTP/1.1."""
        if self.protocol == "http2":
            context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        tls = context.wrap_socket(raw, server_hostname=name, session=session)
        return http2.TextSocket(tls) if self.protocol == "http2" else tls

    def http2(self, host, cert=None, settings=None, **options):
        """A connection of HTTP/2, whatever the protocol whose turn it is."""
        context = self.tls_client(cert, **options)
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return http2.Connection(context.wrap_socket(raw, server_hostname=host), settings)

    def tls_client(self, cert=None, version="1.3"):
        """A context of Python's ssl (OpenSSL) for `open`, which keeps sessions within it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.server_root)
        wanted = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
        context.minimum_version = context.maximum_version = wanted
        if cert is not None:
            context.load_cert_chain(cert)
        return context

    def open(self, context, host, session=None):
        """A keep-alive connection, maybe resumed."""
        return KeepAlive(self, context, host, session)

    def raw(self, host, request, cert=None):
        """Sends bytes over TLS and gives all that comes back until the server closes."""
        with self.connect(host, cert) as connection:
            connection.sendall(request)
            received = b""
            try:
                while True:
                    piece = connection.recv(65536)
                    if not piece:
                        return received
                    received += piece
            except (ssl.SSLError, ConnectionError, socket.timeout):
                return received


class KeepAlive:
    """One connection and the requests on it."""

    def __init__(self, server, context, host, session=None):
        self.host = host
        self.tls = server.over_tls(context, host, session)
        self.left = b""

    def get(self, path="/", host=None):
        """Status, headers (lower case) and body of an answer with a length."""
        self.tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {host or self.host}\r\n\r\n".encode())
        received = self.left
        while b"\r\n\r\n" not in received:
            received += self.read()
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if headers.get("transfer-encoding") == "chunked":
            while not body.endswith(b"0\r\n\r\n"):
                body += self.read()
            text, rest = b"", body
            while rest:
                size, _, rest = rest.partition(b"\r\n")
                text, rest = text + rest[:int(size, 16)], rest[int(size, 16) + 2:]
            body = text
        else:
            while len(body) < int(headers["content-length"]):
                body += self.read()
        return int(lines[0].split()[1]), headers, body.decode("latin-1")

    def read(self):
        piece = self.tls.recv(65536)
        if not piece:
            raise ConnectionError("the server has closed")
        return piece

    def is_closed(self, within=15):
        self.tls.settimeout(within)
        try:
            return self.tls.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return True
        except socket.timeout:
            return False

    def close(self):
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def seen(body, name):
    """The values of a header in what the echoing origin has received."""
    pairs = (line.partition(":") for line in body.split("\r\n")[1:])
    return [value.strip() for key, _, value in pairs if key.lower() == name.lower()]


def spelled(server, lines):
    """Header lines as an origin gets them from a client that writes them so: in HTTP/2 there are no names but in lower case."""
    return lines if server.protocol == "http1" else re.sub(rb"(?m)^[^:\r\n]+:", lambda name: name[0].lower(), lines)


def full_and_resumed(server, context, name):
    """Two connections of a client that is let in, the second one resumed, and the session of the first."""
    full = server.open(context, name)
    assert full.get()[0] == 200
    session = full.tls.session
    resumed = server.open(context, name, session)
    assert resumed.tls.session_reused and resumed.get()[0] == 200
    return full, resumed, session


def ask_as_invalid(connection, mode, reason, header):
    """
    Asks on a connection whose client's certificate counts as invalid by now: 403 in mode enforce, else the origin gets
    the status, and the reason as `header`. Returns the headers of the answer.
    """
    status, headers, body = connection.get()
    if mode == "enforce":
        assert status == 403
    else:
        assert status == 200
        assert seen(body, "X-Client-Cert-Status") == ["invalid"] and seen(body, header) == [reason]
    return headers


class Response:
    def __init__(self, result):
        self.returncode = result.returncode
        self.error = result.stderr.decode(errors="replace")
        output = result.stdout
        self.status = 0
        self.headers = {}
        self.head = b""
        while output.startswith(b"HTTP/"):
            self.head, _, output = output.partition(b"\r\n\r\n")
            lines = self.head.decode("latin-1").split("\r\n")
            self.status = int(lines[0].split()[1])
            self.headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                self.headers[name.lower()] = value.strip()
        self.body = output

    @property
    def was_cut(self):
        """
        curl has noticed that the answer is not whole: by the end of the connection, or of its stream of HTTP/2. The latter may
        overtake the head.
        """
        return self.returncode in (18, 56, 92)

    @property
    def text(self):
        return self.body.decode("utf-8", errors="replace")

    def seen(self, name):
        """The values of a header that the echoing origin received, in order."""
        return seen(self.text, name)


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    with origins.Nginx(tmp_path_factory.mktemp("nginx"), free_port()) as origin:
        yield origin


@pytest.fixture
def scripted():
    """scripted(script): a running origin, which the script has as `script.origin`."""
    running = []

    def start(script):
        origin = origins.Scripted(script)
        script.origin = origin
        origin.__enter__()
        running.append(origin)
        return origin

    yield start
    for origin in running:
        origin.__exit__()


@pytest.fixture
def protocol(request):
    """The protocol that Server's clients speak: "http1", and "http2" in the other run of what is marked both_protocols."""
    return getattr(request, "param", "http1")


@pytest.fixture
def serve(tmp_path, pki, protocol):
    """
    serve(hosts, **top): starts a server; all servers are stopped, and checked for leftovers, at the test's end. A key of
    `top` that is None is left out of the configuration.
    """
    servers = []

    def start(hosts, environment=None, preexec=None, ready=True, **top):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        config = {
            "listen": [{"address": f"127.0.0.1:{free_port()}"}],
            "admin": {"address": f"127.0.0.1:{free_port()}"},
            "limits": {"connections": 4096},
            **top,
            "hosts": hosts,
        }
        config = {key: value for key, value in config.items() if value is not None}
        server = Server(folder, config, environment, preexec, protocol)
        server.server_root = pki.server_root.cert
        servers.append(server)
        return server.wait_until_ready() if ready else server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def host(pki, nginx):
    """host(name, mode, ...): one entry of `hosts`, served by nginx unless told otherwise."""

    def make(name, mode="off", origin=None, server=None, ca=None, forward=None, **client_auth):
        server = server or pki.server("ecdsa-p256", name)
        origins_of = origin if isinstance(origin, list) else [origin or f"127.0.0.1:{nginx.port}"]
        entry = {
            "name": name,
            "certificate": str(server.chain),
            "key": str(server.key),
            "origin": [{"address": address} for address in origins_of],
        }
        if mode != "off":
            entry["client_auth"] = {"mode": mode, "ca": [str(pki.root.cert)] if ca is None else ca, **client_auth}
        if forward is not None:
            entry["forward"] = forward
        return entry

    return make
