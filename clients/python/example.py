"""Rates an item and is recommended others. Usage: example.py [VALUE]"""

import json
import os
import sys
import uuid

import grpc
from accrete.v1 import rating_pb2, recommender_pb2, recommender_pb2_grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# Both calls are safe to repeat: Rate has a request id.
CALLS = [{"service": "accrete.v1.RecommenderService", "method": method} for method in ("Rate", "Recommend")]
RETRY = {"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
         "retryableStatusCodes": ["UNAVAILABLE"]}
CONFIG = json.dumps({"methodConfig": [{"name": CALLS, "retryPolicy": RETRY}]})

address = os.environ.get("ACCRETE_ADDRESS", "127.0.0.1:50051")
value = float(sys.argv[1]) if len(sys.argv) > 1 else 5
try:
    with grpc.insecure_channel(address, options=[("grpc.service_config", CONFIG)]) as channel:
        client = recommender_pb2_grpc.RecommenderServiceStub(channel)
        rating = rating_pb2.Rating(user_id="pia", item_id="solaris", value=value)
        request = recommender_pb2.RateRequest(request_id=str(uuid.uuid4()), ratings=[rating])
        revision = client.Rate(request, timeout=10).revision
        request = recommender_pb2.RecommendRequest(user_id="pia", min_revision=revision)
        answer = client.Recommend(request, timeout=10)
        print("model", answer.model)
        for item in answer.items:
            print(item.item_id, item.score)
except grpc.RpcError as error:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    reasons = [info.reason for detail in (status.details if status else []) if detail.Unpack(info)]
    sys.exit(" ".join([*reasons, error.code().name, error.details()]))
