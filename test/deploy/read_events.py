"""Reads a folder of runs as TensorBoard does: of each run its figures, by name, as steps and values."""

import json
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

found = {}
for run in sorted(os.listdir(sys.argv[1])):
    events = EventAccumulator(os.path.join(sys.argv[1], run))
    events.Reload()
    found[run] = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
print(json.dumps(found))
