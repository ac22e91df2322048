"""The notebook against an exported version: what still agrees, what differs, by feature and by cell and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.divergence.statements import TRAIN_ONLY, Change, Piece, changes, of_steps, pieces, without_moves
from nbprod.model.finding import Comparison, Divergence, Verdict

Manifest = Mapping[str, Any]

# Statuses that leave open what a step does to a row: whether it differs is for a replay to say.
OPEN = frozenset({"assumed", "refused"})
NOWHERE = -1


def compare(new: Manifest, old: Manifest, *, hand_edits: Sequence[str] = (), package: str | None = None) -> Comparison:
    """The manifest of the notebook as it is (`new`) against that of an exported version (`old`).

    `hand_edits` are files of the version that are no longer as exported. Places are those of the present notebook;
    what was removed is placed at the statement that stands there now. An edited package file has no place in the
    notebook: cell -1, line 0.

    Verdicts: `same` (the same statements), `cosmetic` (other text, equal digests), `training-only` (serving code
    is the same), `diverges`, and `unknown` where all that differs rests on steps that are assumed or refused.
    """
    pair = _Pair(new, old)
    found = [*_edited(hand_edits), *_serving(pair)]
    if found:
        certain = any(each.kind != "unknown" for each in found)
        verdict = Verdict.DIVERGES if certain else Verdict.UNKNOWN
    elif found := _training(pair):
        certain = any(each.kind != "unknown" for each in found)
        verdict = Verdict.TRAINING_ONLY if certain else Verdict.UNKNOWN
    elif found := [] if pair.same_text else _open_steps(pair):
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.SAME if pair.same_text else Verdict.COSMETIC
    return Comparison(
        notebook=str(new.get("notebook", "")),
        package=package if package is not None else _text(old.get("name")),
        verdict=verdict,
        divergences=tuple(found),
    )


def diff_versions(old: Manifest, new: Manifest) -> list[Divergence]:
    """All that differs from one version to the next, for people: features, inputs, model, training, wording.

    Places are those of the new version's notebook. Kinds beyond those of `compare`: `input-added`,
    `input-removed`, `cosmetic`.
    """
    pair = _Pair(new, old)
    found = [*_inputs(pair), *_serving(pair), *_training(pair)]
    told = {(each.cell, each.line) for each in found}
    for change in without_moves(pair.changes):
        place = change.new[0] if change.new else change.following
        if place is None or (place.cell, place.line) not in told:
            found.append(_divergence("", "cosmetic", (change,), pair.fallback))
    return found


class _Pair(Struct, frozen=True, dict=True):
    """Both manifests, and what differs between their statements."""

    new: Manifest
    old: Manifest

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        return changes(_pieces(self.old, _any), _pieces(self.new, _any))

    @cached_property
    def serving_changes(self) -> tuple[Change, ...]:
        return changes(_pieces(self.old, _serves), _pieces(self.new, _serves))

    @cached_property
    def training_changes(self) -> tuple[Change, ...]:
        found = changes(_pieces(self.old, _trains), _pieces(self.new, _trains))
        told = {(piece.cell, piece.line) for change in found for piece in change.new}
        models = changes(_model_pieces(self.old), _model_pieces(self.new))
        return found + tuple(
            change for change in models if not any((piece.cell, piece.line) in told for piece in change.new)
        )

    @cached_property
    def raw_changes(self) -> tuple[Change, ...]:
        return changes(_raw_pieces(self.old), _raw_pieces(self.new))

    @property
    def same_text(self) -> bool:
        texts = [
            ([step.get("source") for step in _steps(each)], _model(each).get("source"), _raw(each).get("call"))
            for each in (self.new, self.old)
        ]
        return texts[0] == texts[1]

    @property
    def same_maker(self) -> bool:
        """Whether both digests were taken by the same nbprod: another may normalise in another way."""
        return all(self.new.get(key) == self.old.get(key) for key in ("nbprod", "schema"))

    @property
    def fallback(self) -> Piece:
        """Where to point when no statement can be named: the model's training call."""
        model = _model(self.new)
        text = str(model.get("source") or model.get("text") or "")
        place = (int(model.get("cell", NOWHERE)), str(model.get("cell_id", "")), int(model.get("line", 0)))
        return Piece(NOWHERE, *place, text, text, text)


def _serving(pair: _Pair) -> list[Divergence]:
    """What serving does in another way: features, target, kind of model, order of columns."""
    found = [*_features(pair), *_target(pair), *_answer(pair), *_model_kind(pair)]
    if found or pair.new.get("digest") == pair.old.get("digest"):
        return found
    names = [[feature["name"] for feature in each.get("features", ())] for each in (pair.old, pair.new)]
    if names[0] != names[1]:
        place = _divergence("", "order", without_moves(pair.serving_changes), pair.fallback)
        before, after = (", ".join(each) for each in names)
        return [Divergence("(order)", "order", place.cell, place.cell_id, place.line, before, after)]
    there = pair.serving_changes or pair.raw_changes or pair.changes
    if not there and not pair.same_maker:
        return [_divergence("(all)", "unknown", (), pair.fallback)]
    kind = _kind("changed", _touched(pair, there))
    return [_divergence("(all)", kind, without_moves(there), pair.fallback)]


def _features(pair: _Pair) -> list[Divergence]:
    old, new = ({each["name"]: each for each in side.get("features", ())} for side in (pair.old, pair.new))
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        if name in old and name in new and old[name]["digest"] == new[name]["digest"]:
            continue
        kind = "changed" if name in old and name in new else "added" if name in new else "removed"
        steps = [frozenset(side.get(name, {}).get("steps", ())) for side in (old, new)]
        own = without_moves(of_steps(pair.serving_changes, steps[0], steps[1]))
        there = own or pair.raw_changes or without_moves(pair.serving_changes)
        if not there and kind == "changed" and not pair.same_maker:
            kind = "unknown"
        everything = _statuses(pair.old, steps[0]) | _statuses(pair.new, steps[1])
        statuses = _touched(pair, own) if own else everything
        found.append(_placed(pair, name, _kind(kind, statuses), there, steps[1]))
    return found


def _placed(pair: _Pair, name: str, kind: str, there: Iterable[Change], steps: frozenset[int]) -> Divergence:
    """A divergence of a feature; where no statement changed, at the last statement that makes the feature."""
    own = [piece for piece in _pieces(pair.new, _any) if piece.step in steps]
    return _divergence(name, kind, tuple(there), own[-1] if own else pair.fallback)


def _answer(pair: _Pair) -> list[Divergence]:
    """Predictions that are turned back in another way, or no longer."""
    before, after = (_text(each.get("answer")) or "" for each in (pair.old, pair.new))
    if before == after:
        return []
    place = _divergence("", "answer", without_moves(pair.changes), pair.fallback)
    return [Divergence("(prediction)", "answer", place.cell, place.cell_id, place.line, before, after)]


def _target(pair: _Pair) -> list[Divergence]:
    before, after = pair.old.get("target"), pair.new.get("target")
    if before == after:
        return []
    naming = [change for change in pair.changes if any(str(after) in piece.text for piece in change.new)]
    place = _divergence("", "target", naming or without_moves(pair.changes), pair.fallback)
    return [
        Divergence(
            str(after or before),
            "target",
            place.cell,
            place.cell_id,
            place.line,
            _text(before) or "",
            _text(after) or "",
        )
    ]


def _model_kind(pair: _Pair) -> list[Divergence]:
    old, new = _model(pair.old), _model(pair.new)
    if old.get("estimator") == new.get("estimator"):
        return []
    word = str(new.get("estimator", "")).rsplit(".", 1)[-1]
    candidates = (*pair.training_changes, *pair.changes)
    naming = [change for change in candidates if any(word in piece.text for piece in change.new)]
    place = _divergence("", "model", naming or candidates, pair.fallback)
    before, after = (str(each.get("estimator", "")) for each in (old, new))
    return [Divergence("(model)", "model", place.cell, place.cell_id, place.line, before, after)]


def _training(pair: _Pair) -> list[Divergence]:
    """What only training does in another way."""
    if pair.new.get("training_digest") == pair.old.get("training_digest"):
        return []
    there = without_moves(pair.training_changes)
    if not there and pair.same_text and not pair.same_maker:
        return [_divergence("(training)", "unknown", (), pair.fallback)]
    model = {(piece.cell, piece.line) for piece in _model_pieces(pair.new)}
    found = []
    for change in there or without_moves(pair.changes):
        is_model = any((piece.cell, piece.line) in model for piece in change.new)
        kind = _kind("training", _touched(pair, [change]))
        found.append(_divergence("(model)" if is_model else "(training)", kind, (change,), pair.fallback))
    return found or [_divergence("(training)", "training", (), pair.fallback)]


def _open_steps(pair: _Pair) -> list[Divergence]:
    """Changed statements whose meaning the analysis does not know: equal digests say nothing of them."""
    return [
        _divergence("(all)", "unknown", (change,), pair.fallback)
        for change in without_moves(pair.changes)
        if OPEN & _touched(pair, [change])
    ]


def _edited(hand_edits: Sequence[str]) -> list[Divergence]:
    return [Divergence(path, "hand-edited", NOWHERE, "", 0, "as exported", "edited by hand") for path in hand_edits]


def _inputs(pair: _Pair) -> list[Divergence]:
    old, new = (list(each.get("inputs", ())) for each in (pair.old, pair.new))
    raw = _raw(pair.new)
    at = (int(raw.get("cell", NOWHERE)), str(raw.get("cell_id", "")), int(raw.get("line", 0)))
    return [
        *(Divergence(name, "input-added", *at, "", name) for name in new if name not in old),
        *(Divergence(name, "input-removed", *at, name, "") for name in old if name not in new),
    ]


def _divergence(feature: str, kind: str, there: Sequence[Change], fallback: Piece) -> Divergence:
    """One divergence at the first of the changes, with the text of all of them."""
    new = [piece for change in there for piece in change.new]
    old = [piece for change in there for piece in change.old]
    following = next((change.following for change in there if change.following), None)
    place = new[0] if new else following or fallback
    if not there:
        return Divergence(feature, kind, place.cell, place.cell_id, place.line, "", place.text)
    before, after = ("\n".join(dict.fromkeys(piece.text for piece in each)) for each in (old, new))
    return Divergence(feature, kind, place.cell, place.cell_id, place.line, before, after)


def _kind(kind: str, statuses: Iterable[str]) -> str:
    return "unknown" if OPEN.intersection(statuses) else kind


def _touched(pair: _Pair, there: Iterable[Change]) -> frozenset[str]:
    """The statuses of the steps that changed."""
    kept = tuple(there)
    old = frozenset(piece.step for change in kept for piece in change.old)
    new = frozenset(piece.step for change in kept for piece in change.new)
    return _statuses(pair.old, old) | _statuses(pair.new, new)


def _statuses(manifest: Manifest, steps: frozenset[int]) -> frozenset[str]:
    listed = _steps(manifest)
    return frozenset(str(listed[index].get("status")) for index in steps if 0 <= index < len(listed))


def _model_pieces(manifest: Manifest) -> tuple[Piece, ...]:
    """The statements that build and train the model; they are none of the manifest's own steps."""
    model = _model(manifest)
    # A manifest without steps of its model has their text alone, as if all of it stood at the training call.
    found = pieces(model.get("steps") or ([model] if model else []), _any)
    return tuple(replace(piece, step=NOWHERE) for piece in found)


def _raw_pieces(manifest: Manifest) -> tuple[Piece, ...]:
    raw = _raw(manifest)
    return pieces([{**raw, "source": raw.get("call", "")}], _any) if raw else ()


def _pieces(manifest: Manifest, wanted: Callable[[Mapping[str, Any]], bool]) -> tuple[Piece, ...]:
    return pieces(_steps(manifest), wanted, str(_raw(manifest).get("name", "")))


def _steps(manifest: Manifest) -> Sequence[Mapping[str, Any]]:
    return manifest.get("steps") or ()


def _model(manifest: Manifest) -> Mapping[str, Any]:
    return manifest.get("model") or {}


def _raw(manifest: Manifest) -> Mapping[str, Any]:
    return manifest.get("raw") or {}


def _any(step: Mapping[str, Any]) -> bool:
    return bool(step)


def _serves(step: Mapping[str, Any]) -> bool:
    return step.get("binding") != TRAIN_ONLY


def _trains(step: Mapping[str, Any]) -> bool:
    return step.get("binding") == TRAIN_ONLY


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
