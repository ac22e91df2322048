"""The modules that are copied verbatim into every exported package, as data: none of them is imported here.

`RUNTIME_FILES` go into the folder `runtime` of each version and `TEST_FILES` into its `tests/`; `ROOT_FILES` (source,
name in the package) lie beside the version folders, and `SERVING_FILES` in the folder `serving` there. `codec.py` also
runs alone, in a kernel that has no nbprod.
"""

from __future__ import annotations

RUNTIME_FILES: tuple[str, ...] = (
    "codec.py",
    "estimators.py",
    "faults.py",
    "schema.py",
    "contract.py",
    "observing.py",
    "pandera_schema.py",
    "sketch.py",
    "state.py",
    "sites.py",
    "matrix.py",
    "learned.py",
    "gaps.py",
    "rows.py",
    "light.py",
    "baseline.py",
    "pipeline.py",
    "golden.py",
    "tables.py",
    "bad_rows.py",
    "parts.py",
    "progress.py",
    "workers.py",
    "score.py",
    "partitions.py",
    "folders.py",
    "partials.py",
    "asking.py",
    "agreeing.py",
    "row_wise.py",
    "surveying.py",
    "merged_fits.py",
    "reductions.py",
    "probing.py",
    "reducing.py",
    "request.py",
    "bodies.py",
    "protocols.py",
    "openapi.py",
    "serve.py",
)
ROOT_FILES: tuple[tuple[str, str], ...] = (
    ("root_init.py", "__init__.py"),
    ("main.py", "__main__.py"),
)
SERVING_FILES: tuple[str, ...] = (
    "request.py",
    "server.py",
    "sharing.py",
    "supervising.py",
    "following.py",
    "metrics.py",
    "recording.py",
    "gateway.py",
    "tracing.py",
)
TEST_FILES: tuple[str, ...] = ("__init__.py", "conftest.py", "test_parity.py", "test_contract.py")
