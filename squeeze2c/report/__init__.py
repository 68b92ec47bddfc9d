"""What squeeze2c can say about a network without compiling it."""

from squeeze2c.report.inspection import BoardFit, InspectedLayer, Inspection, inspect_model

__all__ = ["BoardFit", "InspectedLayer", "Inspection", "inspect_model"]
