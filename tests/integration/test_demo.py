"""`sallyport demo` as somebody sees it at a terminal: what it prints, and that what it prints works."""

import os
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from conftest import BINARY, ROOT

COLUMNS = 80
ROWS = 23  # of 24: the cursor is in the last

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")


class Demo:
    """A demo that runs, with all that it has printed up to its last line."""

    def __init__(self, *options):
        # With a proxy set there is a line more: the longest output that there is.
        self.process = subprocess.Popen(
            [str(BINARY), "demo", "--port", "0", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "https_proxy": "http://proxy.invalid:3128"})
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        self.text = "\n".join(self.lines)

    def __enter__(self):
        assert self.lines and self.lines[-1].startswith("Ctrl-C"), self.text + self.process.stderr.read()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, output + errors

    def commands(self):
        """The curl lines, as somebody copies them: with the comment above each, and continued rows as they stand."""
        return re.findall(r"^  # (.*)\n  (curl (?:.*\\\n)*.*)$", self.text, re.MULTILINE)

    def folder(self):
        return re.search(r"^  cd (.*)$", self.text, re.MULTILINE)[1]


def status_of(demo, command):
    script = f"cd {demo.folder()}\nexport no_proxy=localhost,127.0.0.1\n{command}\n"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return int(result.stdout.split()[1]), result.stdout


def test_it_fits_on_a_terminal_and_names_the_dashboard_first():
    with Demo() as demo:
        assert len(demo.lines) <= ROWS, demo.text
        assert max(map(len, demo.lines)) <= COLUMNS, demo.text
        first = next(line for line in demo.lines[1:] if line)
        address = re.match(r"  dashboard +(http://127\.0\.0\.1:\d+/) ", first)
        assert address, first
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address[1], timeout=20) as answer:
            assert answer.status == 200 and b"<html" in answer.read()


def test_the_four_lines_do_what_is_said_of_them():
    with Demo() as demo:
        commands = demo.commands()
        assert len(commands) == 4
        for comment, command in commands:
            expected = 403 if comment.startswith("enforce, no certificate") else 200
            status, output = status_of(demo, command)
            assert status == expected, (comment, output)
        assert "X-Client-Cert-Status: none" in output and "X-Client-Cert-Status: valid" not in output


def test_all_shows_the_rest():
    with Demo("--all") as demo:
        commands = demo.commands()
        assert max(map(len, demo.lines)) <= COLUMNS, demo.text
        assert "--all" not in demo.text
        with Demo() as brief:
            hidden = int(re.search(r"--all shows (\d+) more", brief.text)[1])
            assert len(commands) == len(brief.commands()) + hidden > 4
        for comment, command in commands:
            assert status_of(demo, command)[0] in (200, 403, 421), comment


def test_once_fits_too():
    result = subprocess.run([str(BINARY), "demo", "--once", "--port", "0"], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) <= ROWS and max(map(len, lines)) <= COLUMNS, result.stdout
    assert lines[-1] == f"All {sum(line.endswith('  yes') for line in lines)} answers are as expected."


def test_the_readme_shows_what_it_prints():
    shown = re.search(r"^```\n(what .*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1].splitlines()
    result = subprocess.run([str(BINARY), "demo", "--once", "--port", "0"], capture_output=True, text=True, timeout=120)
    assert len(shown) > 3 and [line for line in result.stdout.splitlines() if line in shown] == shown


def test_the_help_fits():
    result = subprocess.run([str(BINARY), "demo", "--help"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "--all" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= COLUMNS
