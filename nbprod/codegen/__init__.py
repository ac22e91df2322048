"""From a plan to the files of an exported package."""

from nbprod.codegen.capturing import capture_plan
from nbprod.codegen.package import manifest_of, manifest_without_files, root_files, support_files, version_files

__all__ = ["capture_plan", "manifest_of", "manifest_without_files", "root_files", "support_files", "version_files"]
