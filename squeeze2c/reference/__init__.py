"""What the network computes: in real numbers, and in the integers that C must reproduce."""

from squeeze2c.reference.fixed_point import requantise
from squeeze2c.reference.float_eval import evaluate_float
from squeeze2c.reference.int_eval import evaluate_int
from squeeze2c.reference.softmax import softmax_constants, softmax_q16

__all__ = ["evaluate_float", "evaluate_int", "requantise", "softmax_constants", "softmax_q16"]
