"""Programs that skip weights of zero, on this machine, in every kind and height of schedule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.export import write_folder
from squeeze2c.lower import pack_weights
from squeeze2c.pipeline import build_program
from squeeze2c.quantize import QuantizeOptions, quantize
from squeeze2c.schedule import ScheduleOptions
from tests.differential.test_dsp_programs import CORE, assert_equals_oracle, folder_of
from tests.support.programs import files_of, random_images
from tests.support.pruned import pruned_fires, pruned_graph


@pytest.mark.parametrize("size", [(35, 47), (27, 30), (64, 41)])
@pytest.mark.parametrize(
    "options",
    [
        ScheduleOptions("layerwise"),
        ScheduleOptions("stream"),
        ScheduleOptions("stream", input_mode="frame", ram_bytes=1 << 20),
    ],
    ids=["layerwise", "push", "strips"],
)
def test_zeros_are_skipped(options: ScheduleOptions, size: tuple[int, int], tmp_path: Path) -> None:
    graph = pruned_fires(*size)
    kernels = folder_of(graph, options, False, tmp_path / "net")
    assert kernels >= {"sparse_conv2d", "sparse_conv2d_sum"}
    assert_equals_oracle(tmp_path / "net", graph)


def test_packed_layers_beside_sparse_ones(tmp_path: Path) -> None:
    graph = pruned_graph(45, 31, 0.2)
    steps = {
        name: float(np.abs(graph.constants[graph.node(name).inputs[1]]).max()) / 5
        for name in ("fire2/three", "classifier")
    }
    integer = quantize(
        graph, random_images(graph, 3), QuantizeOptions(weight_steps=steps, bias_bits=8)
    )
    packed = {name: code for name, code in pack_weights(integer).items() if name in steps}
    assert packed
    built = build_program(integer, CORE, "net", packed=packed)
    storage = {
        layer.name: "packed" if layer.conv.packed else layer.kernel.op
        for layer in built.program.layers if layer.conv
    }
    assert all(storage[name] == "packed" for name in packed)
    assert storage["fire1/three"] == "sparse_conv2d"
    write_folder(tmp_path / "net", files_of(built, integer))
    assert_equals_oracle(tmp_path / "net", integer)
