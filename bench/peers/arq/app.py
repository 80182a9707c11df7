"""The FastAPI + arq peer: verifies a bearer token, validates a training request, enqueues it with arq, answers 202."""

import os
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import jwt
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

SECRET = os.environ["JWT_SECRET"]
REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])


class TrainingRequest(BaseModel):
    """The request body of `POST /training`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")
    algorithm: str
    features: list[str] = Field(min_length=1)
    dataset: str | None = "titanic"
    target: str | None = "survived"
    params: dict[str, Any] = Field(default_factory=dict)
    priority: int = Field(default=0, ge=-10, le=10)
    run_at: datetime | None = None
    max_attempts: int = Field(default=3, ge=1, le=20)
    timeout_s: int = Field(default=3600, ge=1, le=86_400)
    webhook_url: str | None = None
    seed: int = Field(default=42, ge=0)


class Accepted(BaseModel):
    """The response body of the 202."""

    job_id: str
    status: str
    status_url: str


queue: ArqRedis


@asynccontextmanager
async def lifespan(_: FastAPI):
    global queue
    queue = await create_pool(REDIS)
    yield
    await queue.aclose()


app = FastAPI(lifespan=lifespan)


async def caller(token: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict[str, Any]:
    try:
        return jwt.decode(token.credentials, SECRET, algorithms=["HS256"], audience="trainyard", issuer="trainyard")
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "the access token is not valid") from error


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/training", status_code=202)
async def submit(body: TrainingRequest, user: Annotated[dict[str, Any], Depends(caller)]) -> Accepted:
    job = await queue.enqueue_job("train", body.model_dump(mode="json"), user["sub"])
    return Accepted(job_id=job.job_id, status="queued", status_url=f"/training/{job.job_id}")
