"""Run a pipeline by the local runner, and leave its artifacts in a folder: `kfp_once.py PIPELINE FOLDER ARGUMENTS`."""

import importlib.util
import json
import sys

from kfp import local

sys.modules["nbprod"] = None  # A pipeline has to do without.
spec = importlib.util.spec_from_file_location("pipeline", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[2])
module.pipeline(**json.loads(sys.argv[3]))
