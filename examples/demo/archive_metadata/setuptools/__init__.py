"""Stands in for setuptools while ``pip download`` looks at a source archive."""
