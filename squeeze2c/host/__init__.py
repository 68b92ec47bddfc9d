"""Generated C on the PC: built with the compiler at hand, called through cffi."""

from squeeze2c.host.build import build_host_library
from squeeze2c.host.model import HostModel
from squeeze2c.host.toolchain import HostCompiler

__all__ = ["HostCompiler", "HostModel", "build_host_library"]
