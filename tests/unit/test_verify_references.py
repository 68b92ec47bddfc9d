"""Float references: ONNX Runtime and PyTorch give the same tensors; functions of the user's."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx.helper import make_tensor_value_info

from squeeze2c.errors import Squeeze2cError, UsageError
from squeeze2c.verification.expose import computed, expose, image_input, logits_of
from squeeze2c.verification.references import Reference, open_reference
from tests.differential.networks import NETWORKS
from tests.support.onnx_models import PIXEL_STD, OnnxBuilder, fire_net, save
from tests.support.tools import require_package

require_package("onnxruntime")


def reference(
    what: object, model: onnx.ModelProto, folder: Path, tensors: tuple[str, ...] = ()
) -> Reference:
    path = save(model, folder / "model.onnx")
    return open_reference(what, path, logits_of(model), tensors)


def float_images(model: onnx.ModelProto, count: int = 2) -> np.ndarray:
    """float32 (count, channels, rows, cols) as the model wants them."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    shape = [d.dim_value for d in dims][1:]
    return np.random.default_rng(7).normal(0, PIXEL_STD, (count, *shape)).astype(np.float32)


def all_maps(model: onnx.ModelProto) -> tuple[str, ...]:
    """Every tensor but the shapes of dynamic reshapes."""
    integer = ("Shape", "Constant", "Gather", "Unsqueeze")
    skipped = {n.output[0] for n in model.graph.node if n.op_type in integer} | {"shape"}
    return tuple(sorted(computed(model) - skipped - {logits_of(model)}))


def unusual_pools() -> onnx.ModelProto:
    """auto_pad of both kinds, ceil mode with and without a window that would begin in padding."""
    build = OnnxBuilder((1, 3, 22, 27), seed=1)
    x = build.conv(build.input, 4, (3, 2), stride=2, auto_pad="SAME_LOWER", gain=1 / PIXEL_STD)
    x = build.conv(x, 5, (2, 3), stride=(1, 2), auto_pad="SAME_UPPER")
    x = build.max_pool(x, 2, stride=2, pads=1, ceil_mode=True)
    x = build.max_pool(x, 3, stride=1, auto_pad="SAME_UPPER")
    x = build.max_pool(x, (2, 1), stride=3, pads=(1, 0, 1, 0), ceil_mode=True)
    return build.finish(build.classifier(x, 3))


def constant_subgraphs() -> onnx.ModelProto:
    """Weights and shapes that nodes compute, dropout, a clip and a reduced mean."""
    build = OnnxBuilder((1, 3, 12, 10), seed=2)
    shape = build.constant("weight shape", np.array([4, 3, 3, 3], np.int64))
    filling = onnx.numpy_helper.from_array(np.array([0.01], np.float32))
    weight = build.node("ConstantOfShape", [shape], name="filled", value=filling)
    x = build.node("Conv", [build.input, weight], name="conv", pads=[1, 1, 1, 1])
    build.channels[x] = 4
    limits = [build.constant(f"limit{v}", np.array(v, np.float32)) for v in (0.0, 6.0)]
    x = build.node("Clip", [x, *limits], name="clip")
    build.channels[x] = 4
    x = build.dropout(build.conv(x, 5, 1))
    x = build.node("ReduceMean", [x], name="mean", axes=[2, 3], keepdims=0)
    dims = build.node("Shape", [x], name="dims")
    model = build.finish(build.node("Reshape", [x, dims], name="logits"), check=False)
    model.graph.output[0].CopyFrom(make_tensor_value_info("logits", TensorProto.FLOAT, [1, 5]))
    return model


def old_opset() -> onnx.ModelProto:
    """Attributes that later became inputs, and a dropout with a ratio."""
    build = OnnxBuilder((1, 3, 12, 10), seed=3, opset=9)
    x = build.conv(build.input, 4, 3, gain=1 / PIXEL_STD)
    x = build.node("Clip", [x], name="clip", min=0.0)
    x = build.node("Dropout", [x], name="dropout", ratio=0.5)
    x = build.node("AveragePool", [x], name="mean", kernel_shape=[10, 8])
    flat = build.node("Squeeze", [x], name="flat", axes=[2, 3])
    dims = build.node("Shape", [flat], name="dims")
    build.initializers.append(onnx.numpy_helper.from_array(np.array(1, np.int64), "one"))
    size = build.node("Gather", [dims, "one"], name="classes", axis=0)
    size = build.node("Unsqueeze", [size], name="size", axes=[0])
    rows = build.constant("rows", np.array([1], np.int64))
    shape = build.node("Concat", [rows, size], name="shape", axis=0)
    model = build.finish(build.node("Reshape", [flat, shape], name="logits"), check=False)
    model.graph.output[0].CopyFrom(make_tensor_value_info("logits", TensorProto.FLOAT, [1, 4]))
    return model


MODELS: dict[str, Callable[[], onnx.ModelProto]] = {
    **{name: network.make for name, network in NETWORKS.items() if not name.startswith("v1")},
    "unusual pools": unusual_pools,
    "constant subgraphs": constant_subgraphs,
    "old opset": old_opset,
}


@pytest.mark.parametrize("name", MODELS)
def test_pytorch_and_onnx_runtime_agree_on_every_tensor(name: str, tmp_path: Path) -> None:
    require_package("torch")
    model = MODELS[name]()
    images, tensors = float_images(model), all_maps(model)
    runtime = reference("onnxruntime", model, tmp_path, tensors).evaluate(images)
    torch = reference("pytorch", model, tmp_path, tensors).evaluate(images)
    assert set(runtime) == set(torch) == {*tensors, ""}
    for tensor, expected in runtime.items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            torch[tensor] / scale, expected / scale, atol=2e-5, err_msg=tensor
        )


def test_a_final_softmax_is_cut_off(tmp_path: Path) -> None:
    model = fire_net(softmax=True)
    images = float_images(model)
    logits = reference("onnxruntime", model, tmp_path).evaluate(images)[""]
    plain = reference("onnxruntime", fire_net(softmax=False), tmp_path).evaluate(images)[""]
    np.testing.assert_allclose(logits, plain, rtol=1e-5)
    assert logits_of(model) == "logits"


def test_weights_may_be_listed_as_inputs(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, 9, 9))
    output = build.classifier(build.conv(build.input, 4), 3)
    model = build.finish(output, weights_as_inputs=True, ir_version=3)
    cut = expose(model, ["conv10.relu"])
    assert image_input(cut) == "input"
    result = reference("onnxruntime", model, tmp_path, ("conv1.relu",)).evaluate(
        float_images(model)
    )
    assert result["conv1.relu"].shape == (2, 4, 7, 7)
    assert result[""].shape == (2, 3)


def test_exposing_removes_what_is_not_needed() -> None:
    model = fire_net()
    cut = expose(model, ["conv1.relu"])
    assert [n.op_type for n in cut.graph.node] == ["Conv", "Relu"]
    assert {i.name for i in cut.graph.initializer} == {"conv1.weight", "conv1.bias"}
    assert len(model.graph.node) > 10, "the model itself is as it was"


def test_another_onnx_file_brings_its_own_logits(tmp_path: Path) -> None:
    """Names that it lacks are left out; its Softmax is cut off too."""
    build = OnnxBuilder((1, 3, 24, 24))
    x = build.conv(build.input, 7, 3, name="mine")
    x = build.node("GlobalAveragePool", [x], name="pooled")
    x = build.node("Flatten", [x], name="flat")
    other = save(
        build.finish(build.node("Softmax", [x], name="p", axis=1)), tmp_path / "other.onnx"
    )
    model = fire_net()
    opened = reference(str(other), model, tmp_path, ("conv1.relu",))
    result = opened.evaluate(float_images(model))
    assert set(result) == {""}
    assert result[""].shape == (2, 7)
    assert not np.allclose(result[""].sum(axis=1), 1)
    assert opened.name == str(other)


def test_functions_get_preprocessed_images_and_give_logits(tmp_path: Path) -> None:
    model = fire_net()
    seen: list[np.ndarray] = []

    def mine(images: np.ndarray) -> list[list[float]]:
        seen.append(images)
        return [[1.0, 2.0]] * len(images)

    opened = reference(mine, model, tmp_path, ("conv1.relu",))
    images = float_images(model)
    result = opened.evaluate(images)
    assert seen[0] is images
    np.testing.assert_array_equal(result[""], [[1, 2], [1, 2]])
    assert "conv1.relu" in result
    assert (opened.name, opened.layers_from) == ("mine", "onnxruntime")


def test_modules_run_in_inference_mode_and_return_to_training(tmp_path: Path) -> None:
    torch: Any = require_package("torch")
    model = fire_net()
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.Dropout(0.9), torch.nn.AdaptiveAvgPool2d(1)
    )
    module.train()
    opened = reference(module, model, tmp_path)
    images = float_images(model)
    first, second = (opened.evaluate(images)[""] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (2, 4)
    assert module.training and module[1].training
    assert opened.name == "Sequential"


@pytest.mark.parametrize("what", ["tensorflow", "missing.onnx"])
def test_unknown_references_are_refused(what: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown reference") as caught:
        reference(what, fire_net(), tmp_path)
    assert caught.value.hint is not None and "pytorch" in caught.value.hint


def test_a_number_is_no_reference(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a int"):
        reference(5, fire_net(), tmp_path)


def test_a_tensor_that_the_model_lacks(tmp_path: Path) -> None:
    with pytest.raises(Squeeze2cError, match="has no tensor 'nowhere'"):
        reference("onnxruntime", fire_net(), tmp_path, ("nowhere",))


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a package look as if it was not installed."""

    def hide(package: str) -> None:
        real = builtins.__import__

        def fake(name: str, *rest: Any, **options: Any) -> Any:
            if name.split(".")[0] == package:
                raise ImportError(name)
            return real(name, *rest, **options)

        monkeypatch.setattr(builtins, "__import__", fake)

    return hide


@pytest.mark.parametrize(
    ("what", "package"), [("onnxruntime", "onnxruntime"), ("pytorch", "torch")]
)
def test_missing_packages_are_named(
    what: str, package: str, without: Callable[[str], None], tmp_path: Path
) -> None:
    without(package)
    with pytest.raises(Squeeze2cError) as caught:
        reference(what, fire_net(), tmp_path)
    assert caught.value.hint == "pip install 'squeeze2c[verify]'"


def test_functions_do_without_onnx_runtime(without: Callable[[str], None], tmp_path: Path) -> None:
    without("onnxruntime")
    opened = reference(lambda images: np.zeros((len(images), 2)), fire_net(), tmp_path)
    assert opened.layers_from is None
    assert set(opened.evaluate(float_images(fire_net()))) == {""}
