"""ONNX files to graphs; images and their preprocessing."""

from squeeze2c.frontend.images import ImageSet, load_images, read_labels
from squeeze2c.frontend.preprocess import Preprocess

__all__ = ["ImageSet", "Preprocess", "load_images", "read_labels"]
