"""The Dockerfile, what it copies, and compose."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from nbprod.codegen.runtime import server, supervising
from nbprod.deploy import image
from nbprod.deploy.docker import SERVERS, requirements
from nbprod.deploy.targets import TARGETS
from nbprod.model.deployment import Deployment
from nbprod.readiness.containers import image_lacks
from tests.deploy.deployments import DIGEST, KNOWN, LEAST, MOST, OLD, ROOT, files_of, passes, tool, written
from tests.deploy.dockerfiles import Stage, copied, stages_of

each_deployment = pytest.mark.parametrize("deployment", KNOWN)


def stages(deployment: Deployment) -> dict[str, Stage]:
    return stages_of(files_of(deployment, "docker", "deploy/docker")["deploy/docker/Dockerfile"])


@each_deployment
def test_hadolint_finds_nothing(deployment: Deployment, tmp_path: Path) -> None:
    folder = written(deployment, "docker", tmp_path)
    passes(tool("hadolint"), "--no-color", "--failure-threshold", "style", folder / "Dockerfile")


@each_deployment
def test_compose_is_what_its_schema_takes(deployment: Deployment, tmp_path: Path) -> None:
    folder = written(deployment, "docker", tmp_path)
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", folder / "compose.yaml")


def test_the_last_stage_is_the_service_and_has_no_tools_and_no_rights() -> None:
    found = stages(LEAST)
    assert list(found) == ["build", "train", "serve"]
    assert {stage.base for stage in found.values()} == {"python:3.12-slim-bookworm"}
    serve = found["serve"]
    words = " ".join(rest for word, rest in serve.instructions if word == "RUN")
    assert words.split()[0] == "install"
    assert len(words.split()) == 5
    assert serve.last("USER") == "10001:10001"
    assert serve.last("STOPSIGNAL") == "SIGTERM"
    assert serve.environment() == {
        "PATH": "/opt/venv/bin:$PATH",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    assert serve.words("ENTRYPOINT") == ["python", "-m", "sales", "--version", "v0003"]
    assert serve.words("CMD") == ["serve", "--host", "0.0.0.0", "--port", "8000"]
    assert serve.words("VOLUME") == ["/var/log/pipeline"]
    assert all(
        "--no-cache-dir" in rest for word, rest in found["build"].instructions if "pip" in rest and word == "RUN"
    )


@each_deployment
def test_readiness_finds_nothing_lacking_but_the_digest(deployment: Deployment) -> None:
    text = files_of(deployment, "docker", "d/d")["d/d/Dockerfile"]
    lacks = [lack.text for lack in image_lacks("Dockerfile", text)]
    assert lacks == ([] if deployment is MOST else [f"{deployment.settings.base_image} is not pinned by its digest"])


def test_labels_say_what_it_is_and_nothing_in_them_is_a_variable() -> None:
    found = stages(MOST)
    (label,) = [rest for word, rest in found["serve"].instructions if word == "LABEL"]
    assert 'authors="the \\"sales\\" team RUN touch /owned # <sales@example.org>"' in label
    assert "/owned" not in "".join(rest for each in found.values() for word, rest in each.instructions if word == "RUN")
    assert 'io.nbprod.digest="' + MOST.digest + '"' in label
    assert 'io.nbprod.notebook="my notebooks/sales of 2024.ipynb"' in label
    assert 'description="What a shop sells: \\"tomorrow\\", for \\$5 and `more`"' in label
    assert 'base.name="python:3.12-slim-bookworm"' in label
    assert f'base.digest="{DIGEST}"' in label


def test_paths_with_spaces_are_copied_in_the_form_that_takes_them() -> None:
    copies = [rest for word, rest in stages(MOST)["build"].instructions if word == "COPY"]
    assert json.loads(copies[1]) == [
        "my packages/Sales_of_2024/*.py",
        "my packages/Sales_of_2024/versions.json",
        "/app/Sales_of_2024/",
    ]


@pytest.mark.parametrize("packages", ["pi$HOME", "${x}", "*", "wh?t", "[a]", "it's", 'the "one"', "a\\b\\", "a b"])
def test_a_folder_of_any_name_is_copied_and_none_beside_it(packages: str, tmp_path: Path) -> None:
    context, root, package = tmp_path / "context", tmp_path / "image", f"{packages}/sales"
    for each in (packages, "piHOME", "x", "what", "a", "its", "the one", "ab"):
        (context / each / "sales/v0003/state").mkdir(parents=True, exist_ok=True)
        (context / each / "sales/v0003/state/fitted.json").write_text(each)
        for name in ("__init__.py", "versions.json", "serving/b.py", "v0003/a.py", "v0003/manifest.json",
                     "v0003/runtime/c.py"):  # fmt: skip
            (context / each / "sales" / name).parent.mkdir(exist_ok=True)
            (context / each / "sales" / name).write_text(each)
        (context / each / "sales/v0003/requirements.lock").write_text(each)
    deployment = replace(LEAST, packages=packages, package=package, folder=f"{package}/v0003")
    folder = written(deployment, "docker", context, f"{packages}/docker")
    found = stages_of((folder / "Dockerfile").read_text())
    copied(found, "serve", context, (folder / "Dockerfile.dockerignore").read_text(), root)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(root / "app/sales").as_posix() for path in files) == [
        "__init__.py", "serving/b.py", "v0003/a.py", "v0003/manifest.json", "v0003/requirements.lock",
        "v0003/runtime/c.py", "v0003/state/fitted.json", "versions.json",
    ]  # fmt: skip
    assert {path.read_text() for path in files} == {packages}
    passes(tool("hadolint"), "--no-color", "--failure-threshold", "style", folder / "Dockerfile")


def test_a_python_that_nbprod_does_not_run_on_has_no_stage_that_trains() -> None:
    assert list(stages(OLD)) == ["build", "serve"]
    services = yaml.safe_load(files_of(OLD, "docker", "d/d")["d/d/compose.yaml"])["services"]
    assert "monitor" not in services
    assert any("fitted with 3.9" in note for note in TARGETS["docker"].notes(OLD, "d/d"))


@pytest.mark.parametrize(
    "python, requires, expected",
    [
        pytest.param("3.12", (), SERVERS[3, 10], id="a new Python"),
        pytest.param("3.9", (), SERVERS[3, 9], id="an old Python"),
        pytest.param("3.12", ("Click==8.1.0", "h11 == 0.14"), ("uvicorn==0.54.0",), id="pinned by the notebook"),
        pytest.param("3.8", (), (), id="a Python without: the standard library serves"),
    ],
)
def test_the_server_is_pinned(python: str, requires: tuple[str, ...], expected: tuple[str, ...]) -> None:
    lines = requirements(replace(LEAST, python=python, requires=requires)).splitlines()
    assert tuple(line for line in lines if not line.startswith("#")) == expected


def test_what_libraries_need_in_turn_constrains_the_build_where_it_is_known() -> None:
    files = files_of(replace(MOST, pins=("click==1.0", "scipy==1.17.1")), "docker", "d")
    lines = [line for line in files["d/constraints.txt"].splitlines() if not line.startswith("#")]
    assert lines == ["scipy==1.17.1"], "the server's own pins hold"
    assert "--requirement requirements-serve.txt --constraint constraints.txt\n" in files["d/Dockerfile"]
    assert files["d/Dockerfile"].count("--constraint") == 1
    assert "# libraries need in turn is chosen when it is built" in files["d/Dockerfile"], "of the stage that trains"
    without = files_of(LEAST, "docker", "d")
    assert "d/constraints.txt" not in without
    assert "constraint" not in without["d/Dockerfile"]


def test_the_server_is_the_one_that_nbprod_itself_is_locked_to() -> None:
    locked = set((ROOT / "requirements.lock").read_text().splitlines())
    assert set(SERVERS[3, 10]) <= locked


def test_the_grace_is_what_the_service_takes() -> None:
    assert image.GRACE_SECONDS == supervising.STOP_SECONDS
    assert image.GRACE_SECONDS > server.GRACE_SECONDS


@pytest.mark.parametrize(
    "path, is_sent",
    [
        ("pipelines/sales/v0003/state/fitted.json", True),
        ("pipelines/sales/v0003/requirements.lock", True),
        ("deploy/sales/docker/requirements-serve.txt", True),
        ("sales.ipynb", True),
        ("nbprod.toml", True),
        ("data/sales.csv", True),
        (".env", False),
        ("deploy/sales/docker/.env", False),
        (".git/config", False),
        (".nbprod/mlflow.db", False),
        (".venv/bin/python", False),
        ("keys/server.key", False),
        ("id_rsa", False),
        ("google-credentials.json", False),
        ("pipelines/sales/__pycache__/serve.cpython-312.pyc", False),
        ("deploy/sales/docker/compose.yaml.orig", False),
    ],
)
def test_what_is_sent_to_the_builder(path: str, is_sent: bool) -> None:
    lines = files_of(LEAST, "docker", "d/d")["d/d/Dockerfile.dockerignore"].splitlines()
    endings = [line.removeprefix("**/") for line in lines if not line.startswith("#")]
    assert any(fnmatchcase(part, ending) for part in path.split("/") for ending in endings) is not is_sent


@pytest.mark.parametrize(
    "base, pinned",
    [
        pytest.param("python:3.12-slim-bookworm", False, id="a tag"),
        pytest.param(f"python:3.12-slim-bookworm@{DIGEST}", True, id="a digest"),
        pytest.param("python:3.12@sha256:123", False, id="no digest"),
    ],
)
@pytest.mark.parametrize("target", ["docker", "kubernetes", "kserve"])
def test_a_base_image_that_is_not_pinned_is_told_with_the_way_to_pin_it(base: str, pinned: bool, target: str) -> None:
    deployment = replace(LEAST, settings=replace(LEAST.settings, base_image=base))
    told = [note for note in TARGETS[target].notes(deployment, "d/d") if "is not pinned" in note]
    assert (told == []) is pinned
    assert all("nbprod deploy sales docker --pin" in note for note in told)


@each_deployment
def test_compose_opens_nothing_to_others_and_holds_no_secret(deployment: Deployment) -> None:
    services = yaml.safe_load(files_of(deployment, "docker", "a/b")["a/b/compose.yaml"])["services"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert services["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"].startswith("${GRAFANA_PASSWORD:?")
    assert services["service"]["build"]["context"] == "../.."
    assert services["service"]["build"]["dockerfile"] == "a/b/Dockerfile"


def test_the_log_of_compose_leaves_personal_data_out() -> None:
    command = yaml.safe_load(files_of(MOST, "docker", "d/d")["d/d/compose.yaml"])["services"]["service"]["command"]
    assert command[-4:] == ["--log", image.LOG, "--log-without", "name $$(and) $$address"]


def test_a_folder_with_a_dollar_is_no_variable_of_compose() -> None:
    services = yaml.safe_load(files_of(MOST, "docker", "d/$x")["d/$x/compose.yaml"])["services"]
    assert services["service"]["build"]["dockerfile"] == "d/$$x/Dockerfile"


@each_deployment
def test_compose_mounts_files_that_are_there(deployment: Deployment, tmp_path: Path) -> None:
    folder = written(deployment, "docker", tmp_path)
    value = yaml.safe_load((folder / "compose.yaml").read_text())
    mounts = [mount.partition(":")[0] for service in value["services"].values() for mount in service["volumes"]]
    for mount in mounts:
        assert (folder / mount).exists() if mount.startswith("./") else mount in value["volumes"], mount
    prometheus = yaml.safe_load((folder / "prometheus.yaml").read_text())
    (scrape,) = prometheus["scrape_configs"]
    service, port = scrape["static_configs"][0]["targets"][0].split(":")
    assert value["services"][service]["command"][4] == port


def test_grafana_finds_its_source_and_its_dashboards(tmp_path: Path) -> None:
    folder = written(LEAST, "docker", tmp_path)
    (source,) = yaml.safe_load((folder / "grafana/datasources/datasources.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "grafana/dashboards/dashboards.yaml").read_text())["providers"]
    mounts = dict(
        mount.split(":")[:2]
        for mount in yaml.safe_load((folder / "compose.yaml").read_text())["services"]["grafana"]["volumes"]
    )
    assert source["url"] == "http://prometheus:9090"
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
