"""No image of the memory that has keys gets out by a core dump, or to a debugger of the same account."""

import fcntl
import os
import pathlib
import re
import resource
import signal
import subprocess

import pytest

from conftest import BINARY, wait_for

NOBODY = 65534


def core_limits(pid):
    line = next(line for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file size" in line)
    return re.findall(r"(\d+|unlimited)", line)[:2]


def allow_cores():
    """Even where the tests themselves run in the background of a shell, which has them ignore SIGQUIT."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def full_pipe():
    """Both ends; who writes any more must wait."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        pass
    fcntl.fcntl(writer, fcntl.F_SETFL, 0)
    return reader, writer


def test_a_server_leaves_no_core(serve, host):
    server = serve([host("r.test")], preexec=allow_cores)
    assert core_limits(server.process.pid) == ["0", "0"]
    server.process.send_signal(signal.SIGQUIT)
    _, status = os.waitpid(server.process.pid, 0)
    server.process.returncode = -signal.SIGQUIT
    server.stopped = True
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGQUIT and not os.WCOREDUMP(status)


@pytest.mark.parametrize("command", ["check", "verify"])
def test_commands_that_read_keys_leave_none(serve, host, pki, command):
    server = serve([host("r.test", "report")])
    arguments = {"check": ["check", "-c", server.path],
                 "verify": ["verify", "-c", server.path, "--host", "r.test", pki.valid().chain]}[command]
    reader, writer = full_pipe()
    process = subprocess.Popen([str(BINARY), *map(str, arguments)], stdout=writer, preexec_fn=allow_cores)
    try:
        # It has read all, and waits until somebody reads what it has to say.
        wait_for(lambda: "pipe_write" in pathlib.Path(f"/proc/{process.pid}/wchan").read_text() or
                 pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0] == "S")
        assert process.poll() is None
        assert core_limits(process.pid) == ["0", "0"]
    finally:
        process.kill()
        process.wait()
        os.close(reader)
        os.close(writer)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to become somebody else")
def test_its_own_account_cannot_look_into_it():
    """Root owns the files of a process that cannot be dumped: proc(5)."""
    if subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "test", "-x", str(BINARY)]).returncode != 0:
        pytest.skip("the program is out of others' reach here")
    process = subprocess.Popen([str(BINARY), "demo", "--port", "0"], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/tmp",
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": "/tmp"})
    try:
        wait_for(lambda: "Ctrl-C" in process.stdout.readline())
        assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0
        look = subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "cat", f"/proc/{process.pid}/environ"],
                              capture_output=True)
        assert look.returncode != 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
