"""What is asked of a person: each key that can be declared, the question in plain words, and an example.

The problem statement comes first (Rules of ML, 2: first, design and implement metrics), then what follows from it.
"""

from __future__ import annotations

from msgspec import Struct

from nbprod.readiness.checks import CHECKS


class Question(Struct, frozen=True):
    """A key of the pipeline's table, what it means in plain words, and an answer as one would type it.

    One that `is_rare` answers for what few pipelines have: it is asked where its item is asked for by name.
    """

    key: str
    text: str
    example: str
    is_rare: bool = False

    @property
    def items(self) -> tuple[str, ...]:
        """The items of the checklist that go by it."""
        return tuple(check.id for check in CHECKS if self.key in check.keys)


QUESTIONS: tuple[Question, ...] = (
    Question("problem", "What is the problem, in a sentence or two?", "Too many customers leave without a word"),
    Question("success.decision", "What is decided by an answer of the model?", "whom the sales team calls this week"),
    Question("success.metric", "Which metric of the evaluate cell says how good that is?", "saved_per_call"),
    Question("success.target", "What must it reach before the model goes live?", "12.5"),
    Question("success.baseline", "What does the way that is used today reach?", "9"),
    Question("success.higher_is_better", "Is more of it better?", "yes"),
    Question("success.costs", "What does one error of each kind cost?", "missed = 120, false_alarm = 8"),
    Question("owner", "Who answers for the model, and is told of alerts?", "ada@example.org"),
    Question("owners.service", "Who answers for the service?", "@platform"),
    Question("owners.data", "Who answers for the data?", "grace@example.org"),
    Question("serve_mode", "How is it asked: online, batch or stream?", "online"),
    Question("requirements.latency_ms", "Within how many milliseconds must 99 of 100 answers come?", "50"),
    Question("requirements.volume_rps", "How many requests a second must it hold?", "100"),
    Question("requirements.memory_mb", "How many megabytes may the service take?", "512"),
    Question("requirements.availability", "Which share of the requests must be answered?", "0.999"),
    Question(
        "requirements.cold_start_s", "Within how many seconds must it answer once it is started?", "5", is_rare=True
    ),
    Question(
        "requirements.max_stall_ms", "How long may an answer take while a version is replaced?", "250", is_rare=True
    ),
    Question("deploy_target", "Where does it run?", "docker"),
    Question("low_confidence.band", "Between which probabilities is the model not sure?", "0.45, 0.55"),
    Question("low_confidence.action", "What is done there: answer, flag or abstain?", "abstain"),
    Question(
        "low_confidence.max_share", "For which share of the rows may that be so, at the most?", "0.1", is_rare=True
    ),
    Question("decision.uses_probability", "Does anybody read the scores as probabilities?", "yes"),
    Question("decision.threshold", "At which score does the answer turn?", "0.5"),
    Question("row_policy", "What about rows that training never saw: flag, reject or default?", "flag"),
    Question("retraining.cadence", "How often is it trained again: daily, weekly, monthly, or as cron?", "weekly"),
    Question("retraining.trigger", "Or on which event?", "drift"),
    Question("retraining.stale_days", "After how many days is the model too old?", "30"),
    Question("max_rollback_seconds", "Within how many seconds must the version before serve again?", "60"),
    Question("labels.source", "Where do the true answers come from?", "billing, table contracts"),
    Question("labels.delay_days", "How many days later?", "30"),
    Question("labels.key", "Which column joins them to the answers?", "request_id"),
    Question("labels.min_joined", "Which share of the true answers must find theirs?", "0.95", is_rare=True),
    Question("monitoring.runbook", "Which file says what to do on an alert?", "docs/runbook.md"),
    Question(
        "monitoring.metrics",
        "Which metrics do your dashboards and alerts go by?",
        "pipeline_requests_total",
        is_rare=True,
    ),
    Question("slices", "For which columns must the metric be told apart?", "region, plan"),
    Question("protected", "Which columns look protected, were considered, and are no slices?", "age"),
    Question("data.personal", "Which raw columns hold personal data?", "name, email"),
    Question("data.time", "Which raw column says when a row came to be?", "sold_on"),
    Question("data.forbidden", "Which raw columns may no feature be made of?", "nationality"),
    Question("data.versions", "Which version has each file of data?", "data/sales.csv = 2026-05", is_rare=True),
    Question("split.kind", "How are test rows split off: random, time or group?", "time"),
    Question("split.column", "By which raw column, where by time or group?", "sold_on"),
    Question("context_features", "Which features are made of the rows around a row?", "rank_in_store", is_rare=True),
    Question(
        "tolerance",
        "By which share of their largest value may features part in the proof?",
        "ratio = 1e-7",
        is_rare=True,
    ),
    Question("metric_tolerance", "By which share may a metric part when it is trained again?", "0.01", is_rare=True),
    Question("allow_random", "Why is something left without a seed?", "the search draws anew each night", is_rare=True),
    Question("allow_names", "Which names does the kernel give before the first cell?", "spark, display", is_rare=True),
    Question("runtime_deps", "Which distributions may serving need?", "scikit-learn, pandas, skops", is_rare=True),
    Question("acknowledged", "On which day was it seen that the notebook has moved on?", "2026-05-31", is_rare=True),
)
