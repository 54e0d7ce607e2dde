"""Runs river's BiasedMF over a stream of ratings: predict_one, then learn_one, event by event, in process.

Usage: biased_mf.py FACTORS SEED < ratings, one a line: user, item, value, with tabs between.
Prints one line of JSON: seconds and cpuSeconds (of predicting and learning alone), events, rmse.
"""

import json
import math
import sys
import time

from river import reco

factors, seed = (int(argument) for argument in sys.argv[1:])
rows = (line.split("\t") for line in sys.stdin)
events = [(user, item, float(value)) for user, item, value in rows]
model = reco.BiasedMF(n_factors=factors, seed=seed)
squared = 0.0
start = time.perf_counter()
cpu_start = time.process_time()
for user, item, value in events:
    error = value - model.predict_one(user, item)
    model.learn_one(user, item, value)
    squared += error * error
seconds = time.perf_counter() - start
cpu_seconds = time.process_time() - cpu_start
rmse = math.sqrt(squared / len(events))
print(json.dumps({"seconds": seconds, "cpuSeconds": cpu_seconds, "events": len(events), "rmse": rmse}))
