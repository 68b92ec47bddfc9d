"""Which rows of which feature map are computed when, and where they live."""

from squeeze2c.schedule.layerwise import (
    Schedule,
    Step,
    output_rows,
    schedule_layerwise,
    windows_along,
)
from squeeze2c.schedule.placement import Placement, place_feature_maps

__all__ = [
    "Placement",
    "Schedule",
    "Step",
    "output_rows",
    "place_feature_maps",
    "schedule_layerwise",
    "windows_along",
]
