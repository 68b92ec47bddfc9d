"""Passes: from the graph as it was exported to the graph that is quantised."""

from squeeze2c.passes.pipeline import PASSES, run_passes

__all__ = ["PASSES", "run_passes"]
