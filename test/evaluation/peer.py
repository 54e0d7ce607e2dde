"""Recomputes the figures of an evaluation with scikit-learn, and its intervals with numpy.

Reads JSON, a list of studies: users, values and items (numbers) of what is held out, the scale and step of ratings, how
many places a ranking has, by item how many learned ratings it has and its categories, how many users have learned ratings,
and of each model the predicted values (or null), the ranks (null: a miss) among how many, and the list of each user in
the order of users. Writes JSON, of each study: by model and metric the figure and a 95% interval, bootstrapped over users.
"""

import functools
import json
import sys

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    label_ranking_average_precision_score,
    log_loss,
    mean_absolute_error,
    ndcg_score,
    precision_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
    top_k_accuracy_score,
)
from sklearn.metrics.pairwise import cosine_distances

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


@functools.cache
def area(rank, candidates):
    """Of one item among `candidates` at place `rank`."""
    labels = np.zeros(candidates)
    labels[rank - 1] = 1
    return roc_auc_score(labels, -np.arange(candidates))


def prediction_figures(values, predicted, step, scale):
    low, high = scale
    y, q = (values - low) / (high - low), (predicted - low) / (high - low)
    # A rating between the ends is both outcomes, each in proportion.
    outcomes = np.repeat([1, 0], len(y))
    weights = np.concatenate([y, 1 - y])
    differ = values[:, None] > values[None, :]
    right = np.where(predicted[:, None] == predicted[None, :], 0.5, predicted[:, None] > predicted[None, :])
    figures = {
        "rmse": root_mean_squared_error(values, predicted),
        "mae": mean_absolute_error(values, predicted),
        "accuracy": accuracy_score(*(np.rint((of - low) / step).astype(int) for of in (values, predicted))),
        "log_loss": log_loss(outcomes, np.concatenate([q, q]), sample_weight=weights),
        "calibration_error": calibration(np.digitize(q, np.arange(1, 10) / 10), y - q, np.ones(len(y))),
        "rating_auc": right[differ].mean(),
    }
    if set(values) == {low, high}:
        figures["log_loss"] = log_loss(values == high, q)
        figures["rating_auc"] = roc_auc_score(values == high, predicted)
    return figures


def calibration(bins, missed, weights):
    return np.abs(np.bincount(bins, weights=missed * weights, minlength=10)).sum() / weights.sum()


def list_figures(lists, relevant, study, k):
    """`lists`: the items of each user; `relevant`: a row a user of which items are held out."""
    ratings = np.array(study["ratings"])
    items = len(ratings)
    tops = [items_of[:k] for items_of in lists]
    shown = np.zeros_like(relevant)
    for user, top in enumerate(tops):
        shown[user, top] = True
    counts = shown.sum(axis=0)
    distinct, often = np.unique(counts, return_counts=True)
    apart = np.abs(distinct[:, None] - distinct[None, :]) * often[:, None] * often[None, :]
    order = np.argsort(-ratings, kind="stable")
    before = np.cumsum(ratings[order]) - ratings[order]
    part = np.empty(items, dtype=int)
    part[order] = np.where(5 * before < ratings.sum(), 0, np.where(5 * before >= 4 * ratings.sum(), 2, 1))
    exposure = np.zeros(items)
    for top in tops:
        exposure[top] += 1 / np.log2(2 + np.arange(len(top)))
    shares = np.bincount(part, weights=exposure, minlength=3) / exposure.sum()
    information = -np.log2(np.maximum(ratings, 1) / study["raters"])
    categories = sorted({name for names in study["categories"] for name in names})
    place = {name: n for n, name in enumerate(categories)}
    described = np.zeros((items, len(categories)))
    for item, names in enumerate(study["categories"]):
        described[item, [place[name] for name in names]] = 1
    pairs = [cosine_distances(described[top])[np.triu_indices(len(top), 1)] for top in tops]
    return {
        f"precision@{k}": precision_score(relevant, shown, average="samples", zero_division=0),
        f"recall@{k}": recall_score(relevant, shown, average="samples"),
        f"coverage@{k}": (counts > 0).mean(),
        f"gini@{k}": apart.sum() / (2 * items * counts.sum()),
        f"exposure_head@{k}": shares[0],
        f"exposure_middle@{k}": shares[1],
        f"exposure_tail@{k}": shares[2],
        f"novelty@{k}": np.mean(np.concatenate([information[top] for top in tops])),
        f"diversity@{k}": np.mean(np.concatenate(pairs)),
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


def moved_interval(count, figure, value):
    """Of a biased figure, from how often each user was drawn: moved to the figure of all."""
    random = np.random.default_rng(0)
    figures = [figure(np.bincount(random.integers(count, size=count), minlength=count)) for _ in range(RESAMPLES)]
    return list(np.percentile(np.array(figures) - np.mean(figures) + value, [2.5, 97.5]))


def judge_model(model, study):
    users, values = np.array(study["users"]), np.array(study["values"])
    _, own = np.unique(users, return_inverse=True)
    figures = ranking_figures(model["ranks"], study["places"])
    placed = list(zip(model["ranks"], model["candidates"]))
    figures["auc"] = np.mean([0 if rank is None else area(rank, among) for rank, among in placed])
    reciprocal = np.array([0 if rank is None else 1 / rank for rank in model["ranks"]])
    intervals = {"mrr": interval(users, reciprocal, False)}
    if model["predicted"] is not None:
        predicted = np.array(model["predicted"])
        low, high = study["scale"]
        figures |= prediction_figures(values, predicted, study["step"], study["scale"])
        intervals["rmse"] = interval(users, (values - predicted) ** 2, True)
        intervals["mae"] = interval(users, np.abs(values - predicted), False)
        bins = np.digitize((predicted - low) / (high - low), np.arange(1, 10) / 10)
        missed = (values - predicted) / (high - low)
        intervals["calibration_error"] = moved_interval(
            own.max() + 1, lambda drawn: calibration(bins, missed, drawn[own]), figures["calibration_error"]
        )
    if model["lists"] is not None:
        lists = [np.array(items, dtype=int) for items in model["lists"]]
        known = np.array([item is not None for item in study["items"]])
        width = len(study["ratings"])
        relevant = np.zeros((len(lists), width), dtype=bool)
        relevant[own[known], [item for item in study["items"] if item is not None]] = True
        for k in study["cutoffs"]:
            figures |= list_figures(lists, relevant, study, k)
        k = study["cutoffs"][0]
        shown = np.zeros((len(lists), width))
        for user, items in enumerate(lists):
            shown[user, items[:k]] = 1
        seen = shown[:, shown.any(axis=0)]
        intervals[f"coverage@{k}"] = moved_interval(
            len(lists), lambda drawn: (drawn @ seen > 0).sum() / width, figures[f"coverage@{k}"]
        )
    return {"figures": figures, "intervals": intervals}


def judge(study):
    return {model["name"]: judge_model(model, study) for model in study["models"]}


json.dump([judge(study) for study in json.load(sys.stdin)], sys.stdout)
