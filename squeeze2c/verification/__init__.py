"""Generated C beside the integer oracle, ONNX Runtime and PyTorch."""

from squeeze2c.verification.compare import verify
from squeeze2c.verification.report import Accuracy, LayerQuality, Mismatch, VerifyReport

__all__ = ["Accuracy", "LayerQuality", "Mismatch", "VerifyReport", "verify"]
