"""What people look at: networks before they are compiled, and folders that were generated."""

from squeeze2c.report.arena import (
    FolderInspection,
    by_size,
    inspect_folder,
    layer_of,
    rows_text,
)
from squeeze2c.report.arena_svg import arena_svg
from squeeze2c.report.arena_text import FREE, ArenaGrid, arena_grid
from squeeze2c.report.inspection import BoardFit, InspectedLayer, Inspection, inspect_model
from squeeze2c.report.palette import buffer_colours
from squeeze2c.report.profile_picture import check_picture, write_picture
from squeeze2c.report.tradeoff import compared, schedule_title, trade_off

__all__ = [
    "FREE",
    "ArenaGrid",
    "BoardFit",
    "FolderInspection",
    "InspectedLayer",
    "Inspection",
    "arena_grid",
    "arena_svg",
    "buffer_colours",
    "by_size",
    "check_picture",
    "compared",
    "inspect_folder",
    "inspect_model",
    "layer_of",
    "rows_text",
    "schedule_title",
    "trade_off",
    "write_picture",
]
