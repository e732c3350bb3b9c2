"""The floods that bench/flood measures: each row of its table, and the load that makes it."""

import dataclasses

KNOWN_CONNECTIONS = 8
KNOWN_SOURCES = ("--source-addresses", 4, "--source-first", "127.32.0.1")
HOSTILE_SOURCES = 2000
HOSTILE = ("--source-addresses", HOSTILE_SOURCES, "--source-first", "127.64.0.1")
NEW_CONNECTIONS = 64
NEW_SOURCES = 200


@dataclasses.dataclass(frozen=True)
class Flood:
    name: str              # of the row, and the generator's mode
    title: str
    setup: str = "plain"   # of the servers, see servers.py
    clients: str = ""      # folder of the Pki: whose certificates are shown, or are the pattern of those that are
    options: tuple = ()


ALL = [
    Flood("random", "random bytes"),
    Flood("hello", "a ClientHello, gone at the first answer"),
    Flood("churn", "connects and is gone"),
    Flood("http", "plain HTTP"),
]
BY_NAME = {flood.name: flood for flood in ALL}
NEW = "new-clients"
NAMES = [*BY_NAME, NEW]
NEW_FLOOD = BY_NAME["hello"]  # what goes on while new clients come
