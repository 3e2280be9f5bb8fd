"""What a process is told at start; nothing reads the environment later."""

from functools import cache, cached_property
from pathlib import Path
from typing import Self

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
    nats_url: str = "nats://127.0.0.1:4222"
    nkey_seed_file: Path | None = Field(default=None, description="This node's nkey seed; None: no bus")
    nats_ca_file: Path | None = None
    nats_cert_file: Path | None = None
    nats_key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
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
    calls_per_minute: int = Field(default=1200, description="Per caller and service")
    max_body_bytes: int = 262_144
    log_level: str = "INFO"

    @model_validator(mode="after")
    def _issuer_has_keys(self) -> Self:
        if self.issuer and not self.jwks_url:
            raise ValueError(
                "HUBNET_ISSUER names an issuer other than the hub; set HUBNET_JWKS_URL to its keys"
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
