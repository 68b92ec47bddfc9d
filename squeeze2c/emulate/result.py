"""What a simulation found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.emulate.profile import LayerProfile, together


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Memory of the firmware, in bytes; ``harness``: the simulator's share, not the model's.

    RAM is data, bss and the stack's high-water mark. ``frame`` is the buffer
    that the harness reads each image into, one row of it where the model takes
    rows: an application with a camera has one too, unless the image is in flash.
    ``function_stack_bytes``: high-water marks by function of the model.
    """

    arena_bytes: int
    frame_bytes: int
    harness_bytes: int
    other_bytes: int
    stack_bytes: int
    function_stack_bytes: Mapping[str, int]
    code_and_constants_bytes: int
    harness_code_bytes: int

    @classmethod
    def measure(
        cls, image: FirmwareImage, stack_bytes: int, function_stack_bytes: Mapping[str, int]
    ) -> MemoryUse:
        """Sizes of the sections of ``image``, and the stack as it was measured."""
        arena, frame = image.size_of(".arena"), image.size_of(".frame")
        harness = image.size_of(".harness_bss")
        harness_code = image.size_of(".harness_text", ".vectors")
        return cls(
            arena_bytes=arena,
            frame_bytes=frame,
            harness_bytes=harness,
            other_bytes=image.static_ram_bytes - arena - frame - harness,
            stack_bytes=stack_bytes,
            function_stack_bytes=function_stack_bytes,
            code_and_constants_bytes=image.flash_bytes - harness_code,
            harness_code_bytes=harness_code,
        )

    @property
    def model_stack_bytes(self) -> int:
        """The most that a function of the model used."""
        return max(self.function_stack_bytes.values())

    @property
    def ram_bytes(self) -> int:
        """All RAM that the firmware uses."""
        static = self.arena_bytes + self.frame_bytes + self.harness_bytes + self.other_bytes
        return static + self.stack_bytes

    @property
    def flash_bytes(self) -> int:
        """All flash that the firmware occupies."""
        return self.code_and_constants_bytes + self.harness_code_bytes


@dataclass(frozen=True, slots=True)
class LayerResult:
    """One layer: differing bytes (logits for the last) over all images, and its work.

    ``instructions`` for the first image, None where they were not counted; ``profile``
    says what they are, None where that is not known. ``kernel``: the C function of the layer.
    """

    name: str
    macs: int
    mismatches: int
    instructions: int | None = None
    kernel: str = ""
    profile: LayerProfile | None = None


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """Firmware on a board, compared with the oracle and measured.

    ``core``: what the compiler generated code for. ``logit_mismatches``:
    differing logits of the build without hooks; the layers are those of the
    build that records every row. ``instructions``: executed for the first
    image, the same in every run; ``not_counted`` says why there are none.
    ``counting``: ``plugin``, exact, or ``icount``, in steps of ``granularity``
    instructions; then ``no_plugin`` says why. ``not_profiled``: why layers have no profile.
    ``stack_bound_bytes``: what the model's stack cannot exceed, None where the
    compiler does not tell.
    """

    board: str
    target: str
    core: str
    compiler: str
    images: int
    layers: tuple[LayerResult, ...]
    logit_mismatches: int
    memory: MemoryUse
    parameters_bytes: int
    instructions: int | None = None
    not_counted: str | None = None
    stack_bound_bytes: int | None = None
    counting: str | None = None
    granularity: float | None = None
    no_plugin: str | None = None
    not_profiled: str | None = None

    @property
    def profile(self) -> LayerProfile | None:
        """All layers together; None where any has no profile."""
        found = [layer.profile for layer in self.layers if layer.profile is not None]
        return together(found) if len(found) == len(self.layers) else None

    @property
    def mismatches(self) -> int:
        """Differing bytes of feature maps and differing logits, over all images and both builds."""
        return self.logit_mismatches + sum(layer.mismatches for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """The result as plain data.

        ``ram_bytes`` = ``ram.arena_bytes`` + ``ram.frame_bytes`` (the image
        buffer, or a row's) + ``ram.harness_bytes`` (the simulator's buffers) +
        ``ram.other_bytes`` (data and bss of anything else) + ``stack_bytes``.
        ``stack_bytes`` is the whole firmware's high-water mark;
        ``ram.model_stack_bytes`` the part beneath a call of the model, and
        ``ram.model_stack_bound_bytes`` its bound.
        ``flash_bytes`` = ``flash.model_bytes`` (code, constants and library,
        ``flash.parameters_bytes`` of them parameters) + ``flash.harness_bytes``.
        ``profile`` is of all layers; what calls them is in none of them.
        """
        memory, profile = self.memory, self.profile
        return {
            "board": self.board,
            "target": self.target,
            "core": self.core,
            "compiler": self.compiler,
            "images": self.images,
            "mismatches": self.mismatches,
            "instructions": self.instructions,
            "not_counted": self.not_counted,
            "counting": self.counting,
            "granularity": self.granularity,
            "no_plugin": self.no_plugin,
            "not_profiled": self.not_profiled,
            "stack_bytes": memory.stack_bytes,
            "ram_bytes": memory.ram_bytes,
            "flash_bytes": memory.flash_bytes,
            "ram": {
                "arena_bytes": memory.arena_bytes,
                "frame_bytes": memory.frame_bytes,
                "harness_bytes": memory.harness_bytes,
                "other_bytes": memory.other_bytes,
                "model_stack_bytes": memory.model_stack_bytes,
                "model_stack_bound_bytes": self.stack_bound_bytes,
            },
            "flash": {
                "model_bytes": memory.code_and_constants_bytes,
                "parameters_bytes": self.parameters_bytes,
                "harness_bytes": memory.harness_code_bytes,
            },
            "layers": [
                {
                    "name": layer.name,
                    "instructions": layer.instructions,
                    "macs": layer.macs,
                    "mismatches": layer.mismatches,
                    "kernel": layer.kernel,
                    "profile": None if layer.profile is None else layer.profile.to_json(),
                }
                for layer in self.layers
            ],
            "profile": None if profile is None else profile.to_json(),
        }
