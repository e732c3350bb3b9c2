"""The programs in tools/ and bench/ as somebody who has just cloned this meets them, and tools/deps with an archive of our own."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BINARY, ROOT, SANITIZED

PROGRAMS = sorted(str(path.relative_to(ROOT)) for folder in ("tools", "tools/grafana", "bench") for path in (ROOT / folder).iterdir()
                  if path.is_file() and os.access(path, os.X_OK))

pytestmark = pytest.mark.skipif(SANITIZED, reason="drives scripts, not the binary")


def run(*command, **keywords):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, **keywords)


def test_the_programs_are_found():
    programs = {"tools/deps", "tools/build", "tools/demo", "tools/check", "tools/pki", "tools/grafana/generate", "bench/run", "bench/flood"}
    assert programs <= set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help(program):
    for option in ("--help", "-h"):
        result = run(ROOT / program, option, cwd="/")
        assert result.returncode == 0 and result.stderr == "", result.stderr
        assert result.stdout.startswith("usage: ") and len(result.stdout.splitlines()) > 3


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unknown_argument_is_wrong_usage_and_does_nothing_else(program):
    result = run(ROOT / program, "--no-such-option", cwd="/")
    assert result.returncode == 2 and result.stdout == "" and "no-such-option" in result.stderr, result.stderr


@pytest.mark.parametrize("arguments", [["x", "y", "z"], ["--port"], ["--dir"]])
def test_the_demo_looks_at_its_arguments_before_it_builds(arguments):
    result = run(ROOT / "tools" / "demo", *arguments)
    assert result.returncode == 2 and result.stdout == ""


# tools/deps in a tree of its own. Its questions to the system are answered by programs that are here: a Debian archive whose content
# each test chooses, in a folder `archive` with a file NAME_VERSION for each version of a package.

STUBS = {
    # All Debian packages are installed; what is asked for is written down.
    "dpkg-query": 'shift 2; printf "%s\\n" "$@" >>"$HERE/asked"; printf "installed %s\\n" "$@"',
    "apt-cache": r'''
shift 2
for file in "$HERE/archive/$2"_*; do
    [ -e "$file" ] || continue
    version=${file##*_}
    case $1 in
    showsrc) echo "Version: $version" ;;
    madison) echo "$2 | $version | somewhere" ;;
    policy) echo "  Candidate: $version" ;;
    esac
done''',
    "apt-get": r'''
shift 2
[ "$1" != update ] || exit 0
for last; do :; done
name=${last%%=*}
version=${last#*=}
echo "fetched $last" >>"$HERE/fetched"
case $1 in
source) cp "$HERE/archive/${name}_$version" "${name}_${version%-*}.orig.tar.gz" ;;
download) cp "$HERE/archive/${name}_$version" "${name}_${version}_amd64.deb" ;;
esac''',
}
# The tested version of each in tools/deps, with a Debian revision.
TESTED = {"wolfssl": "5.9.2-1", "liburing": "2.15-3", "libhdr-histogram": "0.11.8-1"}


class Tree:
    """A copy of tools/, an archive, and the stubs."""

    def __init__(self, folder):
        self.root = folder
        shutil.copytree(ROOT / "tools", folder / "tools")
        (folder / "archive").mkdir()
        bin = folder / "bin"
        bin.mkdir()
        for name, script in STUBS.items():
            (bin / name).write_text(f"#!/bin/bash\n{script}\n")
            (bin / name).chmod(0o755)
        self.publish({name: "not what was tested" for name in TESTED.items()})

    def publish(self, content):
        for (name, version), text in content.items():
            (self.root / "archive" / f"{name}_{version}").write_text(text)

    def withdraw(self, name):
        for path in (self.root / "archive").glob(f"{name}_*"):
            path.unlink()

    def deps(self, *options, **environment):
        return run(self.root / "tools" / "deps", *options,
                   env={**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "HERE": str(self.root), **environment})

    def lines(self, name):
        path = self.root / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_a_tarball_that_is_not_the_tested_one_is_not_built(tree):
    result = tree.deps()
    assert result.returncode == 1
    assert "wolfssl_5.9.2.orig.tar.gz" in result.stderr and "nothing is built from it" in result.stderr and "--newest" in result.stderr
    assert not (tree.root / ".deps" / "src" / "wolfssl").exists()


def test_of_several_versions_the_tested_one_is_asked_for(tree):
    tree.publish({("wolfssl", "5.9.1-1"): "old", ("wolfssl", "5.10.0-1"): "new"})
    assert tree.deps().returncode == 1
    assert tree.lines("fetched") == ["fetched wolfssl=5.9.2-1"]


def test_a_tested_version_that_has_gone_is_said_with_what_to_do(tree):
    tree.withdraw("wolfssl")
    tree.publish({("wolfssl", "5.10.0-1"): "new"})
    result = tree.deps()
    assert result.returncode == 1 and tree.lines("fetched") == []
    assert "wolfssl 5.9.2" in result.stderr and "tools/deps --newest" in result.stderr


@pytest.mark.parametrize("how", [{"options": ["--newest"]}, {"environment": {"DEPS_NEWEST": "1"}}])
def test_the_newest_on_demand(tree, how):
    tree.publish({("wolfssl", "5.10.0-1"): "new", ("wolfssl", "5.9.10-1"): "newer than 5.9.2"})
    result = tree.deps(*how.get("options", []), **how.get("environment", {}))
    assert tree.lines("fetched") == ["fetched wolfssl=5.10.0-1"]
    # It is no tarball here, so it goes no further than that.
    assert result.returncode != 0 and "is not the tested 5.9.2" in result.stdout


def test_the_newest_may_be_too_old(tree):
    tree.withdraw("wolfssl")
    tree.publish({("wolfssl", "5.7.0-1"): "old"})
    result = tree.deps("--newest")
    assert result.returncode == 1 and "at least 5.9.2 is needed" in result.stderr


def test_a_patch_outside_the_series_is_an_error(tree):
    (tree.root / "tools" / "patches" / "wolfssl-stray.patch").write_text("--- a\n+++ b\n")
    result = tree.deps()
    assert result.returncode == 1 and "wolfssl-stray.patch is not in tools/patches/series" in result.stderr
    assert tree.lines("asked") == []


@pytest.mark.parametrize("line, said", [
    ("wolfssl-gone.patch upstream something", "there is no tools/patches/wolfssl-gone.patch"),
    ("wolfssl-wipe.patch perhaps something", "'upstream' or 'ours'"),
    ("wolfssl-wipe.patch ours", "what it is for"),
])
def test_a_line_of_the_series_must_be_whole(tree, line, said):
    series = tree.root / "tools" / "patches" / "series"
    number = len(series.read_text().splitlines()) + 1
    series.write_text(series.read_text() + line + "\n")
    result = tree.deps()
    assert result.returncode == 1 and f"tools/patches/series:{number}: " in result.stderr and said in result.stderr


def test_to_build_and_show_takes_no_more_than_that(tree):
    tree.deps()
    alone = set(tree.lines("asked"))
    (tree.root / "asked").unlink()
    tree.deps("--check")
    both = set(tree.lines("asked"))
    assert {"build-essential", "meson", "curl"} <= alone < both
    for package in ("chromium", "prometheus", "nginx-light", "haproxy", "wrk", "clang", "libclang-rt-14-dev", "libcriterion-dev"):
        assert package in both - alone


def test_a_series_is_read_in_every_clone():
    """The series as it stands: each patch once, and of a library that tools/deps applies them to."""
    lines = [line.split(None, 2) for line in (ROOT / "tools/patches/series").read_text().splitlines() if line and not line.startswith("#")]
    files = [line[0] for line in lines]
    assert sorted(files) == sorted(path.name for path in pathlib.Path(ROOT, "tools/patches").glob("*.patch"))
    assert all(name.startswith(("wolfssl-", "nghttp2-", "ipp-crypto-")) for name in files)
    assert all(belongs in ("upstream", "ours") for _, belongs, _ in lines)


def test_what_is_installed_has_the_documents_that_it_points_to(tmp_path):
    result = run("meson", "install", "-C", BINARY.parent, "--no-rebuild", "--destdir", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    installed = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = {path.name for path in installed}
    unit = next(path for path in installed if path.name == "sallyport.service")
    documents = re.search(r"^Documentation=(.*)$", unit.read_text(), re.MULTILINE)[1].split()
    assert len(documents) == 2
    for document in documents:
        assert (tmp_path / document.removeprefix("file:/")).is_file(), document
    # All that the messages, the example and the other documents name.
    named = set()
    for path in [*(ROOT / "src").rglob("*.[ch]"), *installed]:
        if path.suffix in (".c", ".h", ".md", ".yaml", ".yml", ".service"):
            named |= set(re.findall(r"(?:docs/|\]\()(\w+\.md)", path.read_text()))
    assert len(named) > 4 and named <= names, named - names


def test_an_ignored_interrupt_does_not_fail_the_tests():
    """As under `sh -c 'trap "" INT; tools/check'`: the test of an interrupted tools/pki runs."""
    result = run("/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/integration/test_pki.py", "-k", "cut_short and 2",
                 cwd=ROOT, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert result.returncode == 0 and "1 passed" in result.stdout, result.stdout
