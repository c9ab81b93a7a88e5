"""
Attribute an LLM prompt's parts through an async back end
=========================================================

Which parts of a prompt does an answer rest on? Each question to a language model goes
over a network and costs money, so many should be on their way at once, and none should
be paid twice.

There is **no language model** on this page, as it is built without a network. A
stand-in answers in its place: a small server on this machine that waits, now and then
hangs up, and computes its "probability of the right answer" by a rule that is written
below. The client is what you would write for a real service.
"""

import asyncio
import json
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory

import owen_core as oc

parts = [
    "You are a helpful agent.",
    "Answer in one word.",
    "Returns are free for 30 days.",
    "We ship to all of Europe.",
    "Today is the 3rd of May.",
    "The parcel came on 20 April.",
]
question = "Can I still send it back?"

# %%
# The stand-in
# ------------
# The right answer is *yes*. It takes the rule on returns, and both dates to apply it.

served = []


async def stand_in(reader, writer):
    prompt = json.loads(await reader.readline())["prompt"]
    served.append(prompt)
    answers = len(served) % 20 > 0  # every twentieth request gets none
    await asyncio.sleep(0.01)
    if answers:
        brief, rule, today, arrival = (parts[k] in prompt for k in (1, 2, 4, 5))
        applied = rule and today and arrival
        probability = 0.3 + 0.05 * brief + 0.2 * rule + 0.4 * applied
        writer.write(json.dumps({"probability": probability}).encode())
    writer.close()


# %%
# The client
# ----------
# A value function is a coroutine here. It is given coalitions, ``(m, n) bool``, and
# returns a number for each.


def value_of(host, port):
    async def ask(kept):
        reader, writer = await asyncio.open_connection(host, port)
        prompt = "\n".join([*compress(parts, kept), question])
        writer.write(json.dumps({"prompt": prompt, "answer": "yes"}).encode() + b"\n")
        answer = await reader.read()
        writer.close()
        if not answer:
            raise ConnectionError("the service hung up")
        return json.loads(answer)["probability"]

    async def value(coalitions):
        return await asyncio.gather(*map(ask, coalitions))

    return value


async def attribute(concept, store):
    async with await asyncio.start_server(stand_in, "127.0.0.1", 0) as server:
        return await oc.attribute_async(
            value_of(*server.sockets[0].getsockname()),
            parts,
            concept,
            concurrency=16,
            interactions=True,
            cache=store,
            retry=oc.Retry(times=3, wait=0.01),
        )


home = TemporaryDirectory()
store = oc.SqliteStore(Path(home.name) / "answers.sqlite", "stand-in, version 1")
credit = asyncio.run(attribute("shapley", store))
credit.plot.text()

# %%
# The credits sum to what the prompt adds to the probability. Two of its parts add
# nothing, and the two dates earn alike. Each of them is worth something beside the
# other and the rule only, and interactions say so:

credit.plot.triangle()

# %%
# What it cost
# ------------
# Six parts have 64 coalitions. Requests without an answer were sent again. A second
# question about the same prompt is answered from the store, in this process or in the
# next.

print(len(served), "requests:", credit.summary)
again = asyncio.run(attribute("banzhaf", store))
print(len(served), "requests:", again.summary)

store.close()
home.cleanup()
