# ruff: noqa: E501 (printed graphs have long lines)
import numpy as np
import pytest

from squeeze2c.errors import InternalError, UnsupportedModelError, UsageError
from squeeze2c.frontend.preprocess import PRESETS, Preprocess
from squeeze2c.ir import DType, Graph, GraphBuilder, Layout, format_graph
from squeeze2c.passes.fold_normalisation import fold_normalisation
from tests.passes.checks import assert_printed, assert_same_numbers

CAFFE = PRESETS["caffe"]
PLAIN = PRESETS["none"]


def nhwc(rows: int = 6, cols: int = 5, channels: int = 3) -> GraphBuilder:
    return GraphBuilder(rows, cols, channels, layout=Layout.NHWC)


def check(graph: Graph, preprocess: Preprocess) -> Graph:
    """The folded graph, which computes from pixels what ``graph`` does from their normal form."""
    before = format_graph(graph)
    result = fold_normalisation(graph, preprocess)
    assert format_graph(graph) == before
    images = np.random.default_rng(2).integers(
        0, 256, (3, *graph.input_value.type.shape[1:]), np.uint8
    )
    real = preprocess.apply(images).transpose(0, 2, 3, 1)
    assert_same_numbers(graph, result, images, real)
    assert result.input_value.type.dtype is DType.UINT8
    return result


@pytest.mark.parametrize("preset", PRESETS)
def test_all_convolutions_of_the_image_absorb_it(preset: str) -> None:
    build = nhwc()
    plain = build.conv(build.input, 4, kernel=3, name="plain")
    padded = build.conv(build.input, 4, kernel=(4, 3), padding=(0, 1, 1, 0), name="padded")
    graph = build.finish(build.add(plain, build.maxpool(padded, kernel=(1, 2), stride=1)))
    result = check(graph, PRESETS[preset])
    zero_pixel = {"caffe": CAFFE.mean[::-1], "torchvision": PRESETS["torchvision"].mean, "none": ()}
    assert result.node("padded").pad_value == zero_pixel[preset]
    assert result.node("plain").pad_value == ()


def test_what_is_printed() -> None:
    build = nhwc()
    x = build.conv(build.input, 4, kernel=3, padding=1, name="conv1")
    graph = build.finish(build.conv(x, 7, global_pool=True, name="conv2"))
    result = check(graph, CAFFE)
    assert_printed(format_graph(result, provenance=True), """
    graph net (NHWC): image -> conv2
      image: u8[1x6x5x3] ~nothing
      conv1: f32[1x6x5x4] = Conv2D(image, conv1/pixel_weight[4x3x3x3], conv1/pixel_bias[4]) kernel=3x3 padding=1 pad_value=123.68,116.779,103.939
        # conv1 [fold_normalisation]
      conv2: f32[1x7] = ConvGlobalPool(conv1, conv2.weight[7x1x1x4], conv2.bias[7])
        # conv2 []
    """)


def test_pixels_as_they_are_change_nothing_but_the_type() -> None:
    build = nhwc()
    pooled = build.maxpool(build.input)
    both = build.add(build.conv(pooled, 3), pooled)
    graph = build.finish(build.gap(both))
    result = check(graph, PLAIN)
    assert result.nodes == graph.nodes
    assert result.constants == graph.constants
    assert result.input_value.source == "image"


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_pixels_as_they_are_suit_any_number_of_channels(channels: int) -> None:
    build = nhwc(channels=channels)
    check(build.finish(build.conv(build.input, 4, kernel=3, padding=1)), PLAIN)


def test_grey_images() -> None:
    build = nhwc(channels=1)
    x = build.conv(build.input, 4, kernel=3, padding=1)
    check(build.finish(x), Preprocess(mean=(100,), std=(50,)))


def test_other_numbers_of_channels_are_refused() -> None:
    build = nhwc(channels=1)
    graph = build.finish(build.conv(build.input, 4))
    with pytest.raises(UsageError, match=r"has 3 channels, the model's input has 1.*preset none"):
        fold_normalisation(graph, CAFFE)
    with pytest.raises(UsageError, match=r"has 3 channels, the model's input has 1"):
        fold_normalisation(graph, Preprocess(channels="bgr"))


@pytest.mark.parametrize("preset", PRESETS)
def test_max_pooling_commutes(preset: str) -> None:
    build = nhwc(9, 8)
    pooled = build.maxpool(build.maxpool(build.input, padding=1), kernel=2, stride=1, name="twice")
    graph = build.finish(build.conv(pooled, 4, kernel=2, padding=1))
    result = check(graph, PRESETS[preset])
    assert result.values["twice"].source == ("twice" if preset == "none" else "")


def test_anything_else_that_reads_the_image_is_refused() -> None:
    for make in (
        lambda b: b.add(b.conv(b.input, 3), b.input, name="reader"),
        lambda b: b.gap(b.maxpool(b.input), name="reader"),
        lambda b: b.concat(b.conv(b.input, 3), b.input, name="reader"),
    ):
        build = nhwc()
        graph = build.finish(make(build))
        with pytest.raises(UnsupportedModelError, match=r"reader: \w+ reads the image.*preset none"):
            fold_normalisation(graph, CAFFE)
        check(graph, PLAIN)


@pytest.mark.parametrize("mean", [-1.0, 255.5])
def test_padding_that_is_no_pixel_is_refused(mean: float) -> None:
    preprocess = Preprocess(mean=(1, 2, mean), std=(1, 1, 1))
    build = nhwc()
    graph = build.finish(build.conv(build.input, 4, kernel=3, padding=1, name="conv1"))
    with pytest.raises(UnsupportedModelError, match=r"conv1: padding means a pixel") as info:
        fold_normalisation(graph, preprocess)
    assert info.value.attribute == "pads"
    build = nhwc()
    check(build.finish(build.conv(build.input, 4, kernel=3)), preprocess)


def test_a_second_time_is_a_bug() -> None:
    build = nhwc()
    graph = build.finish(build.conv(build.input, 4))
    with pytest.raises(InternalError, match=r"before pass fold_normalisation: .*input float32"):
        fold_normalisation(fold_normalisation(graph, CAFFE), CAFFE)
