"""What the instructions of a layer are: by function, class and part, with estimated cycles.

QEMU's plugin counts how often every block of instructions ran in every layer, objdump says what the
blocks consist of.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeeze2c.emulate.cycles import MODELS, models_for
from squeeze2c.emulate.disassembly import disassemble, straight
from squeeze2c.emulate.elf import FirmwareImage, files_of_static_functions
from squeeze2c.emulate.opcode import CLASSES, Opcode, opcode
from squeeze2c.errors import ToolchainError
from squeeze2c.target import Core

_Place = tuple[str, str | None]
"""A function, and the file of a static one."""

PARTS = ("product", "transform", "decode", "other")
"""Multiplications and pools; what brings operands into another form for them; decoding of packed
weights; code of the layer around all that."""

_PART_OF = (
    ("decode", re.compile(r"s2c_(unpack_|(pair|signed|block)_tile__)")),
    (
        "transform",
        re.compile(
            r"s2c_(\w+_)?(columns\w*|stream|pixels|tile|transform|input|weights|output)__"
        ),
    ),
    ("product", re.compile(r"s2c_(?!port_)")),
)
"""By function, a static one by its file: the first pattern that the name begins with."""


@dataclass(frozen=True, slots=True)
class BlockCount:
    """Instructions that ran one behind the other ``executed`` times in a layer.

    ``taken``: how often what followed was not what lies behind the block.
    """

    layer: int
    address: int
    size_bytes: int
    instructions: int
    executed: int
    taken: int


@dataclass(frozen=True, slots=True)
class FunctionProfile:
    """Instructions that a layer executed in one function, by class; estimated cycles by model.

    ``file``: of a static function, else None.
    """

    name: str
    file: str | None
    classes: Mapping[str, int]
    cycles: Mapping[str, int]

    @property
    def part(self) -> str:
        """Which of :data:`PARTS` the function belongs to."""
        return part_of(self.file or self.name)

    @property
    def instructions(self) -> int:
        return sum(self.classes.values())


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """The functions of a layer, that with most instructions first."""

    functions: tuple[FunctionProfile, ...]

    @property
    def instructions(self) -> int:
        return sum(f.instructions for f in self.functions)

    @property
    def classes(self) -> dict[str, int]:
        """Instructions by class, in the order of CLASSES, without those that do not occur."""
        return _added(CLASSES, (f.classes for f in self.functions))

    @property
    def parts(self) -> dict[str, int]:
        """Instructions by part; all of :data:`PARTS`."""
        found = _added(PARTS, ({f.part: f.instructions} for f in self.functions))
        return {part: found.get(part, 0) for part in PARTS}

    @property
    def cycles(self) -> dict[str, int]:
        """Estimated cycles by model, that of the firmware's own core first."""
        return _added(_models(self.functions), (f.cycles for f in self.functions))

    def to_json(self) -> dict[str, Any]:
        """Plain data; every figure of ``estimated_cycles`` is an estimate of a model."""
        return {
            "classes": self.classes,
            "parts": self.parts,
            "estimated_cycles": self.cycles,
            "functions": [
                {
                    "name": f.name,
                    "file": f.file,
                    "part": f.part,
                    "instructions": f.instructions,
                    "classes": dict(f.classes),
                    "estimated_cycles": dict(f.cycles),
                }
                for f in self.functions
            ],
        }


def part_of(name: str) -> str:
    """Which of :data:`PARTS` a function belongs to, by its name or that of its file."""
    return next((part for part, begins in _PART_OF if begins.match(name)), "other")


def together(profiles: Iterable[LayerProfile]) -> LayerProfile:
    """All layers as one."""
    functions: dict[_Place, list[FunctionProfile]] = defaultdict(list)
    for profile in profiles:
        for function in profile.functions:
            functions[function.name, function.file].append(function)
    return _sorted(
        FunctionProfile(
            *place,
            _added(CLASSES, (f.classes for f in same)),
            _added(_models(same), (f.cycles for f in same)),
        )
        for place, same in functions.items()
    )


def read_blocks(path: Path) -> tuple[BlockCount, ...]:
    """The file that the plugin wrote."""
    lines = path.read_text(encoding="ascii").splitlines()
    return tuple(BlockCount(*map(int, line.split())) for line in lines)


def profile_layers(
    blocks: Sequence[BlockCount],
    elf: Path,
    image: FirmwareImage,
    core: Core,
    counted: Sequence[int],
) -> tuple[LayerProfile, ...]:
    """Of each layer, what its ``counted`` instructions in the firmware ``elf`` were.

    Raises :class:`ToolchainError` where objdump is missing or reads the code in another way than
    QEMU does, and where blocks do not add up to what was counted.
    """
    join = _Join(elf, image, core)
    by_layer: list[list[BlockCount]] = [[] for _ in counted]
    for block in blocks:
        by_layer[block.layer].append(block)
    profiles = tuple(join.layer(part) for part in by_layer)
    for index, (profile, expected) in enumerate(zip(profiles, counted, strict=True)):
        if profile.instructions != expected:
            raise ToolchainError(
                f"blocks of layer {index} have {profile.instructions:,} instructions, "
                f"{expected:,} were counted"
            )
    return profiles


class _Join:
    """Blocks of one firmware with what they consist of."""

    def __init__(self, elf: Path, image: FirmwareImage, core: Core) -> None:
        self._code = disassemble(elf, core.mve)
        self._image = image
        self._files = files_of_static_functions(elf)
        self._starts = [first for first, _, _ in image.functions]
        self._models = {name: MODELS[name] for name in models_for(core)}
        self._known: dict[tuple[int, int], tuple[Opcode, ...]] = {}

    def layer(self, blocks: Iterable[BlockCount]) -> LayerProfile:
        classes: dict[_Place, Counter[str]] = defaultdict(Counter)
        cycles: dict[_Place, Counter[str]] = defaultdict(Counter)
        for block in blocks:
            function = self._function(block.address)
            codes = self._opcodes(block)
            for code in codes:
                classes[function][code.kind] += block.executed
            for name, model in self._models.items():
                cost = model(codes)
                total = cost.straight * block.executed + cost.taken * block.taken
                cycles[function][name] += total
        return _sorted(
            FunctionProfile(
                *place, _added(CLASSES, (classes[place],)), _added(self._models, (cycles[place],))
            )
            for place in classes
        )

    def _opcodes(self, block: BlockCount) -> tuple[Opcode, ...]:
        key = block.address, block.instructions
        if key not in self._known:
            try:
                run = straight(self._code, *key)
            except KeyError:
                run = []
            if sum(i.size_bytes for i in run) != block.size_bytes:
                raise ToolchainError(
                    f"objdump reads the instructions at {block.address:#x} in another way than QEMU"
                )
            self._known[key] = tuple(map(opcode, run))
        return self._known[key]

    def _function(self, address: int) -> _Place:
        """The function at ``address``; what a compiler split off it is part of it."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return "unknown", None
        start, _, name = self._image.functions[index]
        return name.partition(".")[0], self._files.get(start)


def _sorted(functions: Iterable[FunctionProfile]) -> LayerProfile:
    by_work = sorted(functions, key=lambda f: (-f.instructions, f.name, f.file or ""))
    return LayerProfile(tuple(by_work))


def _models(functions: Sequence[FunctionProfile]) -> tuple[str, ...]:
    """Models whose estimates functions of one firmware have."""
    return tuple(functions[0].cycles) if functions else ()


def _added(order: Iterable[str], counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return {key: total[key] for key in order if total[key]}
