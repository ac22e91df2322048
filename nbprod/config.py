"""The project's configuration: `[tool.nbprod]` of pyproject.toml, or nbprod.toml, read into frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Struct, field

from nbprod.errors import NbprodError, Where
from nbprod.model.cadence import cron_of

T = TypeVar("T")

MOST_TOLERATED = 1e-6
"""The share of a feature's largest value by which it may part without a reason."""


class Requirements(Struct, frozen=True):
    """What the service must hold: latency in milliseconds, volume in requests a second, availability in 0…1.

    `cold_start_s` is how long it may take until it answers, `max_stall_ms` how long an answer may take while one
    version is replaced by another.
    """

    latency_ms: float | None = None
    volume_rps: float | None = None
    availability: float | None = None
    memory_mb: float | None = None
    cold_start_s: float | None = None
    max_stall_ms: float | None = None


class Success(Struct, frozen=True):
    """What the model is for: the decision it serves, the metric that decides, what it must reach and must beat.

    `costs` are those of one error of each kind, such as `false_alarm` and `missed`. `max_slice_drop` is how much worse
    than of all rows the metric may be of a slice, in its own unit.
    """

    decision: str | None = None
    metric: str | None = None
    target: float | None = None
    baseline: float | None = None
    higher_is_better: bool = True
    costs: dict[str, float] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    max_slice_drop: float | None = None


class GateConfig(Struct, frozen=True):
    """What a promotion may cost: the loss of the metric that decides, against the champion on the same rows."""

    min_delta: float | None = None


class Retraining(Struct, frozen=True):
    """How often, and on what event, the model is trained again; after how many days its answers are too old.

    `interval` names two of the notebook's parameters: orchestrators give them the start and the end of the time of
    which the data is, as ISO 8601. Without `promotes` they leave a new version to a person, also where every gate would
    let it pass.
    """

    cadence: str | None = None
    trigger: str | None = None
    stale_days: float | None = None
    interval: tuple[str, ...] = ()
    promotes: bool = True


class Monitoring(Struct, frozen=True):
    """What has to change before monitoring alerts: each on top of what chance does to as many rows.

    Shares of rows (0…1), but for `divergence`, which is in bits, and `loss`, a share of the model's metric. `runbook`
    is the file that says what to do on an alert.
    """

    drift: float = 0.05
    divergence: float = 0.02
    missing: float = 0.02
    unseen: float = 0.01
    out_of_range: float = 0.02
    loss: float = 0.05
    runbook: str | None = None
    metrics: tuple[str, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)


class LowConfidence(Struct, frozen=True):
    """What is answered when the model's score lies in `band`."""

    band: tuple[float, ...] = ()
    action: Literal["answer", "flag", "abstain"] = "answer"
    max_share: float | None = None


class Owners(Struct, frozen=True):
    """Who answers for the service and for the data; `owner` of the pipeline answers for the model."""

    service: str | None = None
    data: str | None = None


class Labels(Struct, frozen=True):
    """Where true answers come from, after how many days, and the column that joins them to answers.

    `min_joined` is the least share of the true answers that must find theirs, in 0…1.
    """

    source: str | None = None
    delay_days: float | None = None
    key: str | None = None
    min_joined: float | None = None


class Decision(Struct, frozen=True):
    """How an answer is made of a score: the threshold, and whether scores are read as probabilities."""

    threshold: float | None = None
    uses_probability: bool | None = None


class Data(Struct, frozen=True):
    """Raw columns that no feature may be made of, those that are known to hold personal data, and a row's time.

    `versions` names the version of each file of data, by its path: another one when its content is another.
    """

    forbidden: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    time: str | None = None
    versions: dict[str, str] = field(default_factory=dict)


class Split(Struct, frozen=True):
    """How the rows that test the model are told from those that train it; by which raw column, where by time."""

    kind: Literal["random", "time", "group"] | None = None
    column: str | None = None


class ColumnConfig(Struct, frozen=True):
    """What is declared of a raw column in the place of what training saw: a range of numbers, or the values it has.

    `on_missing` and `on_unseen` (of values outside of the range, and of others than those) say what serving does
    there, whatever `row_policy` is.
    """

    min: float | None = None
    max: float | None = None
    categories: tuple[str | float, ...] | None = None
    on_missing: Literal["flag", "reject"] | None = None
    on_unseen: Literal["flag", "reject"] | None = None


class Deploy(Struct, frozen=True):
    """What `nbprod deploy` writes down: the image without its tag, the image that it is built on, where it runs.

    `base_image` is best given with its digest (`python:3.11-slim-bookworm@sha256:...`). `canary` is the share of the
    requests in percent that KServe gives a new version.
    """

    image: str | None = None
    base_image: str | None = None
    namespace: str | None = None
    replicas: int = 2
    port: int = 8000
    canary: int | None = None


class PipelineConfig(Struct, frozen=True):
    """One `[tool.nbprod.pipelines.NAME]` table.

    `slices` are raw columns for whose values the metric is told apart; `protected` are those that look as if law
    protected them, and that were considered. `not_applicable` gives the
    reason why an item of the checklist does not apply.

    `allow_names` are names that the kernel gives a notebook, and `allow_random` the reason why it leaves something
    without a seed. `context_features` need other rows, and `runtime_deps` are the distributions that serving needs.
    `metric_tolerance` is the share of a metric by which training again may part, and `tolerance` by how much the
    values of a feature may part in the proof, as a share of its largest one: more than 1e-6 needs a reason.
    `acknowledged` is the day (ISO 8601) on which it was seen that the notebook has moved away from its package.
    """

    notebook: str | None = None
    target: str | None = None
    model: str | None = None
    row_policy: Literal["flag", "reject", "default"] = "flag"
    row_default: float | str | None = None
    golden_rows: bool = True
    owner: str | None = None
    problem: str | None = None
    deploy_target: str | None = None
    deploy: Deploy = Deploy()
    parameters: dict[str, Any] = field(default_factory=dict)
    requirements: Requirements = Requirements()
    success: Success = Success()
    gate: GateConfig = GateConfig()
    retraining: Retraining = Retraining()
    monitoring: Monitoring = Monitoring()
    low_confidence: LowConfidence = LowConfidence()
    serve_mode: Literal["online", "batch", "stream"] | None = None
    max_rollback_seconds: float | None = None
    owners: Owners = Owners()
    labels: Labels = Labels()
    decision: Decision = Decision()
    data: Data = Data()
    split: Split = Split()
    columns: dict[str, ColumnConfig] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    allow_names: tuple[str, ...] = ()
    allow_random: str | None = None
    context_features: tuple[str, ...] = ()
    runtime_deps: tuple[str, ...] = ()
    metric_tolerance: float = 0.0
    tolerance: dict[str, float] = field(default_factory=dict)
    tolerance_reasons: dict[str, str] = field(default_factory=dict)
    acknowledged: str | None = None
    not_applicable: dict[str, str] = field(default_factory=dict)


def declared_columns(settings: PipelineConfig) -> dict[str, dict[str, Any]]:
    """What is declared of raw columns, as the contract has it: by name, and only what there is."""
    named = {name: (each, each.__struct_fields__) for name, each in settings.columns.items()}
    told = {
        name: {key: value for key in keys if (value := getattr(each, key)) is not None}
        for name, (each, keys) in named.items()
    }
    return {
        name: {key: list(value) if isinstance(value, tuple) else value for key, value in each.items()}
        for name, each in told.items()
        if each
    }


class Config(Struct, frozen=True):
    """All of `[tool.nbprod]`. `exclude` holds globs; `cache_mb` is in megabytes (10^6 bytes), 0 for no cache.

    `output` is relative to the project's root; on the command line, to the current directory where no file configures
    the project, or the directory lies outside of it.
    """

    output: str = "pipelines"
    tracking_uri: str | None = None
    exclude: tuple[str, ...] = ()
    cache_mb: int = 4096
    pipelines: dict[str, PipelineConfig] = field(default_factory=dict)

    def name_for(self, notebook: Path, root: Path) -> str | None:
        """The name of the pipeline whose table names `notebook`, if one does."""
        for name, pipeline in self.pipelines.items():
            if pipeline.notebook and (root / pipeline.notebook).resolve() == notebook.resolve():
                return name
        return None


class Project(Struct, frozen=True):
    """A project's root folder, its configuration, and the file that it came from (None: defaults)."""

    root: Path
    config: Config = Config()
    source: Path | None = None


def find_project(start: Path) -> Project:
    """The project around `start`: the nearest parent with nbprod.toml, `[tool.nbprod]` or `.git`, else the folder.

    Raises NbprodError (`bad-config`, `unknown-key`) when a configuration file can't be taken as it is.
    """
    folder = start.resolve()
    folder = folder if folder.is_dir() else folder.parent
    for candidate in (folder, *folder.parents):
        source = _config_file(candidate)
        if source is not None:
            return Project(candidate, read_config(source), source)
        if (candidate / ".git").exists():
            return Project(candidate)
    return Project(folder)


def read_config(path: Path) -> Config:
    """Read a configuration file. Raises NbprodError that names the key and its place."""
    table = _load(path)
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("nbprod", {})
    return config_of(table, path)


def config_of(table: Any, path: Path) -> Config:
    """The configuration that a TOML table holds, which is or will be in the file `path`. Raises as `read_config`."""
    config = _build(Config, table, path, "")
    _check_cadences(config, path)
    _check_days(config, path)
    _check_tolerances(config, path)
    return config


def _check_cadences(config: Config, path: Path) -> None:
    for name, pipeline in config.pipelines.items():
        cadence = pipeline.retraining.cadence
        if cadence is None:
            continue
        try:
            cron_of(cadence)
        except ValueError as error:
            raise NbprodError(
                f'"pipelines.{name}.retraining.cadence" is {cadence!r}: {error}',
                code="bad-config",
                where=_where(path, "cadence", cadence),
                hint='such as "weekly", or "0 3 * * 1" for Mondays at three',
            ) from None


def _check_days(config: Config, path: Path) -> None:
    for name, pipeline in config.pipelines.items():
        day = pipeline.acknowledged
        try:
            if day is not None:
                date.fromisoformat(day)
        except ValueError:
            raise NbprodError(
                f'"pipelines.{name}.acknowledged" is {day!r}, and no day',
                code="bad-config",
                where=_where(path, "acknowledged"),
                hint='such as "2026-05-31"',
            ) from None


def _check_tolerances(config: Config, path: Path) -> None:
    for name, pipeline in config.pipelines.items():
        for feature, share in pipeline.tolerance.items():
            if not 0 <= share < 1 or (share > MOST_TOLERATED and not pipeline.tolerance_reasons.get(feature)):
                raise NbprodError(
                    f'"pipelines.{name}.tolerance.{feature}" is {share:g}: more than {MOST_TOLERATED:g} needs a reason',
                    code="bad-config",
                    where=_where(path, feature),
                    hint=f'say why: tolerance_reasons = {{ {feature} = "computed in 32 bits" }}',
                )


def _config_file(folder: Path) -> Path | None:
    own, shared = folder / "nbprod.toml", folder / "pyproject.toml"
    in_shared = shared.is_file() and b"nbprod" in shared.read_bytes() and "nbprod" in _load(shared).get("tool", {})
    if own.is_file() and in_shared:
        raise NbprodError(
            "both nbprod.toml and [tool.nbprod] of pyproject.toml configure this project",
            code="bad-config",
            where=Where(str(own)),
            hint="keep one of the two",
        )
    return own if own.is_file() else shared if in_shared else None


def _load(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise NbprodError(f"not valid TOML: {error}", code="bad-config", where=Where(str(path))) from None
    except UnicodeDecodeError as error:
        raise NbprodError(f"not UTF-8: {error.reason}", code="bad-config", where=Where(str(path))) from None


def _build(kind: type[T], table: Any, path: Path, prefix: str) -> T:
    """A value of the struct `kind` from a TOML table; keys may be written with `-` or `_`."""
    if not isinstance(table, Mapping):
        raise _ill_typed(prefix, "a table", table, path)
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in hints:
            raise _unknown_key(key, prefix, tuple(hints), path)
        values[name] = _convert(hints[name], value, path, f"{prefix}.{key}".lstrip("."))
    return kind(**values)


def _convert(hint: Any, value: Any, path: Path, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, UnionType):
        options = tuple(option for option in arguments if option is not type(None))
        if len(options) == 1:
            return _convert(options[0], value, path, place)
        return _one_of_types(options, value, path, place)
    if origin is Literal:
        if value in arguments:
            return value
        raise _not_a_choice(place, arguments, value, path)
    if origin is tuple:
        if not isinstance(value, list):
            raise _ill_typed(place, "a list", value, path)
        return tuple(_convert(arguments[0], item, path, f"{place}[{n}]") for n, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _ill_typed(place, "a table", value, path)
        return {key: _convert(arguments[1], item, path, f"{place}.{key}") for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _build(hint, value, path, place)
    return _one_of_types((hint,), value, path, place)


def _one_of_types(options: tuple[type, ...], value: Any, path: Path, place: str) -> Any:
    for option in options:
        if option is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, option) and not (option is not bool and isinstance(value, bool)):
            return value
    raise _ill_typed(place, " or ".join(_TYPE_NAMES[option] for option in options), value, path)


_TYPE_NAMES: dict[type, str] = {str: "a string", float: "a number", int: "a whole number", bool: "true or false"}


def _ill_typed(place: str, wanted: str, value: Any, path: Path) -> NbprodError:
    return NbprodError(
        f'"{place}" must be {wanted}, not {value!r}', code="bad-config", where=_where(path, place.rpartition(".")[2])
    )


def _not_a_choice(place: str, choices: tuple[str, ...], value: Any, path: Path) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(str(value), choices, n=1)
    return NbprodError(
        f'"{place}" must be one of {", ".join(choices)}, not {value!r}',
        code="bad-config",
        where=_where(path, place.rpartition(".")[2]),
        hint=f'did you mean "{near[0]}"?' if near else None,
    )


def _unknown_key(key: str, prefix: str, known: tuple[str, ...], path: Path) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(key.replace("-", "_"), known, n=1)
    return NbprodError(
        f'unknown key "{prefix}.{key}"' if prefix else f'unknown key "{key}"',
        code="unknown-key",
        where=_where(path, key),
        hint=f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(known)}",
    )


def _where(path: Path, key: str, value: str = "") -> Where:
    """The first line of the file that writes `key`, as a key or in a table's header, and `value` behind it."""
    key = key.partition("[")[0]
    if not path.is_file():
        return Where(str(path))
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        bare = line.split("=")[0].strip().strip("[]")
        if value in line and key in (part.strip().strip("\"'") for part in bare.split(".")):
            return Where(str(path), line=number)
    return Where(str(path))
