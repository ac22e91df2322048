"""Exporters: the files with which an engine runs a version of a package, or trains it again."""
