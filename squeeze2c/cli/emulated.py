"""What ``simulate`` and ``profile`` both say about firmware that ran on an emulated board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from squeeze2c.cli.console import Reporter

if TYPE_CHECKING:
    from squeeze2c.emulate import SimulationResult


def counting_facts(result: SimulationResult) -> tuple[tuple[str, str], ...]:
    """A row of a table: how instructions were counted, or why they were not."""
    if result.counting is None:
        return (("not counted, because", str(result.not_counted)),)
    if result.counting == "icount":
        return (("counted by", f"SysTick, to {result.granularity:.3g} instructions a step"),)
    return (("counted by", "plugin, exact"),)


def remark_on_counting(reporter: Reporter, result: SimulationResult) -> None:
    """Say why instructions were counted less exactly than they might be."""
    if result.no_plugin:
        reporter.remark(f"counted by SysTick, not exactly: {result.no_plugin}")


def end_with_mismatches(reporter: Reporter, result: SimulationResult) -> None:
    """End the command, after its result, where the firmware's bits are not the oracle's."""
    if result.mismatches:
        reporter.bug(
            f"the firmware's layers and logits differ from the integer oracle's in "
            f"{result.mismatches:,} elements"
        )
