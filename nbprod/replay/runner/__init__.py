"""The replay as it runs in the notebook's environment: standard library, numpy, pandas and the package, no nbprod.

`nbprod.replay.process` starts this folder as the package `nbprod_replay` with the kernel's own interpreter, so its
modules import each other relatively and work on Python 3.9.
"""
