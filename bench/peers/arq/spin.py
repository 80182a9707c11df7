"""arq with jobs that keep the CPU busy for a millisecond: `spin.py preload <jobs>` adds them; `spin.py drain` runs them
and regularly prints `<jobs done so far> <milliseconds>`. One worker process with 64 concurrent jobs, no stored results, and
a poll every 10 ms (by default arq polls every half a second)."""

import asyncio
import os
import sys
import time

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])
SPEC = {"name": "bench", "algorithm": "logistic_regression", "features": ["length", "width"]}
SPIN_S = 0.001
REPORT_S = 0.02


async def preload(jobs: int) -> None:
    queue = await create_pool(REDIS)
    for _ in range(jobs):
        await queue.enqueue_job("train", SPEC)
    await queue.aclose()


async def train(_: dict, spec: dict) -> None:
    end = time.perf_counter() + SPIN_S
    while time.perf_counter() < end:
        pass


async def drain() -> None:
    done = 0

    async def count(_: dict) -> None:
        nonlocal done
        done += 1

    async def report() -> None:
        while True:
            print(done, f"{time.perf_counter() * 1000:.1f}", flush=True)
            await asyncio.sleep(REPORT_S)

    reporting = asyncio.create_task(report())
    worker = Worker(
        [train], redis_settings=REDIS, max_jobs=64, keep_result=0, poll_delay=0.01, after_job_end=count, handle_signals=False
    )
    await worker.async_run()
    reporting.cancel()


verb, *rest = sys.argv[1:]
asyncio.run(preload(int(rest[0])) if verb == "preload" else drain())
