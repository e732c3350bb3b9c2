"""`check` as an operator runs it: problems, warnings, the table, JSON. The loaders' own tests have the long tables of faults."""

import ipaddress
import json
import re
import subprocess
import time

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import pki as pki_module
from conftest import BINARY, Plain
from pki import DAY, NOW


def check(path, *options):
    return subprocess.run([str(BINARY), "check", "-c", str(path), *options], capture_output=True, text=True, timeout=60)


def write(tmp_path, *hosts, **top):
    path = tmp_path / "sallyport.yaml"
    document = {"listen": [{"address": "127.0.0.1:8443"}], "limits": {"connections": 64}, **top, "hosts": list(hosts)}
    path.write_text(yaml.dump(document, Dumper=Plain, sort_keys=False))
    return path


def line_of(path, fragment):
    """The only line of a file that has the fragment."""
    found = [number for number, line in enumerate(path.read_text().splitlines(), 1) if fragment in line]
    assert len(found) == 1, (fragment, found)
    return found[0]


def warnings(path):
    """The warnings of a good file, as (line, message)."""
    result = check(path)
    assert result.returncode == 0, result.stderr
    found = []
    for line in result.stderr.splitlines():
        match = re.fullmatch(rf"{re.escape(str(path))}:(\d+): warning: (.*)", line)
        assert match, line
        found.append((int(match[1]), match[2]))
    assert found == sorted(found, key=lambda item: item[0])
    return found


def log_of(server):
    """The log of a server up to the line that says that it is ready."""
    deadline = time.monotonic() + 20
    while "INFO ready: " not in server.stderr() and time.monotonic() < deadline:
        time.sleep(0.02)
    return server.stderr()


@pytest.fixture
def chained(pki):
    """A host with nothing to warn of: its certificate has an issuer behind it."""
    issuing = pki.authority("Server Issuing", issuer=pki.server_root)

    def make(name, *names, mode="off", start=None, end=None, san=None, **client_auth):
        key = pki_module.new_key("ecdsa-p256")
        san = san or [x509.DNSName(each) for each in names or (name,)]
        certificate = pki.build(name, key, issuing, start=start, end=end,
                                extensions=[(x509.SubjectAlternativeName(san), False)] if san != "none" else [])
        server = pki.entity("server", certificate, key, [issuing.certificate])
        made = {"name": name, "certificate": str(server.chain), "key": str(server.key), "origin": [{"address": "127.0.0.1:9000"}]}
        if mode != "off":
            made["client_auth"] = {"mode": mode, "ca": [str(pki.root.cert)], **client_auth}
        return made

    return make


def test_nothing_to_warn_of(tmp_path, pki, chained):
    lists = [str(pki.crl(pki.root)), str(pki.crl(pki.intermediate))]
    path = write(tmp_path, chained("one.test", mode="enforce", crl=lists), chained("*.two.test", "*.two.test"),
                 admin={"address": "127.0.0.1:9443"})
    assert warnings(path) == []


def test_table(tmp_path, pki, chained):
    lists = [str(pki.crl(pki.root, [pki.expired()])), str(pki.crl(pki.intermediate, [pki.valid()]))]
    long_name = ".".join(["a-label-that-is-rather-long"] * 6) + ".test"
    headers = {f"X-A-Header-With-A-Long-Name-{number:02d}": "serial" for number in range(20)}
    one = {**chained("one.test", mode="enforce", crl=lists), "default": True, "forward": {"headers": headers}}
    two = {**chained(long_name), "health": {"path": "/healthz"}, "required": True}
    three = chained("three.test", end=NOW - DAY)
    path = write(tmp_path, one, two, three)
    result = check(path)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == "HOST MODE CERTIFICATE UNTIL ROOTS UNTIL CRLS UNTIL".split()
    until = lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert lines[1].split() == ["one.test", "enforce", until(NOW + 3650 * DAY), until(pki.root.certificate.not_valid_after),
                                until(NOW + DAY)]
    assert lines[2].strip() == "default host, 1 root, 2 CRLs with 2 revoked"
    assert "    health checks /healthz every 5s, required" in lines
    words = result.stdout.split()
    assert {"X-Client-Cert-Status", "X-Client-Cert-SKI", *headers} <= set(words)
    assert long_name in result.stdout.replace("\n", "")
    assert words.count("127.0.0.1:9000") == 3
    row = next(line for line in lines if line.startswith("three.test"))
    assert row.split() == ["three.test", "off", until(NOW - DAY) + "!", "-", "-"]
    assert lines[-1] == "! has ended"


def test_the_table_tells_how_origins_are_reached(tmp_path, pki, chained):
    edge = pki.client(cache="edge", subject="edge-1")
    ways = {
        "origin_tls: {ca: [root]}": ({"origin_tls": {"ca": [str(pki.root.cert)], "name": "a.test"}}, "    origin_tls"),
        "mutual": ({"origin_tls": {"ca": [str(pki.root.cert)], "name": "a.test", "certificate": str(edge.chain), "key": str(edge.key)},
                    "origin_protocol": "http2"}, "    origin_tls with a certificate origin_protocol: http2"),
        "choice": ({"balance": "hash", "origin": [{"address": "127.0.0.1:9000", "weight": 3}, {"address": "127.0.0.1:9001", "backup": True}]},
                   "    origins 127.0.0.1:9000 (weight 3) 127.0.0.1:9001 (backup)\n    balance: hash"),
        "header": ({"origin_proxy_protocol": "v1", "balance": "least_connections"}, "    origin_proxy_protocol: v1 balance: least_connections"),
    }
    for more, line in ways.values():
        result = check(write(tmp_path, {**chained("one.test"), **more}))
        assert result.returncode == 0, result.stderr
        assert line + "\n" in result.stdout, result.stdout
    assert "origin_" not in check(write(tmp_path, chained("one.test"))).stdout


def test_each_of_several_certificates(tmp_path, pki, chained):
    """The column has the first end, a line each the rest; JSON has all in the order of the file."""
    until = lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ")
    first = chained("one.test")
    key = pki_module.new_key("rsa-2048")
    san = x509.SubjectAlternativeName([x509.DNSName("one.test")])
    issuing = pki.authority("Server Issuing", issuer=pki.server_root)
    second = pki.entity("second", pki.build("one.test", key, issuing, end=NOW + DAY, extensions=[(san, False)]), key, [issuing.certificate])
    pairs = [{"certificate": first.pop("certificate"), "key": first.pop("key")}, {"certificate": str(second.chain), "key": str(second.key)}]
    path = write(tmp_path, {**first, "certificates": pairs}, chained("two.test"))
    result = check(path)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    lines = result.stdout.splitlines()
    assert lines[1].split() == ["one.test", "off", until(NOW + DAY), "-", "-"]
    words = " ".join(result.stdout.split())
    assert f"certificate ECDSA until {until(NOW + 3650 * DAY)} {pairs[0]['certificate']}" in words
    assert f"certificate RSA until {until(NOW + DAY)} {pairs[1]['certificate']}" in words
    assert words.count("certificate ") == 2, "none for the host with one"
    found = json.loads(check(path, "--json").stdout)["hosts"]
    assert [(one["file"], one["key"], one["not_after"]) for one in found[0]["certificates"]] == [
        (pairs[0]["certificate"], "ECDSA", until(NOW + 3650 * DAY)), (pairs[1]["certificate"], "RSA", until(NOW + DAY))]
    assert found[0]["certificate"] == {"file": pairs[1]["certificate"], "not_after": until(NOW + DAY)}


def test_a_list_that_a_newer_one_replaces_does_not_end_the_column(tmp_path, pki, chained):
    """What clients are judged by ends with the newer list: the older one is of no account any more."""
    until = lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ")
    older = pki.crl(pki.root, start=-10 * DAY, end=-5 * DAY)
    newer = pki.crl(pki.root, start=-DAY, end=2 * DAY)
    lists = [str(older), str(newer), str(pki.crl(pki.intermediate, end=3 * DAY))]
    result = check(write(tmp_path, chained("one.test", mode="enforce", crl=lists)))
    assert result.returncode == 0, result.stderr
    row = next(line for line in result.stdout.splitlines() if line.startswith("one.test"))
    assert row.split()[-1] == until(NOW + 2 * DAY)
    assert "has ended" not in result.stdout


def test_every_problem_with_its_line(tmp_path, host, pki):
    broken = host("one.test", "enforce", ca=["/nowhere/root.pem"])
    broken["key"] = str(pki.server("ecdsa-p256", "other.test").key)
    broken["forward"] = {"headers": {"Bad Name": "reason", "X-Fine": "no.such.field"}}
    path = write(tmp_path, broken, host("ONE.test"), colour="red")
    result = check(path)
    assert result.returncode == 1 and result.stdout == ""
    as_json = check(path, "--json")
    assert as_json.returncode == 1 and as_json.stderr == ""
    report = json.loads(as_json.stdout)
    assert report["ok"] is False and report["hosts"] == [] and report["warnings"] == [] and report["file"] == str(path)
    told = [f"{item['file']}:{item['line']}: {item['message']}" for item in report["problems"]]
    assert told == result.stderr.splitlines()
    text = path.read_text().splitlines()
    for fragment, where in [("colour", "colour: red"), ("root.pem", "/nowhere/root.pem"), ("Bad Name", "Bad Name"),
                            ("no.such.field", "no.such.field"), ("one.test", "ONE.test"), ("key", "key:")]:
        line = next(i for i, content in enumerate(text, 1) if where in content)
        assert any(problem.startswith(f"{path}:{line}: ") and fragment.lower() in problem.lower() for problem in told), (fragment, told)


def test_json(tmp_path, pki, chained):
    lists = [str(pki.crl(pki.root, [pki.expired()])), str(pki.crl(pki.intermediate))]
    one = {**chained("one.test", mode="enforce", crl=lists), "default": True, "forward": {"headers": {"X-Serial": "serial"}},
           "health": {"path": "/healthz", "interval": "1s"}, "required": True}
    path = write(tmp_path, one, chained("two.test"), admin={"address": "0.0.0.0:9443"})
    result = check(path, "--json")
    assert result.returncode == 0 and result.stderr == ""
    report = json.loads(result.stdout)
    until = lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert list(report) == ["ok", "file", "listeners", "hosts", "problems", "warnings"]
    assert report["ok"] is True and report["file"] == str(path) and report["problems"] == []
    assert [each["proxy_protocol"] for each in report["listeners"]] == [[]]
    assert [(item["file"], item["line"]) for item in report["warnings"]] == [(str(path), line_of(path, "0.0.0.0:9443"))]
    lists = sorted(report["hosts"][0].pop("crls"), key=lambda each: each["issuer"])
    assert lists == [{"issuer": f"CN=Client {name}", "this_update": until(NOW - DAY), "next_update": until(NOW + DAY),
                      "revoked": revoked} for name, revoked in [("Intermediate", 0), ("Root", 1)]]
    assert report["hosts"] == [
        {"name": "one.test", "default": True, "mode": "enforce", "protocol": "http",
         "certificate": {"file": one["certificate"], "not_after": until(NOW + 3650 * DAY)},
         "certificates": [{"file": one["certificate"], "key": "ECDSA", "not_after": until(NOW + 3650 * DAY)}],
         "roots": [{"subject": "CN=Client Root", "not_after": until(pki.root.certificate.not_valid_after)}],
         "headers": ["X-Client-Cert-Status", "X-Client-Cert-SKI", "X-Serial"], "origins": ["127.0.0.1:9000"], "required": True,
         "health": {"path": "/healthz", "interval_ms": 1000, "timeout_ms": 2000, "rise": 2, "fall": 3}},
        {"name": "two.test", "default": False, "mode": "off", "protocol": "http",
         "certificate": {"file": report["hosts"][1]["certificate"]["file"], "not_after": until(NOW + 3650 * DAY)},
         "certificates": [{"key": "ECDSA", **report["hosts"][1]["certificate"]}],
         "roots": [], "crls": [], "headers": ["X-Client-Cert-Status", "X-Client-Cert-SKI"], "origins": ["127.0.0.1:9000"],
         "health": None, "required": False},
    ]


def test_tcp_hosts(tmp_path, chained):
    """They have no headers."""
    path = write(tmp_path, {**chained("one.test"), "protocol": "tcp"})
    assert "    protocol tcp\n    origins 127.0.0.1:9000\n" in check(path).stdout
    host = json.loads(check(path, "--json").stdout)["hosts"][0]
    assert host["protocol"] == "tcp" and host["headers"] == []
    refused = check(write(tmp_path, {**chained("one.test"), "protocol": "tcp", "methods": ["GET"]}))
    assert refused.returncode == 1 and "methods does not go with protocol: tcp" in refused.stderr


def test_listeners_for_balancers(tmp_path, chained):
    listen = [{"address": "127.0.0.1:8443"}, {"address": "127.0.0.1:8444", "proxy_protocol": ["10.0.0.5", "10.1.0.0/16"]}]
    path = write(tmp_path, chained("one.test"), listen=listen)
    assert check(path).stdout.endswith("\n127.0.0.1:8444\n    PROXY headers from 10.0.0.5/32 10.1.0.0/16\n")
    assert json.loads(check(path, "--json").stdout)["listeners"] == [
        {"address": "127.0.0.1:8443", "proxy_protocol": []},
        {"address": "127.0.0.1:8444", "proxy_protocol": ["10.0.0.5/32", "10.1.0.0/16"]}]


def test_server_certificates(tmp_path, pki, chained):
    """Names, dates and chains of what a host shows its clients."""
    alone = pki.server("ecdsa-p256", "alone.test")
    # Each host, and what is said at the line of its certificate.
    cases = [
        (chained("one.test", "other.test", "*.sub.one.test"), ["is not for the name \"one.test\"", "\"other.test\", \"*.sub.one.test\""]),
        (chained("*.two.test", "a.two.test"), ["is not for the name \"*.two.test\""]),
        (chained("a.three.test", "*.three.test"), None),
        (chained("four.test", san=[x509.IPAddress(ipaddress.ip_address("192.0.2.4"))]), ["is not for the name", "\"192.0.2.4\""]),
        ({**chained("five.test", san=[x509.IPAddress(ipaddress.ip_address("2001:db8::5"))]), "default": True}, None),
        (chained("six.test", san="none"), ["its common name does not count"]),
        (chained("seven.test", start=NOW + DAY), [f"is not valid before {(NOW + DAY).isoformat()}Z"]),
        (chained("eight.test", end=NOW - DAY), [f"has expired, at {(NOW - DAY).isoformat()}Z"]),
        ({**chained("alone.test"), "certificate": str(alone.chain), "key": str(alone.key)},
         ["has no certificate of its issuer CN=Server Root", "append the certificate of the issuer"]),
    ]
    path = write(tmp_path, *(case[0] for case in cases))
    found = warnings(path)
    expected = [(line_of(path, host["certificate"]), fragments) for host, fragments in cases if fragments is not None]
    assert len(found) == len(expected), found
    for (line, message), (expected_line, fragments) in zip(found, expected):
        assert line == expected_line, found
        for fragment in ["certificate: ", *fragments]:
            assert fragment in message


def test_an_issuer_that_is_over(tmp_path, pki):
    old = pki.authority("Old Issuing", issuer=pki.server_root, end=NOW - DAY)
    key = pki_module.new_key("ecdsa-p256")
    san = x509.SubjectAlternativeName([x509.DNSName("one.test")])
    server = pki.entity("server", pki.build("one.test", key, old, extensions=[(san, False)]), key, [old.certificate])
    path = write(tmp_path, {"name": "one.test", "certificate": str(server.chain), "key": str(server.key),
                            "origin": [{"address": "127.0.0.1:9000"}]})
    assert [message for _, message in warnings(path)] == [
        f"certificate: {server.chain}: certificate 2 of the chain has expired, at {(NOW - DAY).isoformat()}Z: clients refuse it; replace it"]


@pytest.mark.parametrize("usages, warned", [
    ([ExtendedKeyUsageOID.SERVER_AUTH], True),
    ([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], False),
    (None, False),
])
def test_a_certificate_for_origins(tmp_path, pki, chained, usages, warned):
    key = pki_module.new_key("ecdsa-p256")
    extensions = [] if usages is None else [(x509.ExtendedKeyUsage(usages), False)]
    own = pki.entity("edge", pki.build("edge", key, pki.root, extensions=extensions), key)
    one = {**chained("one.test"), "origin": [{"address": "127.0.0.1:443"}],
           "origin_tls": {"ca": [str(pki.root.cert)], "certificate": str(own.cert), "key": str(own.key)}}
    found = [message for _, message in warnings(write(tmp_path, one))]
    assert len(found) == warned, found
    assert all(f"origin_tls.certificate: the extendedKeyUsage of {own.cert} has no clientAuth" in message for message in found)


def test_roots_and_lists(tmp_path, pki, chained):
    ended_root = pki.authority("Ended Root", end=NOW - DAY)
    coming_root = pki.authority("Coming Root", start=NOW + DAY)
    ended = str(pki.crl(pki.root, start=-3 * DAY, end=-DAY))
    ended_but_replaced = str(pki.crl(pki.other_root, start=-3 * DAY, end=-DAY))
    coming = str(pki.crl(ended_root, start=DAY, end=2 * DAY))
    lists = [ended, ended_but_replaced, str(pki.crl(pki.other_root)), coming]
    one = chained("one.test", mode="enforce", crl=lists)
    one["client_auth"]["ca"] = [str(each.cert) for each in (pki.root, pki.other_root, ended_root, coming_root)]
    path = write(tmp_path, one)
    found = warnings(path)
    assert found == [
        (line_of(path, str(ended_root.cert)),
         f"client_auth.ca: the root CN=Ended Root has expired, at {(NOW - DAY).isoformat()}Z: its clients are not valid"),
        (line_of(path, str(coming_root.cert)),
         f"client_auth.ca: the root CN=Coming Root is not valid before {(NOW + DAY).isoformat()}Z: "
         "its clients are not valid until then"),
        (line_of(path, str(coming_root.cert)),
         "client_auth.ca: no list in client_auth.crl is of CN=Coming Root: its clients will be crl_missing; add the list to "
         "client_auth.crl"),
        (line_of(path, ended), f"client_auth.crl: the list of CN=Client Root has ended, at {(NOW - DAY).isoformat()}Z: its "
                               "clients will be crl_stale; replace it"),
        (line_of(path, coming), f"client_auth.crl: the list of CN=Ended Root does not count before {(NOW + DAY).isoformat()}Z: "
                                "its date is in the future"),
    ]


def test_what_a_missing_list_comes_to(tmp_path, serve, host, pki):
    """The warning is true: such clients are crl_missing. And it is silent where the issuer is known to have its list."""
    other = pki.client(issuer=pki.other_root)
    ca = [str(pki.root.cert), str(pki.other_root.cert)]
    server = serve([host("r.test", "report", ca=ca, crl=[str(pki.crl(pki.root)), str(pki.crl(pki.intermediate))],
                         forward={"headers": {"X-Reason": "reason"}})])
    assert server.curl("r.test", cert=pki.valid().bundle).seen("X-Reason") == ["ok"]
    assert server.curl("r.test", cert=other.bundle).seen("X-Reason") == ["crl_missing"]
    line = line_of(server.path, str(pki.other_root.cert))
    assert f"WARNING {server.path}:{line}: client_auth.ca: no list in client_auth.crl is of CN=Other Root" in log_of(server)
    bundle = server.folder / "bundle.pem"
    bundle.write_bytes(pki.root.cert.read_bytes() + pki.intermediate.cert.read_bytes())
    before = log_of(server).count("no list in client_auth.crl")
    assert server.reload([host("r.test", "report", ca=[str(bundle)], crl=[str(pki.crl(pki.intermediate))])])
    assert server.hang_up()  # what the reload before it has to say has been said by then
    assert server.stderr().count("no list in client_auth.crl") == before


def test_a_reload_warns(serve, host):
    server = serve([host("r.test")])
    before = log_of(server)
    changed = host("r.test")
    changed["origin"] = [{"address": f"127.0.0.1:{server.port}"}]
    assert server.reload([changed])
    assert server.hang_up()  # what the reload before it has to say has been said by then
    line = server.path.read_text().splitlines().index(f"  - address: 127.0.0.1:{server.port}") + 1
    assert f"WARNING {server.path}:{line}: address \"127.0.0.1:{server.port}\" is that of a listener" in server.stderr()[len(before):]


def test_the_log_says_once_what_has_ended(serve, host, pki, chained):
    one = {**host("one.test", "report", ca=[str(pki.root.cert)], crl=[str(pki.crl(pki.root, start=-3 * DAY, end=-DAY))]),
           **{key: value for key, value in chained("one.test", end=NOW - DAY).items() if key in ("certificate", "key")}}
    log = log_of(serve([one])).splitlines()
    assert len([line for line in log if one["certificate"] in line]) == 1, log
    assert len([line for line in log if "client_auth.crl" in line]) == 1, log


def test_files_of_another_kind(tmp_path, pki, chained):
    """Each command that a message names is run, and makes a file that is taken."""
    good = chained("one.test")
    certificate, key = good["certificate"], good["key"]

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    files = {name: tmp_path / name for name in ("a.p12", "cert.der", "key.der", "cert.p7b", "cert.der.p7b", "locked.key", "locked.der")}
    openssl("pkcs12", "-export", "-in", certificate, "-inkey", key, "-out", files["a.p12"], "-passout", "pass:")
    openssl("x509", "-in", certificate, "-outform", "DER", "-out", files["cert.der"])
    openssl("pkey", "-in", key, "-outform", "DER", "-out", files["key.der"])
    openssl("crl2pkcs7", "-nocrl", "-certfile", certificate, "-out", files["cert.p7b"])
    openssl("crl2pkcs7", "-nocrl", "-certfile", certificate, "-outform", "DER", "-out", files["cert.der.p7b"])
    openssl("pkcs8", "-topk8", "-in", key, "-passout", "pass:secret", "-out", files["locked.key"])
    openssl("pkcs8", "-topk8", "-in", key, "-passout", "pass:secret", "-outform", "DER", "-out", files["locked.der"])
    passin = {"a.p12": ["-passin", "pass:"], "locked.key": ["-passin", "pass:secret"], "locked.der": ["-passin", "pass:secret"]}

    for where, name in [("certificate", "a.p12"), ("certificate", "cert.der"), ("certificate", "cert.p7b"), ("certificate", "cert.der.p7b"),
                        ("key", "a.p12"), ("key", "key.der"), ("key", "locked.key"), ("key", "locked.der")]:
        path = write(tmp_path, {**good, where: str(files[name])})
        result = check(path)
        assert result.returncode == 1
        match = re.fullmatch(rf"{re.escape(str(path))}:{line_of(path, str(files[name]))}: {where}: {re.escape(str(files[name]))} is .*: "
                             r"(openssl (.*) -out (\S+))\n", result.stderr)
        assert match, result.stderr
        openssl(*match[2].split(), "-out", match[3], *passin.get(name, []))
        path = write(tmp_path, {**good, where: match[3]})
        assert check(path).returncode == 0, check(path).stderr


def test_byte_order_marks(tmp_path, pki, chained):
    one = chained("one.test", mode="enforce")
    crl = pki.crl(pki.root)
    marked = {}
    for name, source in [("certificate", one["certificate"]), ("key", one["key"]), ("ca", str(pki.root.cert)), ("crl", str(crl))]:
        marked[name] = tmp_path / f"marked-{name}.pem"
        marked[name].write_bytes(b"\xef\xbb\xbf" + open(source, "rb").read().replace(b"\n", b"\r\n"))
        marked[name].chmod(0o600)
    one.update(certificate=str(marked["certificate"]), key=str(marked["key"]))
    one["client_auth"].update(ca=[str(marked["ca"])], crl=[str(marked["crl"])])
    assert warnings(write(tmp_path, one)) == []


def test_chains_in_the_wrong_order(tmp_path, chained):
    one = chained("one.test")
    certificates = re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", open(one["certificate"]).read(), re.S)
    turned = tmp_path / "turned.pem"
    turned.write_text("".join(reversed(certificates)))
    path = write(tmp_path, {**one, "certificate": str(turned)})
    result = check(path)
    assert result.stderr == (f"{path}:{line_of(path, str(turned))}: certificate: {turned}: the private key belongs to certificate 2 of the "
                             "chain: put that first, and behind each certificate that of its issuer\n")


@pytest.fixture(scope="module")
def many_roots(tmp_path_factory):
    """Roots whose names take more than a CertificateRequest has room for, the first 200 that fit, and a client of the last."""
    roots = pki_module.Pki(tmp_path_factory.mktemp("many"))
    pems = []
    for number in range(300):
        last = roots.authority(f"Root {number:03d} {'x' * 50}")
        pems.append(last.cert.read_text())
    bundle = roots.folder / "many.pem"
    bundle.write_text("".join(pems))
    fitting = roots.folder / "fitting.pem"
    fitting.write_text("".join(pems[:200]))
    return bundle, fitting, roots.client(issuer=last)


def test_more_root_names_than_a_handshake_takes(serve, host, many_roots):
    bundle, fitting, client = many_roots
    many = host("many.test", "enforce", ca=[str(bundle)])
    server = serve([many, host("few.test", "enforce", ca=[str(fitting)])])
    line = line_of(server.path, str(bundle)) - 1
    assert re.search(rf"WARNING {re.escape(str(server.path))}:({line}|{line + 1}): client_auth.ca: the names of 300 roots take \d+ bytes, and a "
                     r"CertificateRequest has room for 15360: none is sent to clients", log_of(server)), server.stderr()
    for version in ("tls1_2", "tls1_3"):
        for name, told in [("many.test", "No client certificate CA names sent"), ("few.test", "Acceptable client certificate CA names")]:
            shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", name, f"-{version}",
                                    "-cert", client.chain, "-key", client.key], input="", capture_output=True, text=True, timeout=20)
            assert told in shown.stdout, shown.stdout + shown.stderr
            assert len(re.findall(r"^CN ?= ?Root \d+ x+$", shown.stdout, re.M)) == (200 if name == "few.test" else 0)
    for version in ("1.2", "1.3"):
        assert server.curl("many.test", cert=client.bundle, version=version).status == 200
    many["client_auth"]["advertise_ca_names"] = False
    before = len(server.stderr())
    assert server.reload([many])
    assert server.hang_up()  # what the reload before it has to say has been said by then
    assert "CertificateRequest" not in server.stderr()[before:]


def test_usage():
    for arguments in [["check", "--json"], ["run", "--json", "-c", "x"], ["check", "-c", "x", "--colour"]]:
        result = subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, timeout=20)
        assert result.returncode == 2 and result.stderr
