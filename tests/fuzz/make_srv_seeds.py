#!/usr/bin/env python3
"""Makes the seeds of tests/fuzz/fuzz_srv.c: answers to a question for the SRV records of a service, good ones and others."""

import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "corpus" / "srv"
NAME = "_http._tcp.app.internal"
SRV, CNAME, RRSIG = 33, 5, 46
SELF = b"\xc0\x0c"


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def record(owner, kind, data, ttl=60):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def srv(target, priority=0, weight=0, port=80, owner=SELF):
    return record(owner, SRV, struct.pack("!HHH", priority, weight, port) + target)


def message(*records, flags=0x8180, question=NAME, count=None):
    return (struct.pack("!HHHHHH", 1, flags, 1, len(records) if count is None else count, 0, 0) + name(question)
            + struct.pack("!HH", SRV, 1) + b"".join(records))


SEEDS = {
    "one": message(srv(name("a.app.internal"))),
    "levels": message(srv(name("a.app.internal"), 1, 5), srv(name("b.app.internal"), 1, 10, 8080), srv(name("c"), 2, 0, 65535)),
    "none": message(srv(name(""), port=0)),
    "empty": message(),
    "alias": message(record(SELF, CNAME, name("_http._tcp.other.internal")),
                     srv(name("a.other.internal"), owner=name("_http._tcp.other.internal"))),
    "alias_loop": message(record(SELF, CNAME, SELF), srv(name("a.app.internal"))),
    "signed": message(srv(name("a.app.internal")), record(SELF, RRSIG, bytes(40))),
    "other_owner": message(srv(name("a.app.internal"), owner=name("evil.internal"))),
    "compressed": message(srv(b"\1a\xc0\x17")),
    "pointer_loop": message(srv(b"\1a" + struct.pack("!H", 0xC000 | (12 + len(name(NAME)) + 4 + 18)))),
    "pointer_ahead": message(srv(b"\xc0\xff")),
    "truncated": message(srv(name("a.app.internal")), flags=0x8380),
    "short": message(srv(name("a.app.internal")))[:-3],
    "count_lies": message(srv(name("a.app.internal")), count=9),
    "port_0": message(srv(name("a.app.internal"), port=0)),
    "no_question": struct.pack("!HHHHHH", 1, 0x8180, 0, 1, 0, 0) + srv(name("a"), owner=name(NAME)),
    "long_name": message(srv(name(".".join(["x" * 63] * 3 + ["x" * 61])))),
    "too_long_name": message(srv(name(".".join(["x" * 63] * 4)))),
}

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for title, seed in SEEDS.items():
        (FOLDER / title).write_bytes(seed)
