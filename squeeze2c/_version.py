"""The version, in the one place that the package, its metadata and generated files read."""

__version__ = "0.1.0"
