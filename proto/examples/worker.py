"""A complete Cadre worker: python worker.py [--url URL] ROLE...   Needs Python 3.11 and nats-py."""
import argparse, asyncio, datetime, hashlib, json, os, signal, sys, time, nats
def work(role, document):  # the job: gets what satisfies `accepts`, gives what satisfies `returns`
    return document
async def read(store, value):
    is_odd = isinstance(value, dict) and list(value) in (["$blob"], ["$json"])
    key, inner = next(iter(value.items())) if is_odd else ("", value)
    return json.loads((await store.get(inner["sha256"])).data) if key == "$blob" else inner
async def write(store, document):
    text = json.dumps(document, allow_nan=False).encode()
    if len(text) <= 65536: return {"$json": document}  # escaped: never taken for a reference
    await store.put(name := hashlib.sha256(text).hexdigest(), text)
    return {"$blob": {"sha256": name, "size": len(text)}}
async def answer(bus, store, order, pause, ahead):
    body, sent = json.loads(order.data), order.metadata.timestamp.timestamp()  # the broker's clock
    left = sent + int(order.headers["Cadre-Timeout-Ms"]) / 1000 - time.monotonic() - ahead
    if left < 0.01: return await order.ack()  # what cannot fit does not start
    report = {key: body[key] for key in ("task", "step", "attempt", "role")} | {"worker": "python"}
    try:
        async with asyncio.timeout(left):
            document = await read(store, body["input"])
            job = asyncio.ensure_future(asyncio.to_thread(work, body["role"], document))
            while not (await asyncio.wait([job], timeout=pause))[0]: await order.in_progress()
            report["completed"] = {"output": await write(store, job.result())}
    except Exception as error: report["failed"] = {"kind": "ERROR", "message": repr(error)[:2000]}
    headers = {"Content-Type": "application/json", "Nats-Expected-Last-Subject-Sequence": "0"}
    subject = order.subject.replace(".work.", ".in.report.", 1)
    reply = await bus.request(subject, json.dumps(report).encode(), headers=headers, timeout=10)
    refusal = json.loads(reply.data).get("error")  # 10071, wrong last sequence: reported already
    if refusal is None or refusal["err_code"] == 10071: await order.ack()
async def serve(bus, store, stream, role, stop):
    orders = await bus.jetstream().pull_subscribe_bind(f"role-{role}", stream=stream)
    try: pause = (await orders.consumer_info()).config.ack_wait / 3
    except nats.js.errors.NotFoundError: return sys.stderr.write(f"no pack has role {role}: apply one\n")
    now = json.loads((await bus.request(f"$JS.API.STREAM.INFO.{stream}")).data)["ts"]
    ahead = datetime.datetime.fromisoformat(now).timestamp() - time.monotonic()  # broker, not us
    while not stop.is_set():
        try: await answer(bus, store, (await orders.fetch(1, timeout=1))[0], pause, ahead)
        except nats.errors.Error: await asyncio.sleep(0.05)  # nothing to do, or the bus has a gap
async def main():
    options, stop = argparse.ArgumentParser(), asyncio.Event()
    options.add_argument("roles", nargs="+")
    options.add_argument("--url", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await nats.connect((given := options.parse_args()).url, max_reconnect_attempts=-1) as bus:
        store = await bus.jetstream().object_store("CADRE_BLOBS")
        names = [stream.config.name for stream in await bus.jetstream().streams_info()]
        pairs = [(n, r) for n in names if n.startswith("CADRE_WORK_") for r in given.roles] * 4
        await asyncio.gather(*(serve(bus, store, name, role, stop) for name, role in pairs))
asyncio.run(main())
