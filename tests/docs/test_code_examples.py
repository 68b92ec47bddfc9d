"""C and Python of README.md, two pages of docs/ and examples/, against generated folders."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from squeeze2c import Artifact, HostModel
from tests.support import onnx_models
from tests.support.artifacts import compiled
from tests.support.tools import require_tool

SIZE = 24
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")
ROWS = "-DROWS_FROM_INTERRUPT"
BOARD = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "squeezenet.h"

void board_init(void);
const uint8_t *board_next_frame(void);
void board_start_image(void);
void board_wait(void);
void camera_line_ready(const uint8_t *row);
void board_show(uint32_t class_index, uint32_t percent);
void board_fail(const char *reason);

void board_init(void) {}

#ifdef ROWS_FROM_INTERRUPT

void board_start_image(void) {}

/* One row per call, and nothing kept of it. */
void board_wait(void)
{
    uint8_t row[SQUEEZENET_INPUT_ROW_BYTES];

    if (fread(row, 1, sizeof row, stdin) != sizeof row) {
        exit(0);
    }
    camera_line_ready(row);
}

#else

static uint8_t frame[SQUEEZENET_INPUT_BYTES];

const uint8_t *board_next_frame(void)
{
    if (fread(frame, 1, sizeof frame, stdin) != sizeof frame) {
        exit(0);
    }
    return frame;
}

#endif

void board_show(uint32_t class_index, uint32_t percent)
{
    printf("%u %u\\n", (unsigned)class_index, (unsigned)percent);
}

void board_fail(const char *reason)
{
    puts(reason);
    exit(1);
}
"""


def readme_block(checkout: Path, language: str) -> str:
    """The first code block of README.md in ``language``."""
    text = (checkout / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"README.md shows no {language}"
    return found[1]


def network(folder: Path, name: str) -> Artifact:
    return compiled(
        onnx_models.fire_net(input_size=SIZE),
        folder,
        onnx_models.random_images(4, SIZE, SIZE),
        onnx_models.PIXEL_PREPROCESS,
        name,
    )


def build(artifact: Artifact, sources: list[Path], output: Path, *options: str) -> None:
    flags = [*WARNINGS, "-std=c99", "-O2", *(f"-I{path}" for path in artifact.include_dirs)]
    command = [require_tool("cc"), *flags, *options, *map(str, sources), "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_python_in_readme(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_tool("cc")
    onnx_models.save(onnx_models.fire_net(input_size=SIZE), tmp_path / "model.onnx")
    images = onnx_models.random_images(3, SIZE, SIZE)
    (tmp_path / "photos").mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "photos" / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    variables: dict[str, object] = {"image": images[0]}
    exec(readme_block(checkout, "python"), variables)
    logits = variables["logits"]
    assert isinstance(logits, np.ndarray)
    assert (logits.dtype, logits.shape) == (np.int32, (7,))


def test_c_in_readme(checkout: Path, tmp_path: Path) -> None:
    code = readme_block(checkout, "c")
    header = re.search(r'#include "(\w+)\.h"', code)
    assert header is not None
    source = tmp_path / "classify.c"
    source.write_text(code)
    build(network(tmp_path, header[1]), [source], tmp_path / "classify.o", "-c")


def test_c_in_the_streaming_page(checkout: Path, tmp_path: Path) -> None:
    text = (checkout / "docs" / "streaming.md").read_text(encoding="utf-8")
    code = re.search(r"^```c\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert code is not None
    source = tmp_path / "rows.c"
    source.write_text(
        '#include "squeezenet.h"\nconst uint8_t *camera_wait_for_row(void);\n'
        "void classify(int32_t *logits);\nstatic squeezenet_context net;\n"
        f"void classify(int32_t *logits)\n{{\n{code[1]}}}\n"
    )
    build(network(tmp_path, "squeezenet"), [source], tmp_path / "rows.o", "-c")


def test_c_in_the_profiling_page(checkout: Path, tmp_path: Path) -> None:
    """Both examples, for a core with a cycle counter and for one without."""
    from squeeze2c.emulate.toolchain import find_toolchain
    from squeeze2c.target import core_named

    require_tool("arm-none-eabi-gcc")
    text = (checkout / "docs" / "profiling.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```c\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    artifact = network(tmp_path, "squeezenet")
    toolchain = find_toolchain()
    for core, code in zip(("cortex-m4", "cortex-m0"), blocks, strict=True):
        source = tmp_path / f"{core}.c"
        source.write_text(code)
        toolchain.run(
            [*core_named(core).gcc_flags, *toolchain.library_flags, *WARNINGS, "-std=c99",
             *(f"-I{path}" for path in (*artifact.include_dirs, artifact.folder / "profile")),
             '-DS2C_HOOKS_HEADER="s2c_ticks.h"', "-c", str(source),
             str(artifact.folder / "squeezenet.c"), str(artifact.folder / "profile/s2c_ticks.c")],
            tmp_path,
        )  # fmt: skip


@pytest.mark.parametrize("options", [(), (ROWS,)], ids=["frames", "rows"])
def test_firmware_example_classifies_as_python_does(
    options: tuple[str, ...], checkout: Path, tmp_path: Path
) -> None:
    artifact = network(tmp_path, "squeezenet")
    board = tmp_path / "board.c"
    board.write_text(BOARD)
    program = tmp_path / "firmware"
    main = checkout / "examples" / "firmware_main.c"
    build(artifact, [main, board, *artifact.sources], program, *options)
    images = onnx_models.random_images(3, SIZE, SIZE, seed=5)
    done = subprocess.run([program], input=images.tobytes(), capture_output=True, check=True)
    model = HostModel(artifact)
    expected = []
    for image in images:
        logits = model.run(image)
        best = model.top_k(logits, 1)[0][0]
        percent = (int(model.softmax(logits)[best]) * 100 + 32768) >> 16
        expected.append(f"{best} {percent}")
    assert done.stdout.decode().splitlines() == expected


@pytest.mark.parametrize("options", [(), (ROWS,)], ids=["frames", "rows"])
def test_firmware_example_cross_compiles(
    options: tuple[str, ...], checkout: Path, tmp_path: Path
) -> None:
    from squeeze2c.emulate.toolchain import find_toolchain
    from squeeze2c.target import core_named

    require_tool("arm-none-eabi-gcc")
    artifact = network(tmp_path, "squeezenet")
    toolchain = find_toolchain()
    toolchain.run(
        [*core_named("cortex-m4").gcc_flags, *toolchain.library_flags, *WARNINGS, "-std=c99",
         *options, *(f"-I{path}" for path in artifact.include_dirs),
         "-c", str(checkout / "examples" / "firmware_main.c"), "-o", "main.o"],
        tmp_path,
    )  # fmt: skip
    assert (tmp_path / "main.o").is_file()
