"""Origins: nginx, which echoes request heads and serves files; nghttpd; and scripted ones that misbehave."""

import re
import socket
import threading

import daemons

LOCATIONS = """
        location / {{
            default_type text/plain;
            echo_read_request_body;
            echo_duplicate 1 $echo_client_request_headers;
        }}
        location /body {{
            default_type application/octet-stream;
            echo_read_request_body;
            echo_request_body;
            client_body_buffer_size 2m;
        }}
        location /empty {{ return 204; }}
        location /teapot {{ return 418; }}
        location /files/ {{ alias {folder}/files/; }}
"""


class Nginx(daemons.Nginx):
    """Listens on the port, or on the Unix socket at `path`."""

    def __init__(self, folder, port=None, path=None, options=""):
        listen = f"127.0.0.1:{port} backlog=4096" if path is None else f"unix:{path} backlog=4096 {options}"
        super().__init__(folder, self.http(folder, f"""
    large_client_header_buffers 16 64k;
    underscores_in_headers on;
    ignore_invalid_headers off;
    server {{
        listen {listen};
{LOCATIONS.format(folder=folder)}
    }}
"""), port, path)


class Nghttpd(daemons.Daemon):
    """
    An origin that speaks HTTP/2, in clear or with the certificate of `entity`: serves files, or echoes uploads. With the option
    --verbose it logs the frames that it gets.
    """

    def __init__(self, folder, port, *options, entity=None):
        secured = [] if entity is None else [entity.key, entity.chain]
        clear = ["--no-tls"] if entity is None else []
        super().__init__(folder, ["nghttpd", *clear, "--address=127.0.0.1", f"--htdocs={folder}", *options, port, *secured], port)

    def start(self, **options):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "small.txt").write_text("small\n")
        return super().start(**options)

    def received(self):
        """The fields of all heads and trailers that have come, as (name, value)."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.said())
        return re.findall(r"recv \(stream_id=\d+(?:, sensitive)?\) (:?[^:\n]+): (.*)", text)


class Scripted:
    """An origin that hands each accepted connection, with its number from 0, to `script(connection, number)`."""

    def __init__(self, script, path=None, backlog=1024, port=0):
        """Listens on a port of its own or on this one, or on the Unix socket at `path`."""
        self.script = script
        if path is None:
            self.listener = socket.create_server(("127.0.0.1", port), backlog=backlog)
            self.port = self.listener.getsockname()[1]
            self.address = f"127.0.0.1:{self.port}"
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(backlog)
            self.address = f"unix:{path}"
        self.accepted = 0
        self.heads = []  # of all requests that read_head has read
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if connection.family != socket.AF_UNIX:
                # What a script writes leaves at once: else a close with something unread, a reset, drops what is held back.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = self.accepted
            self.accepted += 1
            threading.Thread(target=self._run, args=(connection, number), daemon=True).start()

    def _run(self, connection, number):
        with connection:
            try:
                self.script(connection, number)
            except OSError:
                pass

    def read_head(self, connection):
        """The bytes of one request head, and those of a body that have come with it; b"" when the peer has closed."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return b""
            head += piece
        self.heads.append(head)
        return head
