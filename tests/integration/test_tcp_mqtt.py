"""MQTT through a tcp host: mosquitto behind, and its clients in front, which show certificates."""

import contextlib
import os
import subprocess
import time

import pytest

import daemons
from conftest import free_port, wait_for
from test_tcp import tcp  # noqa: F401 (a fixture)
from test_tunnels import ended, open_tunnels

MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_dest stderr
max_inflight_messages 0
max_queued_messages 0
"""

HAPROXY = """
listen brokers
    bind 127.0.0.1:{port} accept-proxy
    server broker {broker}
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """The address of a broker, which reads no PROXY header."""
    folder, port = tmp_path_factory.mktemp("mosquitto"), free_port()
    config = folder / "mosquitto.conf"
    config.write_text(MOSQUITTO.format(port=port))
    with daemons.Daemon(folder, ["mosquitto", "-c", config], port) as running:
        yield running.address


class Clients:
    """mosquitto_sub and mosquitto_pub at one server, with one certificate."""

    def __init__(self, server, client=None, version="1.3"):
        self.common = ["-h", "127.0.0.1", "-p", str(server.port), "--cafile", str(server.server_root), "--insecure",
                       "--tls-version", f"tlsv{version}"]
        if client is not None:
            self.common += ["--cert", str(client.chain), "--key", str(client.key)]

    def publish(self, topic, *options, text=None, check=True):
        result = subprocess.run(["mosquitto_pub", *self.common, "-t", topic, *map(str, options)], input=text, capture_output=True,
                                timeout=60)
        assert result.returncode == 0 or not check, result.stderr.decode()
        return result

    def listen(self, topic, count, *options):
        """A subscriber that ends after so many messages. Use it as a context; its subscription is there."""
        return Subscriber(["mosquitto_sub", "-d", *self.common, "-t", topic, "-C", str(count), "-W", "60", *map(str, options)])


class Subscriber:
    def __init__(self, command):
        self.process = subprocess.Popen(["stdbuf", "-oL", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        while b"SUBACK" not in (line := self.process.stdout.readline()):
            assert line, self.process.stderr.read()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def messages(self):
        """All lines but those of -d."""
        output, error = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, error
        own = (b"Client ", b"Subscribed ")
        return [line for line in output.split(b"\n") if line and not line.startswith(own)]


@pytest.fixture
def mqtt(serve, tcp, broker):  # noqa: F811
    """mqtt(mode): a server before the broker, as the default host: mosquitto's clients send no name for an address."""

    def start(mode="enforce", **more):
        return serve([{**tcp(broker, mode, "mqtt.test", "off"), "default": True, **more}], shards=2)

    return start


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_publish_and_subscribe(mqtt, pki, version):
    clients = Clients(mqtt(), pki.valid(), version)
    with clients.listen("plant/#", 2) as subscriber:
        clients.publish("plant/one", "-m", "21.5")
        clients.publish("plant/two", "-m", "22.0")
        assert subscriber.messages() == [b"21.5", b"22.0"]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_many_messages_of_each_quality(mqtt, pki, qos):
    server = mqtt()
    clients = Clients(server, pki.valid())
    lines = [b"%d" % number for number in range(2000)]
    with clients.listen(f"many/{qos}", len(lines), "-q", qos) as subscriber:
        clients.publish(f"many/{qos}", "-q", qos, "-l", text=b"\n".join(lines) + b"\n")
        assert subscriber.messages() == lines
    wait_for(lambda: open_tunnels(server, "mqtt.test") == 0)
    assert ended(server, "mqtt.test", "closed") == 2


def test_retained_messages(mqtt, pki):
    clients = Clients(mqtt(), pki.valid())
    clients.publish("retained/state", "-r", "-q", 1, "-m", "on")
    with clients.listen("retained/state", 1) as subscriber:
        assert subscriber.messages() == [b"on"]
    clients.publish("retained/state", "-r", "-n")


@pytest.mark.parametrize("qos", [0, 2])
def test_large_payloads(mqtt, pki, tmp_path, qos):
    payload = tmp_path / "payload"
    payload.write_bytes(os.urandom(524288).hex().encode())  # 1 MiB without a newline
    clients = Clients(mqtt(), pki.valid())
    with clients.listen(f"large/{qos}", 5, "-q", qos) as subscriber:
        for _ in range(5):
            clients.publish(f"large/{qos}", "-q", qos, "-f", payload)
        assert subscriber.messages() == [payload.read_bytes()] * 5


def test_many_clients(mqtt, pki):
    server = mqtt()
    clients = Clients(server, pki.valid())
    with contextlib.ExitStack() as stack:
        subscribers = [stack.enter_context(clients.listen("fleet/all", 3, "-q", 1)) for _ in range(40)]
        assert open_tunnels(server, "mqtt.test") == 40
        for text in ("a", "b", "c"):
            clients.publish("fleet/all", "-q", 1, "-m", text)
        for subscriber in subscribers:
            assert subscriber.messages() == [b"a", b"b", b"c"]


def test_silent_clients_stay_by_their_pings(mqtt, pki):
    server = mqtt(timeouts={"tunnel_idle": "8s"})
    clients = Clients(server, pki.valid())
    with clients.listen("silent", 1, "-k", 5) as subscriber:
        time.sleep(12)
        clients.publish("silent", "-m", "at last")
        assert subscriber.messages() == [b"at last"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_clients_without_a_valid_certificate(mqtt, pki, version):
    server = mqtt()
    for client in (None, pki.expired(), pki.stranger()):
        result = Clients(server, client, version).publish("plant/one", "-m", "x", check=False)
        assert result.returncode != 0
    assert server.metric("sallyport_rejected_total", stage="certificate", reason="denied") == 3
    assert server.metric("sallyport_tunnels_ended_total") == 0
    report = mqtt("report")
    for client in (None, pki.expired(), pki.valid()):
        Clients(report, client, version).publish("plant/one", "-m", "x")
    assert report.metric("sallyport_would_block_total") == 2


def test_a_balancer_reads_the_header_for_the_broker(serve, tcp, broker, pki, tmp_path):  # noqa: F811
    port = free_port()
    with daemons.Haproxy(tmp_path, port, HAPROXY.format(port=port, broker=broker), mode="tcp"):
        server = serve([{**tcp(f"127.0.0.1:{port}", name="mqtt.test"), "default": True}], shards=1)
        clients = Clients(server, pki.valid())
        with clients.listen("behind", 1, "-q", 2) as subscriber:
            clients.publish("behind", "-q", 2, "-m", "through two")
            assert subscriber.messages() == [b"through two"]
