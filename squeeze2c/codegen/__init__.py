"""From the program to the text of its C files."""

from squeeze2c.codegen.render import RenderedFile, render
from squeeze2c.codegen.views import Origin

__all__ = ["Origin", "RenderedFile", "render"]
