"""Packed weights in real C: every byte of every layer, and what happens when they are damaged."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.errors import ArtifactError
from squeeze2c.export import read_artifact
from squeeze2c.host import HostModel
from tests.differential.bench import OK, SEQUENCE, WEIGHTS_CRC, benches
from tests.differential.conftest import Case
from tests.differential.packed_networks import VARIANTS, packed_case
from tests.differential.programs import build_program, run_program
from tests.differential.test_sanitised import FLAGS, assert_clean_and_exact
from tests.support.kernel_library import WARNINGS, run
from tests.support.tools import require_tool

PackedCase = Callable[[str], Case]
SANITISED = ("one channel less", "tiles of three", "layer by layer", "some are plain")


@pytest.fixture(scope="session")
def packed_case_of(build_dir: Path) -> PackedCase:
    """The case called as in VARIANTS, made once."""
    made: dict[str, Case] = {}

    def get(name: str) -> Case:
        if name not in made:
            made[name] = packed_case(VARIANTS[name], build_dir / "packed" / str(len(made)))
        return made[name]

    return get


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_byte(
    variant: str, compiler: str, packed_case_of: PackedCase, build_dir: Path
) -> None:
    require_tool(compiler)
    case = packed_case_of(variant)
    with HostModel(
        case.artifact, compiler=compiler, flags=("-O2",), cache_dir=build_dir
    ) as model:
        for index, image in enumerate(case.images):
            traced = model.run_layers(image)
            assert list(traced) == case.outputs
            for output, array in traced.items():
                np.testing.assert_array_equal(array, case.oracle[output][index], output)


@pytest.mark.parametrize("compiler", FLAGS)
@pytest.mark.parametrize("variant", SANITISED)
def test_clean_and_exact(
    variant: str, compiler: str, packed_case_of: PackedCase, tmp_path: Path
) -> None:
    """No byte beyond arena, image and logits, which have exactly their documented sizes."""
    assert_clean_and_exact(packed_case_of(variant), compiler, tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("variant", ["tiles of three", "layer by layer"])
def test_compilers_are_silent(variant: str, compiler: str, packed_case_of: PackedCase) -> None:
    artifact = packed_case_of(variant).artifact
    includes = [f"-I{folder}" for folder in artifact.include_dirs]
    run([require_tool(compiler), *WARNINGS, "-fsyntax-only", *includes, *artifact.sources])


def test_rows_in_portions_between_canaries(packed_case_of: PackedCase, build_dir: Path) -> None:
    for bench in benches(packed_case_of("tiles of four"), build_dir):
        assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
        for index in (0, 3):
            assert bench.begin(bench.context) == OK
            for first in range(0, bench.rows, 4):
                count = min(4, bench.rows - first)
                assert bench.push_portion(index, first, count, shift=1) == OK
            assert bench.finish(bench.context, bench.logits) == OK
            bench.expect_logits(index)


@pytest.fixture(scope="session")
def corrupted(packed_case_of: PackedCase, build_dir: Path) -> Path:
    """Folder with ``corrupt_arrays.h``: the arrays of the case "some are plain"."""
    artifact = packed_case_of("some are plain").artifact
    text = (artifact.include_dirs[0] / f"{artifact.name}_weights.h").read_text()
    symbols = re.findall(r"extern const \w+ (\w+)\[", text)
    kinds = ("stream", "code_table", "tile_offset", "bias", "multiplier", "multiplier_index")
    for kind in (*kinds, "weights", "pad_row_0"):
        assert any(symbol.endswith(f"_{kind}") for symbol in symbols), kind
    folder = build_dir / "corrupted"
    folder.mkdir(exist_ok=True)
    lines = [f"ARRAY({symbol})\n" for symbol in symbols]
    (folder / "corrupt_arrays.h").write_text("".join(lines))
    return folder


@pytest.mark.parametrize("compiler", FLAGS)
def test_damage_is_noticed_and_harmless(
    compiler: str, packed_case_of: PackedCase, corrupted: Path, tmp_path: Path
) -> None:
    """A flipped bit in any array fails the check; what a run makes of it stays in its memory."""
    require_tool(compiler)
    case = packed_case_of("some are plain")
    # Sums of damaged weights may leave int32, as with plain weights: only memory counts here.
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    flags += ("-fno-sanitize=signed-integer-overflow", f"-I{corrupted}")
    flags += (f'-DS2C_WEIGHTS_HEADER="{case.artifact.name}_weights.h"',)
    program = build_program(case.artifact, "corrupt", tmp_path / "program", compiler, flags)
    (tmp_path / "image").write_bytes(case.frames[0].tobytes())
    for seed in range(3):
        noticed = run_program(program, tmp_path / "image", seed)
        assert int(noticed) > 0


@pytest.mark.parametrize("variant", ["tiles of four", "layer by layer"])
def test_unreadable_weights_end_the_image(
    variant: str, packed_case_of: PackedCase, build_dir: Path, tmp_path: Path
) -> None:
    """The last code table is of another version: no logits, and the next image may begin."""
    case = packed_case_of(variant)
    folder = tmp_path / "net"
    shutil.copytree(case.artifact.folder, folder)
    weights = folder / "net_weights.c"
    text, changes = re.subn(
        r"(net_classifier_code_table\[\d+\] = \{\s*0x\w{6})01", r"\g<1>02", weights.read_text()
    )
    assert changes == 1
    weights.write_text(text)
    damaged = copy.copy(case)
    damaged.artifact = read_artifact(folder)
    for bench in benches(damaged, build_dir):
        assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
        for _ in range(2):
            assert bench.run(bench.context, bench.image, bench.logits) == WEIGHTS_CRC
            if case.artifact.push:
                assert bench.begin(bench.context) == OK
                statuses = [bench.push_portion(0, row, 1) for row in range(bench.rows)]
                ended = statuses.index(WEIGHTS_CRC)
                assert statuses[:ended] == [OK] * ended
                assert statuses[ended + 1 :] == [SEQUENCE] * (bench.rows - ended - 1)
                assert bench.finish(bench.context, bench.logits) == SEQUENCE
                assert bench.logits.untouched
    model = HostModel(damaged.artifact, cache_dir=build_dir)
    with pytest.raises(ArtifactError, match="weights"):
        model.check_weights()
    model.close()
