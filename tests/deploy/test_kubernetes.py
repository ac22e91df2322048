"""Manifests: what Kubernetes' schemas take, what kustomize makes of them, and the scripts that jobs run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from msgspec.structs import replace

from nbprod.codegen.runtime.gateway import OPEN
from nbprod.deploy import image
from nbprod.deploy.flow import flow_of
from nbprod.deploy.kubernetes.monitoring import monitoring_script
from nbprod.deploy.kubernetes.retraining import COPY, retraining_script
from nbprod.deploy.targets import TARGETS
from nbprod.model.deployment import Deployment, Load
from nbprod.readiness.containers import cluster_lacks, least_memory
from tests.deploy.deployments import KNOWN, LEAST, MOST, OLD, documents, files_of, passes, tool, written

KUBERNETES = ("1.30", "1.37")
OWN = {"Kustomization", "Component", "ServiceMonitor", "PrometheusRule"}
each_deployment = pytest.mark.parametrize("deployment", KNOWN)


def manifests(deployment: Deployment, folder: str = "k") -> list[dict[str, Any]]:
    """All manifests but those of kustomize."""
    texts = files_of(deployment, "kubernetes", folder)
    found = [each for path, text in texts.items() if path.endswith(".yaml") for each in documents(text)]
    return [each for each in found if each["kind"] not in ("Kustomization", "Component")]


@each_deployment
def test_readiness_finds_nothing_lacking(deployment: Deployment) -> None:
    texts = {path: text for path, text in files_of(deployment, "kubernetes", "k").items() if path.endswith(".yaml")}
    assert list(cluster_lacks(texts)) == []
    assert least_memory(texts) is not None


def one(deployment: Deployment, kind: str, suffix: str = "") -> dict[str, Any]:
    (found,) = [
        each
        for each in manifests(deployment)
        if each["kind"] == kind and each["metadata"]["name"] == image.dns_name(deployment.name) + suffix
    ]  # fmt: skip
    return found


def pods(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The specs of pods by the name of what makes them."""
    found = {}
    for each in manifests(deployment):
        if each["kind"] == "Deployment":
            found["deployment"] = each["spec"]["template"]["spec"]
        elif each["kind"] == "CronJob":
            found[each["metadata"]["name"]] = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


@each_deployment
@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_are_what_the_schemas_take(deployment: Deployment, version: str) -> None:
    core = [each for each in manifests(deployment) if each["kind"] not in OWN]
    assert len(core) >= 5
    for each in core:
        kubernetes_validate.validate(each, version, strict=True)


@each_deployment
def test_kustomize_puts_all_of_it_together_as_the_documents_say(deployment: Deployment, tmp_path: Path) -> None:
    folder = written(deployment, "kubernetes", tmp_path, "deploy/sales/kubernetes")
    alone = documents(passes(tool("kubectl"), "kustomize", folder))
    kinds = {each["kind"] for each in alone}
    assert {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"} <= kinds
    assert {"ServiceMonitor", "PrometheusRule"} & kinds == set()

    parts = sorted(path.parent.name for path in folder.glob("*/kustomization.yaml"))
    assert parts == (["prometheus-operator"] if deployment is OLD else ["monitoring", "prometheus-operator"])
    production = tmp_path / "deploy/production"
    production.mkdir()
    own = {
        "resources": ["../sales/kubernetes"],
        "components": [f"../sales/kubernetes/{part}" for part in parts],
        "images": [{"name": deployment.settings.image, "newName": "registry.example.com/own"}],
    }
    (production / "kustomization.yaml").write_text(yaml.safe_dump(own))
    text = passes(tool("kubectl"), "kustomize", production)
    whole = {(each["kind"], each["metadata"]["name"]): each for each in documents(text)}
    assert {"ServiceMonitor", "PrometheusRule"} <= {kind for kind, _ in whole}
    assert {each["metadata"].get("namespace") for (kind, _), each in whole.items() if kind != "Namespace"} == {
        deployment.settings.namespace
    }
    pod = whole["Deployment", image.dns_name(deployment.name)]["spec"]["template"]["spec"]
    (service,) = pod["containers"]
    assert service["image"] == "registry.example.com/own:v3"
    assert service["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert ("--log" in service["args"]) is (deployment is not OLD)
    assert [each["name"] for each in pod.get("initContainers", [])] == ([] if deployment is OLD else ["ship-log"])
    for (kind, _), each in whole.items():
        if kind not in OWN:
            kubernetes_validate.validate(each, "1.37", strict=True)


@each_deployment
def test_pods_keep_to_the_restricted_profile_and_have_no_rights_in_the_cluster(deployment: Deployment) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and nothing to write to."""
    for name, pod in pods(deployment).items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == image.USER
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]["limits"]) == {"memory"}
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in pod["volumes"]}


@each_deployment
def test_the_service_s_probes_ports_and_times_fit_each_other(deployment: Deployment) -> None:
    pod = pods(deployment)["deployment"]
    (container,) = pod["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in OPEN
        assert container[probe]["httpGet"]["port"] == "http"
    assert container["startupProbe"]["httpGet"]["path"] != container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert str(container["ports"][0]["containerPort"]) == container["args"][-1]
    assert one(deployment, "Service")["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][-1].split("(")[1].rstrip(")"))
    assert pod["terminationGracePeriodSeconds"] > before + image.GRACE_SECONDS
    spec = one(deployment, "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert "replicas" not in spec, "the autoscaler's"


@each_deployment
def test_what_chooses_pods_chooses_those_of_the_service_alone(deployment: Deployment) -> None:
    labels = one(deployment, "Deployment")["spec"]["template"]["metadata"]["labels"]
    chosen = [
        one(deployment, "Service")["spec"]["selector"],
        one(deployment, "Deployment")["spec"]["selector"]["matchLabels"],
        one(deployment, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(deployment, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        one(deployment, "ServiceMonitor")["spec"]["selector"]["matchLabels"],
    ]
    jobs = [each for each in manifests(deployment) if each["kind"] == "CronJob"]
    for selector in chosen:
        assert selector.items() <= labels.items()
        for job in jobs:
            others = job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
            assert not selector.items() <= others.items()


@pytest.mark.parametrize(
    "changes, cpu, memory, said",
    [
        pytest.param({}, 500, 1024, "nothing was measured", id="nothing known"),
        pytest.param({"load": Load(5, 100, 400)}, 500, 576, "1.5 times the 400 MB", id="measured memory"),
        pytest.param({"load": Load(5, 100, 46)}, 500, 384, "the load test took 46 MB", id="room for tables"),
        pytest.param({"load": Load(5, 100, 200), "required_mb": 400.0}, 500, 384, "declares", id="declared memory"),
        pytest.param(
            {"load": Load(5, 100, 400), "required_rps": 100.0}, 750, 576, "100 of a core", id="declared volume"
        ),
        pytest.param(
            {"load": Load(5, 100, 400), "required_rps": 1e4}, 1000, 576, "10000 requests", id="a core at most"
        ),
        pytest.param(
            {"load": Load(5, 5e3, 400), "required_rps": 1.0}, 100, 576, "5000 of a core", id="next to nothing"
        ),
        pytest.param(
            {"load": Load(5, 0, 400), "required_rps": 9.0}, 500, 576, "processor time is a guess", id="none answered"
        ),
    ],
)
def test_resources_are_what_was_measured_or_declared(changes: dict[str, Any], cpu: int, memory: int, said: str) -> None:
    deployment = replace(LEAST, **changes)
    (container,) = pods(deployment)["deployment"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"},
        "limits": {"memory": f"{memory}Mi"},
    }
    head = " ".join(
        line.lstrip("# ") for line in files_of(deployment, "kubernetes", "k")["k/deployment.yaml"].splitlines()
    )
    assert said in head
    notes = TARGETS["kubernetes"].notes(deployment, "d/d")
    assert any("resources are a guess" in note for note in notes) is (deployment.load is None)


@pytest.mark.parametrize(
    "replicas, asked, load, least, most",
    [
        pytest.param(2, None, None, 2, 6, id="nothing known"),
        pytest.param(1, None, None, 1, 3, id="one will do"),
        pytest.param(2, 900.0, Load(5, 450, 100), 3, 9, id="three are needed"),
        pytest.param(2, 9000.0, Load(5, 450, 100), 29, 87, id="many are needed"),
        pytest.param(5, 900.0, Load(5, 450, 100), 5, 15, id="more are configured"),
        pytest.param(0, 10.0, Load(5, 450, 100), 1, 3, id="at least one"),
    ],
)
def test_replicas_follow_the_declared_volume(
    replicas: int, asked: float | None, load: Load | None, least: int, most: int
) -> None:
    settings = replace(LEAST.settings, replicas=replicas)
    spec = one(replace(LEAST, settings=settings, required_rps=asked, load=load), "HorizontalPodAutoscaler")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (least, most)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("sales", "sales"),
        ("Sales_of_2024", "sales-of-2024"),
        ("_private_", "private"),
        ("a__b", "a-b"),
        ("_2024", "p-2024"),
    ],
)
def test_names_are_those_of_a_cluster(name: str, expected: str) -> None:
    assert image.dns_name(name) == expected


def test_long_names_stay_apart_and_leave_room_for_suffixes() -> None:
    first, second = image.dns_name("a" * 80), image.dns_name("a" * 81)
    assert first != second
    assert len(first) <= 40
    assert len(f"{first}-retraining") <= 52, "what a CronJob's name may be"


def test_a_namespace_is_made_where_one_is_declared() -> None:
    assert [each["kind"] for each in manifests(LEAST)].count("Namespace") == 0
    (space,) = [each for each in manifests(MOST) if each["kind"] == "Namespace"]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


# --------------------------------------------------------------------------------------------------------- the jobs


def test_there_is_a_job_for_retraining_where_a_cadence_is_declared_and_nbprod_runs() -> None:
    job = one(MOST, "CronJob", "-retraining")
    assert (job["spec"]["schedule"], job["spec"]["concurrencyPolicy"]) == ("0 3 * * 1", "Forbid")
    for without in (LEAST, replace(OLD, flow=MOST.flow)):
        assert [each for each in manifests(without) if each["metadata"]["name"].endswith("-retraining")] == []
        assert any("there is no job" in note for note in TARGETS["kubernetes"].notes(without, "d/d"))


@pytest.mark.parametrize("component", ["retraining", "monitoring"])
def test_a_finding_is_not_tried_again(component: str) -> None:
    spec = one(MOST, "CronJob", f"-{component}")["spec"]["jobTemplate"]["spec"]
    (pod,) = [pod for name, pod in pods(MOST).items() if name.endswith(component)]
    rule = spec["podFailurePolicy"]["rules"][0]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": pod["containers"][0]["name"], "operator": "In", "values": [1]}
    assert pod["restartPolicy"] == "Never"
    assert spec["backoffLimit"] > 0


def test_the_copy_of_the_project_is_the_version_s_own() -> None:
    (pod,) = [pod for name, pod in pods(MOST).items() if name.endswith("retraining")]
    (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "project"]
    assert mount["subPath"] == "v0003-a1b2a1b2a1b2"
    assert pod["initContainers"][0]["args"][-1] == f"/work/{mount['subPath']}"
    assert {each["image"] for each in (*pod["containers"], *pod["initContainers"])} == {MOST.training_tag}


def test_the_project_is_copied_once_and_a_copy_that_was_broken_off_is_made_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "project", tmp_path / "work/v0003"
    (source / "pipelines").mkdir(parents=True)
    (source / "nbprod.toml").write_text("new\n")
    (source / "pipelines/a.py").write_text("a\n")
    script = COPY.replace("/project/.", f"{source}/.")

    def copy() -> None:
        subprocess.run(["sh", "-ec", script, "copy", str(target)], check=True)

    target.mkdir(parents=True)
    (target / "nbprod.toml").write_text("ne")
    copy()
    assert (target / "nbprod.toml").read_text() == "new\n"
    assert (target / "pipelines/a.py").read_text() == "a\n"
    (target / "pipelines/v0004").mkdir()
    (source / "nbprod.toml").write_text("another image's\n")
    copy()
    assert (target / "nbprod.toml").read_text() == "new\n"
    assert (target / "pipelines/v0004").is_dir()


def scripts() -> dict[str, str]:
    """All text that a shell runs, by name."""
    found = {}
    for name, deployment in (("least", replace(LEAST, flow=replace(LEAST.flow, cron="0 3 * * *"))), ("most", MOST)):
        for maker, pod in pods(deployment).items():
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                if container.get("command", [])[:2] == ["sh", "-ec"]:
                    found[f"{name}, {maker}, {container['name']}"] = container["command"][2]
    return found


@pytest.mark.parametrize("name", scripts())
def test_shellcheck_finds_nothing_in_what_a_shell_runs(name: str) -> None:
    passes("sh", "-n", text=scripts()[name])
    passes(tool("shellcheck"), "--shell=sh", "--severity=style", "-", text=scripts()[name])


def run(script: str, project: Path, codes: dict[str, int]) -> tuple[int, list[str]]:
    """Run a script in `project`, with an `nbprod` that writes down how it was called; its exit code, and the calls."""
    tools = project.parent / "bin"
    tools.mkdir(exist_ok=True)
    cases = "".join(f'  *"{words}"*) exit {code} ;;\n' for words, code in codes.items())
    said = f'echo "$*" >>{project.parent}/calls\necho \'{{"version": 7}}\'\n'
    (tools / "nbprod").write_text(f'#!/bin/sh\n{said}case "$*" in\n{cases}esac\n')
    (tools / "nbprod").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    done = subprocess.run(["sh", "-ec", script], cwd=project, env=environment, check=False, capture_output=True)
    calls = project.parent / "calls"
    lines = calls.read_text().splitlines() if calls.is_file() else []
    calls.unlink(missing_ok=True)
    return done.returncode, lines


RUN = "run Sales_of_2024 --retrain --format json"
PROMOTE = "versions Sales_of_2024 promote 7 --format json"


@pytest.mark.parametrize(
    "codes, expected, calls",
    [
        pytest.param({}, 0, [RUN, PROMOTE], id="done"),
        pytest.param({"run": 1}, 1, [RUN], id="refused"),
        pytest.param({"run": 2}, 2, [RUN], id="the outside world"),
        pytest.param({"versions": 1}, 1, [RUN, PROMOTE], id="a gate stops it"),
    ],
)
def test_retraining_runs_the_notebook_and_asks_the_gates(
    codes: dict[str, int], expected: int, calls: list[str], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    deployment = replace(MOST, flow=flow_of(MOST.name, ("data",), cron="0 3 * * 1"))
    steps = [step for step in deployment.flow.steps if step.makes != "stage"]
    assert run(retraining_script(deployment, steps), project, codes) == (expected, calls)


def test_retraining_goes_on_where_the_last_interval_that_was_done_ended(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    steps = [step for step in MOST.flow.steps if step.makes != "stage"]
    script = retraining_script(MOST, steps)
    done = project / ".nbprod/trained-until"

    assert run(script, project, {"versions": 1}) == (1, [RUN, PROMOTE]), "the notebook's own values hold at first"
    assert not done.exists()
    assert run(script, project, {}) == (0, [RUN, PROMOTE])
    first = done.read_text().strip()
    code, (ran, promoted) = run(script, project, {})
    assert (code, promoted) == (0, PROMOTE)
    until = done.read_text().strip()
    assert ran == f"{RUN} -p SINCE {first} -p UNTIL {until}"
    code, calls = run(script, project, {"run": 2})
    assert (code, len(calls), done.read_text().strip()) == (2, 1, until), "what failed was not done"


@pytest.mark.parametrize(
    "gathered, monitored, expected",
    [
        pytest.param(0, 0, 0, id="all is well"),
        pytest.param(0, 1, 1, id="something alerts"),
        pytest.param(0, 2, 2, id="it can't be looked at"),
        pytest.param(3, 1, 0, id="nothing was served yet"),
        pytest.param(1, 0, 2, id="a log can't be read"),
    ],
)
def test_monitoring_ends_as_what_it_found(gathered: int, monitored: int, expected: int, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    script = monitoring_script(MOST).replace("python /scripts/gather_logs.py", f"sh -c 'exit {gathered}'")
    code, calls = run(script, project, {"monitor": monitored})
    assert code == expected
    looked = ["monitor Sales_of_2024@3 --log /tmp/predictions.sqlite --since 24h"]
    assert calls == (looked if gathered == 0 else [])


# ---------------------------------------------------------------------------------- kinds that an operator brings along


def test_a_service_monitor_finds_the_service_and_has_no_other_keys() -> None:
    monitor = one(MOST, "ServiceMonitor")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert set(monitor["spec"]) == {"selector", "endpoints"}
    assert monitor["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "15s"}]
    service = one(MOST, "Service")
    assert service["spec"]["ports"][0]["name"] == "http"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()


def test_the_rule_holds_the_rules_that_promtool_has_checked() -> None:
    rule = one(MOST, "PrometheusRule")
    (checked,) = documents(files_of(MOST, "docker", "d/d")["d/d/alerts.yaml"])
    assert rule["spec"] == checked
    job = one(MOST, "Service")["metadata"]["name"]
    assert f'job="{job}"' in str(checked), "an operator names the job by the service"
