"""Rates an item and is recommended others. Usage: quickstart.py [VALUE]"""

import sys

import accrete
from accrete.v1 import Rating, RecommendRequest

value = float(sys.argv[1]) if len(sys.argv) > 1 else 5
try:
    with accrete.connect() as client:
        rated = client.rate([Rating(user_id="pia", item_id="solaris", value=value)])
        request = RecommendRequest(user_id="pia", page_size=10, min_revision=rated.revision)
        answer = client.recommender.Recommend(request, timeout=10)
        print("model", answer.model)
        for item in answer.items:
            print(item.item_id, item.score)
except accrete.AccreteError as error:
    sys.exit(f"{error.code.name} {error}")
