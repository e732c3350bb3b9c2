"""Revocation lists at the running server: what they refuse, what their absence and age mean, and who is told what."""

import json
import re
import subprocess

import pytest

import pki as pki_module
from conftest import BINARY, NO_SUSPECTS, ask_as_invalid, full_and_resumed, wait_for
from pki import DAY

pytestmark = pytest.mark.both_protocols

VERSIONS = ["1.2", "1.3"]
FORWARD = {"headers": {"X-Client-Cert-Reason": "reason"}}


class Scene:
    """A root, an intermediate below it, and clients of both."""

    def __init__(self, folder):
        self.pki = pki_module.Pki(folder)
        self.root, self.intermediate = self.pki.root, self.pki.intermediate
        self.good, self.bad = self.pki.client(subject="good"), self.pki.client(subject="bad")
        self.direct = self.pki.client(subject="direct", issuer=self.root)
        self.of_root = self.pki.crl(self.root)
        self.of_intermediate = self.pki.crl(self.intermediate, [self.bad])


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("revocation"))


@pytest.fixture
def judged(serve, host, scene):
    """judged(crls, **client_auth): what happens to clients of a `report` and an `enforce` host that have these lists."""

    def start(crls, **client_auth):
        options = {"ca": [str(scene.root.cert)], "crl": [str(path) for path in crls], "forward": FORWARD, **client_auth}
        server = serve([host("report.test", "report", **options), host("enforce.test", "enforce", **options)], admission=NO_SUSPECTS)

        def check(client, reason):
            for version in VERSIONS:
                response = server.curl("report.test", cert=client.bundle, version=version)
                assert response.status == 200
                assert response.seen("X-Client-Cert-Reason") == [reason], (client.name, version)
                assert response.seen("X-Client-Cert-Status") == ["valid" if reason == "ok" else "invalid"]
                response = server.curl("enforce.test", cert=client.bundle, version=version)
                assert response.status == (200 if reason == "ok" else 403), (client.name, version)
                if response.status == 403:
                    json.loads(response.text)

        check.server = server
        return check

    return start


def test_revoked_client(judged, scene):
    check = judged([scene.of_root, scene.of_intermediate])
    check(scene.bad, "revoked")
    check(scene.good, "ok")
    check(scene.direct, "ok")
    counted = check.server.metric("sallyport_client_certs_total", host="report.test", status="invalid", reason="revoked")
    assert counted == len(VERSIONS)
    # A verdict that was kept must say the same the second time.
    check(scene.bad, "revoked")
    check(scene.good, "ok")


@pytest.mark.http1_only
def test_another_client_sees_it_too(judged, scene):
    check = judged([scene.of_root, scene.of_intermediate])
    for version in ("-tls1_2", "-tls1_3"):
        for client, reason in ((scene.bad, b"revoked"), (scene.good, b"ok")):
            result = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{check.server.port}", "-servername", "report.test", "-quiet", version,
                 "-cert", str(client.cert), "-key", str(client.key), "-cert_chain", str(client.chain)],
                input=b"GET / HTTP/1.0\r\nHost: report.test\r\n\r\n", capture_output=True, timeout=20)
            assert b"X-Client-Cert-Reason: " + reason + b"\r\n" in result.stdout, result.stderr


def test_revoked_intermediate(judged, scene):
    of_root = scene.pki.crl(scene.root, [scene.intermediate], der=True)
    check = judged([of_root, scene.of_intermediate])
    check(scene.good, "revoked")
    check(scene.bad, "revoked")
    check(scene.direct, "ok")


def test_revoked_client_of_the_root(judged, scene):
    check = judged([scene.pki.crl(scene.root, [scene.direct]), scene.of_intermediate])
    check(scene.direct, "revoked")
    check(scene.good, "ok")


def test_missing_list(judged, scene):
    check = judged([scene.of_root])
    check(scene.good, "crl_missing")
    check(scene.direct, "ok")
    check = judged([scene.of_intermediate])
    check(scene.good, "crl_missing")
    check(scene.bad, "crl_missing")


def test_leaf_scope(judged, scene):
    check = judged([scene.of_intermediate], crl_check="leaf")
    check(scene.good, "ok")
    check(scene.bad, "revoked")
    check(scene.direct, "crl_missing")
    revoked_above = scene.pki.crl(scene.root, [scene.intermediate])
    check = judged([revoked_above, scene.of_intermediate], crl_check="leaf")
    check(scene.good, "ok")


def test_stale_list(judged, scene):
    stale = scene.pki.crl(scene.intermediate, [scene.bad], start=-10 * DAY, end=-DAY)
    check = judged([scene.of_root, stale])
    check(scene.good, "crl_stale")
    check(scene.bad, "revoked")
    check(scene.direct, "ok")
    assert "has ended" in check.server.stderr()
    check = judged([scene.of_root, stale], crl_stale="accept")
    check(scene.good, "ok")
    check(scene.bad, "revoked")
    assert "has ended" in check.server.stderr()


def test_list_of_the_future(judged, scene):
    early = scene.pki.crl(scene.intermediate, start=DAY, end=2 * DAY)
    check = judged([scene.of_root, early])
    check(scene.good, "crl_missing")


def test_list_signed_by_somebody_else(judged, scene, serve, host):
    """Of an intermediate it counts as missing; of a root it is known to be wrong at once, and nothing is served."""
    forged = scene.pki.crl(scene.intermediate, key=pki_module.new_key("ecdsa-p256"))
    check = judged([scene.of_root, forged])
    check(scene.good, "crl_missing")
    forged = scene.pki.crl(scene.root, key=pki_module.new_key("ecdsa-p256"))
    server = serve([host("no.test", "report", ca=[str(scene.root.cert)], crl=[str(forged)])], ready=False)
    assert server.process.wait(20) == 1
    server.stopped = True
    assert "client_auth.crl" in server.stderr()


def test_lists_of_several_issuers_in_one_file(judged, scene, tmp_path):
    both = tmp_path / "both.crl"
    both.write_bytes(scene.of_root.read_bytes() + scene.of_intermediate.read_bytes())
    check = judged([both])
    check(scene.bad, "revoked")
    check(scene.good, "ok")


def run(*arguments):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def openssl(*arguments, folder):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA that openssl keeps: a root, two clients, of which the second is revoked, and its lists in PEM and DER."""
    folder = tmp_path_factory.mktemp("openssl-ca")
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text("""
[ca]
default_ca = here
[here]
database = index.txt
certificate = root.pem
private_key = root.key
new_certs_dir = .
rand_serial = yes
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
x509_extensions = client
crl_extensions = of_crl
[any]
commonName = supplied
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[of_crl]
authorityKeyIdentifier = keyid
""")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "60", "-subj",
            "/CN=OpenSSL Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign", folder=folder)
    for name in ("kept", "revoked"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
                folder=folder)
        openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", folder=folder)
    openssl("ca", "-config", "ca.cnf", "-revoke", "revoked.pem", "-crl_reason", "keyCompromise", folder=folder)
    openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "root.crl", folder=folder)
    openssl("crl", "-in", "root.crl", "-outform", "DER", "-out", "root.der.crl", folder=folder)
    openssl("x509", "-in", "revoked.pem", "-outform", "DER", "-out", "revoked.der", folder=folder)
    openssl("x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der", folder=folder)
    return folder


def test_verify_with_lists(authority):
    root = authority / "root.pem"
    for crl in ("root.crl", "root.der.crl"):
        for ca in ("root.pem", "root.der"):
            options = ["--ca", authority / ca, "--crl", authority / crl]
            kept = run("verify", *options, authority / "kept.pem")
            assert kept.returncode == 0, kept.stdout + kept.stderr
            assert kept.stdout.startswith("status: valid\nreason: ok\n")
            for chain in ("revoked.pem", "revoked.der"):
                revoked = run("verify", *options, authority / chain)
                assert revoked.returncode == 1
                assert revoked.stdout.startswith("status: invalid\nreason: revoked\ndetail: ")
                told = json.loads(run("verify", "--json", *options, authority / chain).stdout)
                assert (told["status"], told["reason"]) == ("invalid", "revoked")
                assert "revoked" in told["detail"] and told["subject.cn"] == "revoked"
    assert run("verify", "--ca", root, authority / "revoked.pem").returncode == 0, "not asked for"
    later = run("verify", "--ca", root, "--crl", authority / "root.crl", "--at", "2999-01-01T00:00:00Z", authority / "kept.pem")
    assert later.returncode == 1


def test_verify_checks_the_whole_chain(scene):
    options = ["--ca", scene.root.cert, "--crl", scene.of_intermediate]
    missing = run("verify", *options, scene.good.chain)
    assert missing.returncode == 1 and "reason: crl_missing" in missing.stdout
    options += ["--crl", scene.of_root]
    assert run("verify", *options, scene.good.chain).returncode == 0
    assert "reason: revoked" in run("verify", *options, scene.bad.chain).stdout
    stale = (pki_module.NOW + 2 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "reason: crl_stale" in run("verify", *options, "--at", stale, scene.good.chain).stdout


def test_verify_refuses_lists_that_are_none(scene, tmp_path):
    (tmp_path / "text.crl").write_text("no list\n")
    (tmp_path / "half.crl").write_bytes(scene.of_root.read_bytes()[:-40])
    forged = scene.pki.crl(scene.root, key=pki_module.new_key("ecdsa-p256"))
    for crl in ("/nowhere.crl", tmp_path / "text.crl", tmp_path / "half.crl", scene.good.key, forged):
        result = run("verify", "--ca", scene.root.cert, "--crl", crl, scene.good.chain)
        assert result.returncode == 2, crl
        assert not result.stdout
        assert "crl" in result.stderr or str(crl) in result.stderr


def test_server_with_a_list_of_openssl(serve, host, authority):
    server = serve([host("report.test", "report", ca=[str(authority / "root.pem")], crl=[str(authority / "root.crl")], forward=FORWARD)])
    for name, reason in (("kept", "ok"), ("revoked", "revoked")):
        bundle = authority / f"{name}.bundle"
        bundle.write_bytes((authority / f"{name}.pem").read_bytes() + (authority / f"{name}.key").read_bytes())
        for version in VERSIONS:
            response = server.curl("report.test", cert=bundle, version=version)
            assert response.seen("X-Client-Cert-Reason") == [reason]


def test_check_tells_of_lists(scene, host, tmp_path):
    import yaml
    entry = host("one.test", "report", ca=[str(scene.root.cert)], crl=[str(scene.of_root), str(scene.of_intermediate)])
    path = tmp_path / "sallyport.yaml"
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], "hosts": [entry]}))
    result = run("check", "-c", path)
    assert result.returncode == 0, result.stderr
    assert ", 2 CRLs with 1 revoked\n" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("one.test"))
    assert re.fullmatch(r"one\.test +report +\S+Z +\S+Z +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row), row
    entry["client_auth"]["crl"].append(str(tmp_path / "none.crl"))
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], "hosts": [entry]}))
    result = run("check", "-c", path)
    assert result.returncode == 1
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "none.crl" in text)
    assert result.stderr.startswith(f"{path}:{line}: client_auth.crl: ")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("whose", ["client", "intermediate"])
@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_revoked_by_a_reload(serve, host, scene, mode, whose, version):
    """New connections, resumption, and the next request on what is open: a full handshake's and a resumed one's."""

    def configuration(of_root, of_intermediate):
        return [host("r.test", mode, ca=[str(scene.root.cert)], crl=[str(of_root), str(of_intermediate)], forward=FORWARD)]

    nobody = scene.pki.crl(scene.intermediate)
    server = serve(configuration(scene.of_root, nobody))
    context = server.tls_client(scene.bad.bundle, version)
    full, resumed, session = full_and_resumed(server, context, "r.test")
    bystander = server.open(server.tls_client(scene.direct.bundle, version), "r.test")
    assert bystander.get()[0] == 200

    if whose == "client":
        assert server.reload(configuration(scene.of_root, scene.of_intermediate)), server.stderr()
    else:
        assert server.reload(configuration(scene.pki.crl(scene.root, [scene.intermediate]), nobody)), server.stderr()
    fresh = server.open(context, "r.test", session)
    assert not fresh.tls.session_reused
    for connection in [full, resumed, fresh]:
        headers = ask_as_invalid(connection, mode, "revoked", "X-Client-Cert-Reason")
        # A client that was let in and is turned away now is disconnected; a new one may ask for as many refusals as it likes.
        if mode == "enforce" and connection is not fresh:
            assert headers["connection"] == "close" and connection.is_closed()
    assert bystander.get()[0] == 200
    with server.open(context, "r.test", fresh.tls.session or session) as again:
        assert not again.tls.session_reused, "who is revoked is never resumed"
        # In TLS 1.3 the client is done before the server has seen its certificate.
        wait_for(lambda: server.metric("sallyport_client_certs_total", host="r.test", reason="revoked") == 2)
    fresh.close()
    bystander.close()
