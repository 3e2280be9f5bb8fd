"""What a process is told at start; nothing reads the environment later."""

from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.node import Node, Topology, parse


@cache
def read_topology(path: Path) -> Topology:
    """The list of nodes in a file. Raises: OSError; ValueError naming the node and the field."""
    return parse(yaml.safe_load(path.read_text(encoding="utf-8")))


class Settings(BaseSettings):
    """The frozen settings of one service process, from `HUBNET_*` variables or given as a value."""

    model_config = SettingsConfigDict(env_prefix="HUBNET_", frozen=True, extra="ignore")

    node: str = Field(description="Id of this node in the topology")
    topology: Path = Field(description="The list of nodes: deploy/topology.yaml")
    database_url: str = Field(description="postgresql://user:password@host:port/database")
    database_read_url: str | None = Field(
        default=None, description="A follower of the database, for lists that may be 5 s old (hub)"
    )
    nats_url: str = Field(
        default="nats://127.0.0.1:4222", description="Of a cluster all, separated by commas"
    )
    nkey_seed_file: Path | None = Field(default=None, description="This node's nkey seed; None: no bus")
    nats_ca_file: Path | None = None
    nats_cert_file: Path | None = None
    nats_key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    own_port: int | None = Field(
        default=None, description="Also listen here, when several processes of a node share `port`"
    )
    hub_url: str = Field(default="http://127.0.0.1:18000", description="Where this process reaches the hub")
    issuer: str | None = Field(default=None, description="Token issuer; default: the hub")
    jwks_url: str | None = Field(default=None, description="Keys of the issuer; default: the hub's")
    audience: str = "hubnet"
    roles_claim: str = "roles"
    pepper_file: Path | None = Field(default=None, description="Secret that API keys are hashed with (hub)")
    bootstrap_client_file: Path | None = Field(
        default=None, description="Secret of the client hubnet-cli (hub)"
    )
    # 26 services share one server of 300 connections; each also holds two outside the pool.
    pool_size: int = 8
    pool_overflow: int = 0
    heartbeat_s: float = 5.0
    receipt_after_s: float = 600.0
    hold_ttl_s: float = 900.0
    digest_every_s: float = Field(
        default=300.0, gt=0, description="Copies are compared with their owners so often"
    )
    away_after_s: float = Field(
        default=86_400.0, gt=0, description="Providers of a platform silent for longer are not invited (hub)"
    )
    probation_days: float | None = Field(
        default=None,
        gt=0,
        description="A platform that passed becomes active after so long; None: an operator decides",
    )
    calls_per_minute: int = Field(default=1200, description="Per caller and service")
    max_body_bytes: int = 262_144
    log_level: str = "INFO"

    # Matchmaking: which model compares meanings, and where it runs.
    embeddings: str = Field(
        default="embedded",
        description="embedded: in the process; off; or the base URL of an OpenAI-compatible server",
    )
    embeddings_model: str | None = Field(
        default=None, max_length=100, description="Model asked of that server"
    )
    embeddings_key_file: Path | None = Field(default=None, description="Its bearer key; sent to it alone")
    embeddings_query_prefix: str = Field(default="", description='Before each query, for e5 "query: "')
    embeddings_passage_prefix: str = Field(default="", description='Before each offering, for e5 "passage: "')
    embeddings_query_fields: dict[str, Any] = Field(
        default={}, description='Further fields of a query\'s call, such as {"input_type": "query"}'
    )
    embeddings_passage_fields: dict[str, Any] = Field(
        default={}, description='Further fields of an offering\'s call, such as {"input_type": "passage"}'
    )
    embeddings_timeout_s: float = Field(
        default=2.0, gt=0, le=60, description="A match waits so long, then goes by words"
    )

    @model_validator(mode="after")
    def _issuer_has_keys(self) -> Self:
        if self.issuer and not self.jwks_url:
            raise ValueError(
                "HUBNET_ISSUER names an issuer other than the hub; set HUBNET_JWKS_URL to its keys"
            )
        return self

    @model_validator(mode="after")
    def _embeddings_can_be_asked(self) -> Self:
        if self.embeddings in ("embedded", "off"):
            return self
        try:
            url = urlsplit(self.embeddings)
            whole = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:
            raise ValueError("HUBNET_EMBEDDINGS is not a URL that can be read") from None
        if not whole or url.query or url.fragment:
            raise ValueError(
                'HUBNET_EMBEDDINGS must be "embedded", "off" or a base URL such as http://127.0.0.1:8080/v1'
            )
        if url.username or url.password:
            raise ValueError(
                "HUBNET_EMBEDDINGS must not hold a password; "
                "put the key into a file and set HUBNET_EMBEDDINGS_KEY_FILE"
            )
        if not self.embeddings_model:
            raise ValueError(
                "HUBNET_EMBEDDINGS is a URL; set HUBNET_EMBEDDINGS_MODEL to the model to ask for"
            )
        return self

    @cached_property
    def network(self) -> Topology:
        return read_topology(self.topology)

    @property
    def me(self) -> Node:
        return self.network.node(self.node)

    @property
    def token_issuer(self) -> str:
        return self.issuer or self.hub_url

    @property
    def keys_url(self) -> str:
        return self.jwks_url or f"{self.hub_url}/.well-known/jwks.json"
