"""The peer of `intake`: FastAPI and asyncpg with nothing around them; one insert, committed, per request."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

TABLE = """CREATE TABLE IF NOT EXISTS bare (
  id uuid PRIMARY KEY, title text NOT NULL, text text NOT NULL, category text, created_at timestamptz DEFAULT now()
)"""


class Demand(BaseModel):
    title: str
    text: str
    category: str | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=8, max_size=8)
    await app.state.pool.execute(TABLE)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


@app.post("/demands", status_code=201)
async def submit(demand: Demand) -> dict[str, UUID]:
    id = uuid4()
    await app.state.pool.execute(
        "INSERT INTO bare (id, title, text, category) VALUES ($1, $2, $3, $4)",
        id, demand.title, demand.text, demand.category,
    )  # fmt: skip
    return {"id": id}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["BARE_PORT"]), log_level="warning", access_log=False
    )
