"""A client as Python's users have it: OpenTelemetry's own instrumentation of gRPC, and code generated from the contract.

Arguments: the folder of the contract, the server's address, where spans go. It prints its trace's id as JSON.
"""

import glob
import json
import sys
import tempfile
import uuid

import grpc
from grpc_tools import protoc
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

proto, address, collector = sys.argv[1:]

provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{collector}/v1/traces")))
trace.set_tracer_provider(provider)
GrpcInstrumentorClient().instrument()

with tempfile.TemporaryDirectory() as generated:
    include = protoc.__file__.rsplit("/", 1)[0] + "/_proto"
    imports = [f"-I{proto}", f"-I{proto}/third_party", f"-I{include}"]
    files = glob.glob(f"{proto}/accrete/v1/*.proto")
    outputs = [f"--python_out={generated}", f"--grpc_python_out={generated}"]
    if protoc.main(["protoc", *imports, *outputs, *files]) != 0:
        sys.exit("the contract does not compile")
    sys.path.insert(0, generated)
    from accrete.v1 import rating_pb2, recommender_pb2, recommender_pb2_grpc

    with trace.get_tracer("shop").start_as_current_span("checkout") as span, grpc.insecure_channel(address) as channel:
        service = recommender_pb2_grpc.RecommenderServiceStub(channel)
        rating = rating_pb2.Rating(user_id="ann", item_id="matrix", value=4)
        service.Rate(recommender_pb2.RateRequest(request_id=str(uuid.uuid4()), ratings=[rating]))
        trace_id = format(span.get_span_context().trace_id, "032x")

provider.shutdown()
print(json.dumps({"traceId": trace_id}))
