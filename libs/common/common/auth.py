"""Who is calling: verify the bearer token against the issuer's keys, then open the route by role.

Keys are cached in memory and in the database, so that a service verifies while the hub is away and
after its own restart. Row access is not decided here: repositories take the caller.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.request import ProxyHandler, build_opener

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry

from common import log
from common.clock import Clock
from common.errors import Forbidden, Unauthenticated, Unavailable
from common.settings import Settings

Role = Literal["sme", "agency", "window_staff", "cluster_staff", "operator", "department", "platform"]
ALGORITHMS = ["ES256"]
LEEWAY_S = 60
# The clocks of two platforms may differ by so much: a token from the near future is one of a faster clock.
SKEW_S = 300
REFRESH_S = 300.0
UNKNOWN_KID_S = 5.0
CACHED_TOKENS = 4096
MAX_TOKEN = 8192
MAX_KEYS = 65_536


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, as the token proves it.

    Shape: `node` is the node this process runs; `home` the platform a member of staff belongs to.
    """

    subject: str
    roles: frozenset[str]
    node: str
    home: str | None = None

    @classmethod
    def system(cls, node: str) -> "Principal":
        """The node itself, acting on a message or a clock."""
        return cls(subject=f"node:{node}", roles=frozenset({"platform"}), node=node, home=node)

    @property
    def on_site(self) -> bool:
        """Whether the caller works for this very platform: who may see a person's contact."""
        return self.home == self.node and bool(self.roles & {"window_staff", "cluster_staff", "platform"})

    @property
    def staff(self) -> bool:
        """Whether the caller works for this very platform, or for the whole network."""
        return self.on_site or "operator" in self.roles

    def staff_of(self, platform: str) -> bool:
        """Whether the caller works for that platform, or for the whole network."""
        if "operator" in self.roles:
            return True
        return self.home == platform and bool(self.roles & {"window_staff", "cluster_staff", "platform"})


def _refuse(en: str, zh: str) -> Unauthenticated:
    return Unauthenticated("bad-token", zh=f"{zh}；请重新登录获取令牌", en=f"{en}; get a new token")


class Verifier:
    """Verifies tokens of one issuer.

    Raises: Unauthenticated for anything not provably issued to us and still valid; Unavailable when
    no keys have ever been seen.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        now: Clock,
        recall: Callable[[], Awaitable[dict[str, Any] | None]],
        remember: Callable[[dict[str, Any]], Awaitable[None]],
        fetch: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    ):
        self._settings = settings
        self._now = now
        self._recall, self._remember = recall, remember
        self.fetch = fetch or self._fetch_over_http
        self._keys: KeySet | None = None
        self._kids: set[str] = set()
        self._fetched_at = -REFRESH_S
        self._lock = asyncio.Lock()
        self._seen: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._registry = JWTClaimsRegistry(
            now=lambda: int(now().timestamp()),
            leeway=SKEW_S,
            iss={"essential": True, "value": settings.token_issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._log = log.get("auth")

    async def _fetch_over_http(self) -> dict[str, Any]:
        return await asyncio.to_thread(_read_keys, self._settings.keys_url)

    def _use(self, document: dict[str, Any]) -> None:
        self._keys = KeySet.import_key_set(document)  # type: ignore[arg-type]
        self._kids = {key["kid"] for key in document["keys"]}
        self._seen.clear()

    async def refresh(self, *, older_than_s: float = REFRESH_S) -> None:
        """Read the issuer's keys again, unless that was done lately; keep the old ones if it is away."""
        async with self._lock:
            if time.monotonic() - self._fetched_at < older_than_s:
                return
            try:
                document = await self.fetch()
                self._use(document)
                self._fetched_at = time.monotonic()
                await self._remember(document)
            except Exception as error:
                # Asked again after a pause, not at every call.
                self._fetched_at = time.monotonic() - REFRESH_S + UNKNOWN_KID_S
                self._log.warning("keys-unavailable", error=type(error).__name__)
                if self._keys is None and (document := await self._recalled()):
                    self._use(document)

    async def _recalled(self) -> dict[str, Any] | None:
        """The keys of before the restart; None too while the database is away with the issuer."""
        try:
            return await self._recall()
        except Exception as error:
            self._log.warning("keys-not-recalled", error=type(error).__name__)
            return None

    async def claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise _refuse("the token is too long", "令牌过长")
        claims = self._seen.get(token) or await self._decoded(token)
        if claims["exp"] + LEEWAY_S < self._now().timestamp():
            raise _refuse("the token has expired", "令牌已过期")
        return claims

    async def _decoded(self, token: str) -> dict[str, Any]:
        if self._keys is None or time.monotonic() - self._fetched_at > REFRESH_S:
            await self.refresh()
        try:
            kid = jwt_kid(token)
            if kid not in self._kids:
                await self.refresh(older_than_s=UNKNOWN_KID_S)
            if self._keys is None:
                raise Unavailable(
                    "keys-away",
                    zh="暂时无法取得签发方公钥；请稍后重试",
                    en="the issuer's keys cannot be read yet; repeat the call later",
                    retry_after_s=5,
                )
            if kid not in self._kids:
                raise _refuse("the token is signed by an unknown key", "令牌签名密钥未知")
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            # decode() checks no claims.
            self._registry.validate(decoded.claims)
        except InvalidClaimError as error:
            if error.claim in ("nbf", "iat"):
                raise Unauthenticated(
                    "clock-skew",
                    zh="令牌尚未生效：本平台与签发方的时钟相差超过 5 分钟；请校准时钟",
                    en="the token is not valid yet: the clocks of this platform and of its issuer differ by more than "
                    "5 minutes; have them set",
                ) from None
            raise _refuse("the token is not valid (InvalidClaimError)", "令牌无效或已过期") from None
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refuse(f"the token is not valid ({type(error).__name__})", "令牌无效或已过期") from None
        self._seen[token] = decoded.claims
        if len(self._seen) > CACHED_TOKENS:
            self._seen.popitem(last=False)
        return decoded.claims

    async def principal(self, token: str) -> Principal:
        claims = await self.claims(token)
        roles = claims.get(self._settings.roles_claim) or []
        if isinstance(roles, str):
            roles = roles.split()
        return Principal(
            subject=str(claims["sub"]),
            roles=frozenset(map(str, roles)),
            node=self._settings.node,
            home=claims.get("home"),
        )


def _read_keys(url: str) -> dict[str, Any]:
    """One small GET. An HTTP client library would cost each of 26 processes 6 MB for it."""
    direct = [] if url.startswith("https:") else [ProxyHandler({})]
    with build_opener(*direct).open(url, timeout=3) as response:
        return json.loads(response.read(MAX_KEYS))


def jwt_kid(token: str) -> str:
    """The key id a token names; nothing else of its header is believed.

    Raises: ValueError when it is no compact JWS or names no key.
    """
    kid = extract_compact(token.encode()).headers().get("kid")
    if not isinstance(kid, str):
        raise ValueError("no key id")
    return kid


# Only documents the scheme, so that /docs can sign in; the header is read below.
_scheme = HTTPBearer(auto_error=False, bearerFormat="JWT", description="POST /oauth/token at the hub")


async def caller(request: Request, _: Annotated[Any, Depends(_scheme)] = None) -> Principal:
    """The authenticated caller of a request, counted against its rate."""
    runtime = request.app.state.runtime
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(
            "no-token",
            zh="缺少访问令牌；请在枢纽平台 /oauth/token 获取后以 Authorization: Bearer 发送",
            en="no access token; get one from the hub at /oauth/token and send it as Authorization: Bearer",
            field="Authorization",
        )
    who = await runtime.verifier.principal(token.strip())
    runtime.limiter.hit(who.subject)
    return who


def allow(*roles: Role) -> Any:
    """A dependency that gives the caller if one of the roles is theirs. Staff must be this platform's."""

    async def gate(who: Annotated[Principal, Depends(caller)]) -> Principal:
        for role in roles:
            if role not in who.roles:
                continue
            if role in ("window_staff", "cluster_staff", "platform") and who.home != who.node:
                continue
            return who
        raise Forbidden(
            "role-needed",
            zh=f"此操作需要以下角色之一：{'、'.join(roles)}（工作人员须属于本平台）；请用相应账号登录",
            en=f"this needs one of the roles {', '.join(roles)} (staff: of this platform); sign in with such an account",
        )

    return Depends(gate)
