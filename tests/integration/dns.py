"""A small DNS server for tests: it says of each name what the test wants, also nothing or nonsense (RFC 1035)."""

import ipaddress
import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def decode_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1"))
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


class Server:
    """
    Answers on a port of its own, by UDP and TCP. `server.says(name, addresses, ttl)` sets the addresses of a name.
    `server.mode` is what becomes of all questions: "answer", "servfail", "nxdomain", "refused", "silent", "truncated" (by
    UDP; all comes by TCP), "garbage", "short" (a record that ends too early), "loop" (a name that points to itself), "empty".
    """

    def __init__(self):
        self.names = {}  # (name, type): (ttl, [data])
        self.mode = "answer"
        self.failing = set()  # types of which questions fail
        self.asked = []  # (name, type, "udp" or "tcp")
        self.lock = threading.Lock()
        for _ in range(50):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
        self.address = f"127.0.0.1:{self.port}"
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.udp.close()
        self.tcp.close()

    def says(self, name, addresses, ttl=1):
        with self.lock:
            for kind in (A, AAAA):
                data = [ipaddress.ip_address(one).packed for one in addresses
                        if ipaddress.ip_address(one).version == (4 if kind == A else 6)]
                self.names[name, kind] = (ttl, data)

    def says_service(self, name, records, ttl=1):
        """Sets the SRV records of a name: (priority, weight, port, target)."""
        with self.lock:
            self.names[name, SRV] = (ttl, [struct.pack("!HHH", *numbers) + (encode_name(target) if target != "." else b"\0")
                                           for *numbers, target in records])

    def count(self, name=None, kind=A):
        return sum(1 for asked, of, _ in self.asked if of == kind and name in (None, asked))

    def _answer(self, question, transport):
        number, = struct.unpack_from("!H", question)
        name, end = decode_name(question, 12)
        kind, = struct.unpack_from("!H", question, end)
        self.asked.append((name, kind, transport))
        mode = self.mode
        echoed = question[12:end + 4]
        if mode == "silent":
            return None
        if mode == "garbage":
            return struct.pack("!HHHHHH", number, 0x8180, 1, 9, 0, 0) + echoed + b"\xff" * 40
        if mode == "loop":
            at = 0xC000 | (12 + len(echoed))
            return struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0) + echoed + struct.pack("!H", at) + b"\0\1\0\1\0\0\0\1\0\4abcd"
        if mode == "truncated" and transport == "udp":
            return struct.pack("!HHHHHH", number, 0x8380, 1, 0, 0, 0) + echoed
        code = {"servfail": SERVFAIL, "nxdomain": NXDOMAIN, "refused": REFUSED}.get(mode, NOERROR)
        if kind in self.failing:
            code = SERVFAIL
        with self.lock:
            known = any(of == name for of, _ in self.names)
            ttl, data = self.names.get((name, kind), (1, []))
        if code == NOERROR and not known:
            code = NXDOMAIN
        if code != NOERROR or mode == "empty":
            data = []
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(one)) + one for one in data)
        if mode == "short":
            records = records[:-2]
        message = struct.pack("!HHHHHH", number, 0x8180 | code, 1, len(data), 0, 0) + echoed + records
        if transport == "udp" and len(message) > 512:
            return struct.pack("!HHHHHH", number, 0x8380, 1, 0, 0, 0) + echoed
        return message

    def _serve_udp(self):
        while True:
            try:
                question, peer = self.udp.recvfrom(4096)
                answer = self._answer(question, "udp")
                if answer is not None:
                    self.udp.sendto(answer, peer)
            except OSError:
                return

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rb") as reader:
            while len(prefix := reader.read(2)) == 2:
                answer = self._answer(reader.read(struct.unpack("!H", prefix)[0]), "tcp")
                if answer is None:
                    return
                connection.sendall(struct.pack("!H", len(answer)) + answer)
