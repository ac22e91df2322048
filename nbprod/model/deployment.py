"""What a deployment is made of: the version that is deployed, the flow that trains it again, and the files of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

State = Literal["new", "same", "changed", "merged", "edited", "conflict", "removed"]
"""What is to be done with a file: `edited` was changed by hand and is still what it was for the target. Where the
target asks for another text by now, `merged` has both changes, and `conflict` was changed in the same place."""


VERSION = "{version}"
"""An argument of a step that stands for the number of the version that the step `version_of` has made."""


class Step(Struct, frozen=True):
    """One task of a flow: the arguments of `nbprod` that it calls, in the root of the project.

    `after` are the names of the steps before it. A step prints one JSON object to stdout and nothing else there; its
    keys `hands` are handed over to those behind it. Exit code 1 is a finding (refused, a gate stopped it), which is not
    tried again; 2 is the outside world, which is tried again `retries` times, after `pause` and then after ever longer.
    `pause` and `timeout` are in seconds. `makes` says what the step leaves.

    A step that runs the notebook takes its parameters (`-p NAME VALUE`) behind the arguments. `version_of` is the step
    whose version stands in the place of the argument `VERSION`.
    """

    name: str
    what: str
    arguments: tuple[str, ...]
    after: tuple[str, ...] = ()
    retries: int = 2
    pause: int = 60
    timeout: int = 3600
    makes: Literal["stage", "version", "decision"] = "stage"
    hands: tuple[str, ...] = ()
    version_of: str | None = None

    @property
    def takes_parameters(self) -> bool:
        """Whether it runs the notebook."""
        return self.makes != "decision"


class Flow(Struct, frozen=True):
    """Steps that train a pipeline again, in an order in which each stands behind those that it needs.

    `cron` is the schedule in UTC, None where none is declared. `interval` are the notebook's parameters that take the
    start and the end of the time of which the data is: empty where none is declared.
    """

    steps: tuple[Step, ...]
    cron: str | None = None
    interval: tuple[str, ...] = ()


class Load(Struct, frozen=True):
    """What a load test of the version has measured: milliseconds, requests a second, megabytes (10^6 bytes)."""

    p99_ms: float
    rps: float
    memory_mb: float


class Settings(Struct, frozen=True):
    """What the configuration says of a deployment, defaults filled in; `image` has no tag.

    `canary` is the share of the requests, in percent, that a new version gets before it gets all of them.
    """

    image: str
    base_image: str
    namespace: str
    replicas: int
    port: int
    canary: int | None = None


class Deployment(Struct, frozen=True):
    """A fitted version of a package, as exporters need it. Paths are posix and relative to the project's root.

    `packages` is the folder of all packages, `package` that of this one, `folder` that of the version. `python` is the
    minor version that it was fitted with. `requires` are the lines of its lock file, `pins` such lines for what these
    need in turn, as it was installed where the version was fitted: empty where that is not known. `personal` are raw
    columns that are declared to be personal data. `elsewhere` are the folders of targets that lie in another place than
    deploy/NAME/TARGET. `serves` is `rows`, or `batch` where features are made of the rows around a row. `digest` and
    `state` identify code and learned state. `required_*` are declared; `load` is measured, None where it was not.
    """

    name: str
    version: int
    digest: str
    state: str
    notebook: str
    packages: str
    package: str
    folder: str
    python: str
    requires: tuple[str, ...]
    serves: Literal["rows", "batch"]
    flow: Flow
    settings: Settings
    owner: str | None = None
    problem: str | None = None
    required_ms: float | None = None
    required_rps: float | None = None
    required_mb: float | None = None
    required_availability: float | None = None
    load: Load | None = None
    runbook: str | None = None
    pins: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = {}

    @property
    def version_folder(self) -> str:
        """The name of the version's folder, such as `v0003`."""
        return self.folder.rpartition("/")[2]

    @property
    def copy(self) -> str:
        """The folder of the volume in which a copy of the project trains again: each version and state has its own."""
        return f"{self.version_folder}-{self.state[:12]}"

    @property
    def tag(self) -> str:
        """The image with its tag: a version has one content, so its number will do."""
        return f"{self.settings.image}:v{self.version}"

    @property
    def training_tag(self) -> str:
        """The image that trains and monitors, with its tag."""
        return f"{self.tag}-train"


class File(Struct, frozen=True):
    """A file of a deployment: its posix path relative to the project's root, and its text."""

    path: str
    text: str


class Written(Struct, frozen=True):
    """What became of a file, or would; `diff` goes from the file as it stands to the text of the target.

    `kept_as` is the file that a person's text was moved to, `text` what a `merged` file holds.
    """

    path: str
    state: State
    diff: str | None = None
    kept_as: str | None = None
    text: str | None = None
