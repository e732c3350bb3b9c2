"""Connections from addresses that a test chooses, and what a server that turns them away does to them."""

import contextlib
import socket


def connect(server, source="127.0.0.1", timeout=20):
    """A TCP connection from a loopback address: of 127.0.0.0/8, or an IPv6 one, to which it connects too."""
    return socket.create_connection((source if ":" in source else "127.0.0.1", server.port), timeout=timeout, source_address=(source, 0))


def is_turned_away(connection, within=15):
    """By a reset, and not by a mere end."""
    connection.settimeout(within)
    try:
        assert connection.recv(1) != b"", "a FIN would leave something behind on the server"
        return False
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def burst(server, source, count=30):
    """So many connections as fast as they can be made, which is faster than any rate allows."""
    held = []
    for _ in range(count):
        with contextlib.suppress(ConnectionResetError):
            held.append(connect(server, source))
    for connection in held:
        connection.close()


def is_refused(server, source="127.0.0.1"):
    """The reset may come before the client knows that it was connected."""
    try:
        return is_turned_away(connect(server, source))
    except ConnectionResetError:
        return True


def wait_for_the_end(connection, within=2):
    """Waits until the server says something or ends the connection, but not for longer than that."""
    connection.settimeout(within)
    with contextlib.suppress(ConnectionResetError, socket.timeout):
        connection.recv(1)
