"""Verification of a generated folder on the PC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from squeeze2c.errors import ArtifactError, ShapeError, Squeeze2cError, UsageError
from squeeze2c.export.artifact import Artifact
from squeeze2c.frontend import ImageSet
from squeeze2c.host import HostModel
from squeeze2c.ir import Graph, load_graph
from squeeze2c.progress import Progress, silent
from squeeze2c.reference import evaluate_int
from squeeze2c.verify.exact import ExactComparison
from squeeze2c.verify.metrics import LogitMeter, SqnrMeter
from squeeze2c.verify.references import Reference, open_reference
from squeeze2c.verify.report import Accuracy, LayerQuality, VerifyReport

_BATCH_IMAGES = 4
"""Images whose tensors are in memory at the same time: some 100 MB for SqueezeNet at 224 x 224."""


def verify(
    artifact: Artifact,
    *,
    reference: object = "onnxruntime",
    images: ImageSet | np.ndarray,
    labels: np.ndarray | Sequence[int] | None = None,
    limit: int | None = None,
    compiler: str = "cc",
    flags: Sequence[str] | None = None,
    cache_dir: Path | str | None = None,
    progress: Progress = silent,
) -> VerifyReport:
    """Run generated C, the integer oracle and the float model on ``images`` and compare them.

    ``images``: uint8 RGB (n, rows, cols, channels). All three see what the model's input
    format leaves of them.
    ``labels``: class numbers (n,); they override those of an :class:`ImageSet`.
    ``limit`` keeps the first so many images.

    ``reference`` is one of

    * ``"onnxruntime"``: the float model of the folder, in ONNX Runtime;
    * ``"pytorch"``: the same, executed by PyTorch;
    * the path of another ONNX model, for ONNX Runtime, with the same input;
    * a ``torch.nn.Module`` or any function from preprocessed float32 images
      (n, channels, rows, cols) to logits (n, classes). Inner tensors then come from
      the folder's model in ONNX Runtime where that is installed.

    What is compared are logits, before any softmax. A Softmax at the end of an ONNX
    model is cut off; modules and functions must return logits.

    ``compiler``, ``flags`` and ``cache_dir`` as in :class:`HostModel`.

    Raises :class:`ShapeError` where images or logits have the wrong shape,
    :class:`UsageError` where labels or reference make no sense,
    :class:`ToolchainError` where the C does not compile, and
    :class:`Squeeze2cError` where a package for the reference is missing.
    """
    chosen = _images(images, labels, limit, artifact)
    return _Verification(artifact, reference, compiler, flags, cache_dir).run(chosen, progress)


class _Verification:
    def __init__(
        self,
        artifact: Artifact,
        reference: object,
        compiler: str,
        flags: Sequence[str] | None,
        cache_dir: Path | str | None,
    ) -> None:
        self._artifact = artifact
        self._model = HostModel(artifact, compiler=compiler, flags=flags, cache_dir=cache_dir)
        self._graph = load_graph(artifact.oracle_path)
        _check_graph(self._graph, artifact)
        self._compared = _compared_layers(self._graph, artifact)
        logits = self._graph.output_value.source
        tensors = [self._graph.values[layer["output"]].source for layer in self._compared]
        self._reference: Reference = open_reference(
            reference, artifact.float_model_path, logits, tensors
        )
        self._exact = ExactComparison(artifact.layers)
        self._logits = LogitMeter()
        self._meters: dict[str, SqnrMeter] = {}

    def run(self, images: ImageSet, progress: Progress) -> VerifyReport:
        progress("verifying", 0, len(images))
        for batch, done in _batches(images):
            self._compare(batch)
            progress("verifying", done, len(images))
        return self._report()

    def _compare(self, batch: ImageSet) -> None:
        outputs = [layer["output"] for layer in self._artifact.layers]
        pixels = self._artifact.input_format
        seen = pixels.decode(pixels.encode(batch.images), batch.images.shape[-1])
        oracle = evaluate_int(self._graph, seen, outputs)
        generated = [self._model.run_layers(image) for image in batch.images]
        for i, name in enumerate(batch.names):
            self._exact.add(name, generated[i], {k: v[i] for k, v in oracle.items()})
        real = self._reference.evaluate(self._artifact.preprocess.apply(seen))
        logits = np.stack([g[self._graph.output] for g in generated])
        self._compare_logits(real[""], logits, batch.labels)
        for layer in self._compared:
            self._compare_layer(layer["output"], real, generated)

    def _compare_logits(
        self, real: np.ndarray, integer: np.ndarray, labels: np.ndarray | None
    ) -> None:
        if real.shape != integer.shape:
            raise ShapeError(
                f"{self._reference.name} returned logits of shape {real.shape}, "
                f"expected (images, classes) = {integer.shape}"
            )
        if not np.isfinite(real).all():
            raise Squeeze2cError(f"{self._reference.name} returned logits that are not finite")
        if _probabilities(real):
            raise UsageError(
                f"{self._reference.name} returned probabilities",
                hint="return the logits, before the softmax",
            )
        self._logits.add(real, integer, self._artifact.logit_scale, labels)

    def _compare_layer(
        self,
        output: str,
        real: Mapping[str, np.ndarray],
        generated: Sequence[Mapping[str, np.ndarray]],
    ) -> None:
        value = self._graph.values[output]
        if value.source not in real or value.quant is None:
            return
        expected = real[value.source].transpose(0, 2, 3, 1)
        ours = value.quant.dequantise(np.stack([g[output] for g in generated]))
        if expected.shape != ours.shape:
            raise ShapeError(
                f"ONNX tensor {value.source!r} has shape {expected.shape} (channels last), "
                f"the layer that computes it {ours.shape}"
            )
        self._meters.setdefault(output, SqnrMeter()).add(expected, ours)

    def _report(self) -> VerifyReport:
        logits = self._logits
        qualities = [
            LayerQuality(
                layer["index"],
                layer["name"],
                layer["output"],
                self._graph.values[layer["output"]].source,
                self._meters[layer["output"]].db,
            )
            for layer in self._compared
            if layer["output"] in self._meters
        ]
        return VerifyReport(
            name=self._artifact.name,
            reference=self._reference.name,
            compiler=self._model.compiler.description,
            images=logits.images,
            real=Accuracy(logits.top("float", 1), logits.top("float", 5)),
            integer=Accuracy(logits.top("int", 1), logits.top("int", 5)),
            agreement=logits.agreement,
            logit_sqnr_db=logits.sqnr_db,
            mean_kl=logits.mean_kl,
            oracle_mismatches=self._exact.mismatches,
            first_mismatch=self._exact.first,
            layers_reference=self._reference.layers_from,
            layers=tuple(sorted(qualities, key=lambda q: q.sqnr_db)),
        )


def _images(
    images: ImageSet | np.ndarray,
    labels: np.ndarray | Sequence[int] | None,
    limit: int | None,
    artifact: Artifact,
) -> ImageSet:
    """What to compare on, checked."""
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}, expected at least 1 image")
    if isinstance(images, ImageSet):
        chosen = images
    else:
        array = np.asarray(images)
        names = tuple(f"[{i}]" for i in range(len(array) if array.ndim else 0))
        chosen = ImageSet(array, None, names)
    if labels is not None:
        chosen = ImageSet(chosen.images, np.asarray(labels), chosen.names)
    chosen = chosen.first(limit)
    if chosen.images.ndim != 4 or chosen.images.shape[1:] != artifact.input_shape:
        raise ShapeError(
            f"images have shape {chosen.images.shape}, "
            f"expected (n, rows, cols, channels) = (n, {artifact.input_shape})"
        )
    if chosen.images.dtype != np.uint8:
        raise ShapeError(
            f"images are {chosen.images.dtype}, expected uint8",
            hint="give raw pixels 0..255; preprocessing is part of the network",
        )
    if not len(chosen):
        raise UsageError("there are no images to verify with")
    if chosen.labels is not None:
        _check_labels(chosen.labels, len(chosen), artifact.classes)
    return chosen


def _check_labels(labels: np.ndarray, count: int, classes: int) -> None:
    if labels.shape != (count,) or not np.issubdtype(labels.dtype, np.integer):
        raise UsageError(
            f"labels are {labels.dtype} of shape {labels.shape}, expected {count} integers"
        )
    if labels.min() < 0 or labels.max() >= classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise UsageError(
            f"label {wrong} is none of the {classes} classes of the model",
            hint="class numbers count from 0",
        )


def _batches(images: ImageSet) -> Iterator[tuple[ImageSet, int]]:
    """Parts of at most :data:`_BATCH_IMAGES` images, and how many are done after each."""
    for start in range(0, len(images), _BATCH_IMAGES):
        end = min(start + _BATCH_IMAGES, len(images))
        labels = None if images.labels is None else images.labels[start:end]
        yield ImageSet(images.images[start:end], labels, images.names[start:end]), end


def _check_graph(graph: Graph, artifact: Artifact) -> None:
    unknown = [la["output"] for la in artifact.layers if la["output"] not in graph.values]
    if unknown or graph.input_value.type.shape[1:] != artifact.input_shape:
        raise ArtifactError(
            "the oracle is that of another network",
            where=str(artifact.oracle_path),
            hint="the folder was changed: compile the model again",
        )


def _compared_layers(graph: Graph, artifact: Artifact) -> list[Mapping[str, Any]]:
    """Layers that yield a feature map which the float model has too."""
    values = graph.values
    return [
        layer
        for layer in artifact.layers
        if len(layer["shape"]) == 3 and values[layer["output"]].source
    ]


def _probabilities(values: np.ndarray) -> bool:
    """Whether every row is a distribution, which logits are only by an absurd chance."""
    return bool((values >= 0).all() and np.allclose(values.sum(axis=1), 1.0, atol=1e-3))
