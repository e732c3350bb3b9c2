"""tools/pki, run for real: what it makes is held against OpenSSL, `sallyport verify` and a running server."""

import os
import re
import resource
import shutil
import signal
import ssl
import stat
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from conftest import BINARY, ROOT, SANITIZED

TOOL = ROOT / "tools" / "pki"

# Most of this is about the tool alone: a sanitized server learns nothing from it.
tool_alone = pytest.mark.skipif(SANITIZED, reason="does not run the server")


class Folder:
    """A folder in which the tool is run, with its hierarchy in pki/."""

    def __init__(self, path):
        self.path = path
        self.dir = path / "pki"

    def run(self, *arguments, **options):
        return subprocess.run([str(TOOL), *map(str, arguments)], cwd=self.path, capture_output=True, text=True,
                              timeout=120, **options)

    def make(self, *arguments):
        result = self.run(*arguments)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return result.stdout

    def refuse(self, *arguments, code=1):
        """The one line of the error. Nothing in the folder may have changed."""
        before = self.contents()
        result = self.run(*arguments)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        assert result.stdout == ""
        assert result.stderr.startswith("pki: ") and result.stderr.count("\n") == 1, result.stderr
        assert self.contents() == before
        return result.stderr

    def contents(self):
        return {path.relative_to(self.path): path.read_bytes() if path.is_file() else None
                for path in self.path.rglob("*") if path.name != "lock"}

    def crls(self):
        path = self.path / "crls.pem"
        path.write_bytes(b"".join(crl.read_bytes() for crl in sorted(self.dir.glob("*.crl"))))
        return path

    def openssl_verify(self, *names, issuer="intermediate"):
        """The verdict of OpenSSL on clients, revocation included: "OK", or its error."""
        paths = [self.dir / "clients" / f"{name}.pem" for name in names]
        result = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-crl_check_all", "-purpose", "sslclient", "-CAfile", self.dir / "root.pem",
             "-untrusted", self.dir / f"{issuer}.pem", "-CRLfile", self.crls(), *paths], capture_output=True, text=True)
        if result.returncode == 0:
            assert result.stdout.count(": OK\n") == len(names)
            return "OK"
        return re.search(r"lookup: *(.*)", result.stderr).group(1)

    def client(self, name="oven-1"):
        return self.dir / "clients" / f"{name}.pem"

    def certificate(self, path):
        return x509.load_pem_x509_certificate((self.dir / path).read_bytes())

    def crl(self, issuer):
        return x509.load_pem_x509_crl((self.dir / f"{issuer}.crl").read_bytes())

    def listed(self, *options):
        """{file: (state, serial or number)}"""
        return {fields[3]: (fields[0], fields[2]) for fields in map(str.split, self.make("list", *options).splitlines())}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "a folder"
    path.mkdir()
    return Folder(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("model"))
    folder.make("root", "--subject", "/O=Example", "--cn", "Example Root")
    folder.make("intermediate")
    folder.make("client", "oven-1")
    return folder


@pytest.fixture
def hierarchy(model, folder):
    """A copy of one that is made once: root, intermediate and the client oven-1."""
    shutil.copytree(model.dir, folder.dir)
    return folder


def extension(certificate, kind):
    found = certificate.extensions.get_extension_for_class(kind)
    return found.value, found.critical


def sallyport_verify(folder, name="oven-1", *options):
    result = subprocess.run([str(BINARY), "verify", "--ca", str(folder.dir / "root.pem"), *map(str, options),
                             str(folder.client(name))], capture_output=True, text=True, timeout=60)
    return result.returncode, re.findall(r"^(?:status|reason): (\w+)$", result.stdout, re.MULTILINE)


# The files that it makes.


@tool_alone
def test_what_certificates_say(hierarchy):
    root, intermediate = hierarchy.certificate("root.pem"), hierarchy.certificate("intermediate.pem")
    leaf = hierarchy.certificate("clients/oven-1.pem")
    assert root.subject.rfc4514_string() == "CN=Example Root,O=Example"
    assert leaf.subject.rfc4514_string() == "CN=oven-1"
    for certificate, length in [(root, None), (intermediate, 0)]:
        constraints, critical = extension(certificate, x509.BasicConstraints)
        assert constraints.ca and critical and constraints.path_length == length
        usage, critical = extension(certificate, x509.KeyUsage)
        assert usage.key_cert_sign and usage.crl_sign and not usage.digital_signature and critical
    constraints, critical = extension(leaf, x509.BasicConstraints)
    assert not constraints.ca and critical
    usage, critical = extension(leaf, x509.KeyUsage)
    assert usage.digital_signature and not usage.key_cert_sign and critical
    assert list(extension(leaf, x509.ExtendedKeyUsage)[0]) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    for certificate, issuer in [(intermediate, root), (leaf, intermediate)]:
        own, _ = extension(issuer, x509.SubjectKeyIdentifier)
        authority, _ = extension(certificate, x509.AuthorityKeyIdentifier)
        assert authority.key_identifier == own.digest and certificate.issuer == issuer.subject
    for certificate, days in [(root, 7300), (intermediate, 1825), (leaf, 365)]:
        assert (certificate.not_valid_after - certificate.not_valid_before).days == days
        assert isinstance(certificate.public_key().curve, ec.SECP256R1)
        assert 120 < certificate.serial_number.bit_length() < 128


@tool_alone
def test_files(hierarchy):
    hierarchy.make("client", "tablet", "--bundle")
    chain = (hierarchy.client("tablet")).read_bytes()
    assert chain.count(b"BEGIN CERTIFICATE") == 2 and chain.endswith((hierarchy.dir / "intermediate.pem").read_bytes())
    bundle = hierarchy.dir / "clients" / "tablet.bundle.pem"
    assert bundle.read_bytes() == chain + (hierarchy.dir / "clients" / "tablet.key").read_bytes()
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(bundle)
    secret = {"root.key", "intermediate.key", "oven-1.key", "tablet.key", "tablet.bundle.pem"}
    for path in hierarchy.dir.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
            assert mode == 0o600 and path.name in secret, path
            secret.remove(path.name)
        elif path.suffix in (".pem", ".crl"):
            assert mode == 0o644, path
    assert not secret
    assert not list(hierarchy.dir.glob(".new*"))


def test_chain_is_valid(hierarchy):
    assert hierarchy.openssl_verify("oven-1") == "OK"
    assert sallyport_verify(hierarchy) == (0, ["valid", "ok"])


@tool_alone
@pytest.mark.parametrize("kind, of", [("ecdsa-p384", ec.EllipticCurvePublicKey), ("rsa-2048", rsa.RSAPublicKey),
                                      ("ed25519", ed25519.Ed25519PublicKey)])
def test_kinds_of_keys(folder, kind, of):
    for arguments in [["root"], ["intermediate"], ["client", "oven-1"]]:
        folder.make(*arguments, "--key", kind)
    for path in ["root.pem", "intermediate.pem", "clients/oven-1.pem"]:
        assert isinstance(folder.certificate(path).public_key(), of)
    folder.make("revoke", "oven-1")
    folder.make("client", "oven-2")
    assert folder.openssl_verify("oven-2") == "OK"
    assert folder.openssl_verify("oven-1") == "certificate revoked"
    assert sallyport_verify(folder) == (0, ["valid", "ok"])


def cpu_of_children():
    """Seconds that ended children have spent, which other work of the machine does not lengthen as it does waits."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@tool_alone
def test_three_hundred(hierarchy):
    before = cpu_of_children()
    hierarchy.make("client", "--count", 300, "device", "--subject", "/O=Example/UID={}", "--cn", "Device {}", "--san",
                   "uri:spiffe://example.com/{}")
    assert cpu_of_children() - before < 30
    names = [f"device-{number:03d}" for number in range(1, 301)]
    assert hierarchy.openssl_verify(*names) == "OK"
    serials, keys = set(), set()
    for name in names:
        certificate = hierarchy.certificate(f"clients/{name}.pem")
        assert certificate.subject.rfc4514_string() == f"CN=Device {name},UID={name},O=Example"
        uris = extension(certificate, x509.SubjectAlternativeName)[0].get_values_for_type(x509.UniformResourceIdentifier)
        assert uris == [f"spiffe://example.com/{name}"]
        serials.add(certificate.serial_number)
        keys.add((hierarchy.dir / "clients" / f"{name}.key").read_bytes())
    assert len(serials) == len(keys) == 300
    hierarchy.make("client", "--count", 2, "--first", 301, "device")
    assert {"device-301.pem", "device-302.pem"} <= {path.name for path in (hierarchy.dir / "clients").iterdir()}


@tool_alone
def test_what_a_certificate_says_can_be_anything(hierarchy):
    subject = r"/C=DE/O=Pizza, Pasta & \"Söhne\"/OU=a\/b\+c"
    hierarchy.make("client", "oven-2", "--subject", subject, "--cn", r"Öfen/7+8 = $x #1; \ 'y' `z`",
                   "--san", r"uri:https://example.com/a?b=$HOME&c='d'#e;\f", "--san", "dns:oven.example.com",
                   "--san", "email:oven@example.com", "--san", "ip:192.0.2.7", "--san", "ip:2001:db8::7")
    certificate = hierarchy.certificate("clients/oven-2.pem")
    names = {attribute.rfc4514_attribute_name: attribute.value for attribute in certificate.subject}
    assert names == {"C": "DE", "O": 'Pizza, Pasta & "Söhne"', "OU": "a/b+c", "CN": r"Öfen/7+8 = $x #1; \ 'y' `z`"}
    alternative, _ = extension(certificate, x509.SubjectAlternativeName)
    assert [str(name.value) for name in alternative] == [
        r"https://example.com/a?b=$HOME&c='d'#e;\f", "oven.example.com", "oven@example.com", "192.0.2.7", "2001:db8::7"]


@tool_alone
@pytest.mark.parametrize("path", ["pki $HOME", "ordner ü", 'a"b', "-pki", "deep/er/pki/"])
def test_strange_folders(folder, path):
    for arguments in [["root"], ["intermediate"], ["client", "oven-1"], ["revoke", "oven-1"], ["crl"]]:
        folder.make(*arguments, "--dir", path)
    listed = folder.listed("--dir", path)
    assert listed["clients/oven-1.pem"][0] == "revoked" and listed["intermediate.crl"] == ("current", "03")


@tool_alone
def test_request_of_a_device(hierarchy):
    def request(name, *options):
        subprocess.run(["openssl", "req", "-new", "-noenc", "-keyout", hierarchy.path / f"{name}.key", "-out", hierarchy.path / f"{name}.csr",
                        "-subj", "/CN=what it likes", "-addext", "basicConstraints=CA:TRUE", *options], check=True, capture_output=True)
        return hierarchy.path / f"{name}.csr"

    csr = request("good", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    hierarchy.make("client", "oven-2", "--csr", csr)
    certificate = hierarchy.certificate("clients/oven-2.pem")
    assert certificate.subject.rfc4514_string() == "CN=oven-2"
    assert not extension(certificate, x509.BasicConstraints)[0].ca
    assert certificate.public_key().public_numbers() == x509.load_pem_x509_csr(csr.read_bytes()).public_key().public_numbers()
    assert not (hierarchy.dir / "clients" / "oven-2.key").exists()
    assert hierarchy.openssl_verify("oven-2") == "OK"

    weak = request("weak", "-newkey", "rsa:1024")
    assert "weak.csr" in hierarchy.refuse("client", "oven-3", "--csr", weak)
    unknown = request("unknown", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    assert "not supported" in hierarchy.refuse("client", "oven-3", "--csr", unknown)
    other = request("other", "-newkey", "ed25519").read_text().splitlines()
    (hierarchy.path / "forged.csr").write_text("\n".join([*other[:2], other[2][::-1], *other[3:]]) + "\n")
    assert "forged.csr" in hierarchy.refuse("client", "oven-3", "--csr", hierarchy.path / "forged.csr")
    assert "--csr and --count" in hierarchy.refuse("client", "oven-3", "--csr", csr, "--count", 2, code=2)


@tool_alone
def test_for_browsers(hierarchy):
    (hierarchy.path / "password").write_text("open sesame\nnot this\n")
    hierarchy.make("client", "anna", "--p12", hierarchy.path / "password")
    path = hierarchy.dir / "clients" / "anna.p12"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def read(password):
        return subprocess.run(["openssl", "pkcs12", "-in", path, "-noenc", "-passin", f"pass:{password}"], capture_output=True, text=True)

    assert read("not this").returncode != 0
    content = read("open sesame").stdout
    assert content.count("BEGIN CERTIFICATE") == 2 and "friendlyName: anna" in content
    (hierarchy.path / "empty").write_text("\n")
    assert "empty" in hierarchy.refuse("client", "bert", "--p12", hierarchy.path / "empty")


# At the server.


def test_server_lets_it_in(hierarchy, serve, host):
    hierarchy.make("server", "api.test", "127.0.0.1")
    entry = host("api.test", "enforce", ca=[str(hierarchy.dir / "root.pem")], forward={"headers": {"X-Device": "subject.cn"}})
    entry.update(certificate=str(hierarchy.dir / "servers" / "api.test.pem"), key=str(hierarchy.dir / "servers" / "api.test.key"))
    server = serve([entry])
    server.server_root = hierarchy.dir / "root.pem"
    key = hierarchy.dir / "clients" / "oven-1.key"
    answer = server.curl("api.test", "/", "--key", key, cert=hierarchy.client())
    assert answer.status == 200
    assert answer.seen("X-Client-Cert-Status") == ["valid"] and answer.seen("X-Device") == ["oven-1"]
    assert server.curl("api.test").status == 403
    # A server certificate is of the same hierarchy and opens nothing.
    of_server = hierarchy.dir / "servers" / "api.test.pem"
    assert server.curl("api.test", "/", "--key", of_server.with_suffix(".key"), cert=of_server).status == 403


@tool_alone
def test_server_names(hierarchy):
    hierarchy.make("server", "*.example.com", "example.com", "2001:db8::1")
    alternative, _ = extension(hierarchy.certificate("servers/_wildcard.example.com.pem"), x509.SubjectAlternativeName)
    assert [str(name.value) for name in alternative] == ["*.example.com", "example.com", "2001:db8::1"]
    for name in ["a b", "a_b.example.com", "*.*.example.com", "x.*", "-a.example.com", "büro.example.com", ""]:
        assert f"'{name}'" in hierarchy.refuse("server", name, code=1 if name == "-" else 2) or name.startswith("-")


def test_verify_with_crls(hierarchy):
    crls = ["--crl", hierarchy.dir / "root.crl", "--crl", hierarchy.dir / "intermediate.crl"]
    hierarchy.make("client", "oven-2")
    assert sallyport_verify(hierarchy, "oven-1", *crls) == (0, ["valid", "ok"])
    assert sallyport_verify(hierarchy, "oven-1", *crls[:2]) == (1, ["invalid", "crl_missing"])
    hierarchy.make("revoke", "oven-1", "--reason", "keyCompromise")
    assert sallyport_verify(hierarchy, "oven-1", *crls) == (1, ["invalid", "revoked"])
    assert sallyport_verify(hierarchy, "oven-2", *crls) == (0, ["valid", "ok"])
    hierarchy.make("revoke", "intermediate")
    assert sallyport_verify(hierarchy, "oven-2", *crls) == (1, ["invalid", "revoked"])


def test_server_turns_away_who_was_revoked(hierarchy, serve, host):
    for name in ["oven-2", "oven-3"]:
        hierarchy.make("client", name, "--bundle")
    hierarchy.make("revoke", "oven-2")
    crls = [str(hierarchy.dir / "root.crl"), str(hierarchy.dir / "intermediate.crl")]
    server = serve([host("api.test", "enforce", ca=[str(hierarchy.dir / "root.pem")], crl=crls)])

    def answer(name):
        return server.curl("api.test", cert=hierarchy.dir / "clients" / f"{name}.bundle.pem").status

    assert answer("oven-3") == 200 and answer("oven-2") == 403
    hierarchy.make("revoke", "oven-3")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while answer("oven-3") != 403:
        assert time.monotonic() < deadline, server.stderr()
        time.sleep(0.05)


# Revocation.


@tool_alone
def test_revocation(hierarchy):
    for name in ["oven-2", "oven-3", "oven-4"]:
        hierarchy.make("client", name)
    serial = hierarchy.certificate("clients/oven-3.pem").serial_number
    said = hierarchy.make("revoke", "oven-1", "--reason", "keyCompromise")
    assert "clients/oven-1.pem" in said and "intermediate.crl" in said
    hierarchy.make("revoke", hierarchy.client("oven-2"))
    hierarchy.make("revoke", "--serial", ":".join(re.findall("..", f"00{serial:x}")))
    for name in ["oven-1", "oven-2", "oven-3"]:
        assert hierarchy.openssl_verify(name) == "certificate revoked"
        assert hierarchy.listed()[f"clients/{name}.pem"][0] == "revoked"
    assert hierarchy.openssl_verify("oven-4") == "OK"
    crl = hierarchy.crl("intermediate")
    entry = crl.get_revoked_certificate_by_serial_number(hierarchy.certificate("clients/oven-1.pem").serial_number)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise
    assert len(list(crl)) == 3 and crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 4
    key_of_issuer, _ = extension(hierarchy.certificate("intermediate.pem"), x509.SubjectKeyIdentifier)
    assert crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == key_of_issuer.digest


@tool_alone
def test_what_cannot_be_revoked(hierarchy, tmp_path):
    hierarchy.make("revoke", "oven-1")
    assert "revoked already, since 20" in hierarchy.refuse("revoke", "oven-1")
    assert "revoked already, since 20" in hierarchy.refuse("revoke", hierarchy.client())
    assert "'oven-9' is unknown" in hierarchy.refuse("revoke", "oven-9")
    assert "ABCD is unknown" in hierarchy.refuse("revoke", "--serial", "abcd")
    assert "root cannot be revoked" in hierarchy.refuse("revoke", "root")
    assert "nowhere.pem': no such file" in hierarchy.refuse("revoke", "./nowhere.pem")
    assert "no certificate in it" in hierarchy.refuse("revoke", hierarchy.dir / "root.key")
    other = Folder(tmp_path / "other")
    other.path.mkdir()
    other.make("root")
    other.make("intermediate")
    other.make("client", "stranger")
    assert "was not issued here" in hierarchy.refuse("revoke", other.client("stranger"))
    assert "--serial 'xyz'" in hierarchy.refuse("revoke", "--serial", "xyz", code=2)
    assert "--reason 'boredom'" in hierarchy.refuse("revoke", "oven-1", "--reason", "boredom", code=2)
    for arguments in [[], [""], ["oven-1", "--serial", "ab"], ["oven-1", "oven-2"]]:
        hierarchy.refuse("revoke", *arguments, code=2)


@tool_alone
def test_crl_renewal(hierarchy):
    def life(issuer):
        crl = hierarchy.crl(issuer)
        return (crl.next_update - crl.last_update).days, crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    assert life("root") == life("intermediate") == (30, 1)
    hierarchy.make("crl", "--days", 365, "root")
    hierarchy.make("crl", "--days", 7, "intermediate")
    assert (life("root"), life("intermediate")) == ((365, 2), (7, 2))
    # An option that was given once holds from then on, also where a revocation makes the list.
    hierarchy.make("crl")
    hierarchy.make("revoke", "oven-1")
    assert (life("root"), life("intermediate")) == ((365, 3), (7, 4))
    assert "'elsewhere' is no issuer" in hierarchy.refuse("crl", "elsewhere")

    # With the root's key in the safe the intermediate's list is renewed by name, and by nothing less.
    (hierarchy.dir / "root.key").rename(hierarchy.path / "safe")
    hierarchy.make("crl", "intermediate")
    assert life("intermediate") == (7, 5)
    for arguments in [["crl"], ["crl", "intermediate", "root"], ["revoke", "intermediate"], ["intermediate", "next"]]:
        assert "root.key' is not there" in hierarchy.refuse(*arguments)


@tool_alone
def test_rotation_of_an_intermediate(hierarchy):
    hierarchy.make("intermediate", "second", "--crl-days", 5)
    hierarchy.make("client", "oven-2")
    hierarchy.make("client", "oven-3", "--issuer", "intermediate")
    assert hierarchy.openssl_verify("oven-2", issuer="second") == "OK"
    assert hierarchy.openssl_verify("oven-1", "oven-3") == "OK"
    names = {hierarchy.certificate(f"{name}.pem").subject.rfc4514_string() for name in ["intermediate", "second"]}
    assert len(names) == 2
    hierarchy.make("revoke", "intermediate", "--reason", "superseded")
    assert hierarchy.openssl_verify("oven-1") == "certificate revoked"
    assert hierarchy.openssl_verify("oven-2", issuer="second") == "OK"
    assert "'intermediate'" in hierarchy.refuse("client", "oven-4", "--issuer", "intermediate")
    hierarchy.make("revoke", "second")
    assert "no valid intermediate" in hierarchy.refuse("client", "oven-4")


@tool_alone
def test_replacement(hierarchy):
    old = hierarchy.client().read_bytes()
    serial = hierarchy.certificate("clients/oven-1.pem").serial_number
    assert "--replace" in hierarchy.refuse("client", "oven-1")
    hierarchy.make("client", "oven-1", "--replace")
    assert (hierarchy.dir / "replaced" / f"oven-1.{serial:X}.pem").read_bytes() == old
    assert (hierarchy.dir / "replaced" / f"oven-1.{serial:X}.key").exists()
    new = hierarchy.certificate("clients/oven-1.pem").serial_number
    assert new != serial
    # A name stands for everything that was issued to it.
    assert hierarchy.make("revoke", "oven-1").count("revoked ") == 2
    assert {entry.serial_number for entry in hierarchy.crl("intermediate")} == {serial, new}
    # Where the files have gone to the device, the index still knows.
    hierarchy.make("client", "oven-2")
    for path in (hierarchy.dir / "clients").glob("oven-2.*"):
        path.unlink()
    assert "has a valid certificate already" in hierarchy.refuse("client", "oven-2")
    hierarchy.make("revoke", "oven-2")
    hierarchy.make("client", "oven-2")


@tool_alone
def test_names_that_an_intermediate_may_sign(folder):
    folder.make("root")
    folder.make("intermediate", "--permit", "dns:example.com", "--permit", "ip:10.0.0.0/255.0.0.0")
    assert extension(folder.certificate("intermediate.pem"), x509.NameConstraints)[1]
    folder.make("client", "oven-1", "--san", "dns:oven.example.com", "--san", "ip:10.1.2.3")
    assert sallyport_verify(folder) == (0, ["valid", "ok"])
    for name in ["dns:oven.example.org", "ip:192.0.2.1"]:
        assert "permitted subtree violation" in folder.refuse("client", "oven-2", "--san", name)
    # One of them would do, and none is made.
    assert "permitted subtree violation" in folder.refuse("client", "x", "--count", 5, "--san", "dns:{}.example.org")


@tool_alone
def test_list(hierarchy):
    hierarchy.make("client", "short", "--days", 3)
    listed = hierarchy.listed()
    assert set(listed) == {"root.pem", "root.crl", "intermediate.pem", "intermediate.crl", "clients/oven-1.pem", "clients/short.pem"}
    assert listed["clients/short.pem"] == ("valid", f"{hierarchy.certificate('clients/short.pem').serial_number:X}")
    assert listed["intermediate.crl"] == ("current", "01")
    assert set(hierarchy.listed("--expiring", 4)) == {"clients/short.pem"}
    assert set(hierarchy.listed("--expiring", 31)) == {"clients/short.pem", "root.crl", "intermediate.crl"}
    assert "no such folder" in hierarchy.refuse("list", "--dir", "nowhere")
    # The end is the certificate's own, beyond the year in which dates change their form too.
    hierarchy.make("root", "--dir", "old", "--days", 15000)
    with open(hierarchy.path / "old" / "root.pem", "rb") as file:
        end = x509.load_pem_x509_certificate(file.read()).not_valid_after
    assert f"{end:%Y-%m-%dT%H:%M:%SZ}" in hierarchy.make("list", "--dir", "old") and end.year >= 2050


# The requests that it refuses.


@tool_alone
def test_overwrites_nothing(hierarchy):
    for arguments, culprit in [(["root"], "root.pem"), (["intermediate"], "'intermediate'"), (["client", "oven-1"], "oven-1.pem"),
                               (["client", "intermediate"], "'intermediate'"), (["client", "root"], "'root'"),
                               (["intermediate", "oven-1"], "oven-1")]:
        assert culprit in hierarchy.refuse(*arguments)
    hierarchy.make("client", "device-2")
    assert "device-2.pem" in hierarchy.refuse("client", "device", "--count", 3)
    (hierarchy.dir / "clients" / "mine.key").write_text("precious")
    assert "mine.key" in hierarchy.refuse("client", "mine")
    (hierarchy.path / "half").mkdir()
    (hierarchy.path / "half" / "root.key").write_text("precious")
    assert "half/root.key" in hierarchy.refuse("root", "--dir", "half")


@tool_alone
@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "../a", ".", "..", ".hidden", "ofen-ü", "a\nb", "a*", "$HOME", "a;b", "x" * 65,
                                  "-x", "--", "@x", "a.pem", "a.bundle"])
def test_strange_names(hierarchy, name):
    for command in [["client"], ["client", "--count", "2"], ["intermediate"]]:
        before = hierarchy.contents()
        arguments = [*command, "--", name]
        assert "cannot be a name" in hierarchy.refuse(*arguments, code=2)
        assert hierarchy.contents() == before


@tool_alone
@pytest.mark.parametrize("arguments, fragment", [
    (["client", "x", "--colour"], "'client' has no option '--colour'"),
    (["client", "-x"], "'client' has no option '-x'"),
    (["root", "--count", "3"], "'root' has no option '--count'"),
    (["client", "x", "--days"], "--days: a value"),
    (["client", "x", "--days=3"], "write '--days VALUE'"),
    (["client", "x", "--days", "0"], "--days '0'"),
    (["client", "x", "--days", "1e3"], "--days '1e3'"),
    (["client", "x", "--count", "10001"], "--count '10001'"),
    (["client", "x", "--key", "dsa"], "--key 'dsa'"),
    (["client", "x", "--subject", "O=x"], "--subject 'O=x'"),
    (["client", "x", "--subject", "/CN=x"], "goes into --cn"),
    (["client", "x", "--cn", "a\nb"], "control character"),
    (["client", "x", "--cn", b"\xff"], "not UTF-8"),
    (["client", "x", "--count", "2", "--cn", "all alike"], "{} stands for the name"),
    (["client", "x", "--san", "oven.example.com"], "dns:NAME"),
    (["client", "x", "--san", "dns:öfen.example.com"], "xn-- form"),
    (["client", "x", "y"], "'y' is one too many"),
    (["client"], "needs a NAME"),
    (["list", "x"], "takes no argument"),
    (["client", "x", "--dir", ""], "--dir"),
    (["fly"], "'fly' is no command"),
])
def test_wrong_usage(hierarchy, arguments, fragment):
    before = hierarchy.contents()
    result = subprocess.run([str(TOOL), *arguments], cwd=hierarchy.path, capture_output=True, text=True)
    assert result.returncode == 2 and fragment in result.stderr and "--help" in result.stderr
    assert hierarchy.contents() == before


@tool_alone
@pytest.mark.parametrize("arguments, fragment", [
    (["client", "x", "--days", "2000"], "'intermediate' ends in 1824 days"),
    (["intermediate", "y", "--days", "8000"], "'root' ends in 7299 days"),
    (["client", "x", "--subject", "/FOO=bar"], '"FOO"'),
    (["client", "x", "--subject", "/C=Germany"], "/C=Germany"),
    (["client", "x", "--cn", "x" * 65], "string too long"),
    (["client", "x", "--count", "9", "--san", "ip:1.2.3"], "bad ip address value=1.2.3"),
    (["client", "x", "--issuer", "nobody"], "--issuer 'nobody'"),
    (["client", "x", "--issuer", "../x"], "--issuer '../x'"),
    (["client", "x", "--csr", "nowhere.csr"], "--csr 'nowhere.csr': no such file"),
    (["client", "x", "--dir", "nowhere"], "'nowhere': no such folder"),
    (["crl", "--dir", "."], "'.' holds no hierarchy"),
    (["root", "--dir", "pki/root.pem"], "is not a folder"),
])
def test_what_cannot_be_made(hierarchy, arguments, fragment):
    assert fragment in hierarchy.refuse(*arguments)


@tool_alone
def test_help():
    for arguments in [["--help"], ["client", "--help"], ["help"]]:
        result = subprocess.run([str(TOOL), *arguments], capture_output=True, text=True)
        assert result.returncode == 0 and result.stderr == ""
        assert all(f"\n  {command} " in result.stdout for command in ["root", "intermediate", "client", "server", "revoke", "crl", "list"])
    assert subprocess.run([str(TOOL)], capture_output=True).returncode == 2


# Side by side, and cut short.


@tool_alone
def test_side_by_side(hierarchy):
    jobs = [["client", f"batch{job}", "--count", "20"] for job in range(4)] + [["crl"], ["revoke", "oven-1"], ["crl"]]
    running = [subprocess.Popen([str(TOOL), *job], cwd=hierarchy.path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for job in jobs]
    for process in running:
        assert process.communicate(timeout=120)[1] == b"" and process.returncode == 0
    listed = hierarchy.listed()
    assert sum(name.startswith("clients/batch") for name in listed) == 80
    assert listed["clients/oven-1.pem"][0] == "revoked" and listed["intermediate.crl"] == ("current", "04")
    # Two that want the same name: one gets it.
    twins = [subprocess.Popen([str(TOOL), "client", "twin"], cwd=hierarchy.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
             for _ in range(2)]
    assert sorted(process.wait(timeout=60) for process in twins) == [0, 1]
    assert hierarchy.openssl_verify("twin", *[f"batch{job}-{number:02d}" for job in range(4) for number in range(1, 21)]) == "OK"


@tool_alone
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_cut_short(hierarchy, how):
    before = hierarchy.contents()
    process = subprocess.Popen([str(TOOL), "client", "device", "--count", "500"], cwd=hierarchy.path, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True,
                               # A shell cannot trap a signal that was ignored when it began, as whoever runs the tests may have it.
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    deadline = time.monotonic() + 30
    while len(list(hierarchy.dir.glob(".new.*/issued/*.pem"))) < 20:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    # As a terminal does: to all of the group.
    os.killpg(process.pid, how)
    assert process.wait(timeout=30) != 0
    if how != signal.SIGKILL:
        assert hierarchy.contents() == before
    # Whatever was left is cleared away by the next command, and nothing is taken.
    hierarchy.make("client", "device", "--count", "2")
    assert not list(hierarchy.dir.glob(".new.*"))
    assert hierarchy.openssl_verify("device-1", "device-2") == "OK"
