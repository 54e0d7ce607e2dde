"""Interprets ../conformance/scenario.json. Usage: conformance.py [--aio]; the addresses are in the environment."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor_pool import Default
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry import context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import accrete
from accrete.errors import AccreteError
from accrete.v1 import Experiment, Rating

SCENARIO = Path(os.environ["ACCRETE_SCENARIO"])
VECTORS = Path(os.environ["ACCRETE_VECTORS"])
CONTROL = os.environ["ACCRETE_CONTROL"]
SERVICES = {
    "RecommenderService": "recommender",
    "ModelService": "models",
    "UserService": "users",
    "CatalogService": "catalog",
    "ImportService": "imports",
    "ExperimentService": "experiments",
}


async def main() -> int:
    """Runs all steps, and says which of them failed."""
    scenario = json.loads(SCENARIO.read_text("utf-8"))
    runner = Runner(accrete.aio if "--aio" in sys.argv else accrete)
    number = failed = 0
    for group in scenario["groups"]:
        for step in group["steps"]:
            number += 1
            name = f"{number} {group['name']}: {step['name']}"
            try:
                await runner.run(step)
                print("ok", name, flush=True)
            except Exception as error:
                failed += 1
                print("not ok", name, "-", f"{type(error).__name__}: {error}", flush=True)
    await awaited(runner.client.close())
    return 1 if failed else 0


class Runner:
    """Takes the steps of a scenario, with what earlier ones saved."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.client = library.connect()
        self.saved: dict[str, Any] = {}

    async def run(self, step: dict[str, Any]) -> None:
        """Takes one step; raises if it did not go as it should."""
        step = self.filled(step)
        wanted = step.get("error")
        action = getattr(self, "do_" + step["do"])
        try:
            with traced(step.get("traceparent")):
                result = await awaited(action(step))
        except asyncio.CancelledError:
            # So asyncio says it, and so it stays.
            if wanted is None or wanted["code"] != "CANCELLED":
                raise
            return
        except AccreteError as error:
            if wanted is None:
                raise
            check(described(error), wanted, "error")
            name = "".join(word.capitalize() for word in wanted["code"].split("_")) + "Error"
            check(type(error).__name__, name, "class")
            return
        if wanted is not None:
            raise AssertionError(f"no error, but {result}")
        if "expect" in step:
            check(result, step["expect"], "answer")
        for name, path in step.get("save", {}).items():
            self.saved[name] = found(result, path)

    def filled(self, value: Any) -> Any:
        """The value, with what was saved in place of its ${name}."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if isinstance(value, str) and value.startswith("${"):
            return self.saved[value[2:-1]]
        return value

    def method(self, name: str) -> tuple[Any, Any]:
        """A call of the client, and its description in the contract."""
        service, method = name.split("/")
        described = Default().FindServiceByName(f"accrete.v1.{service}").FindMethodByName(method)
        return getattr(getattr(self.client, SERVICES[service]), method), described

    async def do_call(self, step: dict[str, Any]) -> Any:
        """Any call of the contract; the answers of a stream are `messages`."""
        call, method = self.method(step["method"])
        kind = GetMessageClass(method.input_type)
        timeout = step["timeoutMs"] / 1000 if "timeoutMs" in step else None
        if method.client_streaming:
            requests = [ParseDict(each, kind()) for each in step["requests"] if "progress" not in each]
            answer = call(iter(requests), timeout=timeout)
        else:
            request = ParseDict(step.get("request", {}), kind())
            # A blocking call that shall be cancelled is a future.
            is_future = "cancelAfterMs" in step and self.library is accrete and not method.server_streaming
            answer = (call.future if is_future else call)(request, timeout=timeout)
        if "cancelAfterMs" in step:
            cancel_later(answer, step["cancelAfterMs"] / 1000)
            answer = answer if method.server_streaming or self.library is accrete.aio else answer.result
        if method.server_streaming:
            return {"messages": [to_json(each) async for each in listed(answer)]}
        return to_json(await awaited(answer() if callable(answer) else answer))

    async def do_pages(self, step: dict[str, Any]) -> Any:
        """All that an answer in pages has."""
        call, method = self.method(step["method"])
        request = ParseDict(step["request"], GetMessageClass(method.input_type)())
        pages = [to_json(page) async for page in listed(self.library.pages(call, request))]
        return {"pages": len(pages), "items": [item for page in pages for item in page.get(step["items"], [])]}

    async def do_rate(self, step: dict[str, Any]) -> Any:
        """A batch by the client's own method."""
        return to_json(await awaited(self.client.rate(ParseDict(each, Rating()) for each in step["ratings"])))

    async def do_wait(self, step: dict[str, Any]) -> Any:
        """Waits for a revision."""
        await awaited(self.client.wait_for_revision(step["revision"]))

    async def do_stream(self, step: dict[str, Any]) -> Any:
        """Many ratings by a stream, with something that happens on the way."""
        refusals: list[AccreteError] = []
        options = {"batch_size": step["batchSize"]} | ({"on_refused": refusals.append} if step.get("listen") else {})
        stream = self.client.rating_stream(**options)
        begun, early = time.monotonic(), 0
        try:
            for k, rating in enumerate(ratings_of(step)):
                if k == step.get("at"):
                    await asyncio.to_thread(self.do_control, step["control"])
                await awaited(stream.send(rating))
                early += time.monotonic() - begun < 0.5
            summary = await awaited(stream.close())
        finally:
            await awaited(stream.cancel())
        return vars(summary) | {
            "early": early,
            "refusals": [described(each) | {"ratings": len(each.ratings)} for each in refusals],
        }

    def do_control(self, step: dict[str, Any]) -> Any:
        """Tells the test what to do with the server, or between it and us."""
        request = urllib.request.Request(CONTROL + step["path"], json.dumps(step.get("body", {})).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    async def do_connect(self, step: dict[str, Any]) -> Any:
        """Goes on with another connection; without an address, with one as at first."""
        tls = accrete.Tls(**{name: Path(step[name]) for name in ("ca", "certificate", "key") if name in step})
        await awaited(self.client.close())
        self.client = self.library.connect(
            step.get("address"), tls=tls if "ca" in step else None, token=step.get("token")
        )

    def do_arm(self, step: dict[str, Any]) -> Any:
        """The arm of a unit, as the server writes it."""
        experiment = ParseDict(step["experiment"], Experiment())
        return {"arm": f"{experiment.name}/{accrete.arm(experiment, step['unit'])}"}

    def do_vectors(self, step: dict[str, Any]) -> Any:
        """Compares with what is published of points and arms."""
        vectors = json.loads(VECTORS.read_text("utf-8"))
        for each in vectors["points"]:
            check(accrete.point(each["salt"], each["unit"]), each["point"], each["unit"])
        assignments = 0
        for each in vectors["experiments"]:
            experiment = ParseDict(wire_form(each), Experiment())
            for assignment in each["assignments"]:
                check(accrete.arm(experiment, assignment["unit"]), assignment["arm"], assignment["unit"])
                assignments += 1
        return {"points": len(vectors["points"]), "assignments": assignments}

    def do_same(self, step: dict[str, Any]) -> Any:
        """Compares what was saved."""
        if len({json.dumps(value) for value in step["values"]}) != 1:
            raise AssertionError(f"these differ: {step['values']}")


def ratings_of(step: dict[str, Any]) -> Iterator[Rating]:
    """The ratings of a stream, made by number: clicks, which are counted each, and maybe a bad one among them."""
    for k in range(step["count"]):
        if k == step.get("bad"):
            yield Rating(user_id=step["user"], item_id="bad", value=99)
        elif step.get("distinct"):
            yield Rating(user_id=f"{step['user']}-{k % 40}", item_id=f"item-{k // 40}", value=1 + k * 7919 % 101 % 5)
        else:
            yield Rating(user_id=f"{step['user']}-{k % 7}", item_id=f"item-{k % 50}", kind="click")


def wire_form(vector: dict[str, Any]) -> dict[str, Any]:
    """An experiment of the published vectors as the contract has it."""

    def slices(pairs: list[list[int]]) -> list[dict[str, int]]:
        return [{"from": first, "to": last} for first, last in pairs]

    arms = [{"name": arm["name"], "slices": slices(arm["slices"])} for arm in vector["arms"]]
    layer = {"layer": vector["layer"], "layerSlices": slices(vector["layerSlices"])}
    return {"name": "published", "salt": vector["salt"], "arms": arms} | layer


def cancel_later(call: Any, seconds: float) -> None:
    """Cancels a call of either client."""
    if isinstance(call, grpc.aio.Call):
        asyncio.get_running_loop().call_later(seconds, call.cancel)
    else:
        threading.Timer(seconds, call.cancel).start()


def described(error: AccreteError) -> dict[str, Any]:
    """An error as the scenario writes it."""
    return {
        "code": error.code.name,
        "reason": error.reason,
        "fields": [each.field for each in error.violations],
        "retryMs": round(error.retry_after.total_seconds() * 1000) if error.retry_after else None,
        "metadata": error.metadata,
    }


def check(value: Any, wanted: Any, path: str) -> None:
    """Raises unless the value has everything that is wanted; what is left out on the wire is its default."""
    if wanted == "$some":
        ok = bool(value)
    elif isinstance(wanted, dict) and "$count" in wanted:
        ok = len(value or ()) == wanted["$count"]
    elif isinstance(wanted, dict) and "$min" in wanted:
        ok = float(value or 0) >= wanted["$min"]
    elif isinstance(wanted, dict) and "$max" in wanted:
        ok = float(value or 0) <= wanted["$max"]
    elif isinstance(wanted, dict) and "$last" in wanted:
        check(value[-1], wanted["$last"], f"{path}.last")
        return
    elif isinstance(wanted, dict):
        for key, each in wanted.items():
            check((value or {}).get(key), each, f"{path}.{key}")
        return
    elif isinstance(wanted, list):
        if len(value or ()) != len(wanted):
            raise AssertionError(f"{path} is {value}, not {wanted}")
        for index, each in enumerate(wanted):
            check(value[index], each, f"{path}.{index}")
        return
    else:
        ok = value == wanted or (not wanted and not value)
    if not ok:
        raise AssertionError(f"{path} is {value!r}, not {wanted!r}")


def found(value: Any, path: str) -> Any:
    """What is at a path: `calls.0.requestId`."""
    for part in path.split(".") if path else ():
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def to_json(message: Message) -> Any:
    """A message as all languages write it."""
    return MessageToDict(message)


@contextmanager
def traced(traceparent: str | None) -> Iterator[None]:
    """Within a trace that began elsewhere."""
    token = context.attach(TraceContextTextMapPropagator().extract({"traceparent": traceparent or ""}))
    try:
        yield
    finally:
        context.detach(token)


async def awaited(value: Any) -> Any:
    """The value, also of a coroutine: so the same steps are taken by both clients."""
    return await value if inspect.isawaitable(value) else value


async def listed(answers: Any) -> AsyncIterator[Any]:
    """The answers of a stream of either client."""
    if hasattr(answers, "__aiter__"):
        async for answer in answers:
            yield answer
    else:
        for answer in answers:
            yield answer


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
