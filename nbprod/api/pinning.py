"""The digest of an image, which Docker asks its registry for, written into the configuration."""

from __future__ import annotations

import re
import subprocess

from nbprod.api.declaring import declared
from nbprod.api.packages import Target
from nbprod.errors import NbprodError

ASK = ("docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}")
SECONDS = 120.0


def pin(target: Target, notebook: str, image: str) -> str:
    """Write the base image with the digest that its tag has now into the configuration; the image with its digest.

    One that is pinned already is asked for anew by its tag; one without a tag has none to be asked for, since what a
    registry then gives is `latest`, whichever Python that has. Raises NbprodError: `no-docker`, `not-pinned`, and what
    `declare` raises.
    """
    name = image.partition("@")[0]
    if ":" not in name.rpartition("/")[2]:
        raise NbprodError(
            f"the base image {image} has no tag, so that its digest can't be asked for",
            code="not-pinned",
            hint=f'declare deploy.base_image with one, such as "{name}:TAG", and give the command again',
        )
    pinned = f"{name}@{digest_of(name)}"
    declared(target, notebook, {"deploy.base_image": pinned})
    return pinned


def digest_of(image: str) -> str:
    """The digest of an image by its tag, `sha256:...`: of the index where it is built for several platforms."""
    try:
        done = subprocess.run([*ASK, image], capture_output=True, text=True, check=False, timeout=SECONDS)
    except FileNotFoundError:
        raise NbprodError(
            "docker is not here, which asks a registry for the digest",
            code="no-docker",
            hint=f"where it is: {_command(image)}; then declare deploy.base_image = {image}@sha256:...",
        ) from None
    except subprocess.TimeoutExpired:
        raise _unanswered(image, f"no answer within {SECONDS:g} seconds") from None
    except OSError as error:
        raise _unanswered(image, str(error)) from error
    found = re.fullmatch(r"sha256:[0-9a-f]{64}", done.stdout.strip())
    if done.returncode or found is None:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise _unanswered(image, told[0] if told else f"it ended with {done.returncode} and said nothing")
    return found[0]


def _unanswered(image: str, told: str) -> NbprodError:
    return NbprodError(
        f"docker gave no digest of {image}: {told}",
        code="not-pinned",
        hint=f"try it by hand: {_command(image)}",
    )


def _command(image: str) -> str:
    return " ".join((*ASK[:-1], f"'{ASK[-1]}'", image))
