#!/usr/bin/env python3
"""Writes the seeds of tests/fuzz/fuzz_session.c: a client's flight of TLS 1.2 whole, cut, and with faults."""

import pathlib
import ssl

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(__file__).resolve().parent / "corpus" / "session"


def vector(size, content):
    return len(content).to_bytes(size, "big") + content


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def record(kind, content):
    return bytes([kind]) + b"\x03\x03" + vector(2, content)


def pieces(*parts):
    return b"".join(vector(2, part) for part in parts)


def cut(content, size):
    return [content[at:at + size] for at in range(0, len(content), size)]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    def der(name):
        return ssl.PEM_cert_to_DER_cert("-----BEGIN" + (ROOT / f"tests/tls/data/{name}.pem").read_text().split("-----BEGIN")[1])

    leaf, ed25519 = der("client-p256"), der("client-ed25519")
    none, one = message(11, vector(3, b"")), message(11, vector(3, vector(3, leaf)))
    long = message(11, vector(3, vector(3, leaf) + 3 * vector(3, bytes(900))))
    longer = message(11, vector(3, vector(3, ed25519) + 9 * vector(3, bytes(400))))
    exchange = message(16, vector(1, bytes(range(32))))
    verify = message(15, b"\x04\x03" + vector(2, bytes(70)))
    change = record(20, b"\x01")
    seeds = {
        "no-certificate": pieces(record(22, none) + record(22, exchange) + change),
        "certificate": pieces(record(22, one), record(22, exchange + verify), change),
        "coalesced": pieces(record(22, one + exchange + verify) + change),
        "cut-in-headers": pieces(*(record(22, part) for part in cut(none + exchange, 3))),
        "cut-in-bytes": pieces(b"".join(record(22, part) for part in cut(exchange, 1))),
        "above-the-limit": pieces(*(record(22, part) for part in cut(long, 500)), record(22, exchange)),
        "above-the-limit-ed25519": pieces(*(record(22, part) for part in cut(longer, 1000)), record(22, exchange)),
        "claims-much": pieces(record(22, b"\x0b\x00\xf0\x00\x00\xef\xfd\x00\xef\xfa" + bytes(100))),
        "record-claims-much": pieces(b"\x16\x03\x03\x40\x00" + bytes(10), bytes(50)),
        "interleaved": pieces(record(22, one[:30]) + change),
        "warnings": pieces(5 * record(21, b"\x01\x5a")),
        "bytes": pieces(*cut(record(22, one), 7)),
    }
    for name, seed in seeds.items():
        (FOLDER / name).write_bytes(seed)


if __name__ == "__main__":
    main()
