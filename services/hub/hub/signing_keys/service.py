"""Sign tokens, publish the keys that verify them, rotate with overlap."""

import json
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from common import audit
from common.auth import Principal
from common.errors import Unavailable
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy.ext.asyncio import AsyncSession

from hub.signing_keys import domain, repository
from hub.signing_keys.domain import SigningKey

NONCE_BYTES = 12
ALGORITHM = "ES256"


def _sealer(pepper: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"hubnet signing keys").derive(pepper))


def _generate(pepper: bytes, *, at: datetime, signs_from: datetime) -> SigningKey:
    pair = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    kid = str(pair.kid)
    nonce = os.urandom(NONCE_BYTES)
    private = json.dumps(pair.as_dict(private=True)).encode()
    return SigningKey(
        kid=kid,
        public=dict(pair.as_dict(private=False)),
        sealed=nonce + _sealer(pepper).encrypt(nonce, private, kid.encode()),
        published_at=at,
        signs_from=signs_from,
    )


def _open(key: SigningKey, pepper: bytes) -> ECKey:
    assert key.sealed is not None
    nonce, sealed = key.sealed[:NONCE_BYTES], key.sealed[NONCE_BYTES:]
    try:
        private = _sealer(pepper).decrypt(nonce, sealed, key.kid.encode())
    except InvalidTag as error:
        raise Unavailable(
            "wrong-pepper",
            zh="枢纽的 pepper 不是封存签名密钥时所用的；请运维恢复原来的 pepper 文件",
            en="the hub's pepper is not the one its signing key was sealed with; operations must restore the pepper file",
        ) from error
    return ECKey.import_key(json.loads(private))


async def ensure(tx: AsyncSession, pepper: bytes, *, at: datetime) -> Sequence[SigningKey]:
    """The published keys; the very first is made here, once."""
    keys = await repository.published(tx)
    if not keys:
        await repository.alone(tx)
        keys = await repository.published(tx)
        if not keys:
            keys = [_generate(pepper, at=at, signs_from=at)]
            await repository.add(tx, keys[0])
    return keys


async def document(tx: AsyncSession, pepper: bytes, *, at: datetime) -> dict[str, Any]:
    """The JWKS: public parts only."""
    return {"keys": [key.public for key in await ensure(tx, pepper, at=at)]}


async def sign(tx: AsyncSession, claims: dict[str, Any], pepper: bytes, *, at: datetime) -> str:
    """A token of these claims."""
    key = domain.signer(await ensure(tx, pepper, at=at), at)
    assert key is not None
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
    return jwt.encode(header, claims, _open(key, pepper), algorithms=[ALGORITHM], default_type=None)


async def rotate(
    tx: AsyncSession, who: Principal, pepper: bytes, *, sign_after_s: int, compromised: bool, at: datetime
) -> SigningKey:
    """Publish a new key, which signs once services have had the time to read it.

    A compromised key goes at once: tokens it signed are refused as soon as services read the keys again.
    Raises: Conflict.
    """
    await repository.alone(tx)
    keys = await repository.published(tx)
    if compromised:
        for key in keys:
            await repository.retire(tx, key.model_copy(update={"retired_at": at}))
    else:
        domain.check_rotation(keys, at)
    wait = 0 if compromised or not keys else sign_after_s
    fresh = _generate(pepper, at=at, signs_from=at + timedelta(seconds=wait))
    await repository.add(tx, fresh)
    await audit.add(
        tx, who.subject, "signing-key.rotated", fresh.kid, at=at,
        detail={"sign_after_s": wait, "compromised": compromised},
    )  # fmt: skip
    return fresh


async def retire_spent(tx: AsyncSession, who: Principal, *, at: datetime) -> int:
    """Withdraw the keys whose tokens have all expired."""
    await repository.alone(tx)
    spent = domain.spent(await repository.published(tx), at)
    for key in spent:
        await repository.retire(tx, key.model_copy(update={"retired_at": at}))
        await audit.add(tx, who.subject, "signing-key.retired", key.kid, at=at, detail={})
    return len(spent)


async def overview(tx: AsyncSession, *, at: datetime) -> list[tuple[SigningKey, str]]:
    keys = await repository.recent(tx)
    return [(key, domain.status(key, keys, at)) for key in keys]
