"""Builds real firmware around a generated folder and runs it in QEMU; bounds its stack."""

from squeeze2c.emulate.record import with_ram_facts
from squeeze2c.emulate.result import LayerResult, MemoryUse, SimulationResult
from squeeze2c.emulate.simulate import simulate
from squeeze2c.emulate.stack import StackBound, stack_bound

__all__ = [
    "LayerResult",
    "MemoryUse",
    "SimulationResult",
    "StackBound",
    "simulate",
    "stack_bound",
    "with_ram_facts",
]
