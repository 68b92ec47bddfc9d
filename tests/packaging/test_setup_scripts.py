"""The set-up scripts on machines that lack something, played with stand-ins for programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.tools import require_tool

NEEDED = ("bash", "basename", "mktemp", "rm", "sort", "tr", "env", "cat", "uname")
"""What the scripts use of a minimal Debian."""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: the minimum, and whatever a test adds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).symlink_to(require_tool(name))
    return folder


def stand_in(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
    path.chmod(0o755)


def bash(script: str, checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_tool("bash"), "-c", f"set -euo pipefail; . scripts/packages.sh; {script}"],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def missing(task: str, checkout: Path, programs: Path) -> set[str]:
    done = bash(f"missing_packages {task} python3", checkout, PATH=str(programs))
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_an_empty_machine_lacks_everything(checkout: Path, programs: Path) -> None:
    compiler = {"gcc", "libc6-dev"}
    assert missing("compile", checkout, programs) == {"python3-venv", *compiler}
    assert missing("test", checkout, programs) == {
        "python3-venv", *compiler, "g++", "clang", "make", "cmake",
        "gcc-arm-none-eabi", "picolibc-arm-none-eabi", "libnewlib-arm-none-eabi",
        "qemu-system-arm",
    }  # fmt: skip


def test_a_compiler_without_headers_does_not_count(checkout: Path, programs: Path) -> None:
    stand_in(programs, "python3", "exit 0")
    stand_in(programs, "cc", "exit 1")
    assert missing("compile", checkout, programs) == {"gcc", "libc6-dev"}
    stand_in(programs, "cc", "exit 0")
    assert missing("compile", checkout, programs) == set()


def test_python_without_venv_does_not_count(checkout: Path, programs: Path) -> None:
    stand_in(programs, "cc", "exit 0")
    stand_in(programs, "python3", "exit 1")
    assert missing("compile", checkout, programs) == {"python3-venv"}


def all_but_one_complete(programs: Path) -> None:
    """Stand-ins for everything that the tests need, all of them content."""
    (programs / "uname").unlink()
    stand_in(programs, "uname", "echo x86_64")
    for name in ("python3", "cc", "gcc", "g++", "clang", "make", "cmake", "qemu-system-arm",
                 "arm-none-eabi-gcc"):  # fmt: skip
        stand_in(programs, name, "exit 0")


def test_a_cross_compiler_without_library(checkout: Path, programs: Path) -> None:
    all_but_one_complete(programs)
    for library, package in (("picolibc", "picolibc"), ("nano", "libnewlib")):
        stand_in(programs, "arm-none-eabi-gcc", f"case $1 in *={library}.specs) exit 1;; esac")
        assert missing("test", checkout, programs) == {f"{package}-arm-none-eabi"}


def test_compilers_without_optional_libraries(checkout: Path, programs: Path) -> None:
    all_but_one_complete(programs)
    stand_in(programs, "clang", 'case "$1" in -fsanitize*) exit 1;; esac')
    assert missing("test", checkout, programs) == {"libclang-rt-dev"}
    stand_in(programs, "clang", "exit 0")
    stand_in(programs, "uname", "echo x86_64")
    stand_in(programs, "gcc", 'case "$1" in -m32) exit 1;; -dumpversion) echo 12;; esac')
    assert missing("test", checkout, programs) == {"libc6-dev-i386", "lib32gcc-12-dev"}
    stand_in(programs, "uname", "echo aarch64")
    assert missing("test", checkout, programs) == set()


def installation(
    checkout: Path, programs: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return bash("apt_install clang make", checkout, PATH=str(programs), **(environment or {}))


def test_without_apt_the_packages_are_named(checkout: Path, programs: Path) -> None:
    done = installation(checkout, programs)
    assert done.returncode == 2
    assert "error: please install the equivalents of: clang make" in done.stderr


def test_neither_root_nor_sudo(checkout: Path, programs: Path) -> None:
    stand_in(programs, "apt-get", "exit 0")
    stand_in(programs, "id", "echo 1000")
    done = installation(checkout, programs)
    assert done.returncode == 2
    assert "please run as root: apt-get install clang make" in done.stderr


@pytest.mark.parametrize("user", ["0", "1000"])
def test_installation(checkout: Path, programs: Path, tmp_path: Path, user: str) -> None:
    log = tmp_path / "log"
    stand_in(programs, "id", f"echo {user}")
    stand_in(programs, "apt-get", f'echo "$DEBIAN_FRONTEND apt-get $*" >> {log}')
    # Nobody can type a password here: sudo is told so.
    stand_in(programs, "sudo", f'echo "sudo $1" >> {log}; [ "$1" = -n ] && shift; "$@"')
    done = installation(checkout, programs, {"DEBIAN_FRONTEND": ""})
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    commands = log.read_text().splitlines()
    assert commands.count("sudo -n") == (2 if user == "1000" else 0)
    options = "-y -qq --no-install-recommends --no-remove"
    assert f"noninteractive apt-get install {options} clang make" in commands


def test_a_failing_installation_names_the_packages(checkout: Path, programs: Path) -> None:
    stand_in(programs, "id", "echo 0")
    stand_in(programs, "apt-get", "exit 100")
    done = installation(checkout, programs)
    assert done.returncode == 2
    assert "apt-get failed; please run as root: apt-get install clang make" in done.stderr


def test_an_old_python_is_refused(checkout: Path, programs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(checkout / "scripts", copy / "scripts")
    stand_in(programs, "dirname", "echo scripts")
    stand_in(programs, "cc", "exit 0")
    # Has venv and ensurepip, but is not new enough.
    stand_in(
        programs, "python3",
        'case "$2" in *version_info*) exit 1;; esac; [ "$1" = -V ] && echo Python 3.8.0; exit 0',
    )  # fmt: skip
    done = subprocess.run(
        [require_tool("bash"), "scripts/setup.sh", "base"], cwd=copy,
        env={"PATH": str(programs)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "needs Python 3.10 or newer; python3 is Python 3.8.0" in done.stderr
    assert not (copy / ".venv").exists()


def test_continuous_integration_passes_the_exit_code_on(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for name in (".ci", "scripts"):
        shutil.copytree(checkout / name, copy / name)
    require_tool("make")
    for lint, test in ((0, 0), (0, 3), (4, 0)):
        rules = f"lint:\n\t@exit {lint}\ntest:\n\t@echo tested; exit {test}\n"
        (copy / "Makefile").write_text(rules)
        done = subprocess.run(
            [require_tool("bash"), ".ci/run"], cwd=copy, env={**os.environ, "CI": "true"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ("tested" in done.stdout) == (lint == 0)
        assert (done.returncode == 0) == (lint == test == 0)
