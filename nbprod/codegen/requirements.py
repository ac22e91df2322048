"""What the exported package needs installed, pinned to the versions at hand."""

from __future__ import annotations

from importlib import metadata

from nbprod.model.plan import FeaturePlan

DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "category_encoders": "category-encoders",
    "feature_engine": "feature-engine",
    "cv2": "opencv-python",
    "yaml": "PyYAML",
    "PIL": "pillow",
    "dateutil": "python-dateutil",
}
ALWAYS = ("numpy", "pandas", "scikit-learn", "skops")


def requirements_lock(plan: FeaturePlan) -> str:
    """One distribution a line, sorted; with its version where it is installed here."""
    wanted = set(ALWAYS)
    for _, statement in plan.imports:
        package = statement.split()[1].partition(".")[0]
        if package and not _is_standard(package):
            wanted.add(DISTRIBUTIONS.get(package, package))
    return "".join(f"{_pinned(name)}\n" for name in sorted(wanted, key=str.lower))


def _is_standard(package: str) -> bool:
    import sys

    return package in sys.stdlib_module_names


def _pinned(name: str) -> str:
    try:
        return f"{name}=={metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return name
