"""The cipher suites that docs/contract.md promises, against all that OpenSSL has."""

import re
import subprocess

import pytest

from conftest import ROOT

PAGE = (ROOT / "docs" / "contract.md").read_text()
KINDS = {"ecdsa-p256": "an ECDSA or Ed25519", "ed25519": "an ECDSA or Ed25519", "rsa-2048": "an RSA"}


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def promised(kind):
    """Of TLS 1.2: the item has the common beginning of their names, and then each end."""
    item = re.search(rf"^- Suites of TLS 1\.2, with {KINDS[kind]} certificate:((?:.+\n)+?)(?=- )", PAGE, re.MULTILINE)[1]
    first, *rest = re.findall(r"`(\w+)`", item)
    return {first + end for end in rest}


@pytest.mark.parametrize("kind", KINDS)
def test_suites_of_tls_1_2(kind, serve, host, pki):
    server = serve([host("s.test", server=pki.server(kind, "s.test"))])
    # `openssl ciphers` with -stdname: "TLS_... - ECDHE-... TLSv1.2 ...".
    listed = openssl("ciphers", "-stdname", "-v", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").stdout
    names = [(words[0], words[2]) for words in map(str.split, listed.splitlines()) if words[3] != "TLSv1.3"]
    assert len(names) > 50
    taken = set()
    for name, openssl_name in names:
        output = openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "s.test", "-tls1_2", "-cipher",
                         f"{openssl_name}:@SECLEVEL=0").stdout
        if re.search(rf"Cipher is {openssl_name}$", output, re.MULTILINE):
            taken.add(name)
    assert taken == promised(kind) and len(taken) == 3
