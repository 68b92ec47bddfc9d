"""What shapes alone say about the size of weights, before the minutes of calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from squeeze2c.export import largest_layers
from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import KernelSpec, weights_bytes
from squeeze2c.lower import CProgram, PackedWeights, pack_weights
from squeeze2c.packing.options import WeightsOptions, check_size

ProgramOf = Callable[[Graph, Mapping[str, PackedWeights]], CProgram]
"""The program of an integer graph some of whose weights are packed."""


@dataclass(frozen=True, slots=True)
class LayerSize:
    """Parameters of a convolution with ``weights`` weights, in bytes.

    ``least_bytes``: packed, without the codes of its weights: biases, multipliers, table.
    """

    node: str
    weights: int
    plain_bytes: int
    least_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class ShapeSizes:
    """Parameters of a network that ``skeleton`` has the shapes of.

    ``zeros``: packed weights of the layers that can be packed, all of them zero. ``layers``:
    the sizes of those, the one with the most weights first. ``other_bytes``: parameters that
    belong to none of them.
    """

    skeleton: Graph
    zeros: Mapping[str, PackedWeights]
    layers: tuple[LayerSize, ...]
    other_bytes: int

    def first(self, packed: int) -> Mapping[str, PackedWeights]:
        """``zeros`` of the first ``packed`` layers."""
        return {layer.node: self.zeros[layer.node] for layer in self.layers[:packed]}

    def without_codes(self, packed: int) -> int:
        """All parameters but the weights of the first ``packed`` layers, which are packed."""
        rest = sum(layer.plain_bytes for layer in self.layers[packed:])
        return self.other_bytes + rest + sum(x.least_bytes for x in self.layers[:packed])


def check_shapes(
    skeleton: Graph,
    program_of: ProgramOf,
    code_of: Callable[[CProgram], int | None],
    options: WeightsOptions,
    plain: Graph | None = None,
) -> tuple[ShapeSizes | None, WeightsOptions]:
    """Sizes to choose from, or None where plain weights it is; what cannot fit is refused.

    ``skeleton`` has the network's shapes, and weights of zero; in ``plain``, if given, weights are
    zero where the network's are, which can make plain weights smaller. ``code_of``: bytes of a
    program's code, if known; the options that are returned set as much aside. Raises
    :class:`DoesNotFitError` where no weights can meet a limit, of flash or of RAM, of which
    packed weights take some.
    """

    def with_code(program: CProgram) -> WeightsOptions:
        if options.flash_bytes is None:
            return options
        return options.with_code(code_of(program), program.unpacks)

    zeros = pack_weights(skeleton) if options.mode != "plain" else {}
    if options.mode == "packed":
        program = program_of(skeleton, zeros)
    else:
        program = program_of(plain or skeleton, {})
    options = with_code(program)
    if options.mode != "packed":
        if options.fits(program.parameters_bytes):
            return None, options
        if options.mode == "plain":
            check_size(
                program.parameters_bytes,
                options,
                largest=largest_layers(program),
                hint="allow more; --weights auto or packed needs less",
            )
        if options.flash_bytes is not None:
            options = with_code(program_of(skeleton, zeros))
    sizes = _sizes(skeleton, zeros, program)
    numbers = range(1, len(sizes.layers) + 1)
    fitting = next((k for k in numbers if options.fits(sizes.without_codes(k))), None)
    if fitting is None:
        weights = sum(layer.weights for layer in sizes.layers)
        check_size(
            sizes.without_codes(len(sizes.layers)),
            options,
            hint="that is without the weights that can be packed; at two bits each they take "
            f"{weights // 4:,} bytes more"
            if sizes.layers
            else "allow as much; no layer becomes smaller if it is packed",
        )
    elif options.mode == "auto":
        program_of(skeleton, sizes.first(fitting))
    return sizes, options


def _sizes(
    skeleton: Graph, zeros: Mapping[str, PackedWeights], program: CProgram
) -> ShapeSizes:
    plain = {
        layer.name: layer.parameters_bytes
        for layer in program.layers if layer.conv and not layer.conv.packed
    }  # fmt: skip
    kernels = {layer.name: layer.kernel for layer in program.layers}
    layers = [
        LayerSize(
            node.name,
            skeleton.constants[node.inputs[1]].size,
            plain.get(node.name, _plain_bytes(skeleton, node, kernels[node.name])),
            zeros[node.name].parameters_bytes,
        )
        for node in skeleton.nodes
        if isinstance(node, ops.QConv2D | ops.QConvGlobalPool) and node.name in zeros
    ]
    ranked = sorted(layers, key=lambda layer: -layer.weights)
    own = sum(layer.parameters_bytes for layer in program.layers if layer.name in zeros)
    return ShapeSizes(skeleton, zeros, tuple(ranked), program.parameters_bytes - own)


def _plain_bytes(skeleton: Graph, node: ops.Node, kernel: KernelSpec) -> int:
    """Arrays of a convolution with plain weights, in the order of ``kernel``."""
    weights, *others = (skeleton.constants[name] for name in node.inputs[1:4])
    return sum(map(_words, (weights_bytes(kernel, weights.shape), *(x.nbytes for x in others))))


def _words(size_bytes: int) -> int:
    """``size_bytes`` rounded up to whole words, which arrays take."""
    return -(-size_bytes // 4) * 4
