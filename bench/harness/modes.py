"""The measurements: each row of the table, the load that makes it, and how the servers are set up for it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mode:
    name: str
    title: str
    load: str              # the generator's mode, or "h2load"
    setup: str = "plain"   # of the servers, see servers.py
    clients: str = "clients"  # folder of the Pki: who connects
    options: tuple = ()
    path: str = "/"         # of h2load
    unit: str = ""         # of what is counted, where that is not answers
    own: bool = False      # Sallyport alone: the peers have nothing like it
    cache: str = ""        # "hits" or "misses": what nearly all look-ups in Sallyport's cache of chains have to be


SOURCES = ("--source-addresses", 8)

TURNS = [
    Mode("handshake", "full handshakes with client certificate, one request each", "handshake", options=SOURCES, cache="hits"),
    Mode("uncached", "the same, cache of verified chains off", "handshake", "uncached", options=SOURCES, own=True, cache="misses"),
    Mode("resumed", "resumed handshakes (psk_dhe_ke), one request each", "resumed", "tickets", options=SOURCES),
    Mode("invalid", "full handshakes with a self-signed certificate, answered 403", "handshake", "unguarded", clients="rogues",
         options=(*SOURCES, "--expect", 403)),
    Mode("request", "keep-alive requests", "request"),
]
# Behind the others, so that a server which has held a large answer is not measured in them.
BULK_SIZE = 2**30
TURNS += [
    Mode("h2-request", "HTTP/2 requests, 16 streams on each connection", "h2load", "report"),
    Mode("h2-bulk", "an answer of 1 GiB on one stream of HTTP/2", "h2load", "report", path=f"/bytes/{BULK_SIZE}", unit="MiB"),
]
HELD = {"idle": (), "h2-idle": ("--http2",)}  # connections that are held, and the generator's options
BY_NAME = {mode.name: mode for mode in TURNS}
NAMES = [*BY_NAME, *HELD]
