"""Ranks what users rated last by models of the library implicit, which learn who rated what else, whatever the values.

Usage: implicit_models.py < lines of user, item and 1 where it is held out, else 0, with tabs between.
Prints one line of JSON: by model hitRate and ndcg of the first ten items that the user has not rated, and seconds of
learning. An item that nobody rated else is a miss.
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


def measure(model):
    start = time.process_time()
    model.fit(ratings, show_progress=False)
    seconds = time.process_time() - start
    ids, _ = model.recommend(users[asked], ratings[users[asked]], N=LIST, filter_already_liked_items=True)
    # A list that is too short is filled up with items that were asked to be left out, or with -1.
    known = np.asarray(ratings.sum(axis=0)).ravel() > 0
    hits = (ids == items[asked][:, None]) & known[items[asked]][:, None]
    gains = hits / np.log2(np.arange(LIST) + 2)
    return {"hitRate": hits.sum() / len(asked), "ndcg": gains.sum() / len(asked), "seconds": seconds}


print(json.dumps({name: measure(make()) for name, make in MODELS.items()}))
