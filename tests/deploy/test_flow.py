"""The flow that every orchestrator is given."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nbprod.deploy.flow import flow_of
from nbprod.model.deployment import VERSION


@pytest.mark.parametrize(
    "stages, promotes, names",
    [
        pytest.param(("data", "train"), True, ["data", "train", "prove", "promote"], id="a task for each stage"),
        pytest.param((), True, ["prove", "promote"], id="one task where no stage can be handed over"),
        pytest.param(("data",), False, ["data", "prove"], id="a person promotes"),
    ],
)
def test_a_flow_has_its_steps_in_order(stages: Sequence[str], promotes: bool, names: Sequence[str]) -> None:
    steps = flow_of("sales", stages, cron=None, promotes=promotes).steps

    assert [step.name for step in steps] == names
    assert [step.after for step in steps] == [(), *((name,) for name in names[:-1])]
    assert [step.takes_parameters for step in steps] == [name != "promote" for name in names]


def test_a_version_is_promoted_by_the_number_that_the_proof_hands_on() -> None:
    *_, prove, promote = flow_of("sales", (), cron=None).steps

    assert promote.arguments[:4] == ("versions", "sales", "promote", VERSION)
    assert promote.version_of == prove.name
    assert "version" in prove.hands
