"""Live ranges to one arena with offsets, checked by independent verifiers."""

from squeeze2c.memory.bound import bytes_beside_scratch, live_at, lower_bound_bytes
from squeeze2c.memory.buffers import (
    ALIGNMENT_BYTES,
    BufferInfo,
    LiveRange,
    collect_buffers,
    scratch_name,
)
from squeeze2c.memory.execute import verify_execution
from squeeze2c.memory.picture import ArenaPicture, PictureBuffer, draw_arena
from squeeze2c.memory.plan import MemoryPlan, plan_memory, verify_plan

__all__ = [
    "ALIGNMENT_BYTES",
    "ArenaPicture",
    "BufferInfo",
    "LiveRange",
    "MemoryPlan",
    "PictureBuffer",
    "bytes_beside_scratch",
    "collect_buffers",
    "draw_arena",
    "live_at",
    "lower_bound_bytes",
    "plan_memory",
    "scratch_name",
    "verify_execution",
    "verify_plan",
]
