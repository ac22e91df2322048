"""What runs inside the notebook's kernel: captures, the files that cells open, what stages hand over, metrics.

`nbprod.backends.papermill_backend` loads this folder there as the package `nbprod_kernel`, and the modules of
`codegen/runtime` that keep values as `nbprod_kept`: the kernel's environment has no nbprod. So the modules import each
other relatively, need the standard library alone until cells have run, and work on Python 3.9.
"""
