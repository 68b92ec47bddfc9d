"""The float networks that generated code is compared with."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from squeeze2c.errors import Squeeze2cError, UsageError
from squeeze2c.frontend import load_onnx
from squeeze2c.verification.expose import computed, expose, image_input, logits_of
from squeeze2c.verification.single_precision import in_float32
from squeeze2c.verification.torch_network import TorchNetwork

FloatNetwork = Callable[[np.ndarray], Any]
"""float32 images (n, channels, rows, cols), preprocessed, to logits (n, classes)."""

_EXTRA = "pip install 'squeeze2c[verify]'"


class Reference(ABC):
    """A float network. ``layers_from`` says what computes its inner tensors, None if nothing."""

    name: str
    layers_from: str | None = None

    @abstractmethod
    def evaluate(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Tensors by ONNX name for float32 ``images`` (n, channels, rows, cols).

        Feature maps come as the model has them, (n, channels, rows, cols). The
        logits, (n, classes), go by the name "".
        """


def open_reference(
    reference: object, model: Path, logits: str, tensors: Sequence[str]
) -> Reference:
    """The reference that ``reference`` describes; see :func:`squeeze2c.verification.verify`.

    ``model``: the float model of the generated folder; ``logits`` and ``tensors``
    name ONNX tensors: the logits and the feature maps wanted.
    """
    match reference:
        case "onnxruntime":
            return OnnxRuntimeReference(model, logits, tensors)
        case "pytorch":
            return PyTorchReference(model, logits, tensors)
        case str() | Path():
            path = Path(reference)
            if not path.is_file():
                raise UsageError(
                    f"unknown reference {str(reference)!r}",
                    hint="give onnxruntime, pytorch or the path of an ONNX file",
                )
            return OnnxRuntimeReference(path, logits, tensors, foreign=True)
    if not callable(reference):
        raise UsageError(f"a reference cannot be a {type(reference).__name__}")
    network = _module_function(reference) or reference
    name = getattr(reference, "__name__", type(reference).__name__)
    try:
        layers = OnnxRuntimeReference(model, logits, tensors)
    except _MissingPackage:
        return CallableReference(name, network, None)
    return CallableReference(name, network, layers)


class OnnxRuntimeReference(Reference):
    """A float ONNX model in ONNX Runtime, image by image: its batch may be fixed at 1."""

    layers_from = "onnxruntime"

    def __init__(
        self, path: Path, logits: str, tensors: Sequence[str], *, foreign: bool = False
    ) -> None:
        """``foreign``: another model than the one compiled; it may lack the tensors."""
        runtime = _import("onnxruntime", "ONNX Runtime")
        cut, self._names = _cut(path, logits, tensors, foreign)
        self.name = str(path) if foreign else "onnxruntime"
        self._input = image_input(cut)
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(
                cut.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise Squeeze2cError(
                f"ONNX Runtime rejects the model: {error}", where=str(path)
            ) from error
        self._path = path

    def evaluate(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        try:
            runs = [self._session.run(None, {self._input: image[None]}) for image in images]
        except Exception as error:
            raise Squeeze2cError(
                f"ONNX Runtime cannot run the model on images {images.shape[1:]}: "
                f"{' '.join(str(error).split())}",
                where=str(self._path),
                hint="a reference reads images of the size that the network was compiled for",
            ) from error
        arrays = [np.concatenate(parts) for parts in zip(*runs, strict=True)]
        return _named(self._names, arrays)


class PyTorchReference(Reference):
    """The float ONNX model of the folder, executed by PyTorch."""

    layers_from = "pytorch"
    name = "pytorch"

    def __init__(self, path: Path, logits: str, tensors: Sequence[str]) -> None:
        torch = _import("torch", "PyTorch")
        cut, self._names = _cut(path, logits, tensors, foreign=False)
        self._network = TorchNetwork(torch, cut, image_input(cut))

    def evaluate(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        runs = [self._network(image[None]) for image in images]
        arrays = [np.concatenate(parts) for parts in zip(*runs, strict=True)]
        return _named(self._names, arrays)


class CallableReference(Reference):
    """Logits from a function of the user's, inner tensors from the float ONNX model."""

    def __init__(self, name: str, network: FloatNetwork, layers: Reference | None) -> None:
        self.name = name
        self._network = network
        self._layers = layers
        self.layers_from = layers.layers_from if layers else None

    def evaluate(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        inner = self._layers.evaluate(images) if self._layers else {}
        result = self._network(images)
        logits = np.asarray(result, np.float64)
        return {**inner, "": logits.reshape(len(logits), -1) if logits.ndim else logits}


class _MissingPackage(Squeeze2cError):
    """An optional package is not installed."""


def _import(module: str, title: str) -> Any:
    try:
        return __import__(module)
    except ImportError as error:
        raise _MissingPackage(
            f"comparing with this reference needs {title}", hint=_EXTRA
        ) from error


def _module_function(reference: object) -> FloatNetwork | None:
    """A function around ``reference`` where it is a PyTorch module, in inference mode."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(reference, torch.nn.Module):
        return None
    module: Any = reference

    def network(images: np.ndarray) -> np.ndarray:
        training = module.training
        parameter = next(module.parameters(), None)
        device = "cpu" if parameter is None else parameter.device
        module.eval()
        try:
            with torch.no_grad():
                result = module(torch.from_numpy(images).to(device))
        finally:
            module.train(training)
        return np.asarray(result.detach().cpu().numpy())

    return network


def _cut(
    path: Path, logits: str, tensors: Sequence[str], foreign: bool
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """The model that yields the tensors, and the names that its outputs go by."""
    model = in_float32(load_onnx(path).proto)
    known = computed(model)
    if foreign and logits not in known:
        logits = logits_of(model)
    wanted = [t for t in dict.fromkeys(tensors) if t != logits]
    if foreign:
        wanted = [t for t in wanted if t in known]
    missing = [t for t in (*wanted, logits) if t not in known]
    if missing:
        raise Squeeze2cError(
            f"the float model has no tensor {missing[0]!r}",
            where=str(path),
            hint="the folder was changed: compile the model again",
        )
    return expose(model, (*wanted, logits)), (*wanted, "")


def _named(names: Sequence[str], arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    result = dict(zip(names, arrays, strict=True))
    result[""] = result[""].reshape(len(result[""]), -1)
    return result
