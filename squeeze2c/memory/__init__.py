"""Live ranges to one arena with offsets, checked by an independent verifier."""

from squeeze2c.memory.buffers import ALIGNMENT_BYTES, BufferInfo, LiveRange, collect_buffers
from squeeze2c.memory.plan import MemoryPlan, plan_memory, verify_plan

__all__ = [
    "ALIGNMENT_BYTES",
    "BufferInfo",
    "LiveRange",
    "MemoryPlan",
    "collect_buffers",
    "plan_memory",
    "verify_plan",
]
