"""The load generator's resumed handshakes, against nginx (OpenSSL), so that what bench/run measures is what it says."""

import json
import signal
import subprocess

import pytest

from conftest import BINARY, wait_for
from generator import LOAD, NAME, make_pki, marks, servers, values_of

CONNECTIONS = 8

pytestmark = marks


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("load")
    made = make_pki(folder, 1)
    values = values_of(made)
    with servers.origin(folder / "origin", 0, values) as origin:
        yield folder, made, {**values, "origin": origin.address}


def command(mode, server, made, *options, clients="clients"):
    return [str(part) for part in (LOAD, mode, "--connect", server.address, "--sni", NAME, "--cert", getattr(made, clients),
                                   "--connections", CONNECTIONS, "--json", *options)]


def load(*arguments, **keywords):
    result = subprocess.run(command(*arguments, **keywords), capture_output=True, text=True, timeout=60)
    return result, json.loads(result.stdout)


RESUMING = pytest.mark.parametrize("mode", ["resumed", "resumed-light"])


@RESUMING
@pytest.mark.parametrize("start", ["nginx", "sallyport"])
def test_resumes_every_handshake_that_is_measured(scene, mode, start):
    folder, made, values = scene
    values = {**values, "binary": BINARY}
    with getattr(servers, start)("tickets", folder / f"{mode}-{start}", 0, values) as server:
        result, seen = load(mode, server, made, "--count", 100)
        assert result.returncode == 0, result.stdout + result.stderr
        measured, whole = seen["measured"], seen["whole_run"]
        assert measured["handshakes"] == measured["resumed"] > 0 and measured["not_resumed"] == 0
        assert measured["answers"] >= 100 and seen["tls"] == "TLSv1.3 TLS13-AES128-GCM-SHA256"
        # Each connection fetches its first ticket with one full handshake, and those are not measured.
        assert whole["handshakes"] - whole["resumed"] == CONNECTIONS
        _, full = load("handshake", server, made, "--count", 20)
        assert full["measured"]["handshakes"] > 0 and full["whole_run"]["resumed"] == 0


@RESUMING
def test_a_server_without_tickets_is_an_error(scene, mode):
    folder, made, values = scene
    with servers.nginx("plain", folder / f"{mode}-off", 0, values) as server:
        result, seen = load(mode, server, made, "--count", 100)
    assert result.returncode == 1
    assert "not_resumed: the server gave no ticket" in result.stderr
    assert seen["whole_run"]["not_resumed"] > 0 and seen["whole_run"]["resumed"] == 0 and seen["measured"]["answers"] == 0


@RESUMING
def test_a_ticket_that_no_longer_opens_is_an_error(scene, mode):
    """nginx draws new ticket keys with every configuration that it loads."""
    folder, made, values = scene
    with servers.nginx("tickets", folder / f"{mode}-reload", 0, values) as server:
        process = subprocess.Popen(command(mode, server, made, "--duration", 600, "--warmup", 0.2),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert "answers /s" in process.stderr.readline()
        before = server.pids()
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(server.pids()) > 1 and not set(before[1:]) & set(server.pids()))
        assert "answers /s" in process.stderr.readline()
        process.terminate()
        output, errors = process.communicate(timeout=60)
    seen = json.loads(output)
    assert process.returncode == 1, errors
    assert seen["first_failure"].startswith("not_resumed: ") and "full handshake" in seen["first_failure"]
    assert seen["whole_run"]["not_resumed"] > 0 and seen["whole_run"]["resumed"] > 0


def test_rogues_are_answered_403(scene):
    folder, made, values = scene
    with servers.nginx("plain", folder / "rogues", 0, values) as server:
        result, seen = load("handshake", server, made, "--expect", 403, "--count", 20, clients="rogues")
        assert result.returncode == 0 and seen["measured"]["answers"] >= 20
        result, seen = load("handshake", server, made, "--count", 20, clients="rogues")
        assert result.returncode == 1 and seen["whole_run"]["status_failed"] > 0


@pytest.mark.parametrize("options, tls", [
    (("--tls", "1.2"), "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"), (("--tls", "1.3"), "TLSv1.3 TLS13-AES128-GCM-SHA256"),
    (("--group", "secp256r1"), "TLSv1.3 TLS13-AES128-GCM-SHA256")], ids=lambda value: "-".join(value) if isinstance(value, tuple) else "")
def test_the_version_and_the_group_that_are_asked_for(scene, options, tls):
    folder, made, values = scene
    with servers.nginx("plain", folder / "-".join(options), 0, values) as server:
        result, seen = load("handshake", server, made, "--count", 20, *options)
    assert (result.returncode, seen["tls"]) == (0, tls) and seen["whole_run"]["answers"] >= 20


def test_a_group_that_the_server_lacks_is_an_error(scene):
    folder, made, values = scene
    with servers.nginx("plain", folder / "lacks", 0, values) as server:
        result, seen = load("handshake", server, made, "--count", 20, "--group", "secp521r1")
    assert result.returncode == 1 and seen["whole_run"]["tls_failed"] > 0 and seen["whole_run"]["answers"] == 0


@pytest.mark.parametrize("clients", ["clients_rsa", "clients_ed25519", "clients_alone"])
def test_clients_of_other_keys_and_chains(scene, clients):
    folder, made, values = scene
    if not hasattr(made, "clients_rsa"):
        made.add_kinds(2)
    with servers.nginx("plain", folder / clients, 0, values) as server:
        result, seen = load("handshake", server, made, "--count", 20, clients=clients)
    assert result.returncode == 0 and seen["whole_run"]["answers"] >= 20, result.stderr


def test_what_is_uploaded_arrives_whole(scene):
    """The origin answers an upload when all of it has come."""
    folder, made, values = scene
    size = 3 * 2**20 + 5
    with servers.nginx("plain", folder / "upload", 0, values) as server:
        result, seen = load("request", server, made, "--upload", size, "--count", 20)
    assert result.returncode == 0 and seen["whole_run"]["answers"] >= 20, result.stderr
    assert seen["whole_run"]["bytes_sent"] > seen["whole_run"]["answers"] * size


def test_hosts_take_turns(scene):
    folder, made, values = scene
    values = {**values, "binary": BINARY, "hosts": 3}
    with servers.sallyport("plain", folder / "hosts", 0, values) as server:
        result, seen = load("handshake", server, made, "--hosts", 3, "--count", 30, "--warmup", 0)
        counts = server.samples("sallyport_requests_total")
    assert result.returncode == 0, result.stderr
    of_host = {number: sum(count for labels, count in counts.items() if f'host="h{number}.{NAME}"' in labels) for number in range(3)}
    assert min(of_host.values()) >= 10 and sum(of_host.values()) >= seen["whole_run"]["answers"]


def test_issued_certificates_are_valid_and_new_or_come_again(scene):
    folder, made, values = scene
    values = {**values, "binary": BINARY}
    with servers.sallyport("plain", folder / "issued", 0, values) as server:
        def issue(count, *options):
            before = server.cache_counts()
            result, seen = load("issued", server, made, "--issuer-key", made.issuer_key, "--expect", "status_200", "--count", count, *options)
            assert (result.returncode, seen["outcomes"]) == (0, {"status_200": count}), result.stderr
            after = server.cache_counts()
            return {what: after[what] - before[what] for what in after}
        assert issue(40) == {"hits": 0, "misses": 40}
        assert issue(20, "--identities", 20) == {"hits": 0, "misses": 20}
        # Of another process, and so the same ones.
        assert issue(60, "--identities", 20) == {"hits": 60, "misses": 0}


@pytest.mark.parametrize("options, why", [
    (("issued",), "needs --issuer-key"), (("handshake", "--issuer-key", "x"), "takes no --issuer-key"),
    (("handshake", "--identities", "3"), "takes no --identities"), (("random", "--tls", "1.2"), "takes none of"),
    (("handshake", "--tls", "1.1"), "--tls takes"), (("handshake", "--group", "x448"), "--group takes"),
    (("request", "--http2", "--upload", "5"), "for HTTP/1.1"), (("resumed", "--tls", "1.2"), "is for TLS 1.3")])
def test_options_that_do_not_fit(options, why):
    result = subprocess.run([LOAD, *options, "--connect", "127.0.0.1:1", "--cert", "x"], capture_output=True, text=True, check=False)
    assert result.returncode == 2 and why in result.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_signal_ends_the_time_and_the_result_is_told(scene, how):
    folder, made, values = scene
    with servers.nginx("plain", folder / how.name, 0, values) as server:
        process = subprocess.Popen(command("handshake", server, made, "--duration", 600, "--warmup", 0),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert "answers /s" in process.stderr.readline(), "it tells once a second how it fares"
        process.send_signal(how)
        output, errors = process.communicate(timeout=60)
    seen = json.loads(output)
    assert process.returncode == 0, errors
    assert seen["measured"]["answers"] > 0 and 0 < seen["seconds"] < 60
