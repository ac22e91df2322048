"""Killed writers, writers at the same time, full disks, folders without rights, links and damaged ledgers."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbprod.errors import NbprodError
from nbprod.model.run import Version
from nbprod.versions import hand_edits, is_stale, ledger
from nbprod.versions.lock import locked

Export = Callable[..., Version]
PROJECT = Path(__file__).parents[2]

WRITER = """
import hashlib, json, sys
from datetime import UTC, datetime
from pathlib import Path
from nbprod.errors import NbprodError
from nbprod.versions import publish, put_state

root, start, count, size, fit = Path(sys.argv[1]), *map(int, sys.argv[2:6])
for index in range(start, start + count):
    files = {f"m{part}.py": f"x = {index}\\n".encode() * size for part in range(6)}
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["manifest.json"] = json.dumps({"files": listed}).encode()
    try:
        top = {"__init__.py": b"# root\\n", "serving/gateway.py": b"# gateway\\n"}
        version = publish(root, "churn", files, top, digest=str(index), notebook="nb.ipynb",
            commit=None, why=str(index), now=datetime.now(UTC), replace_unfitted=bool(fit))
        if fit and index % 3 == 0:
            state = root / f"state{start}"
            state.mkdir(exist_ok=True)
            (state / "learned.json").write_text(str(index))
            put_state(root, "churn", version.number, state, run_id=None, now=datetime.now(UTC))
    except NbprodError as error:
        print(error)
        sys.exit(2)
    print(version.number, flush=True)
"""


def writer(root: Path, start: int, count: int, size: int = 50, fit: bool = False) -> list[str]:
    return [sys.executable, "-c", WRITER, str(root), str(start), str(count), str(size), str(int(fit))]


def listed_versions_are_whole(root: Path) -> list[Version]:
    versions = ledger(root, "churn")
    for version in versions:
        folder = root / f"churn/v{version.number:04d}"
        texts = {path.read_text().splitlines()[0] for path in folder.glob("m*.py")}
        assert len(texts) == 1, f"version {version.number} mixes exports"
        assert hand_edits(root, "churn", version.number) == ()
        assert version.state is None or (folder / "state/learned.json").exists()
    return list(versions)


def test_two_processes_that_export_at_once_lose_no_version(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(writer(tmp_path, start, 20), cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        for start in (0, 1000)
    ]
    given = [int(number) for process in processes for number in process.communicate(timeout=120)[0].split()]
    versions = listed_versions_are_whole(tmp_path)
    assert sorted(given) == [version.number for version in versions] == list(range(1, 41))
    assert {int(version.why) for version in versions} == {*range(20), *range(1000, 1020)}
    assert {path.name for path in (tmp_path / "churn").iterdir() if not path.name.startswith("v0")} == {
        "__init__.py",
        "serving",
        "versions.json",
    }


def test_a_kill_at_any_moment_leaves_every_listed_version_whole(tmp_path: Path) -> None:
    for round_ in range(10):
        process = subprocess.Popen(
            writer(tmp_path, round_ * 10_000, 10_000, fit=True), cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.007 * round_)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before = listed_versions_are_whole(tmp_path)
        done = subprocess.run(writer(tmp_path, 5_000_000 + round_ * 3, 1, fit=True), cwd=PROJECT, capture_output=True)
        assert done.returncode == 0, done.stdout
        after = listed_versions_are_whole(tmp_path)
        assert {version.number for version in before if version.state} <= {version.number for version in after}
        there = {path.name for path in (tmp_path / "churn").iterdir()}
        assert there == {"__init__.py", "serving", "versions.json", *(f"v{version.number:04d}" for version in after)}


# Ends a child of its own before each and every touch of the file system in turn, and looks at what is left.
SWEEP = """
import hashlib, json, os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from nbprod.versions import hand_edits, is_state_recorded, ledger, publish, put_state

base, root, state = (Path(sys.argv[1]) / name for name in ("base", "root", "state"))
is_first = sys.argv[2] == "first"
base.mkdir()
now = datetime.now(UTC)

def export(root, text):
    files = {f"m{part}.py": text.encode() for part in range(2)}
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["manifest.json"] = json.dumps({"files": listed}).encode()
    top = {"__init__.py": text.encode(), "serving/gateway.py": text.encode()}
    return publish(root, "churn", files, top, digest=text, notebook="", commit=None, why=text, now=now)

def fit(root, number, text):
    state.mkdir(exist_ok=True)
    (state / "learned.json").write_text(text)
    put_state(root, "churn", number, state, run_id=None, now=now, golden=text.encode())

def work():
    if is_first:
        export(root, "one")
        fit(root, 1, "1")
        return
    export(root, "three")       # in the place of the second, which was never fitted
    fit(root, 2, "3")           # its first state
    fit(root, 2, "4")           # other state: a third version

def is_whole(stop):
    for version in ledger(root, "churn"):
        folder = root / f"churn/v{version.number:04d}"
        assert hand_edits(root, "churn", version.number) == (), (stop, version)
        assert {path.read_text() for path in folder.glob("m*.py")} == {version.why if version.number < 3 else "three"}
        assert version.state is None or (folder / "state/learned.json").exists(), (stop, version)
        assert is_state_recorded(root, "churn", version.number), (stop, version)
    assert is_first or ledger(root, "churn")[0].state is not None, stop

if not is_first:
    export(base, "one")
    fit(base, 1, "1")
    export(base, "two")
stop = 0
while True:
    stop += 1
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base, root)
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, arguments):
            global seen
            touches = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "tempfile.mkstemp")
            if event in touches and arguments and str(root) in str(arguments[0]):
                seen += 1
                if seen == stop:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    is_whole(stop)
    if status == 0:
        break
    assert os.WIFSIGNALED(status), (stop, status)
    work()
    is_whole(stop)
    there = {path.name for path in (root / "churn").iterdir()}
    numbers = {f"v{version.number:04d}" for version in ledger(root, "churn")}
    assert there == {"__init__.py", "serving", "versions.json", *numbers}, (stop, there)
    assert [path.name for path in (root / "churn/serving").iterdir()] == ["gateway.py"], stop
print(stop)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("place, touches", [("first", 20), ("later", 50)])
def test_a_kill_before_any_touch_of_the_file_system_leaves_every_listed_version_whole(
    place: str, touches: int, tmp_path: Path
) -> None:
    sweep = [sys.executable, "-c", SWEEP, str(tmp_path), place]
    done = subprocess.run(sweep, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > touches


def test_state_that_could_not_be_listed_is_taken_away_again(
    export: Export, tmp_path: Path, fitted: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    export()
    before = snapshot(tmp_path)

    def full(folder: Path, ledger: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "versions.json"))

    monkeypatch.setattr("nbprod.versions.store.save_ledger", full)
    with pytest.raises(NbprodError) as caught:
        fitted(1)
    assert caught.value.code == "no-space"
    assert snapshot(tmp_path) == before


def test_a_first_export_is_seen_as_ours_from_its_first_file_on(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, seen = Path.replace, []

    def noted(path: Path, target: Path) -> Path:
        seen.append((Path(target).name, (tmp_path / "churn/versions.json").exists()))
        return put(path, target)

    monkeypatch.setattr(Path, "replace", noted)
    export()
    assert seen[0] == ("versions.json", False)
    assert len(seen) > 1
    assert all(is_there for _, is_there in seen[1:])


def test_a_folder_that_a_killed_writer_had_not_listed_goes_with_the_next_export(export: Export, tmp_path: Path) -> None:
    export(replace_unfitted=False)
    folder = tmp_path / "churn"
    shutil.copytree(folder / "v0001", folder / "v0002")
    (folder / ".nbprod-tmp-1-abc").mkdir()
    (folder / ".lock").write_text(json.dumps({"pid": 1, "host": "h", "unlisted": [2]}))
    assert export("x = 2\n", replace_unfitted=False).number == 2
    assert (folder / "v0002/features.py").read_text() == "x = 2\n"
    assert {path.name for path in folder.iterdir()} == {"__init__.py", "versions.json", "v0001", "v0002"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_a_torn_lock_file_of_a_dead_process_stops_nobody(text: str, export: Export, tmp_path: Path) -> None:
    export()
    (tmp_path / "churn/.lock").write_text(text)
    assert export("x = 2\n").number == 1
    assert not (tmp_path / "churn/.lock").exists()


def test_a_lock_that_is_held_is_named_by_its_holder(tmp_path: Path) -> None:
    holder = f"process {os.getpid()} on"
    with locked(tmp_path), pytest.raises(NbprodError, match=holder) as caught, locked(tmp_path, wait=0.05):
        pass
    assert caught.value.code == "locked"
    with locked(tmp_path, wait=0.05):
        pass


@pytest.mark.parametrize("first", [True, False], ids=["the first export", "a later export"])
@pytest.mark.parametrize("limit", [3_000, 300_000], ids=["a ledger only", "some of the files"])
def test_a_file_that_cannot_be_written_whole_changes_nothing(
    first: bool, limit: int, export: Export, tmp_path: Path, fitted: Export
) -> None:
    if not first:
        export()
        fitted(1)
    before = snapshot(tmp_path)
    limited = ["sh", "-c", f'ulimit -f {limit // 512}; exec "$@"', "sh", *writer(tmp_path, 5, 1, size=100_000)]
    done = subprocess.run(limited, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith("error[no-space]")
    assert snapshot(tmp_path) == before


def test_a_disk_that_fills_up_at_any_file_changes_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounting a small disk takes root and unshare")
    script = """
disk=$1 python=$2 script=$4
mount -t tmpfs -o size=400k tmpfs "$disk" || exit 77
"$python" -c "$script" "$disk" 0 1 10 0 || exit 1
cp -r "$disk/churn" "$disk.before"
for pages in 0 1 2 3 4 5 6 7 8 9 10 11; do
    dd if=/dev/zero of="$disk/filler" bs=4k count=$(( $(df --output=avail -k "$disk" | tail -1) / 4 - pages )) 2>&-
    "$python" -c "$script" "$disk" 1 1 10 0 && break
    diff -r "$disk/churn" "$disk.before" || exit 1
    rm "$disk/filler"
done
[ -e "$disk/churn/v0002/manifest.json" ] && echo "pages $pages"
"""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(disk), *writer(disk, 0, 1)[:3]]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("this machine lets nobody mount a disk")
    assert done.returncode == 0, done.stdout + done.stderr
    failures = done.stdout.count("error[no-space]")
    # Six modules, a manifest and a ledger were each the one that did not fit.
    assert failures >= 8
    assert f"pages {failures}" in done.stdout


def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path, export: Export, fitted: Export) -> None:
    export()
    fitted(1)
    command = writer(tmp_path, 5, 1)
    if os.geteuid() == 0:
        if shutil.which("unshare") is None:
            pytest.skip("root may write everywhere, and a read-only mount takes unshare")
        script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" || exit 77; exec "$@"'
        command = ["unshare", "-m", "sh", "-c", script, str(tmp_path), *command]
    else:
        (tmp_path / "churn").chmod(0o555)
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    (tmp_path / "churn").chmod(0o755)
    if done.returncode == 77:
        pytest.skip("this machine lets nobody mount a folder read-only")
    assert done.returncode == 2
    assert done.stdout.startswith("error[read-only]")
    assert "-o" in done.stdout


@pytest.mark.parametrize("content", ["notes.txt", "v0001/features.py", "__init__.py"])
def test_a_folder_that_holds_something_else_is_left_alone(content: str, export: Export, tmp_path: Path) -> None:
    path = tmp_path / "churn" / content
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(NbprodError, match="holds something else") as caught:
        export()
    assert caught.value.code == "occupied-folder"
    assert "--name" in (caught.value.hint or "")
    assert snapshot(tmp_path) == before


def test_a_folder_that_another_process_begins_to_write_just_now_is_no_strangers(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn").mkdir()
    look = Path.iterdir

    def just_before(folder: Path) -> Iterator[Path]:
        monkeypatch.undo()
        export()
        return look(folder)

    monkeypatch.setattr(Path, "iterdir", just_before)
    assert export(text="other").number == 1


def test_an_empty_folder_is_taken(export: Export, tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    assert export().number == 1


def test_a_file_where_the_folder_should_be_is_named(export: Export, tmp_path: Path) -> None:
    (tmp_path / "pipelines").write_text("")
    with pytest.raises(NbprodError) as caught:
        export(root=tmp_path / "pipelines")
    assert caught.value.code == "not-a-folder"
    (tmp_path / "churn").write_text("")
    with pytest.raises(NbprodError) as caught:
        export()
    assert caught.value.code in {"not-a-folder", "occupied-folder"}


DAMAGED = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda text: text[:0],
    "no JSON object": lambda text: f"[{text}]",
    "a merge conflict": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n",
    "another schema": lambda text: text.replace('"schema": 1', '"schema": 99'),
    "a number twice": lambda text: json.dumps(json.loads(text) | {"versions": json.loads(text)["versions"] * 2}),
    "a number that is text": lambda text: text.replace('"number": 1', '"number": "1"'),
    "a lost key": lambda text: text.replace('"digest"', '"dig"'),
    "an alias for two": lambda text: text.replace('"aliases": []', '"aliases": ["a", "a"]'),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_ledger_is_named_and_never_overwritten(
    damage: Callable[[str], str], export: Export, tmp_path: Path
) -> None:
    export()
    path = tmp_path / "churn/versions.json"
    path.write_text(damage(path.read_text()))
    before = snapshot(tmp_path)
    for attempt in (export, lambda: ledger(tmp_path, "churn"), lambda: is_stale(tmp_path, "churn", {})):
        with pytest.raises(NbprodError) as caught:
            attempt()
        assert caught.value.code == "damaged-ledger"
        assert str(path) in str(caught.value)
        assert caught.value.hint
    assert snapshot(tmp_path) == before


def test_a_package_folder_that_is_a_link_is_refused(export: Export, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "churn").symlink_to(elsewhere)
    with pytest.raises(NbprodError) as caught:
        export()
    assert caught.value.code == "symlink"
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("target", ["versions.json", "__init__.py", ".lock", "v0001"])
def test_a_link_inside_of_the_package_is_never_written_through(target: str, export: Export, tmp_path: Path) -> None:
    export()
    precious = tmp_path / "precious"
    precious.mkdir() if target == "v0001" else precious.write_text("precious")
    place = tmp_path / "churn" / target
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(precious)
    try:
        export("x = 2\n")
    except NbprodError as error:
        assert error.code in {"damaged-ledger", "not-a-folder", "symlink"}  # noqa: PT017
    assert precious.read_text() == "precious" if precious.is_file() else list(precious.iterdir()) == []


def snapshot(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in root.rglob("*")
    }
