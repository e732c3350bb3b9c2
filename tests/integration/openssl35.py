"""OpenSSL 3.5, which has ML-KEM and ML-DSA: a client, and keys and certificates. tools/deps --check unpacks it into .deps."""

import subprocess

import pytest

from conftest import ROOT
from tls_hello import P256, X25519, Key

OPENSSL = ROOT / ".deps" / "openssl" / "openssl"
X25519MLKEM768, SECP256R1MLKEM768 = 0x11EC, 0x11EB

needs_openssl35 = pytest.mark.skipif(not OPENSSL.exists(), reason="OpenSSL 3.5 is not there: tools/deps --check unpacks it")


def openssl(*arguments, stdin=b"", check=True, timeout=20):
    """Runs it, and gives what it printed."""
    result = subprocess.run([str(OPENSSL), *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout)
    assert not check or result.returncode == 0, result.stderr.decode()
    return (result.stdout + result.stderr).decode("latin-1")


class HybridKey:
    """The key pair of a hybrid group, as tls_hello.Key is one of a curve (draft-ietf-tls-ecdhe-mlkem)."""

    MLKEM_SIZE, CIPHERTEXT_SIZE = 1184, 1088

    def __init__(self, group, folder):
        self.group, self.folder, self.file = group, folder, folder / "mlkem.pem"
        openssl("genpkey", "-algorithm", "ML-KEM-768", "-out", self.file)
        openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER", "-out", folder / "mlkem.der")
        self.mlkem = (folder / "mlkem.der").read_bytes()[-self.MLKEM_SIZE:]
        self.curve = Key(X25519 if group == X25519MLKEM768 else P256)
        self.public = self.joined(self.mlkem, self.curve.public)

    def joined(self, mlkem, curve):
        """ML-KEM goes first with X25519, and last with a NIST curve."""
        return mlkem + curve if self.group == X25519MLKEM768 else curve + mlkem

    def agree(self, share):
        curve_size = len(share) - self.CIPHERTEXT_SIZE
        if self.group == X25519MLKEM768:
            ciphertext, curve = share[:self.CIPHERTEXT_SIZE], share[self.CIPHERTEXT_SIZE:]
        else:
            curve, ciphertext = share[:curve_size], share[curve_size:]
        (self.folder / "ciphertext").write_bytes(ciphertext)
        openssl("pkeyutl", "-decap", "-inkey", self.file, "-in", self.folder / "ciphertext", "-secret", self.folder / "secret")
        return self.joined((self.folder / "secret").read_bytes(), self.curve.agree(curve))
