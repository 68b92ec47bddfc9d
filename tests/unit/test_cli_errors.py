"""What the command line does with every kind of mistake, and with its streams."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import squeeze2c.cli.compile
from squeeze2c.cli import main
from squeeze2c.cli.console import Reporter, facts_table, rows_table
from squeeze2c.errors import (
    InternalError,
    ModelLoadError,
    Squeeze2cError,
    ToolchainError,
    UsageError,
)

COMPILE = ["compile", "net.onnx", "-o", "out", "--calibration", "photos", "--preprocess", "none"]


def failing_with(problem: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(squeeze2c.cli.compile, "_compile", fail)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command"),
        (["bogus"], "No such command 'bogus'"),
        (["compile"], "missing argument MODEL.onnx"),
        (["compile", "a.onnx"], "missing option --output"),
        (["compile", "a.onnx", "-o", "b"], "missing option --calibration"),
        (["compile", "a.onnx", "--bogus"], "No such option"),
        (["compile", "a.onnx", "--ram"], "--ram"),
        ([*COMPILE, "--ram", "lots"], "--ram: 'lots' is not a size"),
        ([*COMPILE, "--input-shape", "3"], "--input-shape: '3' is not a shape"),
        ([*COMPILE, "--config", "absent.toml"], "absent.toml: No such file"),
        (["inspect"], "MODEL.onnx"),
        (["inspect", "a.onnx", "--svg", "a.svg"], "--svg: draws the arena of a folder"),
        (["inspect", ".", "--target", "m4"], "--target: says something about a model"),
        (["inspect", "."], ".: no manifest.json here"),
        ([*COMPILE, "--schedule", "bogus"], "--schedule: unknown schedule 'bogus'"),
        ([*COMPILE, "--input", "bogus"], "--input: unknown way of input 'bogus'"),
        (["verify", "x"], "--images"),
        (["verify", "x", "--images", "y", "--against", "tf"], "unknown reference 'tf'"),
        (["verify", "x", "--images", "y", "--limit", "0"], "--limit"),
        (["simulate", "x", "--images", "y"], "--board"),
        (["simulate", "x", "--images", "y", "--board", "uno"], "--board: unknown board 'uno'"),
        (["profile", "x"], "--board"),
        (["profile", "x", "--board", "uno"], "--board: unknown board 'uno'"),
        (["profile", "absent", "--board", "stm32f405"], "absent: no such folder"),
        (["profile", ".", "--board", "stm32f405"], ".: no manifest.json here"),
        (["profile", ".", "--board", "stm32f405", "--plot", "a.pdf"], "a.pdf: what kind"),
        (["profile", ".", "--board", "stm32f405", "--plot", "no/a.svg"],
         "--plot: no/a.svg: there is no folder no (create it first)"),
        (["profile", ".", "--board", "stm32f405", "--plot", "."], "--plot: . is a folder"),
        (["profile", ".", "--board", "stm32f405", "--json", "no/a.json"],
         "--json: no/a.json: there is no folder no (create it first)"),
        (["profile", ".", "--board", "stm32f405", "--json=.."], "--json: .. is a folder"),
        (["profile", ".", "--board", "stm32f405", "--json"], "--json"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1
    assert said in err


def test_mistakes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMPILE, "--ram", "lots", "--json"]) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["error"] in err
    assert document["kind"] == "UsageError"
    assert document["where"] == "--ram"
    assert "128K" in document["hint"]
    assert document["exit_code"] == 2


def test_usage_mistakes_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "--json", "--bogus"]) == 2
    assert "No such option" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["profile", ".", "--json", "-"], True),
        (["profile", ".", "--json=-"], True),
        (["profile", "--quiet", "--json=a", ".", "--json", "-"], True),
        (["profile", ".", "--json", "errors.json"], False),
        (["profile", ".", "--json=errors.json"], False),
        (["profile", ".", "--json", "-", "--json=errors.json"], False),
        (["profile", "--json"], False),
        (["profile", ".", "--", "--json", "-"], False),
        (["inspect", "absent.onnx", "--json=yes"], True),
        (["inspect", "profile", "--json", "-"], True),
        (["inspect", "absent.onnx", "--", "--json"], False),
    ],
)
def test_errors_as_json_where_json_goes_to_stdout(
    options: list[str], shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    out, err = capsys.readouterr()
    if shown:
        assert f"error: {json.loads(out)['error']}\n" == err
    else:
        assert out == "" and err.startswith("error: ")


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (ModelLoadError("not ONNX", where="net.onnx", hint="export it"), 2,
         "net.onnx: not ONNX (export it)"),
        (Squeeze2cError("anything"), 2, "anything"),
        (PermissionError(13, "Permission denied", "out"), 2, "out: Permission denied"),
        (InternalError("offsets overlap"), 70, "offsets overlap; this is a bug in squeeze2c"),
        (ZeroDivisionError("division by zero"), 70, "ZeroDivisionError: division by zero; this is"),
        (AssertionError(), 70, "please report it"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)  # fmt: skip
def test_exit_codes(
    problem: BaseException, code: int, said: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    failing_with(problem, monkeypatch)
    assert main([*COMPILE, "--json"]) == code
    out, err = capsys.readouterr()
    assert err.startswith("error: ") and said in err
    assert "Traceback" not in err
    assert json.loads(out)["exit_code"] == code


def test_verbose_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(ZeroDivisionError("division by zero"), monkeypatch)
    assert main([*COMPILE, "--verbose"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_without_preprocessing_there_is_a_remark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(squeeze2c.cli.compile, "_compile", lambda *_: None)
    monkeypatch.setattr(squeeze2c.cli.compile, "_finish", lambda *_: None)
    arguments = COMPILE[:-2]
    main(arguments)
    assert "note: no --preprocess" in capsys.readouterr().err
    main([*arguments, "--quiet"])
    assert "note" not in capsys.readouterr().err
    main([*arguments, "--mean", "1,2,3"])
    assert "note" not in capsys.readouterr().err


def test_an_error_comes_without_remarks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(Squeeze2cError("stop here"), monkeypatch)
    assert main(COMPILE[:-2]) == 2
    assert capsys.readouterr() == ("", "error: stop here\n")


def test_names_and_tools_that_speak_in_lines_leave_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(UsageError("no", where="conv\n1\x1b[31m"), monkeypatch)
    assert main(COMPILE) == 2
    assert capsys.readouterr().err == "error: conv 1 [31m: no\n"
    said = "In file included from a.c:1:\na.h:3:1: error: no such thing\n    3 | thing\n"
    failing_with(ToolchainError("gcc failed", where="build", stderr=said), monkeypatch)
    assert main([*COMPILE, "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("error: build: gcc failed: a.h:3:1: error: no such thing (--verbose")
    assert err.count("\n") == 1
    assert f"error: {json.loads(out)['error']}\n" == err
    assert main([*COMPILE, "--verbose"]) == 2
    assert "    3 | thing" in capsys.readouterr().err


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "squeeze2c", *arguments]
    checkout = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, **options
    )


def test_version_and_help_as_a_process() -> None:
    version = run("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert version.stdout == f"squeeze2c {squeeze2c.__version__}\n"
    overview = run("--help")
    assert overview.returncode == 0
    for command in ("compile", "inspect", "verify", "simulate", "profile"):
        assert command in overview.stdout
        assert run(command, "--help").returncode == 0


def test_help_and_version_import_nothing_heavy() -> None:
    script = (
        "import sys; from squeeze2c.cli import main\n"
        "for a in (['--help'], ['--version'], ['compile', '--help']): main(a)\n"
        "heavy = {'numpy', 'onnx', 'cffi', 'jinja2', 'PIL', 'onnxruntime', 'torch'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_closed_pipe_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "squeeze2c", "compile", "--help"]
    with os.fdopen(writing, "w") as broken:
        done = subprocess.run(command, stdout=broken, stderr=subprocess.PIPE, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode != 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--version"], ["inspect", "absent.onnx", "--json"]])
def test_a_full_disk_is_an_error_of_one_line(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "squeeze2c", *arguments]
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_streams_may_be_closed() -> None:
    command = f"{shlex.quote(sys.executable)} -m squeeze2c --version >&- 2>&-"
    assert subprocess.run(command, shell=True).returncode == 0


def test_tables_show_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(json_output=False, quiet=False, verbose=False) as reporter:
        table = rows_table("the 5 noisiest layers", ("layer", "SQNR"), [("[b]x[/i]\ny", "1 dB")])
        reporter.result({}, table)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["the", "5", "noisiest", "layers"] in lines
    assert ["[b]x[/i]", "y", "1", "dB"] in lines


def test_reporter_keeps_json_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(json_output=True, quiet=False, verbose=False) as reporter:
        reporter.working("reading")
        reporter.progress("quantizing", 1, 2)
        reporter.progress("quantizing", 2, 2)
        reporter.result(
            {"a": (1, float("inf")), "b": {"c": float("nan")}}, facts_table("t", [("x", "y")])
        )
    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": [1, None], "b": {"c": None}}
    assert err == ""


def test_reporter_without_terminal_draws_no_bars(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(json_output=False, quiet=False, verbose=False) as reporter:
        reporter.progress("quantizing", 1, 2)
        reporter.result({}, facts_table("network", [("arena", "12 B")]))
    out, err = capsys.readouterr()
    assert "arena" in out and err == ""


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(json_output=False, quiet=True, verbose=False) as reporter:
        reporter.remark("by the way")
        reporter.result({}, facts_table("network", [("arena", "12 B")]))
    assert capsys.readouterr() == ("", "")
