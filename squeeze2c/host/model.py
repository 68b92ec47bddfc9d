"""A generated model as a Python object that computes what the board computes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np

from squeeze2c.errors import ArtifactError, InternalError, ShapeError, UsageError
from squeeze2c.export.artifact import Artifact
from squeeze2c.host.bindings import STATUS_OK, STATUS_WEIGHTS_CRC, GeneratedApi
from squeeze2c.host.build import build_host_library
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.host.trace import LayerTrace
from squeeze2c.host.workspace import WorkspacePool


class HostModel:
    """The generated C of ``artifact``, compiled for this machine.

    The library is built at the first use; :meth:`run_layers` needs a second build
    with hooks in it. Any number of threads may call one object at the same time:
    each call has a context and an arena of its own, taken from a pool that grows to
    the number of simultaneous calls. C runs without Python's global lock.
    """

    def __init__(
        self,
        artifact: Artifact,
        *,
        compiler: str = "cc",
        flags: Sequence[str] | None = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        """``compiler``, ``flags`` and ``cache_dir`` as in :func:`build_host_library`.

        Raises :class:`ToolchainError` where there is no such compiler.
        """
        self.artifact = artifact
        self.compiler = HostCompiler.find(compiler, flags)
        self._cache_dir = cache_dir

    def __enter__(self) -> HostModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the arenas. The object builds new ones where it is used again."""
        for name in ("_plain", "_traced"):
            self.__dict__.pop(name, None)

    @cached_property
    def _plain(self) -> _Loaded:
        return _Loaded(self, traced=False)

    @cached_property
    def _traced(self) -> _Loaded:
        return _Loaded(self, traced=True)

    @property
    def api(self) -> GeneratedApi:
        """The bare C functions."""
        return self._plain.api

    @property
    def version(self) -> str:
        """What ``<model>_version`` says."""
        return self.api.text(self.api.function("version")())

    def run(self, image: np.ndarray) -> np.ndarray:
        """Logits int32 (classes,) for the RGB ``image`` uint8 (rows, cols, channels).

        The C gets it in the model's input format. Raises :class:`ShapeError` where the
        image is not that, :class:`InternalError` where C reports an error or leaves its arena.
        """
        return self._infer(self._plain, self._frame(image))

    def push(self, image: np.ndarray, portions: Sequence[int] | None = None) -> np.ndarray:
        """The same, the image handed over in ``portions``: numbers of rows, by default 1 each.

        Raises as :meth:`run`, and :class:`UsageError` where the model takes whole images
        only or ``portions`` are not all rows of the image.
        """
        frame = self._frame(image)
        chosen = [1] * len(frame) if portions is None else list(portions)
        if not self.artifact.push:
            raise UsageError(
                f"{self.artifact.name} takes whole images only",
                hint="compile the model with push input",
            )
        if sum(chosen) != len(frame) or min(chosen) < 0:
            raise UsageError(f"portions are {sum(chosen)} rows, the image has {len(frame)}")
        loaded = self._plain
        api = loaded.api
        logits = np.empty(self.artifact.classes, np.int32)
        with loaded.pool.borrow() as workspace:
            api.call("begin", workspace.context)
            first = 0
            for count in chosen:
                # A copy of its own: the model must not need the rows any longer afterwards.
                rows = frame[first : first + count].copy()
                api.call(
                    "push_rows", workspace.context, api.pointer(rows, "const uint8_t *"), count
                )
                first += count
            api.call("finish", workspace.context, api.pointer(logits, "int32_t *"))
        return logits

    def run_layers(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs of all layers by the names of their values, and the logits.

        Feature maps are uint8 (rows, cols, channels), the logits int32 (classes,).
        Raises as :meth:`run`, and :class:`InternalError` where a layer does not
        report each of its rows once.
        """
        frame = self._frame(image)
        loaded = self._traced
        layers = self.artifact.layers
        trace = LayerTrace(loaded.api, layers)
        with trace.recording():
            logits = self._infer(loaded, frame)
        return {**trace.outputs, layers[-1]["output"]: logits}

    def top_k(self, logits: np.ndarray, k: int) -> tuple[tuple[int, int], ...]:
        """The ``k`` best as (class, logit), best first; of equal ones the lower class first."""
        values = self._logits(logits)
        if not 1 <= k <= self.artifact.classes:
            raise UsageError(f"k is {k}, expected 1 to {self.artifact.classes}")
        api = self.api
        out = api.ffi.new("s2c_ranked[]", k)
        api.call("top_k", api.pointer(values, "const int32_t *"), k, out)
        return tuple((int(r.class_index), int(r.logit)) for r in out)

    def softmax(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities in Q16 (65536 is 1), uint32 (classes,), as on the board."""
        values = self._logits(logits)
        api = self.api
        result = np.empty(self.artifact.classes, np.uint32)
        api.call(
            "softmax", api.pointer(values, "const int32_t *"), api.pointer(result, "uint32_t *")
        )
        return result

    def check_weights(self) -> None:
        """Raises :class:`ArtifactError` where the compiled weights do not have their CRC."""
        api = self.api
        status = api.function("check_weights")()
        if status == STATUS_WEIGHTS_CRC:
            raise ArtifactError(
                "the weights are not those that were generated",
                where=str(self.artifact.folder),
                hint="compile the model again",
            )
        if status != STATUS_OK:
            raise InternalError(f"checking the weights gave {api.status_name(status)}")

    def _infer(self, loaded: _Loaded, frame: np.ndarray) -> np.ndarray:
        api = loaded.api
        logits = np.empty(self.artifact.classes, np.int32)
        with loaded.pool.borrow() as workspace:
            api.call(
                "run",
                workspace.context,
                api.pointer(frame, "const uint8_t *"),
                api.pointer(logits, "int32_t *"),
            )
        return logits

    def _frame(self, image: np.ndarray) -> np.ndarray:
        """``image`` as the camera delivers it: uint8 (rows, row_bytes)."""
        expected = self.artifact.input_shape
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
            raise ShapeError(
                f"the image is {kind}, expected a NumPy array of uint8",
                hint="give raw pixels 0..255; preprocessing is part of the network",
            )
        if image.shape != expected:
            raise ShapeError(
                f"the image has shape {image.shape}, expected (rows, cols, channels) = {expected}"
            )
        return self.artifact.input_format.encode(image)

    def _logits(self, logits: np.ndarray) -> np.ndarray:
        if logits.dtype != np.int32 or logits.shape != (self.artifact.classes,):
            raise ShapeError(
                f"logits are {logits.dtype} of shape {logits.shape}, "
                f"expected int32 ({self.artifact.classes},)"
            )
        return np.ascontiguousarray(logits)


class _Loaded:
    """One of the two builds, with the memory to run it."""

    def __init__(self, model: HostModel, *, traced: bool) -> None:
        artifact = model.artifact
        library = build_host_library(
            artifact, compiler=model.compiler, traced=traced, cache_dir=model._cache_dir
        )
        self.api = GeneratedApi(library, artifact, traced=traced)
        ram = artifact.manifest["ram"]
        self.pool = WorkspacePool(self.api, ram["arena_bytes"], ram["arena_alignment"])
