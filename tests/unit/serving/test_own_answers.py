"""Every client gets its own answers, whatever else is asked at the same time, and also while a worker is killed."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence

import lightgbm
import numpy as np
import psutil

from serving.contract import INFERENCE_ID_HEADER
from tests.unit.serving.conftest import RunningServer, wait_for

HEAD = "POST /invocations HTTP/1.1\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n{id}: {number}\r\n\r\n"
FORMS = {
    "text/csv": ("{0!r},blue,2.5,2,-3\n", "{0!r}\n"),
    "application/json": ('[[{0!r},"blue",2.5,"2",-3]]', '{{"predictions":[{{"score":{0!r},"label":{1}}}]}}'),
    "application/jsonlines": ('[{0!r},"blue",2.5,"2",-3]\n', '{{"score":{0!r},"label":{1}}}\n'),
}
"""A request's body by its width, an answer's by its score and label."""
Question = tuple[bytes, bytes, bytes]
"""What is sent, the inference id and the body that must come back."""


def questions(booster: lightgbm.Booster, count: int, seed: int) -> list[Question]:
    """Requests that all differ, now and then one large enough for a thread."""
    chance = random.Random(seed)  # noqa: S311 - test data
    widths = [chance.uniform(-10, 10) for _ in range(count)]
    scores = booster.predict(np.array([[width, 0, 2.5, 1, -3] for width in widths]), num_threads=1)
    return [
        _question(chance, f"{seed}-{number}", *pair) for number, pair in enumerate(zip(widths, scores, strict=True))
    ]


def _question(chance: random.Random, number: str, width: float, score: float) -> Question:
    content_type, (asked, answered) = chance.choice(list(FORMS.items()))
    rows = 2000 if content_type == "text/csv" and chance.random() < 0.02 else 1
    body = asked.format(width) * rows
    head = HEAD.format(type=content_type, length=len(body), id=INFERENCE_ID_HEADER, number=number)
    return (head + body).encode(), number.encode(), (answered.format(float(score), int(score >= 0.5)) * rows).encode()


async def receive(reader: asyncio.StreamReader, expected: Question) -> None:
    """Read one answer and check that it is the question's."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    body = await reader.readexactly(int(fields[b"Content-Length"]))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (fields[INFERENCE_ID_HEADER.encode()], body) == expected[1:]


async def pipelined(port: int, asked: Sequence[Question], cuts: random.Random) -> None:
    """Send everything at once, in pieces of any size; the answers come in order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        stream = b"".join(sent for sent, _, _ in asked)
        while stream:
            size = cuts.choice([1, 7, 100, 5000])
            writer.write(stream[:size])
            stream = stream[size:]
            await asyncio.sleep(0)
            await writer.drain()

    sending = asyncio.create_task(send())
    for one in asked:
        await receive(reader, one)
    await sending
    writer.close()


async def in_turn(port: int, asked: Sequence[Question]) -> int:
    """Ask one after the other on a connection kept open; how often it broke before the answer, and was asked again."""
    broken, left = 0, list(asked)
    while left:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while left:
                writer.write(left[-1][0])
                await receive(reader, left[-1])
                left.pop()
        except (ConnectionError, asyncio.IncompleteReadError):
            broken += 1
        writer.close()
    return broken


def test_thousands_of_interleaved_requests_each_get_their_own_answer(
    two_workers: RunningServer, booster: lightgbm.Booster
) -> None:
    asked = [questions(booster, 300, seed) for seed in range(12)]

    async def all_at_once() -> None:
        pipelines = (pipelined(two_workers.port, one, random.Random(0)) for one in asked[:6])  # noqa: S311 - test data
        turns = (in_turn(two_workers.port, one) for one in asked[6:])
        async with asyncio.timeout(120):
            await asyncio.gather(*pipelines, *turns)

    asyncio.run(all_at_once())


def test_a_worker_that_is_killed_under_load_costs_only_its_own_connections(
    two_workers: RunningServer, booster: lightgbm.Booster
) -> None:
    asked = [questions(booster, 400, seed) for seed in range(16)]
    victim, *others = psutil.Process(two_workers.process.pid).children()
    listening = sum(one.get("event") == "listening" for one in two_workers.events())

    async def kill_meanwhile() -> list[int]:
        async with asyncio.timeout(120):
            running = asyncio.gather(*(in_turn(two_workers.port, one) for one in asked))
            await asyncio.sleep(0.1)
            os.kill(victim.pid, signal.SIGKILL)
            return await running

    broken = asyncio.run(kill_meanwhile())
    assert 0 in broken
    assert 0 < max(broken) <= 3  # one may come back just before the kernel has closed the dead worker's listener
    wait_for(two_workers, "listening", listening + 1)
    now = psutil.Process(two_workers.process.pid).children()
    assert len(now) == 2
    assert set(others) < set(now)
