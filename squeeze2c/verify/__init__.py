"""Generated C beside the integer oracle, ONNX Runtime and PyTorch."""

from squeeze2c.verify.compare import verify
from squeeze2c.verify.report import Accuracy, LayerQuality, Mismatch, VerifyReport

__all__ = ["Accuracy", "LayerQuality", "Mismatch", "VerifyReport", "verify"]
