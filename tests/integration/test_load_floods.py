"""The load generator's hostile modes, against servers that nobody here wrote: that they do what they say, and count what they see."""

import json
import signal
import socket
import subprocess
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519

import tls_wire as wire
from generator import LOAD, NAME, make_pki, marks, servers, values_of

COUNT = 40

pytestmark = marks


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_pki(tmp_path_factory.mktemp("floods"), 2)
    made.add_refused(2)
    return made


@pytest.fixture(scope="module")
def nginx(made, tmp_path_factory):
    """start(setup): an nginx that lives as long as the module."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    values = {**values_of(made), "crls": made.crls}
    running = {}
    with servers.origin(folder / "origin", 0, values) as origin:
        values["origin"] = origin.address

        def start(setup="plain"):
            if setup not in running:
                running[setup] = servers.nginx(setup, folder / setup, 0, values)
                running[setup].__enter__()
            return running[setup]
        yield start
        for server in running.values():
            server.__exit__(None, None, None)


def flood(mode, address, *options, cert=None, count=COUNT):
    """(exit status, result) of a flood that ends by its count: its time is more than a busy machine needs for that."""
    command = [str(part) for part in (LOAD, mode, "--connect", address, "--sni", NAME, "--json", "--count", count, "--connections", 8,
                                      "--duration", 40, "--source-addresses", 20, *(("--cert", cert) if cert else ()), *options)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("{"), result.stderr
    return result.returncode, json.loads(result.stdout)


def test_plain_http_is_answered_400(nginx):
    status, seen = flood("http", nginx().address, "--expect", "status_400")
    assert (status, seen["outcomes"]) == (0, {"status_400": COUNT})


def test_what_was_not_expected_is_an_error(nginx):
    status, seen = flood("http", nginx().address, "--expect", "fin,reset")
    assert status == 1 and seen["whole_run"]["unexpected"] == COUNT
    assert seen["first_failure"] == "unexpected: status_400"


def test_random_bytes_get_no_handshake(nginx):
    status, seen = flood("random", nginx().address, "--timeout", 0.5)
    assert status == 0 and sum(seen["outcomes"].values()) == COUNT
    assert not set(seen["outcomes"]) & {"hello", "status_200", "status_403"}


def test_a_hello_is_answered_and_each_is_another(nginx):
    status, seen = flood("hello", nginx().address, "--expect", "hello")
    assert (status, seen["outcomes"]) == (0, {"hello": COUNT})
    hellos = set(collect("hello", 10))
    assert len(hellos) == 10 and {len(hello) for hello in hellos} == {len(next(iter(hellos)))}


def test_fragments_make_a_hello_or_never_end(nginx):
    status, seen = flood("fragments", nginx().address, "--timeout", 3, "--expect", "hello,timeout", count=16)
    assert (status, seen["outcomes"]) == (0, {"hello": 8, "timeout": 8})


def test_a_slow_hello_takes_its_time(nginx):
    status, seen = flood("slow", nginx().address, "--interval", 0.01, "--expect", "hello", count=8)
    assert status == 0 and seen["outcomes"] == {"hello": 8}
    assert seen["latency_us"]["outcome"]["p50"] > 1e6


@pytest.mark.parametrize("mode, clients", [("rogue", "rogues"), ("forged", "clients"), ("certificate", "expired")])
def test_certificates_that_are_refused(nginx, made, mode, clients):
    status, seen = flood(mode, nginx().address, "--expect", "status_403", cert=getattr(made, clients))
    assert (status, seen["outcomes"]) == (0, {"status_403": COUNT})


def test_revoked_certificates_are_good_but_for_the_crl(nginx, made):
    status, seen = flood("certificate", nginx("crl").address, "--expect", "status_403", cert=made.revoked)
    assert (status, seen["outcomes"]) == (0, {"status_403": COUNT})
    status, seen = flood("certificate", nginx().address, "--expect", "status_200", cert=made.revoked)
    assert (status, seen["outcomes"]) == (0, {"status_200": COUNT})


@pytest.mark.parametrize("mode, clients", [("certificate", "clients"), ("certificate", "huge"), ("long-chain", "clients")])
def test_valid_certificates_of_any_size_are_shown_whole(nginx, made, mode, clients):
    """Behind these is the same client as behind the bad ones, so nginx can follow it to the end."""
    status, seen = flood(mode, nginx().address, "--expect", "status_200", cert=getattr(made, clients))
    assert (status, seen["outcomes"]) == (0, {"status_200": COUNT})


def present(mode, cert, made, number):
    """The output of `openssl s_server` about a flood's certificates."""
    port = servers.free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", made.server, "-key", made.server_key,
                               "-Verify", "5", "-CAfile", made.client_root, "-naccept", str(number)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = server.stdout.readline()
        while said.strip() != "ACCEPT":
            assert said, "it has ended"
            said = server.stdout.readline()
        flood(mode, f"127.0.0.1:{port}", "--connections", 1, "--timeout", 0.5, cert=cert, count=number)
        server.wait(10)
        return server.stdout.read()
    finally:
        server.kill()
        server.communicate()


def certificates(output):
    return ["-----BEGIN CERTIFICATE-----" + part.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
            for part in output.split("-----BEGIN CERTIFICATE-----")[1:]]


def test_rogues_have_signed_themselves_and_are_all_distinct(made, tmp_path):
    leaves = set(certificates(present("rogue", made.one_rogue, made, 4)))
    assert len(leaves) == 4
    for number, leaf in enumerate(sorted(leaves)):
        file = tmp_path / f"{number}.pem"
        file.write_text(leaf)
        subprocess.run(["openssl", "verify", "-check_ss_sig", "-CAfile", file, file], check=True, capture_output=True)


def test_a_forged_one_names_our_intermediate_and_fails_by_its_signature_alone(made):
    output = present("forged", made.one_client, made, 3)
    assert "certificate signature failure" in output
    assert "unable to get" not in output and "expired" not in output
    assert "issuer=O = Bench, CN = Bench Client Intermediate" in output


def test_tickets(nginx, made):
    address = nginx("tickets").address
    status, seen = flood("junk-ticket", address, "--expect", "hello")
    assert (status, seen["outcomes"]) == (0, {"hello": COUNT})
    # OpenSSL knows the ticket, and finds the binder false.
    status, seen = flood("stolen-ticket", address, "--expect", "alert_47", cert=made.clients)
    assert (status, seen["outcomes"]) == (0, {"alert_47": COUNT})
    status, seen = flood("replayed-ticket", address, "--expect", "status_200", cert=made.clients)
    assert (status, seen["outcomes"], seen["whole_run"]["resumed"]) == (0, {"status_200": COUNT}, COUNT)


def test_without_tickets_there_is_nothing_to_steal(nginx, made):
    result = subprocess.run([LOAD, "replayed-ticket", "--connect", nginx().address, "--sni", NAME, "--cert", made.one_client, "--count", "1"],
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "no ticket to be had: not_resumed: the server gave no ticket" in result.stderr


def collect(mode, number):
    """The bytes of `number` connections of a flood, each after the other, to a server that reads all of them and closes."""
    said = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        def serve():
            for _ in range(number):
                peer, _ = listener.accept()
                with peer:
                    peer.settimeout(10)
                    said.append(b"")
                    try:
                        while data := peer.recv(65536):
                            said[-1] += data
                            peer.settimeout(0.2)
                    except TimeoutError:
                        pass
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        flood(mode, "127.0.0.1:%d" % listener.getsockname()[1], "--connections", 1, "--timeout", 5, count=number)
        thread.join(20)
    return said


def test_silence_waits_for_the_server():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        process = subprocess.Popen([LOAD, "silent", "--connect", address, "--connections", "5", "--count", "5", "--timeout", "0.2", "--json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        peers = [listener.accept()[0] for _ in range(5)]
        for peer in peers:
            peer.settimeout(0.1)
            with pytest.raises(TimeoutError):
                peer.recv(1)
        time.sleep(0.3)
        assert process.poll() is None
        for peer in peers:
            peer.close()
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and json.loads(output)["outcomes"] == {"fin": 5}


def test_holders_ask_again_and_stay(nginx, made):
    process = subprocess.Popen([LOAD, "hold", "--connect", nginx().address, "--sni", NAME, "--cert", made.one_client, "--connections", "5",
                                "--duration", "3", "--interval", "0.2", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = process.communicate(timeout=20)
    seen = json.loads(output)
    assert process.returncode == 0, errors
    assert seen["whole_run"]["handshakes"] == seen["whole_run"]["connections"] == 5 and seen["outcomes"] == {}


def test_what_becomes_of_a_holder_is_what_the_server_does(nginx, made):
    status, seen = flood("hold", nginx().address, "--interval", 0.05, "--expect", "fin", cert=made.rogues)
    assert (status, seen["outcomes"]) == (0, {"fin": COUNT}), "nginx closes after its 403"


def test_too_few_in_the_time_is_an_error(nginx):
    result = subprocess.run([LOAD, "silent", "--connect", nginx().address, "--count", "3", "--duration", "0.3"], capture_output=True,
                            text=True, timeout=30)
    assert result.returncode == 1
    assert "time is over: only 0 of 3 connections have come to an outcome" in result.stderr


def test_churn_ends_as_it_is_told():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        for how in ("fin", "reset"):
            status, seen = flood("churn", address, "--close", how, "--connections", 1, count=1)
            peer, _ = listener.accept()
            assert (status, seen["outcomes"]) == (0, {"left": 1})
            with peer:
                if how == "fin":
                    assert peer.recv(1) == b""
                else:
                    with pytest.raises(ConnectionResetError):
                        peer.recv(1)


def test_a_dropped_syn_is_counted_and_holds_up_nothing():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with socket.create_connection(address):  # the queue is full now
            begin = time.monotonic()
            status, seen = flood("churn", "%s:%d" % address, "--timeout", 0.4, count=16)
            elapsed = time.monotonic() - begin
    assert seen["outcomes"].get("connect_timeout", 0) >= 14 and sum(seen["outcomes"].values()) == 16
    # Two rounds of 0.4 s; each is 1 s until the kernel tries again, and 16 are 6 s one after the other.
    assert status == 0 and elapsed < 5


def test_nobody_listening_is_an_error():
    status, seen = flood("random", f"127.0.0.1:{servers.free_port()}", count=5)
    assert status == 1 and seen["outcomes"] == {"refused": 5}


def test_sources_are_those_that_were_asked_for():
    with socket.create_server(("0.0.0.0", 0), backlog=64) as listener:
        port = listener.getsockname()[1]
        flood("churn", f"127.0.0.1:{port}", "--source-first", "127.99.3.254", "--source-addresses", 4, "--close", "fin", count=8)
        seen = {listener.accept()[1][0] for _ in range(8)}
    assert seen == {"127.99.3.254", "127.99.3.255", "127.99.4.0", "127.99.4.1"}


def test_an_open_loop_keeps_its_rate_and_hides_no_stall(nginx):
    server = nginx()
    command = [str(part) for part in (LOAD, "http", "--connect", server.address, "--rate", 200, "--duration", 5, "--connections", 16,
                                      "--timeout", 10, "--json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.8)
    for pid in server.pids():
        subprocess.os.kill(pid, signal.SIGSTOP)
    time.sleep(1.2)
    for pid in server.pids():
        subprocess.os.kill(pid, signal.SIGCONT)
    output, errors = process.communicate(timeout=30)
    seen = json.loads(output)
    assert process.returncode == 0, errors
    # 240 of 1,000 were due while nothing moved, and only 16 could be under way: a closed loop would have seen no more than those.
    assert 900 <= seen["measured"]["outcomes"] <= 1030
    assert seen["latency_us"]["outcome"]["p90"] > 400e3
    assert seen["latency_us"]["outcome"]["p50"] < 400e3


def test_it_tells_once_a_second_how_it_fares(nginx):
    result = subprocess.run([LOAD, "http", "--connect", nginx().address, "--duration", "2.5", "--rate", "50"], capture_output=True, text=True,
                            timeout=30)
    lines = [line for line in result.stderr.splitlines() if " open " in line and "status_400" in line]
    assert len(lines) == 2


class ServerByHand:
    """
    Serves one connection of TLS 1.3 without certificates, as far as the client without a library needs it. `finished`: makes
    the body of its Finished from the right one.
    """

    def __init__(self, finished):
        self.finished = finished
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(30)
        self.listener.close()

    def serve(self):
        client, _ = self.listener.accept()
        with client, client.makefile("rb") as stream:
            client.settimeout(20)
            hello = self.take(stream)[5:]
            key = x25519.X25519PrivateKey.generate()
            extensions = wire.extension(43, b"\x03\x04") + wire.extension(51, wire.u16s(29) + wire.vector(2, wire.raw_public(key)))
            answer = wire.message(wire.SERVER_HELLO, b"\x03\x03" + bytes(32) + wire.vector(1, hello[39:71]) + b"\x13\x01\0"
                                  + wire.vector(2, extensions))
            shared = key.exchange(x25519.X25519PublicKey.from_public_bytes(hello[-32:]))  # its share is the last extension
            secret = wire.extract(wire.derive(wire.extract(bytes(32), bytes(32)), b"derived", b""), shared)
            transcript = hello + answer
            server = wire.derive(secret, b"s hs traffic", transcript)
            transcript += wire.message(wire.ENCRYPTED_EXTENSIONS, wire.vector(2, b""))
            finished = wire.message(wire.FINISHED, self.finished(wire.verify_data13(server, transcript)))
            handshake = wire.Records13(server)
            parts = wire.cut(transcript[len(hello + answer):] + finished, 9)  # Finished in pieces
            client.sendall(wire.record(wire.HANDSHAKE, answer) + b"".join(handshake.seal(wire.HANDSHAKE, part) for part in parts))
            transcript += finished
            master = wire.extract(wire.derive(secret, b"derived", b""), bytes(32))
            try:
                self.take(stream), self.take(stream)  # its Finished, and the request
                client.sendall(wire.Records13(wire.derive(master, b"s ap traffic", transcript)).seal(
                    wire.APPLICATION, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))
                stream.read()
            except OSError:
                pass  # it has gone

    def take(self, stream):
        head = stream.read(5)
        if len(head) < 5:
            raise ConnectionError
        return head + stream.read(int.from_bytes(head[3:], "big"))


@pytest.mark.parametrize("finished, outcome", [
    (lambda right: right, "status_200"), (lambda right: right[:-1] + bytes([right[-1] ^ 1]), "tls_failed"),
    (lambda right: bytes([right[0] ^ 128]) + right[1:], "tls_failed"), (lambda right: right[:12], "tls_failed"),
    (lambda right: right + b"\0", "tls_failed"), (lambda right: b"", "tls_failed")],
    ids=["right", "last-byte", "first-byte", "short", "long", "empty"])
def test_the_finished_of_a_server_has_to_be_right(made, finished, outcome):
    with ServerByHand(finished) as server:
        status, seen = flood("certificate", server.address, "--connections", 1, "--expect", outcome, cert=made.one_client, count=1)
    assert (status, seen["outcomes"]) == (0, {outcome: 1})
