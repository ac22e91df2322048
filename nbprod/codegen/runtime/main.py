"""The pipeline on the command line: score a file, serve over HTTP, show what it is."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import socket
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

NAME = __package__ or "pipeline"
SERVING = f"{NAME}.serving"
EXAMPLES = f"""examples:
  python -m {NAME} info
  python -m {NAME} score rows.csv scored.csv
  python -m {NAME} score rows.parquet scored.parquet --jobs 4 --bad-rows bad.parquet
  python -m {NAME} score parts/ scored/ --jobs 4 --bad-rows bad/
  python -m {NAME} serve --port 8000
  curl -H 'content-type: application/json' -d '{{"records": [...]}}' http://127.0.0.1:8000/predict
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, or 2 with one line on stderr when it cannot be done."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    warnings.showwarning = _warner()
    try:
        if options.workers > 1 and options.worker is None:
            return _supervise(words, options)
        pipeline = None if options.load is None else _pipeline(options)
        done: int = options.run(pipeline, options)
        return done
    except KeyboardInterrupt:
        return 130
    except (ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        print(f"error: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        hint = getattr(error, "hint", "")
        if hint:
            print(f"hint: {hint}", file=sys.stderr)
        return 2


def _supervise(words: Sequence[str], options: argparse.Namespace) -> int:
    supervising = importlib.import_module(f"{SERVING}.supervising")
    done: int = supervising.supervise(words, options.host, options.port, options.server, options.workers)
    return done


def _pipeline(options: argparse.Namespace) -> Any:
    """What is worked with; in a process that takes another's place, else the version that its siblings answer with."""
    load = getattr(importlib.import_module(NAME), options.load)
    worker = importlib.import_module(f"{SERVING}.supervising").Worker.of(options.worker) if options.worker else None
    if worker is None or not worker.again:
        return load(_meant(options.version))
    served = importlib.import_module(f"{SERVING}.sharing").Shared(Path(worker.folder), worker.number).main()
    try:
        if served is not None and not Path(__file__).with_name("versions.json").exists():
            return load(int(served.lstrip("v")))
        return load(_meant(options.version))
    except (ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        if served is None:
            raise
        print(f"warning: {error}; {served} is served as by the other workers", file=sys.stderr)
        return load(int(served.lstrip("v")))


def _meant(reference: str | None) -> str | None:
    """What is worked with where no version is named: the champion where there is one, else the newest fitted."""
    entries = importlib.import_module(NAME).versions()
    is_there = any("champion" in entry.get("aliases", ()) and entry["fitted"] for entry in entries)
    return "champion" if reference is None and is_there else reference


def _warner() -> Callable[..., None]:
    """What shows a warning: in one line, and once however many requests call it forth."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        line = " ".join(str(message).split())
        if line not in shown:
            shown.add(line)
            print(f"warning: {line}", file=sys.stderr)

    return show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {NAME}",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(workers=1, worker=None)
    parser.add_argument("--version", help="number, name or alias (default: the champion, else the newest fitted)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score = commands.add_parser("score", help="add a column of predictions to a csv or parquet file")
    score.add_argument(
        "input", help="raw rows: .csv, .tsv, .txt (also with .gz, .bz2, .xz), .parquet, or a folder of such"
    )
    score.add_argument(
        "output", help="the same rows with the column `prediction`; run again, it goes on where it stopped"
    )
    score.add_argument("--rows", type=_number, default=20_000, help="rows in a piece, all in memory (default: 20000)")
    score.add_argument("--jobs", type=_number, help="processes (default: the cores, where the file is large enough)")
    score.add_argument("--bad-rows", metavar="FILE", help="put rows that cannot be answered there, with the reasons")
    score.add_argument("--partitions", type=_number, metavar="N", help="cut the file into so many parts of a folder")
    score.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    score.set_defaults(run=_score, load="load")
    serve = commands.add_parser("serve", help="answer POST /predict over HTTP")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on, 0 for a free one (default: 8000)")
    serve.add_argument("--server", choices=("auto", "uvicorn", "stdlib"), default="auto", help="default: auto")
    serve.add_argument("--workers", type=_number, default=1, help="processes that answer (default: 1)")
    serve.add_argument("--worker", help=argparse.SUPPRESS)
    _add_options_of_serving(serve)
    serve.set_defaults(run=_serve, load="service")
    fit = commands.add_parser("fit", help="fit this version on parts of rows, of which one at a time is in memory")
    fit.add_argument("input", help="a folder of parts, .parquet or .csv, with the target")
    fit.add_argument("output", help="a folder, in which the package with its new state appears")
    fit.add_argument("--sample", type=_number, metavar="N", help="fit on about so many rows of all parts, in memory")
    fit.set_defaults(run=_fit, load=None)
    info = commands.add_parser("info", help="show version, contract and features")
    info.add_argument("--json", action="store_true", help="as JSON")
    info.set_defaults(run=_info, load="load")
    return parser


def _add_options_of_serving(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--limit-mb", type=_positive, default=10.0, help="largest body in MiB (default: 10)")
    serve.add_argument("--requests", type=int, default=64, help="requests under way before 503 (default: 64)")
    serve.add_argument("--seconds", type=_positive, default=60.0, help="time for a body, and its answer (default: 60)")
    serve.add_argument("--token-file", metavar="FILE", help="tokens of which a request needs one, one a line")
    serve.add_argument("--canary", type=_share_of, metavar="VERSION=SHARE", help="such as challenger=5%%")
    serve.add_argument("--shadow", metavar="VERSION", help="a version that is asked too, whose answers are compared")
    serve.add_argument(
        "--trace", metavar="EXPORTER", help="a span of OpenTelemetry for each request: otlp, console, ..."
    )
    serve.add_argument("--log", metavar="FILE", help="sqlite file for rows and their predictions (default: none)")
    serve.add_argument("--log-share", type=_share, default=1.0, help="share of the requests, such as 0.1 or 10%%")
    serve.add_argument("--log-days", type=_positive, default=30.0, help="how long rows are kept (default: 30)")
    serve.add_argument("--log-rows", type=int, default=1_000_000, help="how many rows are kept (default: 1000000)")
    serve.add_argument(
        "--log-without", action="append", default=[], metavar="COLUMN", help="not to be logged; repeat it"
    )


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number") from None


def _positive(text: str) -> float:
    number = _decimal(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def _share(text: str) -> float:
    """A share as 0.05 or 5%."""
    share = _decimal(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share of a whole")
    return share


def _share_of(text: str) -> tuple[str, float]:
    version, is_told, share = text.partition("=")
    if not is_told or not version:
        raise argparse.ArgumentTypeError(f"{text} is not VERSION=SHARE, such as challenger=5%")
    return version, _share(share)


def _score(pipeline: Any, options: argparse.Namespace) -> int:
    told = {"rows": options.rows, "jobs": options.jobs, "bad_rows": options.bad_rows, "quiet": options.quiet}
    if options.partitions or Path(options.input).is_dir():
        told["partitions"] = options.partitions
        done = _module(pipeline, "folders").score_folder(pipeline, options.input, options.output, **told)
    else:
        done = _module(pipeline, "score").score_file(pipeline, options.input, options.output, **told)
    if options.quiet:
        return 0
    for name, reason in done.get("malformed", {}).items():
        print(f"{name} cannot be scored and is put aside: {reason}", file=sys.stderr)
    outside = ", ".join(f"{field} {count:,}" for field, count in done["flags"].items())
    print(f"{done['rows']:,} rows scored to {options.output}", file=sys.stderr)
    if done.get("bad"):
        print(f"{done['bad']:,} rows cannot be answered: they are in {options.bad_rows}, with reasons", file=sys.stderr)
    if outside:
        print(f"values outside of what training saw: {outside}", file=sys.stderr)
    if done.get("unsure"):
        print(f"{done['unsure']:,} rows of which the model is not sure", file=sys.stderr)
    if done.get("unanswered"):
        print(f"{done['unanswered']:,} rows without an answer: their features need rows before them", file=sys.stderr)
    return 0


def _number(text: str) -> int:
    """A whole number above zero."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above zero")
    return number


def _fit(_pipeline: Any, options: argparse.Namespace) -> int:
    package = importlib.import_module(NAME)
    number = package.numbered(options.version)
    module, folders = (package.support(number, name) for name in ("reducing", "folders"))
    each = module.on_this_machine(folders.parts_of(Path(options.input)))
    done = module.fit_package(each, options.output, sample=options.sample)
    print(f"fitted on {done['trained']:,} of {done['rows']:,} rows: {done['target']}", file=sys.stderr)
    return 0


def _serve(pipeline: Any, options: argparse.Namespace) -> int:
    package = importlib.import_module(NAME)
    names = ("gateway", "recording", "server", "sharing", "supervising")
    gateway, recording, server, sharing, supervising = (importlib.import_module(f"{SERVING}.{name}") for name in names)
    worker = supervising.Worker.of(options.worker)
    others = {"canary": options.canary, "shadow": options.shadow}
    following = importlib.import_module(f"{SERVING}.following").Following(package, options.version, pipeline, **others)
    unknown = [name for name in options.log_without if pipeline.contract.column(name) is None]
    if unknown and (worker is None or (worker.number == 1 and not worker.again)):
        # Records may have further fields, which are logged as well.
        print(f"left out of the log, though no column of this pipeline: {', '.join(unknown)}", file=sys.stderr)
    kept = {"share": options.log_share, "days": options.log_days, "rows": options.log_rows}
    kept["again"] = worker is not None and worker.again
    app = gateway.Gateway(
        following,
        limits=gateway.Limits(int(options.limit_mb * 2**20), options.requests, options.seconds),
        tokens=gateway.Tokens(Path(options.token_file)) if options.token_file else None,
        recorder=recording.Recorder(Path(options.log), without=options.log_without, **kept) if options.log else None,
        **({} if worker is None else {"shared": sharing.Shared(Path(worker.folder), worker.number)}),
        **({} if worker is None else {"on_ready": worker.is_ready}),
    )
    tracing = importlib.import_module(f"{SERVING}.tracing")
    exporter = tracing.exporter_of(options.trace, os.environ)
    if exporter is not None:
        app = tracing.Traced(app, following, tracing.provider_of(exporter, pipeline.contract.name))
    if worker is None:
        server.run(app, options.host, options.port, options.server)
    else:
        worker.begin()
        server.serve(app, socket.socket(fileno=worker.listening), options.server)
    return 0


def _info(pipeline: Any, options: argparse.Namespace) -> int:
    contract = pipeline.contract
    if options.json:
        shown = {"version": pipeline.version, "model": type(pipeline.model).__name__, **contract.to_json()}
        print(json.dumps(shown, indent=2, default=str))
        return 0
    print(f"{contract.name} {pipeline.version}  digest {contract.digest or '-'}")
    print(f"{type(pipeline.model).__name__}: {contract.task} of {contract.target}, fitted on {contract.rows:,} rows")
    print(f"\n{'column':<24} {'dtype':<16} {'required':<9} {'missing':>8}  seen in training")
    for column in contract.columns:
        seen = f"{column.min} to {column.max}" if column.min is not None else ""
        if column.categories is not None:
            seen = ", ".join(map(str, column.categories[:8])) + (", ..." if len(column.categories) > 8 else "")
        needed = "target" if column.name == contract.target else "yes" if column.required else "no"
        print(f"{column.name:<24} {column.dtype:<16} {needed:<9} {column.missing:>8.1%}  {seen}")
    print(f"\n{len(contract.features)} features: {', '.join(name for name, _ in contract.features)}")
    return 0


def _module(pipeline: Any, name: str) -> Any:
    """A module of the version that the pipeline belongs to."""
    return importlib.import_module(f"{type(pipeline).__module__.rpartition('.')[0]}.{name}")


if __name__ == "__main__":
    sys.exit(main())
