"""What the network computes: in real numbers, and in the integers that C must reproduce."""

from squeeze2c.reference.fixed_point import requantise
from squeeze2c.reference.float_eval import evaluate_float
from squeeze2c.reference.int_eval import evaluate_int

__all__ = ["evaluate_float", "evaluate_int", "requantise"]
