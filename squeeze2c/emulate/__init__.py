"""Builds real firmware around a generated folder and runs it in QEMU."""

from squeeze2c.emulate.result import LayerResult, MemoryUse, SimulationResult
from squeeze2c.emulate.simulate import simulate

__all__ = ["LayerResult", "MemoryUse", "SimulationResult", "simulate"]
