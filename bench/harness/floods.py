"""The floods that bench/flood measures: each row of its table, and the load that makes it."""

import dataclasses

KNOWN_CONNECTIONS = 8
KNOWN_SOURCES = ("--source-addresses", 4, "--source-first", "127.32.0.1")
HOSTILE_SOURCES = 2000
# In a closed loop a server that lets everybody wait slows a flood down: so many connections that it takes long to.
HOSTILE = ("--connections", 512, "--source-first", "127.64.0.1")
NEW_CONNECTIONS = 64
NEW_SOURCES = 200


@dataclasses.dataclass(frozen=True)
class Flood:
    name: str
    title: str
    mode: str = ""         # the generator's, if it has another name
    setup: str = "plain"   # of the servers, see servers.py
    clients: str = ""      # folder of the Pki: whose certificates are shown, or are the pattern of those that are
    options: tuple = ()


# More than any server here is set up for.
CROWD = ("--connections", 10000)

ALL = [
    Flood("random", "random bytes"),
    Flood("http", "plain HTTP"),
    Flood("silent", "10,000 that connect and say nothing", options=CROWD),
    Flood("slow", "10,000 that send a ClientHello, a byte in 100 ms", options=CROWD),
    Flood("hello", "a ClientHello, gone at the first answer"),
    Flood("hello-away", "a ClientHello, gone as soon as it has left"),
    Flood("fragments", "a ClientHello in many records, every other one never finished",
          options=("--connections", 4000)),
    Flood("rogue", "self-signed certificates, all distinct", clients="rogues"),
    Flood("forged", "certificates in our intermediate's name with a false signature, all distinct", clients="clients"),
    Flood("expired", "expired certificates", mode="certificate", clients="expired"),
    Flood("revoked", "revoked certificates", mode="certificate", setup="crl", clients="revoked"),
    Flood("oversized", "certificates of 21 KiB", mode="certificate", clients="huge"),
    Flood("long-chain", "chains of 61 certificates", clients="clients"),
    Flood("junk-ticket", "a ClientHello with a ticket of random bytes", setup="tickets"),
    Flood("stolen-ticket", "a ClientHello with a valid client's ticket, whose secret is not known", setup="tickets", clients="clients"),
    Flood("replayed-ticket", "a valid client's session, resumed again and again", setup="tickets", clients="clients"),
    Flood("hold", "10,000 that shake hands with a self-signed certificate, and stay", clients="rogues",
          options=(*CROWD, "--interval", 60)),
    Flood("churn", "connects, and is gone with a reset"),
    Flood("churn-fin", "connects, and is gone with a FIN", mode="churn", options=("--close", "fin")),
]
BY_NAME = {flood.name: flood for flood in ALL}
# With --quick the peers have these alone, and Sallyport's memory is watched in them: one for each setup of the servers.
IN_FULL = ("random", "revoked", "junk-ticket")
NEW = "new-clients"
NAMES = [*BY_NAME, NEW]
NEW_FLOOD = BY_NAME["hello"]  # what goes on while new clients come
