"""Our metrics against independent libraries on the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn import metrics as sk

from primum.judge import confidence
from primum.judge.metrics import accuracy, calibration, cuts, excess, functions, selective
from primum.judge.metrics.confusion import count_pairs
from primum.judge.statistics import shares

CASES = [(k, seed) for k in (2, 3, 7) for seed in (0, 1)]


def cases(k: int, seed: int, n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(k), rng.choice(k, n - k, p=rng.dirichlet(np.ones(k) * 3))]
    logits = np.round(rng.normal(size=(n, k)) * 2, 1)
    logits[np.arange(n), labels] += 1.5
    # rounded logits give ties that the libraries tell apart by their last digits, and we do not
    return labels, np.round(softmax(logits, axis=1), 12)


@pytest.mark.parametrize(("k", "seed"), CASES)
def test_scikit_learn(k: int, seed: int) -> None:
    labels, probs = cases(k, seed)
    decisions = probs.argmax(axis=1)
    assert functions.accuracy(labels, decisions) == pytest.approx(sk.accuracy_score(labels, decisions))
    balanced = sk.balanced_accuracy_score(labels, decisions)
    assert functions.balanced_accuracy(labels, decisions) == pytest.approx(balanced)
    f1 = sk.f1_score(labels, decisions, average="macro")
    assert functions.macro_f1(labels, decisions) == pytest.approx(f1)
    scores = probs[:, 1] if k == 2 else probs
    assert functions.auroc(labels, probs) == pytest.approx(
        sk.roc_auc_score(labels, scores, multi_class="ovr")
    )
    assert functions.nll(labels, probs) == pytest.approx(sk.log_loss(labels, probs))
    counts = count_pairs(labels, decisions, k).matrix()
    np.testing.assert_array_equal(counts, sk.confusion_matrix(labels, decisions))
    wrong = decisions != labels
    score = confidence.msr(probs)
    assert accuracy.binary_auroc(~wrong, score) == pytest.approx(sk.roc_auc_score(~wrong, score))


@pytest.mark.parametrize("decimals", [1, 12])
@pytest.mark.parametrize(("k", "seed"), CASES)
def test_scikit_learn_on_telling_errors_apart(k: int, seed: int, decimals: int) -> None:
    labels, probs = cases(k, seed)
    wrong, score = probs.argmax(axis=1) != labels, np.round(confidence.msr(probs), decimals)
    fpr, tpr, _ = sk.roc_curve(~wrong, score, drop_intermediate=False)
    assert cuts.fpr_with_influence(wrong, selective.rank(score))[0] == pytest.approx(
        fpr[tpr >= 0.95 - 1e-12].min()
    )
    rate, area = wrong.mean(), sk.roc_auc_score(~wrong, score)
    assert excess.excesses(
        selective.risk_coverage(wrong, selective.rank(score)), len(wrong), int(wrong.sum())
    )[1] == pytest.approx((1 - area) * rate * (1 - rate))
    accepted = score >= np.quantile(score, 0.2, method="higher" if decimals > 1 else "lower")
    if abs(accepted.mean() - 0.8) < 1 / len(score) or decimals == 1:
        assert cuts.risk_with_influence(wrong, selective.rank(score))[0] == pytest.approx(
            wrong[accepted].mean()
        )
    ranking = selective.rank(score)
    ours = accuracy.auroc_of_ranking(~wrong, ranking)
    assert ours[0] == pytest.approx(area)


@pytest.mark.parametrize(("k", "seed"), CASES)
def test_torchmetrics_calibration_error(k: int, seed: int) -> None:
    torch = pytest.importorskip("torch")
    from torchmetrics.functional.classification import multiclass_calibration_error

    labels, probs = cases(k, seed)
    expected = multiclass_calibration_error(
        torch.tensor(probs), torch.tensor(labels), num_classes=k, n_bins=15, norm="l1"
    )
    assert calibration.ece(labels, probs) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(("k", "seed"), CASES)
def test_brier_of_two_classes_is_twice_scikit_learns(k: int, seed: int) -> None:
    labels, probs = cases(k, seed)
    onehot = np.eye(k)[labels]
    assert functions.brier(labels, probs) == pytest.approx(((probs - onehot) ** 2).sum(axis=1).mean())
    if k == 2:
        assert functions.brier(labels, probs) == pytest.approx(2 * sk.brier_score_loss(labels, probs[:, 1]))


def test_tensors_are_read_like_arrays() -> None:
    torch = pytest.importorskip("torch")
    labels, probs = cases(4, 0)
    tensors = torch.tensor(labels), torch.tensor(probs, requires_grad=True)
    assert calibration.ece(*tensors) == calibration.ece(labels, probs)
    assert functions.auroc(*tensors) == functions.auroc(labels, probs)
    np.testing.assert_array_equal(confidence.pe(tensors[1]), confidence.pe(probs))


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (20, 20), (1, 149), (56, 307), (7, 10)])
def test_exact_interval_of_scipy(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(0.95, method="exact")
    found = shares.proportion(hits, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("limit", [0.02, 0.1, 0.3])
def test_tails_of_a_proportion_are_exact_binomial_tests(limit: float) -> None:
    not_below, not_above = shares.proportion(9, 100).tails(limit)
    assert not_below == pytest.approx(min(1, 2 * binomtest(9, 100, limit, alternative="less").pvalue))
    assert not_above == pytest.approx(min(1, 2 * binomtest(9, 100, limit, alternative="greater").pvalue))
