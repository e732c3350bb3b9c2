"""`check` and `verify` as an operator runs them; the loaders' own tests have the long tables of faults."""

import json
import subprocess

import yaml

import pki as pki_module
from conftest import BINARY


def run(*arguments):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def write(tmp_path, *hosts, **top):
    path = tmp_path / "sallyport.yaml"
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], **top, "hosts": list(hosts)}, sort_keys=False))
    return path


def test_check_prints_a_line_a_host(tmp_path, host):
    path = write(tmp_path, host("one.test", "enforce"), host("*.two.test"))
    result = run("check", "-c", path)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert "one.test" in lines[0] and "enforce" in lines[0]
    assert "*.two.test" in lines[1] and "off" in lines[1]


def test_check_finds_every_problem_with_its_line(tmp_path, host, pki):
    broken = host("one.test", "enforce", ca=["/nowhere/root.pem"])
    broken["key"] = str(pki.server("ecdsa-p256", "other.test").key)
    broken["forward"] = {"headers": {"Bad Name": "reason", "X-Fine": "no.such.field"}}
    twin = host("ONE.test")
    path = write(tmp_path, broken, twin, colour="red")
    result = run("check", "-c", path)
    assert result.returncode == 1
    text = path.read_text().splitlines()
    for fragment, where in [("colour", "colour: red"), ("root.pem", "/nowhere/root.pem"), ("Bad Name", "Bad Name"),
                            ("no.such.field", "no.such.field"), ("one.test", "ONE.test"), ("key", "key:")]:
        line = next(i for i, content in enumerate(text, 1) if where in content)
        assert any(problem.startswith(f"{path}:{line}: ") and fragment.lower() in problem.lower()
                   for problem in result.stderr.splitlines()), (fragment, result.stderr)


def test_more_root_names_than_a_handshake_takes(tmp_path, host):
    roots = pki_module.Pki(tmp_path)
    bundle = tmp_path / "many.pem"
    with open(bundle, "wb") as file:
        for number in range(300):
            file.write(roots.authority(f"Root {number:03d} {'x' * 50}").cert.read_bytes())
    path = write(tmp_path, host("many.test", "report", ca=[str(bundle)]))
    result = run("check", "-c", path)
    assert result.returncode == 1
    assert "advertise_ca_names: false" in result.stderr
    path = write(tmp_path, host("many.test", "report", ca=[str(bundle)], advertise_ca_names=False))
    assert run("check", "-c", path).returncode == 0


def test_verify(pki):
    root = pki.root.cert
    good = run("verify", "--ca", root, pki.valid().chain)
    assert good.returncode == 0
    assert "status: valid" in good.stdout and "reason: ok" in good.stdout
    for entity, reason in [(pki.expired(), "expired"), (pki.stranger(), "unknown_issuer"), (pki.not_yet_valid(), "not_yet_valid")]:
        bad = run("verify", "--ca", root, entity.chain)
        assert bad.returncode == 1
        assert "status: invalid" in bad.stdout and f"reason: {reason}" in bad.stdout
    both = run("verify", "--ca", root, "--ca", pki.other_root.cert, "--json", pki.stranger().chain)
    assert both.returncode == 0
    assert json.loads(both.stdout)["status"] == "valid"
    then = pki.expired().certificate.not_valid_before.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert run("verify", "--ca", root, "--at", then, pki.expired().chain).returncode == 0
    for arguments in [[], ["--ca", root], ["--ca", "/nowhere", pki.valid().chain], ["--ca", root, "/nowhere"],
                      ["--ca", root, "--at", "yesterday", pki.valid().chain], ["--ca", root, "--max-depth", "0", pki.valid().chain]]:
        result = run("verify", *arguments)
        assert result.returncode == 2, arguments
        assert result.stderr


def test_help_and_version():
    assert run("--version").stdout.startswith("sallyport ")
    for arguments in [["--help"], ["run", "--help"], ["check", "--help"], ["verify", "--help"], ["demo", "--help"]]:
        result = run(*arguments)
        assert result.returncode == 0 and result.stdout
    for arguments in [[], ["fly"], ["run"], ["check", "--colour"], ["demo", "--port", "x"]]:
        result = run(*arguments)
        assert result.returncode == 2 and result.stderr, arguments
