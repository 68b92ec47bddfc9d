"""Which rows of which feature map are computed when, and where they live."""

from squeeze2c.schedule.cost import predicted_instructions
from squeeze2c.schedule.layerwise import schedule_layerwise
from squeeze2c.schedule.line_buffer import live_steps, row_uses
from squeeze2c.schedule.model import LineBuffer, Schedule, Step
from squeeze2c.schedule.options import ScheduleOptions
from squeeze2c.schedule.placement import Placement, place_feature_maps
from squeeze2c.schedule.rows import RowDemand, RowWindow
from squeeze2c.schedule.search import Candidate, candidates, choose
from squeeze2c.schedule.stages import (
    INPUT_STAGE,
    RowInput,
    Stage,
    collect_stages,
    output_rows,
)
from squeeze2c.schedule.stream import schedule_stream
from squeeze2c.schedule.zeros import skippable_zeros

__all__ = [
    "INPUT_STAGE",
    "Candidate",
    "LineBuffer",
    "Placement",
    "RowDemand",
    "RowInput",
    "RowWindow",
    "Schedule",
    "ScheduleOptions",
    "Stage",
    "Step",
    "candidates",
    "choose",
    "collect_stages",
    "live_steps",
    "output_rows",
    "place_feature_maps",
    "predicted_instructions",
    "row_uses",
    "schedule_layerwise",
    "schedule_stream",
    "skippable_zeros",
]
