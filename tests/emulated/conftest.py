"""Small generated folders to build firmware around."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from squeeze2c.emulate.qemu import EMULATOR
from squeeze2c.emulate.toolchain import COMPILER
from squeeze2c.export import Artifact, read_artifact, write_folder
from squeeze2c.ir import Graph
from squeeze2c.lower import PackedWeights
from squeeze2c.schedule import ScheduleOptions
from tests.emulated.edits import MODEL
from tests.support.programs import every_operator_graph, generated_files, quantised, random_images
from tests.support.tools import require_tool

MakeArtifact = Callable[..., Artifact]


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """Cross-compiler and emulator."""
    require_tool(COMPILER)
    require_tool(EMULATOR)


@pytest.fixture(scope="session")
def tiny() -> Graph:
    """A quantised network with every operator."""
    return quantised(every_operator_graph())


@pytest.fixture(scope="session")
def images(tiny: Graph) -> np.ndarray:
    """Three images for :func:`tiny`, uint8."""
    return random_images(tiny, 3, seed=7)


@pytest.fixture(scope="session")
def make_artifact(tiny: Graph, tmp_path_factory: pytest.TempPathFactory) -> MakeArtifact:
    """Writes a folder for ``target``; ``edit`` may change the text of one of its files first.

    The image is pushed row by row unless ``options`` says otherwise.
    """

    def make(
        target: str = "host",
        *,
        graph: Graph = tiny,
        options: ScheduleOptions | None = None,
        packed: Mapping[str, PackedWeights] | None = None,
        file: str = f"{MODEL}.c",
        edit: Callable[[str], str] = str,
    ) -> Artifact:
        files = generated_files(graph, target, MODEL, options, packed)
        files[file] = edit(files[file].decode()).encode()
        folder = tmp_path_factory.mktemp("folder") / MODEL
        write_folder(folder, files)
        return read_artifact(folder)

    return make


@pytest.fixture(scope="session")
def portable(make_artifact: MakeArtifact) -> Artifact:
    """:func:`tiny` compiled for any core."""
    return make_artifact()
