"""The load generator's resumed handshakes, against nginx (OpenSSL), so that what bench/run measures is what it says."""

import json
import signal
import subprocess

import pytest

from conftest import wait_for
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


def test_resumes_every_handshake_that_is_measured(scene):
    folder, made, values = scene
    with servers.nginx("tickets", folder / "on", 0, values) as server:
        result, seen = load("resumed", server, made, "--count", 100)
        assert result.returncode == 0, result.stdout + result.stderr
        measured, whole = seen["measured"], seen["whole_run"]
        assert measured["handshakes"] == measured["resumed"] > 0 and measured["not_resumed"] == 0
        # Each connection fetches its first ticket with one full handshake, and those are not measured.
        assert whole["handshakes"] - whole["resumed"] == CONNECTIONS
        _, full = load("handshake", server, made, "--count", 20)
        assert full["measured"]["handshakes"] > 0 and full["whole_run"]["resumed"] == 0


def test_a_server_without_tickets_is_an_error(scene):
    folder, made, values = scene
    with servers.nginx("plain", folder / "off", 0, values) as server:
        result, seen = load("resumed", server, made, "--count", 100)
    assert result.returncode == 1
    assert "not_resumed: the server gave no ticket" in result.stderr
    assert seen["whole_run"]["not_resumed"] > 0 and seen["whole_run"]["resumed"] == 0 and seen["measured"]["answers"] == 0


def test_a_ticket_that_no_longer_opens_is_an_error(scene):
    """nginx draws new ticket keys with every configuration that it loads."""
    folder, made, values = scene
    with servers.nginx("tickets", folder / "reload", 0, values) as server:
        process = subprocess.Popen(command("resumed", server, made, "--duration", 600, "--warmup", 0.2),
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
