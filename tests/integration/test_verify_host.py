"""`verify -c FILE --host NAME`: the verdict of the running server, by its own files and settings."""

import json
import subprocess

import pytest

from conftest import BINARY
from pki import DAY

FORWARD = {"headers": {"X-Client-Cert-Reason": "reason"}}


def verify(*arguments):
    return subprocess.run([str(BINARY), "verify", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def reason(result):
    assert result.returncode in (0, 1), result.stderr
    return next(line for line in result.stdout.splitlines() if line.startswith("reason: ")).partition(": ")[2]


@pytest.fixture
def clients(pki):
    good, revoked = pki.client(subject="good"), pki.client(subject="revoked")
    return {"good": good, "revoked": revoked, "expired": pki.expired(), "not yet valid": pki.not_yet_valid(),
            "a stranger": pki.stranger(), "large": pki.valid("rsa-4096"), "direct": pki.client(subject="direct", issuer=pki.root)}


@pytest.fixture
def server(serve, host, pki, clients):
    roots = {"ca": [str(pki.root.cert)], "forward": FORWARD}
    of_root, of_intermediate = pki.crl(pki.root), pki.crl(pki.intermediate, [clients["revoked"]])
    stale = pki.crl(pki.root, start=-3 * DAY, end=-DAY)
    return serve([
        host("plain.test", "report", **roots),
        host("lists.test", "report", **roots, crl=[str(of_root), str(of_intermediate)]),
        host("leaf.test", "report", **roots, crl=[str(of_intermediate)], crl_check="leaf"),
        host("missing.test", "report", **roots, crl=[str(of_intermediate)]),
        host("stale.test", "report", **roots, crl=[str(stale), str(of_intermediate)]),
        host("kept.test", "report", **roots, crl=[str(stale), str(of_intermediate)], crl_stale="accept"),
        host("shallow.test", "report", **roots, max_depth=1),
        host("*.wild.test", "report", ca=[str(pki.other_root.cert)], forward=FORWARD),
        host("off.test"),
    ], limits={"connections": 1000, "certificate_chain_size": "1KiB"})


HOSTS = ["plain.test", "lists.test", "leaf.test", "missing.test", "stale.test", "kept.test", "shallow.test", "a.wild.test"]


@pytest.mark.parametrize("name", HOSTS)
def test_the_servers_verdict(server, clients, name):
    found = {}
    for kind, client in clients.items():
        (said,) = server.curl(name, cert=client.bundle).seen("X-Client-Cert-Reason")
        result = verify("-c", server.path, "--host", name, client.chain)
        assert reason(result) == said, (kind, result.stdout)
        assert result.returncode == (0 if said == "ok" else 1)
        found[kind] = said
    assert len(set(found.values())) >= 2, f"the clients are to differ: {found}"


def test_hosts_differ_as_they_are_meant_to(server, clients):
    def ask(name, kind):
        return reason(verify("-c", server.path, "--host", name, clients[kind].chain))

    assert ask("plain.test", "revoked") == "ok" and ask("lists.test", "revoked") == "revoked"
    assert ask("missing.test", "good") == "crl_missing" and ask("leaf.test", "good") == "ok"
    assert ask("stale.test", "good") == "crl_stale" and ask("kept.test", "good") == "ok"
    assert ask("shallow.test", "good") == "chain_too_long" and ask("shallow.test", "direct") == "ok"
    assert ask("a.wild.test", "a stranger") == "ok" and ask("plain.test", "a stranger") == "unknown_issuer"
    assert ask("plain.test", "large") == "too_large"


def test_names_are_found_as_the_server_finds_them(server, serve, host, pki, clients):
    chain = clients["good"].chain
    for name in ["PLAIN.test", "plain.test.", "--host=plain.test"]:
        arguments = [name] if name.startswith("--") else ["--host", name]
        assert reason(verify("-c", server.path, *arguments, chain)) == "ok"
    for name in ["unknown.test", "a.b.wild.test", "wild.test", "", "192.0.2.1"]:
        result = verify("-c", server.path, "--host", name, chain)
        assert result.returncode == 2 and result.stdout == ""
        assert "unrecognized_name" in result.stderr and "lists.test" in result.stderr, result.stderr
    for name in ["*.wild.test", "a b", "..", "http://plain.test"]:
        result = verify("-c", server.path, "--host", name, chain)
        assert result.returncode == 2 and f'--host is "{name}": ' in result.stderr
    one = host("one.test", "report", ca=[str(pki.root.cert)])
    with_default = serve([{**one, "default": True}])
    for name in ["", "192.0.2.1", "[::1]", "2001:db8::1"]:
        assert reason(verify("-c", with_default.path, "--host", name, chain)) == "ok"
    assert verify("-c", with_default.path, "--host", "two.test", chain).returncode == 2


def test_json_and_time(server, clients):
    result = verify("--json", "--host", "lists.test", "-c", server.path, clients["good"].chain)
    assert result.returncode == 0
    object_ = json.loads(result.stdout)
    assert object_["status"] == "valid" and object_["subject.cn"] == "good"
    result = verify("--json", "--host", "lists.test", "-c", server.path, "--at", "2100-01-01T00:00:00Z", clients["good"].chain)
    assert result.returncode == 1 and json.loads(result.stdout)["reason"] == "expired"


def test_what_makes_no_sense_is_wrong_usage(server, pki, clients, tmp_path):
    chain, of_root = clients["good"].chain, pki.crl(pki.root)
    for arguments, message in [
        (["-c", server.path, chain], "-c needs --host NAME"),
        (["--host", "plain.test", chain], "--host needs -c FILE"),
        (["--host", "plain.test", "--ca", pki.root.cert, chain], "--host needs -c FILE"),
        (["-c", server.path, "--host", "plain.test", "--ca", pki.root.cert, chain], "--ca and -c exclude each other"),
        (["-c", server.path, "--host", "plain.test", "--crl", of_root, chain], "--crl and -c exclude each other"),
        (["-c", server.path, "--host", "plain.test", "--max-depth", "2", chain], "--max-depth and -c exclude each other"),
        (["-c", server.path, "-c", server.path, "--host", "plain.test", chain], "-c is given twice"),
        (["-c", server.path, "--host", "plain.test", "--host", "off.test", chain], "--host is given twice"),
        (["-c", server.path, "--host", "off.test", chain], "host off.test has mode off"),
        (["-c", server.path, "--host"], "--host needs a value"),
        (["-c", "/nowhere.yaml", "--host", "plain.test", chain], "/nowhere.yaml:1: "),
        ([chain], "--ca FILE is missing, or -c FILE --host NAME"),
    ]:
        result = verify(*arguments)
        assert result.returncode == 2 and result.stdout == "", arguments
        assert message in result.stderr, (arguments, result.stderr)
    bad = tmp_path / "bad.yaml"
    bad.write_text(server.path.read_text().replace("mode: report", "mode: maybe"))
    result = verify("-c", bad, "--host", "plain.test", chain)
    assert result.returncode == 2 and f"{bad}:" in result.stderr
