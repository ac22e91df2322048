"""What the server is asked, as values."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from msgspec import DecodeError, Meta, Raw, Struct, ValidationError, field, json

from nbprod.errors import NbprodError

R = TypeVar("R", bound=Struct)

Path = Annotated[str, Meta(min_length=1)]


class About(Struct, frozen=True):
    """A request about a notebook, by its path below the server's folder."""

    path: Path


class Edited(About, frozen=True):
    """A request about a notebook as it is edited: `content` is the notebook as JSON, or null for the saved file."""

    content: Raw = Raw(b"null")

    @property
    def text(self) -> str | None:
        """The JSON that was sent; None where the saved file is meant. Raises NbprodError (`bad-request`)."""
        raw = bytes(self.content)
        if raw == b"null":
            return None
        if not raw.startswith(b"{"):
            raise bad_request('"content" must be a notebook as JSON, or null')
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise bad_request('"content" is not UTF-8') from error


class Studied(Edited, frozen=True):
    """A study of a notebook as it is edited; of the questions of one `page` only the newest matters."""

    page: str = ""


class Previewed(Edited, frozen=True):
    """The package to read: as the notebook would give it now, or a version of it."""

    version: Annotated[int, Meta(ge=1)] | None = None


class Promoted(About, frozen=True):
    """The version that is to be the champion."""

    version: Annotated[int, Meta(ge=1)]


class Exported(About, frozen=True):
    """A package to be written, or proven; `auto` takes the suggested roles and model, as the sidebar shows them."""

    auto: bool = True


class Ran(Exported, frozen=True):
    """A notebook to be run, with values for names that its cell of parameters sets; `anew` restores no stage."""

    parameters: dict[str, Any] = field(default_factory=dict)
    anew: bool = False


class Gathered(About, frozen=True):
    """Evidence to be gathered, of `items` of the checklist alone where there are some; `anew` also what is fresh."""

    items: tuple[Annotated[str, Meta(pattern="^[A-Z]{2}-[0-9]{1,2}$")], ...] = ()
    anew: bool = False


class Declared(About, frozen=True):
    """Keys of the configuration with what a person has typed; an empty text takes a key out again."""

    values: dict[str, str] = field(default_factory=dict)


class OfRun(About, frozen=True):
    """A request about a tracked run."""

    run_id: Annotated[str, Meta(pattern="^[0-9A-Za-z]{1,64}$")]


class Begun(About, frozen=True):
    """What checks the package outside of Jupyter: a hook before commits, a workflow on GitHub."""

    pre_commit: bool = False
    github: bool = False


class OfJob(Struct, frozen=True):
    """A request about a job."""

    id: str


class Listed(Struct, frozen=True):
    """A list, of one notebook's where `path` is given."""

    path: Path | None = None


def read(body: bytes, kind: type[R]) -> R:
    """The request that `body` holds. Raises NbprodError (`bad-request`) for all else."""
    try:
        return json.decode(body, type=kind)
    except ValidationError as error:
        raise bad_request(f"the request is not as it should be: {error}") from error
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request("the request is not JSON") from error


def bad_request(message: str) -> NbprodError:
    """A request that no route understands."""
    return NbprodError(message, code="bad-request")
