"""The commands of docs/pki.md, run as they stand there, and what they print held against what the page says they print."""

import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import pki as pki_module
from conftest import BINARY, ROOT, free_port

PAGE = ROOT / "docs" / "pki.md"


class Step:
    """A block of commands, and the output that stands right behind it; None where the page shows none."""

    def __init__(self, line, commands, output):
        self.line = line
        self.commands = commands
        self.output = output


def read_page():
    """{heading: [step, ...]} in the order of the page. Every fence of the page is looked at, so that none goes unnoticed."""
    sections, heading, fence, last = {}, None, None, None
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if fence is not None:
            if line != "```":
                fence[2].append(line)
                continue
            kind, start, content = fence
            fence = None
            if kind == "sh":
                last = Step(start, "\n".join(content), None)
                sections[heading].append(last)
            elif last is not None:
                last.output, last = content, None
        elif line.startswith("```"):
            assert line[3:] in ("sh", "text"), f"{PAGE.name}:{number}: a block is either sh or text"
            fence = (line[3:], number, [])
            if line[3:] == "sh":
                last = None
        elif line.startswith("#"):
            heading, last = line.lstrip("# "), None
            sections[heading] = []
        elif line:
            last = None
    return sections


SECTIONS = read_page()


def matches(expected, line):
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), line) is not None


def end_all_of(group):
    """The shell and what it left running: the page ends neither its server nor its origin."""
    deadline = time.monotonic() + 20
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)
        raise AssertionError("something that the page starts does not end on SIGTERM")


def run_shell(folder, text):
    """(exit code, stdout, stderr and the server's log) of a script. To files, because the server inherits what it gets."""
    (folder / "build").mkdir()
    (folder / "build" / "sallyport").symlink_to(BINARY)
    with open(folder / "stdout", "wb") as stdout, open(folder / "stderr", "wb") as stderr:
        shell = subprocess.Popen(["bash", "-c", text], cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                 start_new_session=True)
        try:
            code = shell.wait(timeout=120)
        finally:
            end_all_of(shell.pid)
            shell.wait()
    log = "".join(path.read_text(errors="replace") for path in [folder / "stderr", folder / "edge.log"] if path.exists())
    assert "AddressSanitizer" not in log and "runtime error" not in log, log
    return code, (folder / "stdout").read_text(), log


def run_sections(folder, *headings):
    """
    All steps of these sections in one shell, in a folder that has `tools/pki` and `build/sallyport`, as a clone does. The first
    section says how the commands of the others find `sallyport`.
    """
    steps = [step for heading in ["What Sallyport expects", *headings] for step in SECTIONS[heading]]
    # Without pipefail: `verify` exits 1 for a chain that is invalid, and the page pipes what it prints into grep.
    script = ["set -eu"]
    for step in steps:
        script += ["echo @@@", step.commands]
    text = "\n".join([*script, "echo @@@"]) + "\n"
    for port in ["8443", "9000"]:
        text = re.sub(rf"\b{port}\b", str(free_port()), text)
    (folder / "tools").symlink_to(ROOT / "tools")
    code, stdout, log = run_shell(folder, text)
    # Before the first marker there is nothing, and nothing behind the last when all went well.
    printed = stdout.split("@@@\n")[1:]
    for step, output in zip(steps, printed):
        lines = output.splitlines()
        as_shown = step.output is None or (len(lines) == len(step.output) and all(map(matches, step.output, lines)))
        assert as_shown, f"{PAGE.name}:{step.line}: shown is {step.output}, printed was {lines}\n{log}"
    assert code == 0 and len(printed) == len(steps) + 1, f"{PAGE.name}:{steps[min(len(printed), len(steps)) - 1].line}: exit code {code}\n{log}"
    return folder


def test_page_is_read_whole():
    text = PAGE.read_text()
    assert sum(len(steps) for steps in SECTIONS.values()) == text.count("```sh\n") > 10
    assert "(docs/pki.md)" in (ROOT / "README.md").read_text()


def test_hierarchy_and_server(tmp_path):
    folder = run_sections(tmp_path, "Make a hierarchy", "Try it")
    denied = json.loads((folder / "answer").read_text())
    assert denied


def test_revocation(tmp_path):
    run_sections(tmp_path, "Make a hierarchy", "Try it", "Take one back", "Renew the lists")


def test_rotation(tmp_path):
    run_sections(tmp_path, "Make a hierarchy", "Replace an intermediate", "Replace a root")


def test_cfssl_revocation(tmp_path):
    run_sections(tmp_path, "The same with cfssl", "Lists from cfssl")


@pytest.fixture(scope="module")
def cfssl(tmp_path_factory):
    return run_sections(tmp_path_factory.mktemp("cfssl"), "The same with cfssl")


def test_cfssl_at_the_server(cfssl, serve, host):
    server = serve([host("api.test", "enforce", ca=[str(cfssl / "root.pem")]), host("report.test", "report", ca=[str(cfssl / "root.pem")],
                                                                                    forward={"headers": {"X-Reason": "reason"}})])
    options = ["/", "--key", cfssl / "oven-1-key.pem"]
    answer = server.curl("api.test", *options, cert=cfssl / "oven-1.chain.pem")
    assert answer.status == 200 and answer.seen("X-Client-Cert-Status") == ["valid"] and answer.seen("X-Client-Cert-SKI")
    # The page says to put the intermediate behind the certificate: without it nobody knows the issuer.
    assert server.curl("api.test", *options, cert=cfssl / "oven-1.pem").status == 403
    assert server.curl("report.test", *options, cert=cfssl / "oven-1.pem").seen("X-Reason") == ["unknown_issuer"]


def test_what_the_page_says_of_step_ca(tmp_path):
    """A list for one distribution point, as step-ca makes it, and certificates that name none, that one, or another."""
    made = pki_module.Pki(tmp_path)
    url = "http://ca.example.com/1.0/crl"

    def point(full_name):
        return x509.DistributionPoint([x509.UniformResourceIdentifier(full_name)], None, None, None)

    now = datetime.datetime.now(datetime.timezone.utc)
    only_there = x509.IssuingDistributionPoint([x509.UniformResourceIdentifier(url)], None, False, False, None, False, False)
    crl = (x509.CertificateRevocationListBuilder().issuer_name(made.root.certificate.subject).last_update(now)
           .next_update(now + datetime.timedelta(days=1)).add_extension(x509.CRLNumber(1), False).add_extension(only_there, True)
           .sign(made.root.private, hashes.SHA256()))
    (tmp_path / "crl.der").write_bytes(crl.public_bytes(serialization.Encoding.DER))
    for points, reason in [([], "crl_missing"), ([point(url)], "ok"), ([point(url.upper())], "crl_missing")]:
        extra = [(x509.CRLDistributionPoints(points), False)] if points else []
        leaf = made.client(issuer=made.root, extra=extra)
        result = subprocess.run([str(BINARY), "verify", "--ca", str(made.root.cert), "--crl", str(tmp_path / "crl.der"), str(leaf.cert)],
                                capture_output=True, text=True)
        assert f"reason: {reason}\n" in result.stdout, result.stdout + result.stderr


def issue(folder, name, issuer, profile, profiles):
    """A certificate by a profile other than the page's."""
    (folder / f"{name}.profiles.json").write_text(json.dumps({"signing": {"default": {"expiry": "24h"}, "profiles": {profile: profiles}}}))
    request = {"CN": name, "key": {"algo": "ecdsa", "size": 256}}
    made = subprocess.run(["cfssl", "gencert", "-loglevel", "3", "-ca", f"{issuer}.pem", "-ca-key", f"{issuer}-key.pem", "-config",
                           f"{name}.profiles.json", "-profile", profile, "-"], cwd=folder, input=json.dumps(request), capture_output=True,
                          text=True, check=True)
    subprocess.run(["cfssljson", "-bare", name], cwd=folder, input=made.stdout, text=True, check=True)
    chain = (folder / f"{name}.pem").read_text() + (folder / f"{issuer}.pem").read_text() + (folder / "intermediate.pem").read_text()
    (folder / f"{name}.chain.pem").write_text(chain)
    result = subprocess.run([str(BINARY), "verify", "--ca", "root.pem", f"{name}.chain.pem"], cwd=folder, capture_output=True, text=True)
    return re.search(r"^reason: (\w+)$", result.stdout, re.MULTILINE).group(1)


def test_what_the_page_says_of_profiles(cfssl):
    client = {"expiry": "24h", "usages": ["digital signature", "client auth"]}
    assert issue(cfssl, "good", "intermediate", "p", client) == "ok"
    for_sites = {"expiry": "24h", "usages": ["signing", "key encipherment", "server auth"]}
    assert issue(cfssl, "site", "intermediate", "p", for_sites) == "wrong_usage"
    # A path length of 0 holds: the intermediate can sign no CA that would count.
    authority = {"expiry": "24h", "usages": ["cert sign", "crl sign"], "ca_constraint": {"is_ca": True}}
    issue(cfssl, "sub", "intermediate", "p", authority)
    assert issue(cfssl, "below", "sub", "p", client) == "path_length"
    # Without max_path_len_zero there is no limit.
    issue(cfssl, "unlimited", "root", "p", {**authority, "ca_constraint": {"is_ca": True, "max_path_len": 0}})
    shown = subprocess.run(["openssl", "x509", "-in", "unlimited.pem", "-noout", "-ext", "basicConstraints"], cwd=cfssl,
                           capture_output=True, text=True, check=True).stdout
    assert "CA:TRUE" in shown and "pathlen" not in shown
