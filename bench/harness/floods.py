"""The floods that bench/flood measures: each row of its table, and the load that makes it."""

import dataclasses

from .servers import LARGE_PATH

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
    http2: bool = False    # the known clients speak HTTP/2 as the attackers do

    @property
    def kept_min(self):
        """The share of their service that known clients have to keep."""
        return 0.90 if self.http2 else 0.70


# More than any server here is set up for.
CROWD = ("--connections", 10000)

TLS = [
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

# Attacks over HTTP/2 by anybody: a whole handshake, and no certificate. A server that demands one answers 403 by itself.
ANYBODY = [
    ("h2-rapid-reset", "requests, each reset at once (CVE-2023-44487)"),
    ("h2-made-reset", "requests that the server is made to reset (CVE-2025-8671)"),
    ("h2-continuation", "a head of empty CONTINUATION frames, without end (CVE-2024-27316)"),
    ("h2-endless-head", "a head of fields without end"),
    ("h2-hpack-bomb", "heads of 8 KB that stand for 32 MB"),
    ("h2-settings", "SETTINGS (CVE-2019-9515)"),
    ("h2-settings-deaf", "SETTINGS, and the answers are not read"),
    ("h2-ping", "PING (CVE-2019-9512)"),
    ("h2-ping-deaf", "PING, and the answers are not read"),
    ("h2-priority", "PRIORITY (CVE-2019-9513)"),
    ("h2-empty-data", "DATA without data (CVE-2019-9518)"),
    ("h2-tiny-window", "answers that may leave byte by byte (CVE-2019-9511)"),
    ("h2-zero-window", "answers that may not leave, 100 on each connection"),
    ("h2-half-open", "requests whose bodies never come, 100 on each connection"),
]
# Those again in which the origin has a part, by valid clients, whose requests are relayed. So few connections that the streams
# they may hold are no more than the origin has connections for: it is no part of the measurement.
INSIDE = ("--connections", 32)
INSIDERS = ("h2-rapid-reset", "h2-made-reset", "h2-empty-data", "h2-tiny-window", "h2-zero-window", "h2-half-open")
LARGE = ("h2-tiny-window", "h2-zero-window")
HELD = ("h2-zero-window", "h2-half-open")  # as `hold`, they do not press where the server ends their streams


def over_http2(name, title):
    options = (*(("--path", LARGE_PATH) if name in LARGE else ()), *(("--interval", 60) if name in HELD else ()))
    return Flood(name, title, http2=True, options=options)


HTTP2 = [over_http2(name, title) for name, title in ANYBODY]
HTTP2 += [dataclasses.replace(flood, name=f"{flood.name}-insider", title=f"{flood.title}, by valid clients", mode=flood.name, clients="insiders",
                              options=(*INSIDE, *flood.options))
          for flood in HTTP2 if flood.name in INSIDERS]
ALL = TLS + HTTP2
BY_NAME = {flood.name: flood for flood in ALL}
# With --quick the peers have these alone, and Sallyport's memory is watched in them: one for each setup of the servers.
IN_FULL = ("random", "revoked", "junk-ticket")
NEW = "new-clients"
NAMES = [*BY_NAME, NEW]
# What --only may have instead of names.
GROUPS = {"tls": [*(flood.name for flood in TLS), NEW], "h2": [flood.name for flood in HTTP2]}
# --quick has one of the attacks over HTTP/2, and all the others.
QUICK_NAMES = [*(flood.name for flood in TLS), "h2-rapid-reset", NEW]
NEW_FLOOD = BY_NAME["hello"]  # what goes on while new clients come
