"""Recomputes the figures of an evaluation with scikit-learn, and its intervals with numpy.

Reads JSON, a list of studies: users, values, how many items there are, and of each model the predicted values (or null)
and the ranks (null: a miss). Writes JSON, of each study: by model and metric the figure and a 95% interval, bootstrapped
over users.
"""

import json
import sys

import numpy as np
from sklearn.metrics import (
    label_ranking_average_precision_score,
    mean_absolute_error,
    ndcg_score,
    root_mean_squared_error,
    top_k_accuracy_score,
)

RESAMPLES = 4000


def rankings(ranks, items):
    """One row of scores an observation, falling from the first place on, and the place of its item."""
    scores = np.tile(-np.arange(items, dtype=float), (len(ranks), 1))
    places = np.array([items - 1 if rank is None else rank - 1 for rank in ranks])
    relevant = np.zeros((len(ranks), items), dtype=int)
    relevant[np.arange(len(ranks)), places] = 1
    relevant[[rank is None for rank in ranks]] = 0
    return scores, places, relevant


def ranking_figures(ranks, items):
    scores, places, relevant = rankings(ranks, items)
    found = relevant.any(axis=1)
    # scikit-learn gives rows without a relevant item 1, and they are misses here.
    precision = label_ranking_average_precision_score(relevant[found], scores[found]) if found.any() else 0
    return {
        "hit_rate@1": top_k_accuracy_score(places, scores, k=1, labels=np.arange(items)),
        "hit_rate@10": top_k_accuracy_score(places, scores, k=10, labels=np.arange(items)),
        "ndcg@10": ndcg_score(relevant, scores, k=10),
        "ndcg@100": ndcg_score(relevant, scores, k=100),
        "mrr": precision * found.mean(),
    }


def interval(users, scores, root):
    """Percentiles of what resampled users, each with all of their observations, come to."""
    random = np.random.default_rng(0)
    names, own = np.unique(users, return_inverse=True)
    sums = np.bincount(own, weights=scores)
    counts = np.bincount(own)
    drawn = random.integers(len(names), size=(RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return list(np.percentile(np.sqrt(means) if root else means, [2.5, 97.5]))


def judge(study):
    users, values = np.array(study["users"]), np.array(study["values"])
    report = {}
    for model in study["models"]:
        figures = ranking_figures(model["ranks"], study["items"])
        reciprocal = np.array([0 if rank is None else 1 / rank for rank in model["ranks"]])
        intervals = {"mrr": interval(users, reciprocal, False)}
        if model["predicted"] is not None:
            predicted = np.array(model["predicted"])
            figures["rmse"] = root_mean_squared_error(values, predicted)
            figures["mae"] = mean_absolute_error(values, predicted)
            intervals["rmse"] = interval(users, (values - predicted) ** 2, True)
            intervals["mae"] = interval(users, np.abs(values - predicted), False)
        report[model["name"]] = {"figures": figures, "intervals": intervals}
    return report


json.dump([judge(study) for study in json.load(sys.stdin)], sys.stdout)
