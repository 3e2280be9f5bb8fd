"""What an embedder is, which one it is, and how its answers are read."""

import base64
import binascii
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from common.errors import Unavailable
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Vector = NDArray[np.float32]

EMBEDDED = "embedded"
# At most about 450 tokens: one window of a 512-token model, and a quarter of a second on two cores.
CUT = 400
# Some clouds take no more than ten texts a call.
BATCH = 8
MOST_DIMENSIONS = 8192


class TextRefused(Unavailable):
    """The server is there and will not have these texts."""


def away(why: str) -> Unavailable:
    return Unavailable(
        "embedder-away",
        zh=f"语义模型暂不可用（{why}）；匹配将仅按词语进行，请检查模型服务",
        en=f"the embedding model is away ({why}); matches go by words alone, check its server",
    )


def refused(why: str) -> TextRefused:
    return TextRefused(
        "embedder-refused",
        zh=f"语义模型不接受该文本（{why}）；请核对模型名称与文本长度",
        en=f"the embedding model refuses the text ({why}); check the model's name and the length it takes",
    )


class Source(BaseModel):
    """A model, where it runs and how it is asked. Different sources give vectors that do not compare."""

    model_config = ConfigDict(frozen=True)

    endpoint: str
    model: str
    release: str = ""
    query_prefix: str = ""
    passage_prefix: str = ""
    query_fields: dict[str, Any] = {}
    passage_fields: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The model, and a digest of all that its vectors hang on."""
        whole = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return f"{self.model}@{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


class Embedder(Protocol):
    """Turns texts into vectors of unit length. Raises: Unavailable; TextRefused."""

    def expect(self, dimensions: int) -> None:
        """From now on, vectors of another length are an outage."""
        ...

    async def passages(self, texts: Sequence[str]) -> Vector: ...

    async def query(self, text: str) -> Vector: ...

    async def close(self) -> None: ...


def prepared(text: str) -> str:
    """The part of a text that is embedded."""
    return unicodedata.normalize("NFC", text).strip()[:CUT]


def unit(rows: Vector, count: int, dimensions: int | None = None) -> Vector:
    """The rows with length one. Raises: ValueError when they are not `count` usable vectors."""
    if rows.ndim != 2 or len(rows) != count or not 1 <= rows.shape[1] <= MOST_DIMENSIONS:
        raise ValueError("not one vector a text")
    if dimensions is not None and rows.shape[1] != dimensions:
        raise ValueError(f"{rows.shape[1]} dimensions instead of {dimensions}")
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < 1e-9).any():
        raise ValueError("a vector without length")
    return (rows / lengths).astype(np.float32)


def read_answer(body: bytes, count: int) -> Vector:
    """The vectors of an answer, in the order of the texts. Raises: ValueError."""
    try:
        items = json.loads(body)["data"]
        placed = {item.get("index", n): item["embedding"] for n, item in enumerate(items)}
        if len(items) != count:
            raise ValueError("not one vector a text")
        return np.array([_numbers(placed[index]) for index in range(count)], dtype=np.float32)
    except (AttributeError, KeyError, TypeError, binascii.Error, OverflowError, RecursionError) as error:
        raise ValueError(f"not an answer with vectors: {type(error).__name__}") from None


def _numbers(given: str | list[float]) -> Vector:
    if isinstance(given, str):
        return np.frombuffer(base64.b64decode(given, validate=True), dtype="<f4")
    return np.array(given, dtype=np.float32)
