"""Origins: nginx, which echoes request heads and serves files, and scripted ones that misbehave."""

import os
import pathlib
import re
import socket
import subprocess
import threading
import time

NGINX = """
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    keepalive_requests 1000000;
    large_client_header_buffers 16 64k;
    underscores_in_headers on;
    ignore_invalid_headers off;
    server {{
        listen {listen};
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
    }}
}}
"""


class Nginx:
    def __init__(self, folder, port=None, path=None, options=""):
        """Listens on the port, or on the Unix socket at `path`."""
        self.folder = pathlib.Path(folder)
        self.port = port
        self.path = path
        self.listen = f"127.0.0.1:{port} backlog=4096" if path is None else f"unix:{path} backlog=4096 {options}"
        self.files = self.folder / "files"

    def text(self):
        """Of its configuration."""
        return NGINX.format(folder=self.folder, listen=self.listen, user="user root;" if os.geteuid() == 0 else "")

    def __enter__(self):
        self.files.mkdir(parents=True, exist_ok=True)
        (self.files / "small.txt").write_text("small\n")
        config = self.folder / "nginx.conf"
        config.write_text(self.text())
        self.folder.chmod(0o755)
        self.process = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(config)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while True:
            try:
                self._connect()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"nginx did not start: {self.process.stderr.read()}")
                time.sleep(0.02)

    def _connect(self):
        if self.path is None:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self.path))

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


class Nghttpd:
    """An origin that speaks HTTP/2 in clear: serves files, or echoes uploads, and logs the frames that it gets."""

    def __init__(self, folder, port, *options):
        self.folder = pathlib.Path(folder)
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.options = options
        self.log = self.folder / "nghttpd.log"
        self.process = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "small.txt").write_text("small\n")
        self.start()
        return self

    def start(self):
        command = ["nghttpd", "--no-tls", "--address=127.0.0.1", f"--htdocs={self.folder}", *self.options, str(self.port)]
        self.process = subprocess.Popen(command, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"nghttpd did not start: {self.log.read_text(errors='replace')}")
                time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_):
        self.kill()

    def received(self):
        """The fields of all heads and trailers that have come, as (name, value); with the option --verbose."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text(errors="replace"))
        return re.findall(r"recv \(stream_id=\d+(?:, sensitive)?\) (:?[^:\n]+): (.*)", text)


class Scripted:
    """An origin that hands each accepted connection, with its number from 0, to `script(connection, number)`."""

    def __init__(self, script, path=None, backlog=1024):
        """Listens on a port of its own, or on the Unix socket at `path`."""
        self.script = script
        if path is None:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
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
