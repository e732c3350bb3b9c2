"""The systemd unit, as far as it can be tried without systemd: what `systemctl reload` runs, and what it would see of it."""

import pathlib
import re
import shlex
import signal
import socket
import subprocess

from conftest import BINARY, ROOT, wait_for

UNIT = ROOT / "tools" / "install" / "sallyport.service.in"


def reload_as_systemd(server):
    """Runs each ExecReload= in turn until one fails, as systemd.service(5) says. Gives the exit status of the last."""
    text = UNIT.read_text().replace("@bindir@/sallyport", str(BINARY))
    text = text.replace("@sysconfdir@/sallyport/sallyport.yaml", str(server.path)).replace("$MAINPID", str(server.process.pid))
    lines = [line.partition("=")[2] for line in text.splitlines() if line.startswith("ExecReload=")]
    assert lines
    for line in lines:
        assert pathlib.Path(shlex.split(line)[0]).is_absolute()
        result = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=60)
        assert result.stdout == ""
        if result.returncode != 0:
            break
    return result


def test_reload_fails_for_a_bad_file(serve, host):
    server = serve([host("r.test")])
    good = server.path.read_text()
    server.path.write_text(good.replace("connections: 4096", "connections: 0"))
    result = reload_as_systemd(server)
    assert result.returncode == 1
    assert f"{server.path}:" in result.stderr and "limits.connections" in result.stderr
    assert "SIGHUP" not in server.stderr(), "the server has not heard of it"
    server.path.write_text(good)
    assert reload_as_systemd(server).returncode == 0
    wait_for(lambda: server.metric("sallyport_config_reloads_total", result="ok") == 1)


def test_the_manager_is_told_what_came_of_a_reload(serve, host, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        server = serve([host("r.test")], environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(4096) == b"READY=1"
        for result, word in [(True, b"taken"), (False, b"refused")]:
            limits = {"connections": 4096 if result else 0}
            assert server.reload(limits=limits) == result
            assert manager.recv(4096).startswith(b"RELOADING=1\n")
            state = manager.recv(4096)
            assert state.startswith(b"READY=1\nSTATUS=The last reload was ") and word in state


def test_systemd_is_asked_for_the_time_that_the_end_may_take(serve, host, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        server = serve([host("r.test")], environment={"NOTIFY_SOCKET": str(tmp_path / "notify")},
                       drain={"delay": "1s", "timeout": "2m"})
        assert manager.recv(4096) == b"READY=1"
        server.process.send_signal(signal.SIGTERM)
        assert manager.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=131000000"
        server.stop()


def test_log_lines_in_the_journal_and_elsewhere(serve, host, tmp_path):
    """systemd names the stream that it has given, by device and inode."""
    server = serve([host("r.test")])
    wait_for(lambda: server.stderr().endswith("\n"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO ready: .*", server.stderr().splitlines()[-1])
    log = tmp_path / "journal"
    process = subprocess.Popen(
        ["sh", "-c", 'JOURNAL_STREAM=$(stat -Lc %d:%i /dev/fd/2) exec "$0" run -c "$1"', str(BINARY), str(server.path)],
        stderr=open(log, "wb"), stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: log.exists() and log.read_text() != "")
        assert log.read_text().startswith("<3>ERROR "), "the other server has the address"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
