"""ONNX files to graphs; images and their preprocessing."""

from squeeze2c.frontend.images import ImageSet, load_images
from squeeze2c.frontend.labels import read_labels
from squeeze2c.frontend.load import LoadedModel, load_onnx
from squeeze2c.frontend.onnx_reader import read_onnx
from squeeze2c.frontend.preprocess import Preprocess

__all__ = [
    "ImageSet",
    "LoadedModel",
    "Preprocess",
    "load_images",
    "load_onnx",
    "read_labels",
    "read_onnx",
]
