"""The commands on a small network, from options to JSON."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest

from squeeze2c.cli import main
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.report import inspect_model
from tests.support import onnx_models
from tests.support.artifacts import compiled
from tests.support.tools import missing, require_package, require_tool

SIZE = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, calibration images, labelled images, and the model compiled as ``firmware``."""
    folder = tmp_path_factory.mktemp("cli")
    onnx_models.save(onnx_models.fire_net(input_size=SIZE), folder / "net.onnx")
    images = onnx_models.random_images(8, SIZE, SIZE)
    np.savez(folder / "calibration.npz", images=images[:6])
    np.savez(folder / "images.npz", images=images[2:], labels=np.arange(6) % 7)
    arguments = ["compile", str(folder / "net.onnx"), "-o", str(folder / "firmware")]
    options = ["--calibration", str(folder / "calibration.npz"), "--mean", "127.5,127.5,127.5"]
    assert main([*arguments, *options, "--quiet"]) == 0
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> dict[str, Any]:
    """The one JSON object that a command prints."""
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def compile_arguments(folder: Path) -> list[object]:
    return ["compile", folder / "net.onnx", "--calibration", folder / "calibration.npz",
            "--mean", "127.5,127.5,127.5"]  # fmt: skip


def test_compile_prints_the_manifest(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    document = run(capsys, *compile_arguments(folder), "-o", out, "-t", "m4", "--name", "tiny")
    assert document == json.loads((out / "manifest.json").read_text())
    assert (document["name"], document["target"]) == ("tiny", "cortex-m4")
    assert (out / "tiny.h").is_file()
    assert document["input"]["preprocess"]["mean"] == [127.5] * 3


def test_compile_shows_a_summary(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out", "--ram", "64K", "--verbose"]
    assert main([str(a) for a in arguments]) == 0
    out, err = capsys.readouterr()
    assert "arena" in out and "% of the budget" in out and "conv1" in out
    assert err == ""


@pytest.mark.parametrize(("aim", "flag"), [("speed", "-O3"), ("size", "-Os")])
def test_the_summary_says_what_code_was_measured_with(
    aim: str, flag: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_tool("arm-none-eabi-gcc")
    arguments = [*compile_arguments(folder), "-t", "m4", "--optimize", aim, "--dry-run"]
    assert main([str(a) for a in arguments]) == 0
    assert f"code (flash), at {flag}" in capsys.readouterr().out


def test_compile_refuses_to_overwrite_unless_forced(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out"]
    run(capsys, *arguments)
    assert "--force" in run(capsys, *arguments, code=2)["hint"]
    run(capsys, *arguments, "--force")


def test_compile_explains_its_choice(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out", "--verbose"]
    assert main([str(a) for a in arguments]) == 0
    out, err = capsys.readouterr()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert f"took the schedule with {manifest['ram']['arena_bytes']:,} bytes of arena" in err
    for candidate in manifest["schedule"]["candidates"]:
        assert f"{candidate['arena_bytes']:,}" in out
    assert out.count("chosen") == 1


def test_schedules_and_inputs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out", "--force"]

    def compiled_with(*options: str) -> dict[str, Any]:
        return run(capsys, *arguments, *options)

    document = compiled_with()
    assert document["input"]["mode"] == "push"
    assert document["ram"]["input_bytes"] == document["input"]["row_bytes"] == SIZE * 3
    document = compiled_with("--schedule", "layerwise")
    assert (document["schedule"]["kind"], document["input"]["mode"]) == ("layerwise", "frame")
    assert document["ram"]["input_bytes"] == SIZE * SIZE * 3
    document = compiled_with("--schedule", "stream", "--input", "frame")
    assert (document["schedule"]["kind"], document["input"]["mode"]) == ("stream", "frame")
    document = compiled_with("--input-format", "rgb565le")
    assert (document["input"]["format"], document["input"]["row_bytes"]) == ("rgb565le", SIZE * 2)
    assert compiled_with("--input-format", "rgb888")["input"]["format"] == "raw"


def test_formats_that_cannot_be(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out"]
    document = run(capsys, *arguments, "--input-format", "yuv", code=2)
    assert document["where"] == "--input-format" and "grey8" in document["hint"]
    document = run(
        capsys, *arguments, "--input-format", "grey8", "--input", "frame", code=2
    )
    assert document["where"] == "--input-format" and "push" in document["error"]


@pytest.mark.parametrize("kind", ["stream", "layerwise"])
def test_the_smallest_budget_that_is_named_works_and_no_smaller_one(
    kind: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out", "--schedule", kind]
    document = run(capsys, *arguments, "--ram", "1K", code=2)
    named = re.search(r"--ram (\d+)", document["hint"])
    assert named is not None and "largest: " in document["error"]
    assert ("--schedule stream" in document["hint"]) == (kind == "layerwise")
    run(capsys, *arguments, "--ram", str(int(named[1]) - 1), code=2)
    manifest = run(capsys, *arguments, "--ram", named[1])
    assert manifest["ram"]["arena_bytes"] == manifest["schedule"]["candidates"][0]["arena_bytes"]


def test_budgets(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = [*compile_arguments(folder), "-o", out]
    for option in ("--ram", "--flash"):
        document = run(capsys, *arguments, option, "1K", code=2)
        assert document["kind"] == "DoesNotFitError"
        assert "bytes too many" in document["error"] and option in document["error"]
    assert not out.exists()


def test_budgets_of_weights(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("S2C_CACHE_DIR", str(tmp_path / "cache"))
    arguments = [*compile_arguments(folder), "-o", tmp_path / "out"]
    packed = [*arguments, "--weights", "packed"]
    document = run(capsys, *packed, "--weights-budget", "100", code=2)
    assert document["where"] == "--weights-budget"
    assert "bytes too many" in document["error"] and "without the weights" in document["hint"]
    document = run(capsys, *arguments, "--weights", "zip", code=2)
    assert (document["where"], document["kind"]) == ("--weights", "UsageError")
    document = run(capsys, *arguments, "--max-drop", "lots", code=2)
    assert document["where"] == "--max-drop"
    capsys.readouterr()
    command = [*packed, "--weights-budget", "1300", "--no-cache"]
    assert main([str(word) for word in command]) == 0
    shown = capsys.readouterr().out
    assert "bits per weight" in shown and "packed" in shown and "of the budget" in shown
    assert "calibration images" in shown
    assert not (tmp_path / "cache").exists()


def test_the_table_of_weights_is_there_on_request(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index, (option, expected) in enumerate(((None, False), ("--verbose", True))):
        words = [*compile_arguments(folder), "-o", tmp_path / str(index)]
        assert main([str(word) for word in (*words, *([option] if option else []))]) == 0
        assert ("bits per weight" in capsys.readouterr().out) == expected


def test_dry_run_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    document = run(capsys, *compile_arguments(folder), "--dry-run")
    assert document["ram"]["arena_bytes"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_file_and_the_command_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = folder / "squeeze.toml"
    config.write_text(
        'model = "net.onnx"\ncalibration = "calibration.npz"\nmean = [127.5, 127.5, 127.5]\n'
        'name = "configured"\ntarget = "cortex-m0"\n'
    )
    document = run(capsys, "compile", "--config", config, "-o", tmp_path / "a", "-t", "m7")
    assert (document["name"], document["target"]) == ("configured", "cortex-m7")


def test_compile_is_deterministic(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        run(capsys, *compile_arguments(folder), "-o", tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*"))
    for file in files:
        if (tmp_path / "a" / file).is_file():
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_package("onnxruntime")
    require_tool("cc")
    arguments = ["verify", folder / "firmware", "--images", folder / "images.npz"]
    document = run(capsys, *arguments)
    assert document["images"] == 6
    assert document["oracle_mismatches"] == 0
    assert 0 <= document["int"]["top1"] <= document["int"]["top5"] <= 1
    labels = folder / "labels.txt"
    labels.write_text("6\n6\n6\n")
    document = run(capsys, *arguments, "--labels", labels, "--limit", "3")
    assert document["images"] == 3
    assert main([str(a) for a in arguments]) == 0
    assert "SQNR" in capsys.readouterr().out


def test_verify_against_pytorch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("torch") is None:
        missing("torch is not installed")
    document = run(
        capsys, "verify", folder / "firmware", "--images", folder / "images.npz",
        "--against", "pytorch", "--limit", "1",
    )  # fmt: skip
    assert (document["reference"], document["oracle_mismatches"]) == ("pytorch", 0)


def test_differing_bits_are_our_bug(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_package("onnxruntime")
    require_tool("cc")
    out = tmp_path / "out"
    run(capsys, *compile_arguments(folder), "-o", out)
    (source,) = (path for path in out.glob("*.c") if ".shift = 24" in path.read_text())
    source.write_text(source.read_text().replace(".shift = 24", ".shift = 25"))
    arguments = ["verify", str(out), "--images", str(folder / "images.npz"), "--limit", "1"]
    assert main([*arguments, "--json"]) == 70
    stdout, stderr = capsys.readouterr()
    assert json.loads(stdout)["oracle_mismatches"] > 0
    assert stderr.startswith("error: generated C differs") and "please report it" in stderr


@pytest.mark.emulated
def test_simulate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_tool("arm-none-eabi-gcc")
    require_tool("qemu-system-arm")
    arguments = ["simulate", folder / "firmware", "--board", "stm32f405"]
    arguments += ["--images", folder / "images.npz"]
    document = run(capsys, *arguments, "--count", "2")
    assert (document["board"], document["images"], document["mismatches"]) == ("stm32f405", 2, 0)
    assert main([*map(str, arguments), "--verbose"]) == 0
    assert "instructions per MAC" in capsys.readouterr().out
    assert "6 found" in run(capsys, *arguments, "--count", "7", code=2)["error"]


@pytest.mark.emulated
def test_profile(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_tool("arm-none-eabi-gcc")
    require_tool("qemu-system-arm")
    arguments = ["profile", str(folder / "firmware"), "--board", "stm32f405"]
    file, picture = tmp_path / "p.json", tmp_path / "p.svg"
    assert main([*arguments, "--json", str(file), "--plot", str(picture), "--verbose"]) == 0
    out = capsys.readouterr().out
    for said in ("est. M4 cycles", "instructions by class", "instructions by function",
                 "plugin, exact", "estimated cycles, model of cortex-m7"):  # fmt: skip
        assert said in out
    document = json.loads(file.read_text())
    assert document["mismatches"] == 0
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    for layer in document["layers"]:
        assert f"{layer['instructions']:,}" in out
        assert f"{layer['profile']['estimated_cycles']['cortex-m4']:,}" in out
    images = ["--images", str(folder / "images.npz")]
    assert main([*arguments, *images, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["counting"] == "plugin"


@pytest.mark.emulated
def test_profile_without_plugin(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from squeeze2c.errors import ToolchainError
    from squeeze2c.host.toolchain import HostCompiler

    def find(*_: Any, **__: Any) -> HostCompiler:
        raise ToolchainError("C compiler 'cc' is not installed")

    require_tool("arm-none-eabi-gcc")
    require_tool("qemu-system-arm")
    monkeypatch.setattr(HostCompiler, "find", find)
    assert main(["profile", str(folder / "firmware"), "--board", "mps2-an386"]) == 0
    out, err = capsys.readouterr()
    assert "SysTick, to 40 instructions a step" in out and "by class" not in out
    assert "note: counted by SysTick, not exactly: C compiler 'cc' is not installed" in err
    images = ["--images", str(folder / "images.npz")]
    assert main(["simulate", str(folder / "firmware"), "--board", "stm32f405", *images]) == 0
    out, err = capsys.readouterr()
    assert "SysTick, to 5.95 instructions a step" in out
    assert err == "note: counted by SysTick, not exactly: C compiler 'cc' is not installed\n"
    monkeypatch.setattr("squeeze2c.emulate.ticks.ICOUNT", ("-icount", "shift=nonsense"))
    assert main(["simulate", str(folder / "firmware"), "--board", "stm32f405", *images]) == 0
    out, err = capsys.readouterr()
    assert "not counted, because" in out and "'cc' is not installed" in out and err == ""


@pytest.mark.emulated
def test_profile_without_objdump(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_tool("arm-none-eabi-gcc")
    require_tool("qemu-system-arm")
    monkeypatch.setattr("squeeze2c.emulate.disassembly.DISASSEMBLER", "no-such-objdump")
    assert main(["profile", str(folder / "firmware"), "--board", "mps2-an386"]) == 0
    out, err = capsys.readouterr()
    assert "plugin, exact" in out and "by class" not in out
    assert err == (
        "note: no profile: disassembly: no-such-objdump is not installed "
        "(apt install binutils-arm-none-eabi)\n"
    )


def test_profile_needs_an_emulator(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_tool("arm-none-eabi-gcc")
    monkeypatch.setattr("squeeze2c.emulate.qemu.EMULATOR", "no-such-qemu")
    assert main(["profile", str(folder / "firmware"), "--board", "mps2-an386"]) == 2
    assert "no-such-qemu is not installed (apt install" in capsys.readouterr().err


def test_inspect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = run(capsys, "inspect", folder / "net.onnx", "-t", "cortex-m4")
    manifest = json.loads((folder / "firmware" / "manifest.json").read_text())
    assert document["source"] == manifest["source"]
    assert [layer["name"] for layer in document["layers"]] == [
        layer["name"] for layer in manifest["layers"]
    ]
    sizes = [tensor["size_bytes"] for tensor in document["tensors"]]
    assert sizes == sorted(sizes, reverse=True)
    assert {board["name"] for board in document["boards"]} >= {"stm32f405", "mps2-an386"}
    assert all(board["fits"] for board in document["boards"])
    assert document["plans"][0]["arena_bytes"] <= document["ram"]["arena_bytes"]
    assert main(["inspect", str(folder / "net.onnx")]) == 0
    assert "largest feature maps" in capsys.readouterr().out


def test_inspect_draws_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "arena.svg"
    assert main(["inspect", str(folder / "firmware"), "--svg", str(picture)]) == 0
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    manifest = json.loads((folder / "firmware" / "manifest.json").read_text())
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if re.match(r" *[\d,]* \|", line)]
    assert len(lines) == 24 and len({len(line) for line in lines}) == 1
    assert f"{manifest['ram']['arena_bytes']:>9,} +---" in out
    assert f"peak: {manifest['ram']['lower_bound_bytes']:,} bytes in use" in out
    document = run(capsys, "inspect", folder / "firmware")
    for buffer in document["arena"]["buffers"]:
        if buffer["live_at_peak"]:
            assert buffer["name"] in out
    assert main(["inspect", str(folder / "firmware"), "--verbose"]) == 0
    out = capsys.readouterr().out
    assert all(buffer["name"] in out for buffer in document["arena"]["buffers"])


def test_inspect_cannot_write_its_picture(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = run(
        capsys, "inspect", folder / "firmware", "--svg", tmp_path / "none" / "a.svg", code=2
    )
    assert "No such file" in document["error"]


@pytest.mark.parametrize(
    "model",
    [
        onnx_models.fire_net(bypass=True, softmax=True),
        onnx_models.odd_pads_net(),
        onnx_models.conv_chain(),
        onnx_models.squeezenet("1.0", input_size=40, classes=10),
        onnx_models.squeezenet("1.1", input_size=40, classes=10),
    ],
    ids=["fire", "odd_pads", "conv_chain", "1.0", "1.1"],
)
def test_inspect_promises_what_compile_delivers(model: onnx.ModelProto, tmp_path: Path) -> None:
    preprocess = onnx_models.PIXEL_PREPROCESS
    _, channels, rows, cols = (
        d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim
    )
    images = onnx_models.random_images(3, rows, cols, channels)
    quick = QuantizeOptions(error_feedback=False)
    artifact = compiled(model, tmp_path, images, preprocess, quantize_options=quick)
    document = inspect_model(tmp_path / "net.onnx", preprocess=preprocess).to_json()
    manifest = artifact.manifest
    assert document["macs"] == manifest["macs"]
    assert document["flash"]["parameters_bytes"] == manifest["flash"]["parameters_bytes"]
    for key in ("arena_bytes", "lower_bound_bytes", "input_bytes"):
        assert document["ram"][key] == manifest["ram"][key]
    for ours, theirs in zip(document["layers"], manifest["layers"], strict=True):
        for key in ("name", "kind", "macs", "parameters_bytes"):
            assert ours[key] == theirs[key]
        assert list(ours["shape"]) == theirs["shape"]
