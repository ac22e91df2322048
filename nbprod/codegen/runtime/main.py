"""The pipeline on the command line: score a file, serve over HTTP, show what it is."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

NAME = __package__ or "pipeline"
EXAMPLES = f"""examples:
  python -m {NAME} info
  python -m {NAME} score rows.csv scored.csv
  python -m {NAME} serve --port 8000
  curl -H 'content-type: application/json' -d '{{"records": [...]}}' http://127.0.0.1:8000/predict
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, or 2 with one line on stderr when it cannot be done."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = _warner()
    try:
        pipeline = getattr(importlib.import_module(NAME), options.load)(_meant(options.version))
        done: int = options.run(pipeline, options)
        return done
    except KeyboardInterrupt:
        return 130
    except (ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        print(f"error: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 2


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
    parser.add_argument("--version", help="number, name or alias (default: the champion, else the newest fitted)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score = commands.add_parser("score", help="add a column of predictions to a csv or parquet file")
    score.add_argument("input", help="raw rows: .csv, .csv.gz, .tsv or .parquet")
    score.add_argument("output", help="the same rows with the column `prediction`")
    score.add_argument("--rows", type=int, default=10_000, help="rows of csv to hold in memory (default: 10000)")
    score.set_defaults(run=_score, load="load")
    serve = commands.add_parser("serve", help="answer POST /predict over HTTP")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on, 0 for a free one (default: 8000)")
    serve.add_argument("--server", choices=("auto", "uvicorn", "stdlib"), default="auto", help="default: auto")
    serve.set_defaults(run=_serve, load="service")
    info = commands.add_parser("info", help="show version, contract and features")
    info.add_argument("--json", action="store_true", help="as JSON")
    info.set_defaults(run=_info, load="load")
    return parser


def _score(pipeline: Any, options: argparse.Namespace) -> int:
    done = _module(pipeline, "score").score_file(pipeline, options.input, options.output, rows=options.rows)
    outside = ", ".join(f"{field} {count:,}" for field, count in done["flags"].items())
    print(f"{done['rows']:,} rows scored to {options.output}", file=sys.stderr)
    if outside:
        print(f"values outside of what training saw: {outside}", file=sys.stderr)
    if done.get("unanswered"):
        print(f"{done['unanswered']:,} rows without an answer: their features need rows before them", file=sys.stderr)
    return 0


def _serve(pipeline: Any, options: argparse.Namespace) -> int:
    package = importlib.import_module(NAME)
    app = importlib.import_module(f"{NAME}.following").Following(package, options.version, pipeline)
    _module(pipeline, "server").run(app, options.host, options.port, options.server)
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
