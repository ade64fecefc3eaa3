"""What a policy carries of its fit and training rows, so that its score can be computed on others."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import asdict, replace

from primum.auditing.answers import Scoring
from primum.auditing.policy.document import Policy
from primum.auditing.policy.terms import CombinedScore, TrainingRows
from primum.auditing.preparation import fingerprint
from primum.core import archives
from primum.judge.confidence.combined import Combined
from primum.judge.confidence.scores import SCORES
from primum.judge.confidence.storage import ARRAYS, StoredReference, arrays_of


def with_needs(
    policy: Policy, scoring: Scoring, combined: Combined | None, columns: Container[str]
) -> Policy:
    """The policy with all that its scores need, which are not columns of a table.

    Args:
        scoring: what the scores were computed from. combined: its weights, or None where it was not learned.
        columns: names of scores that came with the table.
    """
    names = policy.inputs
    if "combined" in names and "combined" not in columns and combined is not None:
        policy = replace(policy, combined=CombinedScore(**asdict(combined.log_odds)))
        names = policy.inputs
    if "msr_temperature" in names and "msr_temperature" not in columns and scoring.plain is not None:
        policy = replace(policy, temperature=scoring.plain.temperature.temperature)
    scores = [name for name in names if name in ARRAYS and name not in columns]
    train, reference = scoring.train, scoring.reference
    if not scores or train is None or reference is None:
        return policy
    arrays = arrays_of(reference, scores)
    of_stages = any("stages" in SCORES[name].needs for name in scores)
    training = TrainingRows(
        train.name,
        len(train),
        fingerprint=fingerprint(train),
        width=reference.width or 0,
        scores=tuple(scores),
        arrays=archives.digest(arrays),
        stages=(reference.stage_widths or ()) if of_stages else (),
    )
    return replace(policy, training=training, trained=StoredReference(arrays))
