"""DT-5: container and manifests fit the target."""

from __future__ import annotations

from fnmatch import fnmatchcase

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import contradicted, declare, declared, first_of, missing


def _judge(facts: Facts) -> Told:
    target = facts.settings.deploy_target
    if not target:
        found = f"; there is {first_of(facts.manifests)}" if facts.manifests else ""
        return missing(f"deploy_target is not declared{found}", declare("deploy_target"))
    said = f"deploy_target = {target}"
    pattern, words = NEEDS.get(target.lower(), ("*", ""))
    if words and not any(fnmatchcase(f"/{name}", pattern) for name in facts.manifests):
        return contradicted(f"the project has no {words}", said)
    return declared(f"{said}; its manifests were not checked")


NEEDS = {
    "docker": ("*/Dockerfile", "Dockerfile"),
    "kubernetes": ("/*/*.y*ml", "manifest in a folder such as k8s"),
}
"""What a target cannot do without: the pattern of a file, and what it is; compose has its at the root."""

CHECK = Check(
    id="DT-5",
    title="Container and manifests fit the target",
    why="Where a model runs decides what it may need: memory, probes, rights. "
    "Until the target is written down, each of these is a surprise on the first day.",
    source="ML Test Score, Infra 6: models are tested via a canary before they serve",
    step="declare deploy_target: nbprod readiness NOTEBOOK --interview",
    judge=_judge,
    tests=("Infra 6",),
    keys=("deploy_target",),
)
