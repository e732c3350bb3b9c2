"""HAProxy and nginx in front of the server, which send a PROXY header, and behind it, which read one; and headers made by hand."""

import socket
import struct

import daemons

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v1(address, port=56324):
    """The line of version 1 that names this client."""
    return f"PROXY TCP{6 if ':' in address else 4} {address} {'::1' if ':' in address else '203.0.113.9'} {port} 443\r\n".encode()


def vector(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def v2(address=None, port=56324, vectors=b"", command=0x21):
    """A header of version 2 that names this client; without an address it says AF_UNSPEC."""
    if address is None:
        family, addresses = 0x00, b""
    elif ":" in address:
        family = 0x21
        addresses = socket.inet_pton(socket.AF_INET6, address) + socket.inet_pton(socket.AF_INET6, "::1")
    else:
        family, addresses = 0x11, socket.inet_aton(address) + socket.inet_aton("203.0.113.9")
    if addresses:
        addresses += struct.pack(">HH", port, 443)
    return SIGNATURE + struct.pack(">BBH", command, family, len(addresses + vectors)) + addresses + vectors


LOCAL = v2(command=0x20)


def haproxy(folder, port, server, options, bind=""):
    """Listens on `port` and relays to the server."""
    return daemons.Haproxy(folder, port, f"""
listen edge
    bind 127.0.0.1:{port} {bind}
    server edge 127.0.0.1:{server} {options}
""", mode="tcp")


def nginx(folder, port, server):
    return daemons.Nginx(folder, f"""
stream {{
    server {{
        listen 127.0.0.1:{port};
        proxy_pass 127.0.0.1:{server};
        proxy_protocol on;
    }}
}}
""", port, modules=["stream"])


def read_header(connection):
    """The header of version 2 at the front of a connection, as (client's address and port, vectors), and what has come behind it."""
    received = b""
    while len(received) < 16 or len(received) < 16 + struct.unpack(">H", received[14:16])[0]:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    assert received[:13] == SIGNATURE + b"\x21" and received[13] in (0x11, 0x21)
    end = 16 + struct.unpack(">H", received[14:16])[0]
    width = 4 if received[13] == 0x11 else 16
    address = socket.inet_ntop(socket.AF_INET if width == 4 else socket.AF_INET6, received[16:16 + width])
    at = 16 + 2 * width
    port = struct.unpack(">H", received[at:at + 2])[0]
    return (address, port), vectors_of(received[at + 4:end]), received[end:]


def vectors_of(data):
    found = {}
    while data:
        kind, size = struct.unpack(">BH", data[:3])
        assert kind not in found and len(data) >= 3 + size
        found[kind], data = data[3:3 + size], data[3 + size:]
    return found


def haproxy_behind(folder, port):
    """An origin that takes a PROXY header, and answers with the address in it."""
    return daemons.Haproxy(folder, port, f"""
frontend origin
    bind 127.0.0.1:{port} accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[fc_pp_authority]"
""")


def nginx_behind(folder, port):
    return daemons.Nginx(folder, daemons.Nginx.http(folder, f"""
    server {{
        listen 127.0.0.1:{port} proxy_protocol;
        location / {{
            default_type text/plain;
            echo -n "$proxy_protocol_addr $proxy_protocol_port";
        }}
    }}
"""), port)
