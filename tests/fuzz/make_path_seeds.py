#!/usr/bin/env python3
"""Turns the corpus of chains into inputs of fuzz_path: make_path_seeds.py FOLDER

Each certificate becomes its parts, in the order that take_parts of fuzz_path.c reads. Merge what comes out into the
corpus: build-fuzz/fuzz_path -merge=1 tests/fuzz/corpus/path FOLDER"""

import base64
import csv
import pathlib
import re
import sys

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "path" / "corpus"
OIDS = ["551d13", "551d0f", "551d25", "551d11", "551d0e", "551d23", "551d1e", "551d20", "551d36", "551d24", "551d1f"]
KEYS, EXTENSIONS_MAX, CERTIFICATES_MAX = 8, 8, 18


def elements(data):
    """(tag, content, whole) of each element."""
    found = []
    while data:
        size, head = data[1], 2
        if size >= 0x80:
            head = 2 + (size & 0x7F)
            size = int.from_bytes(data[2:head], "big")
        if size > len(data) - head:
            raise ValueError("cut")
        found.append((data[0], data[head:head + size], data[:head + size]))
        data = data[head + size:]
    return found


def day(element):
    text = element[1].decode()
    text = text if element[0] == 0x18 else ("19" if text[:2] >= "50" else "20") + text
    return max(0, min(0xFFFF, (int(text[:4]) - 2000) * 372 + (int(text[4:6]) - 1) * 31 + int(text[6:8]) - 1))


class Certificate:
    def __init__(self, der):
        fields = elements(elements(elements(der)[0][1])[0][1])
        if fields[0][0] == 0xA0:
            fields = fields[1:]
        self.serial, self.issuer, self.subject, self.spki = fields[0][1], fields[2][1], fields[4][1], fields[5][2]
        self.begin, self.end = map(day, elements(fields[3][1]))
        extensions = [elements(one[1]) for field in fields[6:] if field[0] == 0xA3 for one in elements(elements(field[1])[0][1])]
        self.extensions = [(one[0][1].hex(), len(one) == 3 and one[1][1] == b"\xff", one[-1][1]) for one in extensions][:EXTENSIONS_MAX]


def pem(path):
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END", path.read_text(), re.DOTALL)
    return [base64.b64decode(block) for block in blocks]


def seed(certificates):
    subjects = [one.subject for one in certificates]
    keys = []
    for one in certificates:
        keys.append(keys[[c.spki for c in certificates].index(one.spki)] if one.spki in [c.spki for c in certificates[:len(keys)]]
                    else len(set(keys)) % KEYS)
    out = b""
    for number, one in enumerate(certificates):
        issuer = subjects.index(one.issuer) if one.issuer in subjects else 255
        out += bytes([keys[issuer] if issuer < 255 else keys[number], keys[number], issuer])
        out += one.begin.to_bytes(2, "big") + one.end.to_bytes(2, "big")
        out += bytes([len(one.serial)]) + one.serial + len(one.subject).to_bytes(2, "big") + one.subject
        out += bytes([len(one.extensions)])
        for oid, critical, value in one.extensions:
            kind = OIDS.index(oid) if oid in OIDS else len(OIDS)
            out += bytes([kind | (0x80 if critical else 0)]) + len(value).to_bytes(2, "big") + value
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for name in ("cases.csv", "hostile.csv"):
        with open(CORPUS / name, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                ders = pem(CORPUS / "roots" / f"{row['roots'].split()[0]}.pem") + pem(CORPUS / "chains" / f"{row['chain']}.pem")
                try:
                    data = seed([Certificate(der) for der in ders][:CERTIFICATES_MAX])
                except (ValueError, IndexError):
                    continue  # malformed on purpose
                (folder / row["name"]).write_bytes(data)
                made += 1
    print(f"{made} inputs")


if __name__ == "__main__":
    main()
