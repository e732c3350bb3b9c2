#!/usr/bin/env python3
"""Writes inputs of fuzz_ticket, one for each thing that may happen to a ticket: make_ticket_seeds.py FOLDER

Merge what comes out into the corpus: build-fuzz/fuzz_ticket -merge=1 tests/fuzz/corpus/ticket FOLDER"""

import pathlib
import sys


def seal(process=0, age=0, pattern=7, size=140, version=4):
    """`age`: of the full handshake, in 128ths of a lifetime."""
    return bytes([0, process, age, pattern, *size.to_bytes(2, "big"), version])


def present(ticket=0, *changes, process=0, late=0):
    return bytes([1, process, late, len(changes), ticket]) + b"".join(changes)


def flip(at, bits=1):
    return bytes([0, *at.to_bytes(2, "big"), bits])


def cut(size):
    return bytes([1, *size.to_bytes(2, "big")])


def append(size, octet=0):
    return bytes([2, *size.to_bytes(2, "big"), octet])


def splice(other, parts):
    """`parts` of the other ticket: 1 its name, 2 its nonce, 4 its tag, 8 its body."""
    return bytes([3, other, parts])


def wait(seconds):
    return bytes([2, *seconds.to_bytes(2, "big")])


def wait_for_part(sixteenths):
    return bytes([3, sixteenths])


def lifetime(seconds):
    return bytes([4, *(seconds - 1).to_bytes(3, "big")])


def restart(process=0):
    return bytes([5, process])


TURNED_OFF = 0x80
NAME, NONCE, TAG, BODY = 0, 16, 32, 64  # where each begins

SEEDS = {
    "as-it-was": seal() + present(),
    "twice": seal() + present() + present(),
    "tls12": seal(version=3, size=96) + present(),
    "no-secret": seal(size=0) + present(),
    "largest-secret": seal(size=512) + present(),
    "of-another-process": seal() + seal(process=1) + present(process=1) + present(1, process=1) + present(1),
    "restart": seal() + restart() + present() + seal() + present(1) + present(),
    "turned-off": seal() + present(late=TURNED_OFF) + present(),
    "none-sealed": present() + present(0, append(100, 1)),
    "clock-read-early": seal() + present(late=1) + seal(age=64) + present(1, late=3) + present(),
    "last-second": seal() + wait(99) + present() + wait(1) + present(),
    "last-second-of-a-resumed-one": seal(age=64) + wait(49) + present() + wait(1) + present(),
    "too-old-when-sealed": seal(age=128) + present() + seal(age=255) + present(1),
    "rotated": seal() + wait_for_part(8) + seal() + present() + present(1) + wait_for_part(8) + present() + present(1),
    "rotated-twice": b"".join(seal() + wait_for_part(8) for _ in range(3)) + b"".join(present(i) for i in range(3)),
    "key-older-than-its-ticket": seal() + wait(49) + seal() + wait(50) + present(1) + wait(1) + present(1),
    "long-silence": seal() + wait(0xFFFF) + present() + seal() + present(1),
    "lifetime-of-a-second": lifetime(1) + seal() + present() + wait(1) + present() + seal() + present(1),
    "lifetime-of-a-week": lifetime(604800) + seal() + wait(0xFFFF) + seal() + wait_for_part(7) + present() + present(1),
    "lifetime-cut": seal() + wait(20) + lifetime(10) + present() + seal() + present(1) + lifetime(100) + present(),
    "lifetime-odd": lifetime(7) + seal() + wait(3) + seal() + wait(1) + seal() + present(1) + wait(3) + present(1),
    "spliced": seal() + seal(pattern=9) + b"".join(present(0, splice(1, parts)) for parts in range(16)),
    "spliced-of-another-key": seal() + seal(process=1) + b"".join(present(0, splice(1, parts)) for parts in range(16)),
    "cut-and-mended": seal() + present(0, cut(1), append(1)) + present(0, append(1, 1), cut(1)),
    "flipped-and-back": seal() + present(0, flip(BODY), flip(BODY)),
    "many-nonces": b"".join(seal(pattern=i) for i in range(24)) + present(23),
}
for name, at in {"name": NAME, "nonce": NONCE, "nonce-padding": NONCE + 12, "nonce-end": TAG - 1, "tag": TAG,
                 "tag-padding": TAG + 16, "tag-end": BODY - 1, "body": BODY, "binding": BODY + 140 + 10}.items():
    SEEDS[f"flipped-{name}"] = seal() + present(0, flip(at)) + present(0, flip(at, 0x80)) + present()
for size in (1, 73, 74, 140, 141, 214):
    SEEDS[f"cut-{size}"] = seal() + present(0, cut(size)) + present()
for size in (1, 64, 4096):
    SEEDS[f"longer-{size}"] = seal(size=512) + present(0, append(size)) + present()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
    print(f"{len(SEEDS)} inputs")


if __name__ == "__main__":
    main()
