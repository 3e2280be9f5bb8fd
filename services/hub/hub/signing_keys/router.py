from common.db import Tx
from common.http import Now
from common.idempotency import OnlyOnce
from fastapi import APIRouter, Depends, Response

from hub.deps import Config, Operator, Pepper, own_identity
from hub.signing_keys import domain, service
from hub.signing_keys.schemas import Discovery, Jwks, RotationIn, SigningKeyOut, SigningKeys

router = APIRouter(tags=["keys"], dependencies=[Depends(own_identity)])


@router.get("/.well-known/jwks.json", summary="公钥 Public keys (JWKS)")
async def jwks(response: Response, tx: Tx, pepper: Pepper, now: Now) -> Jwks:
    """验证令牌签名所用的公钥。The keys that verify our tokens."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return Jwks.model_validate(await service.document(tx, pepper, at=now))


@router.get("/.well-known/openid-configuration", summary="签发方信息 Discovery")
async def discovery(response: Response, settings: Config) -> Discovery:
    """令牌签发方、地址与能力。The issuer, its addresses and what it can do."""
    response.headers["Cache-Control"] = "public, max-age=3600"
    return Discovery(
        issuer=settings.token_issuer,
        token_endpoint=f"{settings.hub_url}/oauth/token",
        jwks_uri=f"{settings.hub_url}/.well-known/jwks.json",
        grant_types_supported=["password", "client_credentials", "urn:hubnet:grant:api-key"],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "none"],
        response_types_supported=[],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=[service.ALGORITHM],
        claims_supported=["iss", "aud", "sub", "exp", "iat", "nbf", "jti", settings.roles_claim, "home"],
    )


@router.get("/v1/keys", summary="签名密钥 Signing keys")
async def overview(tx: Tx, who: Operator, now: Now) -> SigningKeys:
    """各密钥的状态：published、signing、verifying、retired。Each key and where it is in its life."""
    return SigningKeys(
        items=[SigningKeyOut.of(key, status) for key, status in await service.overview(tx, at=now)]
    )


@router.post("/v1/keys/rotation", status_code=201, summary="轮换签名密钥 Rotate the signing key")
async def rotate(
    body: RotationIn, tx: Tx, who: Operator, once: OnlyOnce, pepper: Pepper, now: Now
) -> SigningKeyOut:
    """新密钥立即公布，`sign_after_s` 秒后启用；旧密钥保留到其令牌全部过期。

    The new key is published at once and signs after `sign_after_s`; the old one stays until its tokens
    have expired. With `compromised` the old ones go at once and everybody signs in again.
    """

    async def act() -> SigningKeyOut:
        key = await service.rotate(
            tx, who, pepper, sign_after_s=body.sign_after_s, compromised=body.compromised, at=now
        )
        return SigningKeyOut.of(key, domain.status(key, [key], now) if body.compromised else "published")

    return await once(act)
