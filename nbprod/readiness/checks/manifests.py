"""DT-5: container and manifests fit the target."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.containers import Lack, cluster_lacks, image_lacks, least_memory
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, contradicted, declare, declared, first_of, missing


def _judge(facts: Facts) -> Told:
    target = facts.settings.deploy_target
    if not target:
        found = f"; there is {first_of(facts.manifests)}" if facts.manifests else ""
        return missing(f"deploy_target is not declared{found}", declare("deploy_target"))
    said = f"deploy_target = {target}"
    pattern, words = NEEDS.get(target.lower(), ("*", ""))
    files = {name: facts.manifest_texts.get(name, "") for name in facts.manifests if fnmatchcase(f"/{name}", pattern)}
    if not words:
        return declared(f"{said}; what it needs is not checked")
    if not files:
        return contradicted(f"the project has no {words}", said)
    images = {name: text for name, text in facts.manifest_texts.items() if fnmatchcase(f"/{name}", "*/Dockerfile")}
    lacks = tuple(each for name, text in images.items() for each in image_lacks(name, text))
    if target.lower() == "kubernetes":
        too_small = _too_small(facts, files)
        if too_small is not None:
            return too_small
        lacks += tuple(cluster_lacks(files))
    return _settled(facts, lacks)


def _too_small(facts: Facts, files: Mapping[str, str]) -> Told | None:
    """That a pod is ended for want of memory, where the service was seen to need more than its limit."""
    evidence, limit = facts.evidence.get("DT-2"), least_memory(files)
    needed = None if evidence is None or not evidence.numbers else evidence.numbers.get("memory_mb")
    if limit is None or not isinstance(needed, int | float) or needed <= limit[1]:
        return None
    return contradicted(f"the service took {needed:,.0f} MB under load", f"{limit[0]}: a limit of {limit[1]:,.0f} MB")


def _settled(facts: Facts, lacks: tuple[Lack, ...]) -> Told:
    if lacks:
        return missing(first_of(tuple(map(str, lacks))))
    told = by_evidence(facts, "DT-5", "the image was not built")
    if told.state is State.MISSING:
        return missing(f"nothing is lacking by its text, and {told.evidence}", told.action)
    return told


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
    step="write them: nbprod deploy NAME docker; build them: nbprod readiness NOTEBOOK --gather --only DT-5",
    judge=_judge,
    tests=("Infra 6",),
    keys=("deploy_target",),
    gathered=True,
)
