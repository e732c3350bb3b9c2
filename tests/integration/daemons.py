"""Programs that run beside the server while a test does: each listens, and is known to have begun once it accepts."""

import os
import pathlib
import socket
import subprocess
import time


class Daemon:
    """
    A program that listens on `port` of 127.0.0.1, or on the Unix socket at `path`. Use it as a context, or start and stop it as
    often as the test wants. All that it says is in the file `log`.
    """

    def __init__(self, folder, command, port=None, path=None):
        self.folder = pathlib.Path(folder)
        self.command = [str(word) for word in command]
        self.port = port
        self.path = path
        self.address = f"127.0.0.1:{port}" if path is None else f"unix:{path}"
        self.log = self.folder / f"{pathlib.Path(self.command[0]).name}.log"
        self.process = None

    def start(self, stdin=subprocess.DEVNULL):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=stdin, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + 20
        while True:
            try:
                self._connect()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{self.command[0]} did not start: {self.said()}")
                time.sleep(0.02)

    def _connect(self):
        if self.path is None:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self.path))

    def said(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        """Ends it as an operator does."""
        self.process.terminate()
        self.process.wait(10)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.stop()


class Haproxy(Daemon):
    """HAProxy with this configuration behind the section `defaults`, which has the mode."""

    DEFAULTS = """
global
    maxconn 2000
defaults
    mode {mode}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""

    def __init__(self, folder, port, sections, mode="http"):
        super().__init__(folder, ["haproxy", "-db", "-f", pathlib.Path(folder) / "haproxy.cfg"], port)
        self.text = self.DEFAULTS.format(mode=mode) + sections

    def start(self, **options):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "haproxy.cfg").write_text(self.text)
        return super().start(**options)


class Nginx(Daemon):
    """
    nginx with this block of its configuration, `http {...}` or `stream {...}`, and these modules beside its own. In the block
    of `http`, `body_lines` names the folders of all that nginx puts by.
    """

    PREAMBLE = """
{modules}
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
"""

    HTTP = """
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    keepalive_requests 1000000;
{lines}
}}
"""

    def __init__(self, folder, block, port=None, path=None, modules=("http_echo",)):
        config = pathlib.Path(folder) / "nginx.conf"
        super().__init__(folder, ["nginx", "-p", folder, "-c", config], port, path)
        loads = "\n".join(f"load_module /usr/lib/nginx/modules/ngx_{name}_module.so;" for name in modules)
        user = "user root;" if os.geteuid() == 0 else ""
        self.text = self.PREAMBLE.format(modules=loads, user=user, folder=folder) + block
        self.files = self.folder / "files"

    @classmethod
    def http(cls, folder, lines):
        """The block `http` with these lines in it."""
        return cls.HTTP.format(folder=folder, lines=lines)

    def start(self, **options):
        self.files.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        (self.files / "small.txt").write_text("small\n")
        (self.folder / "nginx.conf").write_text(self.text)
        return super().start(**options)
