"""Docker: an image of the service (and one that trains), and compose with Prometheus and Grafana beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

import nbprod
from nbprod.deploy import image
from nbprod.deploy.alerts import groups
from nbprod.deploy.closure import normalized
from nbprod.deploy.dashboard import dashboard
from nbprod.deploy.exporter import Exporter, comment, header, up
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

SERVERS = {
    (3, 10): ("uvicorn==0.54.0", "click==8.5.1", "h11==0.16.0"),
    (3, 9): ("uvicorn==0.39.0", "click==8.1.8", "h11==0.16.0"),
}
"""What serves, by the oldest Python that takes it."""

PROMETHEUS, GRAFANA = "prom/prometheus:v3.5.0", "grafana/grafana:12.1.0"
SERVICE = "service"
"""Its name in compose, where no package's name can be that of another service."""

CONSTRAINTS = "constraints.txt"

MONITORED = ("--log", image.LOG, "--since", "24h", "--every", "1h")
HARDENED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "restart": "unless-stopped",
}
IGNORED = """\
# What no image needs, or must not hold: repositories, caches, environments, secrets. The stage `serve` takes single
# files of the package; `train` takes the whole project. What else must not be in an image (data) is named here as well.
**/.*
**/__pycache__
**/*.pyc
**/*.orig
**/node_modules
**/venv
**/*.key
**/*.pem
**/*.p12
**/id_rsa*
**/*credentials*.json
**/mlruns
**/mlartifacts
**/mlflow.db
"""


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    yield File(f"{folder}/Dockerfile", header(deployment, "docker") + dockerfile(deployment, folder))
    yield File(f"{folder}/Dockerfile.dockerignore", header(deployment, "docker") + IGNORED)
    yield File(f"{folder}/requirements-serve.txt", header(deployment, "docker") + requirements(deployment))
    if deployment.pins:
        about = comment("What the libraries of requirements.lock need in turn, as it was where the version was fitted.")
        served = {normalized(line) for line in requirements(deployment).splitlines()}
        text = "".join(f"{line}\n" for line in deployment.pins if normalized(line) not in served)
        yield File(f"{folder}/{CONSTRAINTS}", header(deployment, "docker") + about + text)
    yield File(f"{folder}/compose.yaml", header(deployment, "docker") + compose(deployment, folder))
    yield File(f"{folder}/prometheus.yaml", header(deployment, "docker") + dumped(_prometheus(deployment)))
    yield File(f"{folder}/alerts.yaml", header(deployment, "docker") + dumped(groups(deployment)))
    for kind, value in (("datasources", DATASOURCES), ("dashboards", DASHBOARDS)):
        yield File(f"{folder}/grafana/{kind}/{kind}.yaml", header(deployment, "docker") + dumped(value))
    yield File(f"{folder}/grafana/dashboards/pipeline.json", dashboard(deployment))


# ------------------------------------------------------------------------------------------------------- the image


def requirements(deployment: Deployment) -> str:
    """What serves, as pip reads it, without what the version's own lock file pins."""
    python = tuple(int(part) for part in deployment.python.split(".")[:2])
    pinned = {normalized(line) for line in deployment.requires}
    served = next((lines for least, lines in SERVERS.items() if python >= least), ())
    about = (
        "The server. Without it the package serves with the standard library's. Beside it, where they are asked for: "
        "pyarrow (tables as Parquet and Arrow), opentelemetry-sdk and opentelemetry-exporter-otlp (serve --trace otlp)."
    )
    return comment(about) + "".join(f"{line}\n" for line in served if normalized(line) not in pinned)


def dockerfile(deployment: Deployment, folder: str) -> str:
    """The Dockerfile, whose context is the project's root."""
    stages = [_build(deployment, folder), _serve(deployment)]
    if image.trains(deployment):
        stages.insert(1, _train(deployment))
    return "\n".join((_top(deployment, folder), *stages))


def _top(deployment: Deployment, folder: str) -> str:
    build = f"docker build --file {quote(f'{folder}/Dockerfile')}"
    lines = ["Built in the project's root, which is the context:", f"  {build} --tag {deployment.tag} ."]
    if image.trains(deployment):
        lines.append(f"  {build} --target train --tag {deployment.training_tag} .")
    return comment("\n".join(lines)) + f"ARG BASE_IMAGE={deployment.settings.base_image}\n"


def _build(deployment: Deployment, folder: str) -> str:
    lock, here = f"{deployment.folder}/requirements.lock", f"/app/{deployment.name}"
    version = deployment.version_folder
    package = [f"{deployment.package}/{each}" for each in ("*.py", "versions.json")]
    of_version = [f"{deployment.folder}/{each}" for each in ("*.py", "*.json", "requirements.lock")]
    return f"""\
# What the notebook was fitted with, and the server, in an environment of its own that has no pip. A library that has no
# wheel for this Python takes a compiler: install it here, and the image will not have it.
FROM ${{BASE_IMAGE}} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
{_copy([lock, f"{folder}/requirements-serve.txt", *_constraints(deployment, folder)], "./")}
RUN python -m venv --without-pip /opt/venv \\
 && python -m pip --python /opt/venv/bin/python install --no-cache-dir \\
    --requirement requirements.lock --requirement requirements-serve.txt{_constrained(deployment)}
# The package with this one version, without its tests: for anybody to read, and compiled, since nothing is written when
# it runs.
{_copy(package, f"{here}/")}
{_copy([f"{deployment.package}/serving/"], f"{here}/serving/")}
{_copy(of_version, f"{here}/{version}/")}
{_copy([f"{deployment.folder}/runtime/"], f"{here}/{version}/runtime/")}
{_copy([f"{deployment.folder}/state/"], f"{here}/{version}/state/")}
RUN chmod -R a+rX /app && python -m compileall -q --invalidation-mode unchecked-hash /app
"""


def _constraints(deployment: Deployment, folder: str) -> list[str]:
    return [f"{folder}/{CONSTRAINTS}"] if deployment.pins else []


def _constrained(deployment: Deployment) -> str:
    return f" --constraint {CONSTRAINTS}" if deployment.pins else ""


def _train(deployment: Deployment) -> str:
    return f"""\
# nbprod, the notebook's libraries and the project: trains again, and monitors. Built with --target train. What these
# libraries need in turn is chosen when it is built, and not held to what was there when the version was fitted: what
# nbprod itself needs may contradict that.
FROM ${{BASE_IMAGE}} AS train
ARG NBPROD=nbprod=={nbprod.__version__}
ENV HOME=/tmp PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 MLFLOW_DISABLE_TELEMETRY=true
{_copy([f"{deployment.folder}/requirements.lock"], "/opt/requirements.lock")}
RUN python -m pip install --no-cache-dir "${{NBPROD}}" --requirement /opt/requirements.lock
WORKDIR /project
RUN chown {image.USER}:{image.USER} /project
COPY --chown={image.USER}:{image.USER} . .
USER {image.USER}:{image.USER}
STOPSIGNAL SIGINT
ENTRYPOINT ["nbprod"]
CMD ["--help"]
"""


def _serve(deployment: Deployment) -> str:
    port = deployment.settings.port
    labels = " \\\n      ".join(f"{key}={_quoted(value)}" for key, value in image.labels(deployment).items())
    return f"""\
# The service: no compiler, no cache, nobody's rights. It writes nowhere but into {image.LOGS} (serve --log).
FROM ${{BASE_IMAGE}} AS serve
LABEL {labels}
RUN install --directory --owner={image.USER} --group={image.USER} {image.LOGS}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
USER {image.USER}:{image.USER}
VOLUME ["{image.LOGS}"]
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \\
  CMD {json.dumps(image.health_check(port))}
ENTRYPOINT {json.dumps(image.entrypoint(deployment))}
CMD {json.dumps(image.serving(port))}
"""


def _copy(sources: Sequence[str], target: str) -> str:
    """A COPY, in the form that takes spaces where a path has some; a last name may have a star, a folder is itself."""
    words = [*map(_pattern, sources), target]
    is_plain = not any(re.search(r"[\s\"'\\\[]", word) for word in words)
    return f"COPY {' '.join(words) if is_plain else json.dumps(words)}"


def _pattern(path: str) -> str:
    """A path as COPY reads it: first quotes and variables as in a shell, then Go's filepath.Match."""
    folder, slash, name = path.rpartition("/")
    matched = re.sub(r"[\[*?]", r"[\g<0>]", folder.replace("\\", r"\\"))
    return re.sub(r"""[\\"'$]""", r"\\\g<0>", matched) + slash + name


def _quoted(text: str) -> str:
    """A value of LABEL on one line, in which nothing is a variable."""
    return '"' + re.sub(r'(["\\$])', r"\\\1", " ".join(text.split())) + '"'


# -------------------------------------------------------------------------------------------------------- compose


def compose(deployment: Deployment, folder: str) -> str:
    """The service, Prometheus and Grafana on one machine, reached from this machine alone."""
    name, port = image.dns_name(deployment.name), deployment.settings.port
    logging = [*map(_literal, image.logging(deployment))]
    size = image.size_of(deployment)
    built = {"context": up(folder), "dockerfile": _literal(f"{folder}/Dockerfile")}
    service = {
        "image": deployment.tag,
        "build": {**built, "target": "serve"},
        "command": [*image.serving(port), *logging],
        "ports": [f"127.0.0.1:{port}:{port}"],
        "volumes": [f"log:{image.LOGS}"],
        "tmpfs": ["/tmp"],
        "mem_limit": f"{size.memory}m",
        "init": True,
        "stop_grace_period": f"{image.GRACE_SECONDS + 5}s",
        **HARDENED,
    }
    monitor = {
        "image": deployment.training_tag,
        "build": {**built, "target": "train"},
        "profiles": ["monitoring"],
        "command": ["monitor", f"{deployment.name}@{deployment.version}", *MONITORED],
        "volumes": [f"log:{image.LOGS}"],
        "tmpfs": ["/tmp"],
        "depends_on": {SERVICE: {"condition": "service_healthy"}},
        **HARDENED,
    }
    prometheus = {
        "image": PROMETHEUS,
        "ports": ["127.0.0.1:9090:9090"],
        "volumes": [
            "./prometheus.yaml:/etc/prometheus/prometheus.yml:ro",
            "./alerts.yaml:/etc/prometheus/alerts.yaml:ro",
            "prometheus:/prometheus",
        ],
        "depends_on": {SERVICE: {"condition": "service_healthy"}},
        **HARDENED,
    }
    grafana = {
        "image": GRAFANA,
        "ports": ["127.0.0.1:3000:3000"],
        "environment": {
            "GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_PASSWORD:?set it in the environment, or in .env beside this file}",
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        },
        "volumes": [
            "./grafana/datasources:/etc/grafana/provisioning/datasources:ro",
            "./grafana/dashboards:/etc/grafana/provisioning/dashboards:ro",
            "grafana:/var/lib/grafana",
        ],
        "tmpfs": ["/tmp"],
        "depends_on": ["prometheus"],
        **HARDENED,
    }
    services = {SERVICE: service, "prometheus": prometheus, "grafana": grafana}
    if image.trains(deployment):
        services["monitor"] = monitor
    about = (
        f"  GRAFANA_PASSWORD=... docker compose --file {quote(f'{folder}/compose.yaml')} up --build --wait\n"
        f"The service is on port {port}, Prometheus on 9090, Grafana on 3000, for this machine alone. What is answered "
        "is logged for 30 days in the volume `log`: take --log out of `command` where that may not be."
    )
    volumes: dict[str, Any] = {"log": {}, "prometheus": {}, "grafana": {}}
    return comment(about) + dumped({"name": name, "services": services, "volumes": volumes})


def _literal(text: str) -> str:
    """A value of compose in which nothing is a variable."""
    return text.replace("$", "$$")


def _prometheus(deployment: Deployment) -> dict[str, Any]:
    name = image.dns_name(deployment.name)
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["/etc/prometheus/alerts.yaml"],
        "scrape_configs": [
            {
                "job_name": name,
                "metrics_path": image.METRICS,
                "static_configs": [{"targets": [f"{SERVICE}:{deployment.settings.port}"]}],
            }
        ],
    }


DATASOURCES = {
    "apiVersion": 1,
    "datasources": [
        {
            "name": "Prometheus",
            "type": "prometheus",
            "uid": "prometheus",
            "access": "proxy",
            "url": "http://prometheus:9090",
            "isDefault": True,
        }
    ],
}
DASHBOARDS = {
    "apiVersion": 1,
    "providers": [
        {
            "name": "nbprod",
            "type": "file",
            "allowUiUpdates": False,
            "options": {"path": "/etc/grafana/provisioning/dashboards"},
        }
    ],
}


# ----------------------------------------------------------------------------------------------------- what is said


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    return tuple(_told(deployment))


def _told(deployment: Deployment) -> Iterator[str]:
    yield from image.pin_note(deployment)
    yield "nothing was built: that takes a Docker daemon with BuildKit, which Docker has since 23"
    if not deployment.pins:
        yield "requirements.lock pins what the notebook imports; what these need themselves is chosen at build time"
    if image.trains(deployment):
        yield "the stage train holds the whole project: data that must not be in it goes into Dockerfile.dockerignore"
    else:
        yield f"there is no stage train: nbprod needs Python 3.11, and the notebook was fitted with {deployment.python}"
    logged = "" if not deployment.personal else f", without {', '.join(deployment.personal)}"
    yield f"compose.yaml keeps a log of the rows that were answered{logged}: see the head of that file"


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    port = deployment.settings.port
    return (
        f"docker build --file {quote(f'{folder}/Dockerfile')} --tag {deployment.tag} .",
        f"docker run --rm --read-only --publish 127.0.0.1:{port}:{port} {deployment.tag}",
    )


EXPORTER = Exporter(
    "docker", "Docker: an image, and compose with Prometheus and Grafana", _files, _notes, _next, builds=True
)
