#!/usr/bin/env python3
"""Writes the seeds of tests/fuzz/fuzz_origin_session.c: a server's answers to a hello, whole, cut, and with faults."""

import pathlib
import ssl

from make_session_seeds import ROOT, cut, message, pieces, record, vector

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus" / "origin_session"
RANDOM = bytes(range(32))


def extension(kind, content):
    return kind.to_bytes(2, "big") + vector(2, content)


def hello(suite, *extensions, random=RANDOM, session=b""):
    return message(2, b"\x03\x03" + random + vector(1, session) + suite + b"\x00" + vector(2, b"".join(extensions)))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    leaf = ssl.PEM_cert_to_DER_cert((ROOT / "tests/tls/data/server-p256.pem").read_text())
    old = hello(b"\xc0\x2b", extension(0xff01, b"\x00"), extension(23, b""), extension(16, vector(2, vector(1, b"h2"))))
    one = message(11, vector(3, vector(3, leaf)))
    many = message(11, vector(3, 20 * vector(3, leaf)))
    exchange = message(12, b"\x03\x00\x1d" + vector(1, bytes(range(32))) + b"\x04\x03" + vector(2, bytes(70)))
    asks = message(13, vector(1, b"\x40") + vector(2, b"\x04\x03") + vector(2, b""))
    done = message(14, b"")
    change = record(20, b"\x01")
    share = extension(51, b"\x00\x1d" + vector(2, bytes(range(32))))
    new = hello(b"\x13\x01", extension(43, b"\x03\x04"), share)
    retry = hello(b"\x13\x01", extension(43, b"\x03\x04"), extension(51, b"\x00\x18"), random=bytes.fromhex(
        "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"))
    flight = [old, one, exchange, asks, done]
    seeds = {
        "tls12": pieces(b"".join(record(22, part) for part in flight), change),
        "tls12-coalesced": pieces(record(22, b"".join(flight)) + change),
        "tls12-bytes": pieces(*cut(record(22, b"".join(flight)), 7)),
        "tls12-many": pieces(record(22, old), *(record(22, part) for part in cut(many, 1000)), record(22, exchange + done)),
        "tls12-without-certificate": pieces(record(22, old + exchange + done)),
        "tls12-empty-certificate": pieces(record(22, old + message(11, vector(3, b"")) + exchange + done)),
        "tls12-twice": pieces(record(22, old + one + one + exchange + exchange + done)),
        "tls12-without-exchange": pieces(record(22, old + one + done)),
        "claims-much": pieces(record(22, old + b"\x0b\x00\xf0\x00\x00\xef\xfd\x00\xef\xfa" + bytes(100))),
        "tls13": pieces(record(22, new), change, record(23, bytes(200))),
        "retry": pieces(record(22, retry) + change, record(22, new)),
        "retry-twice": pieces(record(22, retry), record(22, retry)),
        "alert": pieces(record(21, b"\x02\x28")),
        "warnings": pieces(5 * record(21, b"\x01\x70"), record(22, old)),
        "http": pieces(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    }
    for name, seed in seeds.items():
        (FOLDER / name).write_bytes(seed)


if __name__ == "__main__":
    main()
