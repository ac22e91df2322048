"""Container files and manifests by their text: what a cluster or a person would find out later."""

from __future__ import annotations

import pytest

from nbprod.readiness.containers import cluster_lacks, image_lacks, least_memory

DIGEST = "@sha256:" + "0" * 64
GOOD = f"""\
ARG BASE=python:3.11-slim{DIGEST}
FROM ${{BASE}} AS build
RUN pip install numpy
# USER root
FROM python:3.11-slim{DIGEST}
COPY --from=build /venv /venv
RUN useradd \\
    --uid 10001 app
USER 10001:10001
HEALTHCHECK --interval=10s \\
    CMD python -c "0"
"""
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  strategy: {rollingUpdate: {maxUnavailable: 0}}
  template:
    spec:
      containers:
        - name: a
          readinessProbe: {httpGet: {path: /ready, port: 8000}}
          livenessProbe: {httpGet: {path: /health, port: 8000}}
          resources: {requests: {cpu: 100m}, limits: {memory: 256Mi}}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
"""


@pytest.mark.parametrize(
    "text, lacks",
    [
        pytest.param(GOOD, [], id="all that is asked for"),
        pytest.param(GOOD.replace(DIGEST, ""), ["slim is not pinned"], id="no digest"),
        pytest.param(
            "ARG BASE=python:3.11\nFROM ${BASE}\nUSER me\nHEALTHCHECK CMD x\n",
            ["python:3.11 is not pinned"],
            id="by the default of an argument",
        ),
        pytest.param(GOOD.replace("USER 10001:10001", ""), ["as root"], id="no user"),
        pytest.param(GOOD.replace("USER 10001:10001", "USER 0:0"), ["as root"], id="root by number"),
        pytest.param(GOOD + "USER root\n", ["as root"], id="root again behind a user"),
        pytest.param(GOOD + "HEALTHCHECK NONE\n", [], id="the health check of before is enough"),
        pytest.param(GOOD.replace("HEALTHCHECK", "LABEL health="), ["HEALTHCHECK"], id="no health check"),
        pytest.param(GOOD.replace("RUN useradd", "RUN pip install jupyterlab && useradd"), ["notebooks"], id="jupyter"),
        pytest.param(GOOD.replace("install numpy", "install ipykernel==6"), [], id="jupyter in a stage that is left"),
        pytest.param(f"FROM a{DIGEST} AS one\nUSER me\nHEALTHCHECK CMD x\nFROM ONE\nRUN x\n", [], id="of a stage"),
        pytest.param("FROM python AS one\nUSER me\nHEALTHCHECK CMD x\nFROM one\n", ["not pinned"], id="by a stage"),
        pytest.param("FROM scratch\nUSER 1\nHEALTHCHECK CMD x\n", [], id="scratch has no digest"),
        pytest.param("from a\n", ["not pinned", "as root", "HEALTHCHECK"], id="words in lower case"),
        pytest.param("# nothing\n", ["no FROM"], id="empty"),
    ],
)
def test_what_an_image_lacks(text: str, lacks: list[str]) -> None:
    found = list(image_lacks("Dockerfile", text))
    assert len(found) == len(lacks), found
    assert all(lack in str(each) for lack, each in zip(lacks, found, strict=True))


@pytest.mark.parametrize(
    "before, after, lack",
    [
        pytest.param("x", "x", None, id="all that is asked for"),
        pytest.param("maxUnavailable: 0", "maxUnavailable: 1", "maxUnavailable", id="an update that takes pods away"),
        pytest.param("  strategy: {rollingUpdate: {maxUnavailable: 0}}\n", "", "maxUnavailable", id="the default"),
        pytest.param("readinessProbe", "startupProbe", "no readinessProbe", id="never known as ready"),
        pytest.param("livenessProbe", "startupProbe", "no livenessProbe", id="never known as dead"),
        pytest.param("requests: {cpu: 100m}, ", "", "requests no resources", id="no requests"),
        pytest.param("limits: {memory: 256Mi}", "limits: {cpu: 1}", "no limit", id="no limit of memory"),
        pytest.param("lifecycle", "x", "preStop", id="ended at once"),
        pytest.param("kind: Deployment", "kind: Job", None, id="not a service"),
        pytest.param("apiVersion", "{{ template }}\napiVersion", None, id="a template"),
        pytest.param("apiVersion", "made: 2024-13-45\napiVersion", None, id="no date"),
        pytest.param("apiVersion", "[" * 3000 + "\napiVersion", None, id="too deep to be read"),
        pytest.param("containers:", "containers: 7\n      x:", None, id="nonsense in the place of containers"),
    ],
)
def test_what_a_deployment_lacks(before: str, after: str, lack: str | None) -> None:
    found = [str(each) for each in cluster_lacks({"k8s/a.yaml": POD.replace(before, after)})]
    assert len(found) == (lack is not None), found
    assert all(lack is not None and lack in each for each in found)


@pytest.mark.parametrize(
    "limit, megabytes",
    [
        pytest.param("256Mi", 268.435456, id="binary"),
        pytest.param("1G", 1000.0, id="decimal"),
        pytest.param("64000000", 64.0, id="bytes"),
        pytest.param("lots", None, id="nonsense"),
    ],
)
def test_the_smallest_limit_of_memory(limit: str, megabytes: float | None) -> None:
    files = {"k8s/a.yaml": POD.replace("256Mi", limit), "k8s/b.yaml": POD.replace("256Mi", "8Gi")}
    found = least_memory(files)
    assert found == (("k8s/b.yaml", 8 * 2**30 / 1e6) if megabytes is None else ("k8s/a.yaml", megabytes))
