"""Writes seeds for fuzz_hello_tls to tests/fuzz/corpus/hello_tls: two hellos in one record each, the first of which leads to a
HelloRetryRequest. Run by hand, with the folder tests/integration in PYTHONPATH."""

import pathlib
import random

import tls_hello
from tls_hello import EARLY_DATA, NAME, P256, PRE_SHARED_KEY, VERSIONS, Hello
from tls_wire import HANDSHAKE, record, vector

FOLDER = pathlib.Path(__file__).parent / "corpus" / "hello_tls"


def change_nothing(hello):
    pass


def new_random(hello):
    hello.random = bytes(range(32))


def no_extensions(hello):
    hello.extensions = None


def another_name(hello):
    hello.extensions[NAME] = vector(2, b"\0" + vector(2, b"b.test"))


def lacks_versions(hello):
    del hello.extensions[VERSIONS]


def other_order(hello):
    hello.extensions = dict(reversed(hello.extensions.items()))


def main():
    random.seed(11)
    tls_hello.os.urandom = random.randbytes  # so that the files come out the same, but for the key shares
    for change in (change_nothing, new_random, no_extensions, another_name, lacks_versions, other_order):
        for ticket in (False, True):
            first = Hello(name="a.test", groups=(P256,), shares=())
            if ticket:
                first.offer_foreign_ticket(bytes(40))
                first.extensions[EARLY_DATA] = b""
                first.extensions[PRE_SHARED_KEY] = first.extensions.pop(PRE_SHARED_KEY)
            second = first.again(P256)
            change(second)
            records = b"".join(record(HANDSHAKE, hello.encode()) for hello in (first, second))
            (FOLDER / f"retry_{change.__name__}{'_ticket' if ticket else ''}").write_bytes(records)


main()
