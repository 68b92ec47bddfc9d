"""The C functions of a generated model, callable from Python through cffi."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cffi
import numpy as np

from squeeze2c.errors import ArtifactError, InternalError, ToolchainError
from squeeze2c.export.artifact import Artifact

# Statuses of s2c.h that callers tell apart.
STATUS_OK = 0
STATUS_WEIGHTS_CRC = 5

_TYPES = """
typedef struct { uint32_t class_index; int32_t logit; } s2c_ranked;
typedef struct {
    uint8_t *data; uint8_t *times; uint32_t rows; uint32_t cols; uint32_t channels;
} s2c_trace_layer;
typedef struct {
    uint32_t context_bytes; uint32_t input_rows; uint32_t input_cols; uint32_t input_channels;
    uint32_t input_row_bytes; uint32_t input_bytes; uint32_t classes; uint32_t layers;
    uint32_t arena_bytes; uint32_t arena_alignment;
    uint32_t weights_bytes; uint32_t weights_crc32; float logit_scale;
} s2c_host_facts;
extern s2c_host_facts s2c_host_model;
"""

_FUNCTIONS = """
int {name}_init(void *ctx, void *arena, size_t arena_bytes);
int {name}_run(void *ctx, const uint8_t *image, int32_t *logits);
int {name}_check_weights(void);
int {name}_top_k(const int32_t *logits, uint32_t k, s2c_ranked *out);
int {name}_softmax(const int32_t *logits, uint32_t *probabilities_q16);
const char *{name}_version(void);
const char *s2c_status_name(int status);
"""

_PUSH_FUNCTIONS = """
int {name}_begin(void *ctx);
int {name}_push_rows(void *ctx, const uint8_t *rows, uint32_t count);
int {name}_finish(void *ctx, int32_t *logits);
"""

_TRACE_FUNCTIONS = """
void s2c_trace_begin(const s2c_trace_layer *layers, uint32_t count);
uint32_t s2c_trace_end(void);
"""


class GeneratedApi:
    """A loaded library. The context is opaque here: only C knows what is in it.

    ``ffi`` and :meth:`function` are the bare C interface, for callers that need
    statuses instead of exceptions.
    """

    def __init__(self, library: Path, artifact: Artifact, *, traced: bool = False) -> None:
        """Load ``library``, which :func:`build_host_library` made from ``artifact``.

        Raises :class:`ToolchainError` where it cannot be loaded or lacks a function,
        :class:`ArtifactError` where the header does not say what the manifest says.
        """
        self.ffi = cffi.FFI()
        self.ffi.cdef(_TYPES + _FUNCTIONS.format(name=artifact.name))
        if artifact.push:
            self.ffi.cdef(_PUSH_FUNCTIONS.format(name=artifact.name))
        if traced:
            self.ffi.cdef(_TRACE_FUNCTIONS)
        try:
            self._library = self.ffi.dlopen(str(library))
        except OSError as error:
            raise ToolchainError(f"cannot be loaded: {error}", where=str(library)) from error
        self._path = library
        self._name = artifact.name
        self._check_facts(artifact)

    def function(self, name: str) -> Any:
        """The C function called NAME of the model, or a function of the runtime (``s2c_...``)."""
        symbol = name if name.startswith("s2c_") else f"{self._name}_{name}"
        try:
            return getattr(self._library, symbol)
        except AttributeError as error:
            raise ToolchainError(f"has no function {symbol}", where=str(self._path)) from error

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that returns a status. Raises InternalError unless it is S2C_OK."""
        status = self.function(name)(*arguments)
        if status != STATUS_OK:
            raise InternalError(f"{self._name}_{name} returned {self.status_name(status)}")

    def status_name(self, status: int) -> str:
        """What ``s2c_status_name`` says."""
        return self.text(self.function("s2c_status_name")(status))

    def text(self, pointer: Any) -> str:
        """The C string at ``pointer``."""
        return bytes(self.ffi.string(pointer)).decode()

    def pointer(self, array: np.ndarray, kind: str) -> Any:
        """A C pointer to the first element of ``array``; the array must outlive it."""
        return self.ffi.cast(kind, array.ctypes.data)

    @property
    def context_bytes(self) -> int:
        """Size of the model's context."""
        return int(self._library.s2c_host_model.context_bytes)

    def _check_facts(self, artifact: Artifact) -> None:
        rows, cols, channels = artifact.input_shape
        ram, weights = artifact.manifest["ram"], artifact.manifest["weights"]
        row_bytes = artifact.manifest["input"]["row_bytes"]
        expected = {
            "input_rows": rows,
            "input_cols": cols,
            "input_channels": channels,
            "input_row_bytes": row_bytes,
            "input_bytes": rows * row_bytes,
            "classes": artifact.classes,
            "layers": len(artifact.layers),
            "arena_bytes": ram["arena_bytes"],
            "arena_alignment": ram["arena_alignment"],
            "weights_bytes": weights["bytes"],
            "weights_crc32": weights["crc32"],
            "logit_scale": np.float32(artifact.logit_scale),
        }
        facts = self._library.s2c_host_model
        for key, value in expected.items():
            found = getattr(facts, key)
            if found != value:
                raise ArtifactError(
                    f"the C header says {key} = {found}, the manifest says {value}",
                    where=str(artifact.folder),
                    hint="the folder was changed: compile the model again",
                )
