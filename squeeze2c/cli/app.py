"""The application: its commands, and what becomes of every exception."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from squeeze2c._version import __version__
from squeeze2c.cli.compile import compile_command
from squeeze2c.cli.console import REPORT_HINT
from squeeze2c.cli.inspect import inspect_command
from squeeze2c.cli.outputs import STDOUT, json_text
from squeeze2c.cli.profile import profile_command
from squeeze2c.cli.simulate import simulate_command
from squeeze2c.cli.verify import verify_command
from squeeze2c.errors import InternalError, Squeeze2cError, one_line

EXIT_USER = Squeeze2cError.exit_code
EXIT_BUG = InternalError.exit_code
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

# Typer has carried its own copy of click since 0.26; both have this class above BadParameter.
_ClickException: Any = next(
    c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException"
)

app = typer.Typer(
    name="squeeze2c",
    help="Compile ONNX SqueezeNets to plain, bit-exact C99 for microcontrollers.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"squeeze2c {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


app.command("compile")(compile_command)
app.command("inspect")(inspect_command)
app.command("verify")(verify_command)
app.command("simulate")(simulate_command)
app.command("profile")(profile_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the process exit code.

    0: success. 2: a mistake of the user's. 70: a bug of ours. 130: interrupted.
    141: nobody reads the output any more.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams()
    try:
        result = app(argv, prog_name="squeeze2c", standalone_mode=False)
        sys.stdout.flush()
        if result == EXIT_INTERRUPTED:
            # Some releases of typer turn the exception into this result.
            raise KeyboardInterrupt
    except BrokenPipeError:
        _abandon_stdout()
        return EXIT_BROKEN_PIPE
    except BaseException as problem:  # whatever it is, it becomes one line and an exit code
        if isinstance(problem, SystemExit | GeneratorExit):
            raise
        return _report(problem, argv)
    return result if isinstance(result, int) else 0


def _report(problem: BaseException, argv: Sequence[str]) -> int:
    """Show ``problem`` on stderr, with --json on stdout too; the exit code."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    message, code = _explain(problem, argv)
    if ("--verbose" in options or "-v" in options) and code != EXIT_INTERRUPTED:
        traceback.print_exception(problem, file=sys.stderr)
    print(f"error: {message}", file=sys.stderr)
    document: dict[str, Any] | None = None
    if _wants_json(options):
        document = {
            "error": message,
            "kind": type(problem).__name__,
            "where": getattr(problem, "where", None),
            "hint": getattr(problem, "hint", None),
            "exit_code": code,
        }
    _print_last("" if document is None else json_text(document))
    return code


def _wants_json(options: Sequence[str]) -> bool:
    """Whether --json asks for the error on stdout too; of ``profile`` it names a file, or ``-``."""
    command = next((a for a in options if not a.startswith("-")), None)
    flags = [i for i, a in enumerate(options) if a.partition("=")[0] == "--json"]
    if command != "profile" or not flags:
        return bool(flags)
    _, equals, value = options[flags[-1]].partition("=")
    return (value if equals else "".join(options[flags[-1] + 1 :][:1])) == STDOUT


def _open_streams() -> None:
    """Python has no stream where the shell has closed one (``>&-``)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # never closed
            setattr(sys, name, stream)


def _print_last(text: str) -> None:
    """Flush stdout, with ``text``, unless that is what failed: stderr has the error already."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        _abandon_stdout()


def _abandon_stdout() -> None:
    """Nobody can take what is left to write; the interpreter must not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(problem: BaseException, argv: Sequence[str]) -> tuple[str, int]:
    """What to say about ``problem``, and the exit code."""
    if isinstance(problem, KeyboardInterrupt | typer.Abort):
        return "interrupted", EXIT_INTERRUPTED
    if isinstance(problem, InternalError):
        return f"{problem.line}; {REPORT_HINT}", problem.exit_code
    if isinstance(problem, Squeeze2cError):
        return problem.line, problem.exit_code
    if isinstance(problem, _ClickException):
        return _usage(problem, argv), EXIT_USER
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename else ""
        return one_line(f"{where}{problem.strerror}"), EXIT_USER
    return one_line(f"{type(problem).__name__}: {problem}; {REPORT_HINT}"), EXIT_BUG


def _usage(problem: Any, argv: Sequence[str]) -> str:
    """A usage error in one line, with the help that would have prevented it."""
    text = " ".join(problem.format_message().split()).rstrip(".")
    commands = [c.name for c in app.registered_commands]
    command = next((f" {a}" for a in argv if a in commands), "")
    return f"{text} (see squeeze2c{command} --help)"
