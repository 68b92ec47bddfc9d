"""Error messages say what, where and what to do; classes carry the exit code."""

from __future__ import annotations

import inspect

import pytest

from squeeze2c import errors
from squeeze2c.errors import (
    DoesNotFitError,
    InternalError,
    Squeeze2cError,
    ToolchainError,
    UnsupportedModelError,
)

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass)]


def test_message_alone() -> None:
    assert str(Squeeze2cError("it broke")) == "it broke"


def test_message_with_place_and_hint() -> None:
    error = Squeeze2cError("it broke", where="model.onnx", hint="mend it")
    assert str(error) == "model.onnx: it broke (mend it)"
    assert (error.message, error.where, error.hint) == ("it broke", "model.onnx", "mend it")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_only_internal_errors_are_our_fault(kind: type[Squeeze2cError]) -> None:
    assert issubclass(kind, Squeeze2cError)
    assert kind.exit_code == (70 if kind is InternalError else 2)
    assert kind.__doc__


def test_does_not_fit_gives_all_figures() -> None:
    error = DoesNotFitError(
        "the arena", needed_bytes=1_234_567, available_bytes=131_072, largest="pool1", hint="shrink"
    )
    text = str(error)
    assert "1,234,567" in text and "131,072" in text and "1,103,495 bytes too many" in text
    assert "largest: pool1" in text and text.endswith("(shrink)")
    assert (error.needed_bytes, error.available_bytes) == (1_234_567, 131_072)


def test_toolchain_error_ends_with_what_the_tool_said() -> None:
    error = ToolchainError("gcc failed", command="gcc x.c", stderr="x" * 5000 + "\nlast line\n")
    assert str(error).endswith("last line")
    assert len(str(error)) < 2100
    assert error.command == "gcc x.c"
    assert str(ToolchainError("gcc is missing")) == "gcc is missing"


def test_toolchain_error_in_one_line_gives_the_first_diagnostic() -> None:
    said = "a.c: in function f:\na.c:3: undefined reference to `g'\ncollect2: error: ld\n"
    error = ToolchainError("gcc failed", where="build", stderr=said)
    assert error.line.startswith("build: gcc failed: a.c:3: undefined reference to `g' (")
    assert ToolchainError("no gcc", hint="install it").line == "no gcc (install it)"
    assert ToolchainError("qemu failed", stderr="\nlast words\n", hint="why?").line == (
        "qemu failed: last words (why?)"
    )


def test_unsupported_model_names_operator_and_attribute() -> None:
    error = UnsupportedModelError("no", op="Conv", attribute="group", where="conv1")
    assert (error.op, error.attribute, str(error)) == ("Conv", "group", "conv1: no")
