"""Ranks what users rated last by models of the library implicit, which learn who rated what else, whatever the values.

Usage: implicit_models.py < lines of user, item and what it is, with tabs between: 0 learned, 1 held out, 2 an item beside
which the user's held out one is ranked. Without any of those it is ranked among all items that the user has not rated.
Prints one line of JSON: by model hitRate and ndcg of the first ten, seconds of learning, and the places, from 0, of what was
held out in the order of its lines; -1 where it is not in the list, or nobody rated it else.
"""

import json
import sys
import time

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

LIST = 10
COMMON = {"num_threads": 1, "random_state": 1}

users, items, held = np.loadtxt(sys.stdin, dtype=np.int64, delimiter="\t", unpack=True)
users = np.unique(users, return_inverse=True)[1]
items = np.unique(items, return_inverse=True)[1]
learned, asked = np.where(held == 0)[0], np.where(held == 1)[0]
ratings = csr_matrix(
    (np.ones(len(learned), dtype=np.float32), (users[learned], items[learned])),
    shape=(users.max() + 1, items.max() + 1),
)


def als(factors, alpha):
    return lambda: AlternatingLeastSquares(factors=factors, alpha=alpha, use_gpu=False, **COMMON)


MODELS = {
    "ALS k=64 alpha=1": als(64, 1),
    "ALS k=32 alpha=1": als(32, 1),
    "ALS k=64 alpha=10": als(64, 10),
    "BPR k=64": lambda: BayesianPersonalizedRanking(factors=63, use_gpu=False, **COMMON),
    "cosine": lambda: CosineRecommender(K=100, num_threads=1),
}


known = np.asarray(ratings.sum(axis=0)).ravel() > 0


def places_in_lists(model):
    ids, _ = model.recommend(users[asked], ratings[users[asked]], N=LIST, filter_already_liked_items=True)
    # A list that is too short is filled up with items that were asked to be left out, or with -1.
    hits = (ids == items[asked][:, None]) & known[items[asked]][:, None]
    return np.where(hits.any(axis=1), hits.argmax(axis=1), -1)


def places_beside(model):
    p, q = model.user_factors, model.item_factors
    places = []
    for user, item in zip(users[asked], items[asked]):
        others = items[beside[user]]
        scores = q[others[known[others]]] @ p[user]
        place = int((scores >= q[item] @ p[user]).sum())
        places.append(place if known[item] else -1)
    return np.array(places)


def measure(model, places_of):
    start = time.process_time()
    model.fit(ratings, show_progress=False)
    seconds = time.process_time() - start
    places = places_of(model)
    hits = (places >= 0) & (places < LIST)
    gains = np.where(hits, 1 / np.log2(np.maximum(places, 0) + 2), 0)
    return {
        "hitRate": hits.sum() / len(asked),
        "ndcg": gains.sum() / len(asked),
        "seconds": seconds,
        "places": places.tolist(),
    }


beside = {}
for place in np.where(held == 2)[0]:
    beside.setdefault(users[place], []).append(place)
factorising = {name: make for name, make in MODELS.items() if name != "cosine"}
subjects, places_of = (factorising, places_beside) if beside else (MODELS, places_in_lists)
print(json.dumps({name: measure(make(), places_of) for name, make in subjects.items()}))
