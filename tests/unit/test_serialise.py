"""Graphs on disk: round trip, determinism, and files that are something else."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.errors import ArtifactError
from squeeze2c.ir import Graph, GraphBuilder, dump_graph, format_graph, load_graph
from squeeze2c.reference import evaluate_int
from tests.support.programs import every_operator_graph, quantised, random_images


@pytest.fixture(scope="module")
def integer() -> Graph:
    return quantised(every_operator_graph())


def every_float_operator() -> Graph:
    build = GraphBuilder(9, 9, 3)
    x = build.batch_norm(build.conv(build.input, 4, kernel=3, padding=1, bias=False))
    x = build.identity(build.relu(build.maxpool(x)))
    x = build.concat(x, build.add(x, build.fill((1, 4, 4, 4), 0.25), relu=True))
    return build.finish(build.softmax(build.flatten(build.gap(x))), softmax=True)


def round_trip(graph: Graph, folder: Path) -> Graph:
    path = folder / "graph.npz"
    path.write_bytes(dump_graph(graph))
    return load_graph(path)


def assert_equal(a: Graph, b: Graph) -> None:
    assert (a.name, a.input, a.output, a.softmax) == (b.name, b.input, b.output, b.softmax)
    assert a.nodes == b.nodes
    assert dict(a.values) == dict(b.values)
    assert list(a.values) == list(b.values)
    assert list(a.constants) == list(b.constants)
    for name, array in a.constants.items():
        assert array.dtype == b.constants[name].dtype
        np.testing.assert_array_equal(array, b.constants[name])
        assert not b.constants[name].flags.writeable


@pytest.mark.parametrize("kind", ["float", "integer"])
def test_round_trip(kind: str, integer: Graph, tmp_path: Path) -> None:
    graph = integer if kind == "integer" else every_float_operator()
    again = round_trip(graph, tmp_path)
    assert_equal(graph, again)
    assert format_graph(graph) == format_graph(again)
    assert dump_graph(graph) == dump_graph(again)


def test_revived_graph_computes_the_same(integer: Graph, tmp_path: Path) -> None:
    images = random_images(integer, 2)
    expected = evaluate_int(integer, images)
    for name, array in evaluate_int(round_trip(integer, tmp_path), images).items():
        np.testing.assert_array_equal(array, expected[name])


def test_types_survive(integer: Graph, tmp_path: Path) -> None:
    """Tuples stay tuples, enums enums, and integers do not become floats."""
    node = round_trip(integer, tmp_path).node("stem")
    assert hash(node) == hash(integer.node("stem"))
    assert isinstance(node.provenance.onnx_nodes, tuple)


def test_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    script = tmp_path / "dump.py"
    script.write_text(
        "import hashlib\n"
        "from squeeze2c.ir import dump_graph\n"
        "from tests.unit.test_serialise import every_float_operator\n"
        "print(hashlib.sha256(dump_graph(every_float_operator())).hexdigest())\n"
    )
    checkout = str(Path(__file__).parents[2])
    sums = {
        subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path,
            env={"PYTHONPATH": checkout, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sums) == 1


def test_no_trace_of_the_platform(integer: Graph) -> None:
    with zipfile.ZipFile(io.BytesIO(dump_graph(integer))) as archive:
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.create_system == 3
            assert info.compress_type == zipfile.ZIP_STORED


def rewritten(data: bytes, **changes: object) -> bytes:
    """``data`` with keys of its description replaced; None removes one."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "graph.json":
                description = {**json.loads(content), **changes}
                description = {k: v for k, v in description.items() if v is not None}
                content = json.dumps(description).encode()
            new.writestr(name, content)
    return result.getvalue()


CHANGES: dict[str, dict[str, object]] = {
    "no version": {"format_version": None},
    "another version": {"format_version": 999},
    "no nodes": {"nodes": None},
    "nodes of the wrong type": {"nodes": 7},
    "an unknown operator": {"nodes": [{"kind": "QFlux", "name": "n"}]},
    "an operator that is none": {"nodes": [{"kind": "dataclass"}]},
    "an operator without a kind": {"nodes": [{"name": "n"}]},
    "an unknown field": {"nodes": [{"kind": "Relu", "colour": "red"}]},
    "values of the wrong type": {"values": [1, 2]},
    "an unknown constant": {"constants": ["a"] * 99},
}


@pytest.mark.parametrize("what", CHANGES)
def test_foreign_descriptions_are_refused(what: str, integer: Graph, tmp_path: Path) -> None:
    path = tmp_path / "graph.npz"
    path.write_bytes(rewritten(dump_graph(integer), **CHANGES[what]))
    with pytest.raises(ArtifactError) as caught:
        load_graph(path)
    assert caught.value.where == str(path)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 10])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "graph.npz"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="not a graph that squeeze2c wrote"):
        load_graph(path)


def test_missing_files_and_pickles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        load_graph(tmp_path / "absent.npz")
    with pytest.raises(ArtifactError):
        load_graph(tmp_path)
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(ArtifactError):
        load_graph(tmp_path / "other.npz")


def test_every_truncation_and_many_flipped_bytes_are_refused(tmp_path: Path) -> None:
    """Damage is an ArtifactError, or does not change the graph."""
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.gap(build.conv(build.input, 3)))
    data = dump_graph(graph)
    path = tmp_path / "graph.npz"
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(ArtifactError):
            load_graph(path)
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(data), 400):
        damaged = bytearray(data)
        damaged[at] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            again = load_graph(path)
        except ArtifactError:
            continue
        assert_equal(graph, again)
