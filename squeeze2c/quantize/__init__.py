"""From real numbers to 8 bits: calibration, equalisation, integer weights and their proofs."""

from squeeze2c.quantize.apply import quantize
from squeeze2c.quantize.notes import padding_notes
from squeeze2c.quantize.options import QuantizeOptions

__all__ = ["QuantizeOptions", "padding_notes", "quantize"]
