"""Tables every service has: what it must say, what it has heard, what it could not read, what was done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common.db import Base


class OutboxRow(Base):
    """One envelope owed to one feed. Finished when the receiver has confirmed its feed up to here."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    feed: Mapped[str]  # "hub" at a node, the node's id at the hub, "self" for what a node tells itself
    message_id: Mapped[UUID]
    type: Mapped[str]
    entity: Mapped[UUID]
    envelope: Mapped[str]  # CloudEvents JSON without source and feedseq, which the relay stamps
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    feed_seq: Mapped[int | None]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("feed", "message_id", name="uq_outbox_feed_message"),
        UniqueConstraint("feed", "feed_seq", name="uq_outbox_feed_seq"),
        Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
        Index("ix_outbox_unnumbered", "id", postgresql_where=text("feed_seq IS NULL")),
    )


class FeedOutRow(Base):
    """How far a feed has been numbered, and how far its receiver's database has confirmed it."""

    __tablename__ = "feeds_out"
    feed: Mapped[str] = mapped_column(primary_key=True)
    last_seq: Mapped[int]
    confirmed_seq: Mapped[int] = mapped_column(default=0, server_default="0")


class FeedInRow(Base):
    """How far a source's feed has been applied without a gap, and what came ahead of a gap."""

    __tablename__ = "feeds_in"
    source: Mapped[str] = mapped_column(primary_key=True)
    applied_seq: Mapped[int] = mapped_column(default=0)
    ahead: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)


class InboxRow(Base):
    """A message id that has had its effect. Written in the same transaction as the effect."""

    __tablename__ = "inbox"
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    handled_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_inbox_handled_at", "handled_at", postgresql_using="brin"),)


class FailureRow(Base):
    """A message whose handling raised something unforeseen, and how often."""

    __tablename__ = "inbox_failures"
    message_key: Mapped[str] = mapped_column(primary_key=True)
    attempts: Mapped[int]
    last_error: Mapped[str]
    last_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DeadLetterRow(Base):
    """A message that was refused or could not be read; kept whole so that it can be replayed."""

    __tablename__ = "dead_letters"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    message_key: Mapped[str] = mapped_column(unique=True)
    reason: Mapped[str]
    detail: Mapped[str]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]


class AuditRow(Base):
    """One act. The sequencer numbers and chains rows after their commit."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object_id: Mapped[str]
    correlation: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_audit_unsealed", "id", postgresql_where=text("seq IS NULL")),)


class IdempotencyRow(Base):
    """The answer a caller got for a key, to give it again."""

    __tablename__ = "idempotency_keys"
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    answer: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at", postgresql_using="brin"),)


class MemoRow(Base):
    """Small facts a process must still know after a restart: its epoch, the issuer's last known keys."""

    __tablename__ = "memos"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AnnouncementRow(Base):
    """The last state of a record of ours that we have told the network of. Recipient None: the hub alone."""

    __tablename__ = "announcements"
    noun: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    version: Mapped[int]
    deleted: Mapped[bool]
    content_hash: Mapped[str]
    type: Mapped[str]
    recipients: Mapped[list[str | None]] = mapped_column(JSONB)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DriftRow(Base):
    """How an owner's records and the copies an observer holds of them compared last.

    Shape: `state` is asked, questioned, repairing or equal; `drift` counts by kind of difference.
    """

    __tablename__ = "drift"
    observer: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    exchange: Mapped[UUID]
    round: Mapped[int]
    state: Mapped[str]
    drift: Mapped[dict[str, int]] = mapped_column(JSONB)
    records: Mapped[int]
    asked_at: Mapped[datetime]
    compared_at: Mapped[datetime | None]
    equal_at: Mapped[datetime | None]
    repaired_at: Mapped[datetime | None]


class DifferenceRow(Base):
    """A record that differs from its owner's, as far as it is known now. Version 0: there is none."""

    __tablename__ = "drift_differences"
    owner: Mapped[str] = mapped_column(primary_key=True)
    noun: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    bucket: Mapped[int]
    kind: Mapped[str]
    epoch: Mapped[int]
    version: Mapped[int]
    held_epoch: Mapped[int]
    held_version: Mapped[int]
    found_at: Mapped[datetime]
    asked: Mapped[int]


class PlatformRow(Base):
    """How a platform is, as the hub last told us."""

    __tablename__ = "platforms"
    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    version: Mapped[int]
    standing: Mapped[str]
    as_of: Mapped[datetime | None]
