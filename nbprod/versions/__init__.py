"""Versions of an exported package: immutable folders and the ledger that lists them."""

from nbprod.versions.aliases import (
    CHALLENGER,
    CHAMPION,
    aliases,
    challenge,
    check_alias,
    fitted_only,
    previous,
    promote,
    refuse,
    remove_alias,
    rollback,
)
from nbprod.versions.edits import exported_files, generated_files, read_manifest
from nbprod.versions.git import GitState, authors, git_state, head, person
from nbprod.versions.ledger import latest, latest_fitted, ledger, resolve, version_folder
from nbprod.versions.names import check_name, suggest_name
from nbprod.versions.promotions import promotions
from nbprod.versions.stale import StaleFile, is_stale
from nbprod.versions.state import state_digest
from nbprod.versions.store import hand_edits, is_state_recorded, prune, publish, put_state
from nbprod.versions.unchanged import read_object

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "GitState",
    "StaleFile",
    "aliases",
    "authors",
    "challenge",
    "check_alias",
    "check_name",
    "exported_files",
    "fitted_only",
    "generated_files",
    "git_state",
    "hand_edits",
    "head",
    "is_stale",
    "is_state_recorded",
    "latest",
    "latest_fitted",
    "ledger",
    "person",
    "previous",
    "promote",
    "promotions",
    "prune",
    "publish",
    "put_state",
    "read_manifest",
    "read_object",
    "refuse",
    "remove_alias",
    "resolve",
    "rollback",
    "state_digest",
    "suggest_name",
    "version_folder",
]
