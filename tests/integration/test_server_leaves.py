"""A server's own certificate is sent as it is, and its clients judge it: what wolfSSL's parser cannot read is no obstacle."""

import types

import pytest

import make_corpus
import make_der
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from pki import rsa_key
from test_leaves import odd_names, odd_shapes

KEYS = {"p256": make_corpus.p256, "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "rsa": lambda: rsa_key(2048), "ed25519": ed25519.Ed25519PrivateKey.generate}
# Certificates that OpenSSL takes for no certificate of this name, or for none at all.
UNVERIFIABLE = ("version 1", "no name at all")


def on_disk(folder, label, ders, key):
    chain, key_file = folder / f"{label}.pem", folder / f"{label}.key"
    chain.write_text(make_corpus.pem(*ders))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return types.SimpleNamespace(chain=chain, key=key_file)


def certify(root, key, odd):
    extensions = make_corpus.leaf_extensions(
        make_der.san(("dns", "r.test")), purpose=("serverAuth",))
    odd = {"extensions": extensions, **odd}
    return root.certify(odd.pop("subject", "odd"), key, odd.pop("extensions"), **odd)


@pytest.mark.parametrize("kind", KEYS)
def test_odd_certificates_are_served(serve, host, corpus_root, corpus_root_file, tmp_path, kind):
    key = KEYS[kind]()
    middle, middle_der = corpus_root.issue_ca(make_der.name([("CN", "Middle"), ("OU", "of two")]))
    for number, (label, odd) in enumerate(odd_names()):
        entity = on_disk(tmp_path, str(number), [certify(middle, key, odd), middle_der], key)
        server = serve([host("r.test", server=entity)])
        server.server_root = corpus_root_file
        for version in ("1.2", "1.3"):
            response = server.curl("r.test", "/", *(["-k"] if label in UNVERIFIABLE else []), version=version)
            assert response.status == 200, label
        server.stop()


def test_that_it_is_malformed_is_for_clients_to_say(serve, host, corpus_root, tmp_path):
    key = make_corpus.p256()
    for number, (label, odd) in enumerate(odd_shapes()):
        entity = on_disk(tmp_path, str(number), [certify(corpus_root, key, odd)], key)
        server = serve([host("r.test", server=entity)], ready=label != "dates that are none")
        if label == "dates that are none":
            assert server.process.wait(10) == 1
            assert "notAfter is no time" in server.stderr()
            server.stopped = True
        else:
            assert server.process.poll() is None
            server.stop()
