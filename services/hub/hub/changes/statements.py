"""Staged lines into the catalogue, all of a noun in one statement.

`$1` is the batch, `$2` its platform, `$3` the feed to matchmaking (NULL: not told), `$4` the feeds told of
a provider's standing, `$5` the time as text. What may not be applied is left as it is and judged.
"""

from hub.changes.lines import STORED, Noun

TABLES: dict[Noun, str] = {"offering": "catalogue_offerings", "provider": "catalogue_providers"}
SEARCHED: dict[Noun, tuple[str, ...]] = {
    "offering": ("state", "provider_id", "kind", "category", "area", "search_text"),
    "provider": ("state",),
}
STAGED = ("batch", "line", "noun", "id", "role", *STORED)
_VERSION = ("epoch", "version", "deleted", "content_hash")
# Whoever invites a provider or awards to it must know of these.
_BARRED = "('suspended', 'retired', 'rejected')"
_ENVELOPE = """
  '{"specversion":"1.0","id":"' || m.message || '","type":"' || m.type || '","source":"' || $2::text
  || '","subject":"' || m.id || '","time":"' || $5::text || '","datacontenttype":"application/json","entityversion":'
  || m.version || ',"entityepoch":' || m.epoch || ',"correlationid":"' || m.id || '","data":' || m.body || '}'
"""
XID = "pg_current_xact_id()::text::bigint"


def apply(noun: Noun, kept_in: str | None = None) -> str:
    """Take over what is newer than what is held, pass it on, flag forks; a row (line, id, outcome) for each.

    Shape: `kept_in` is a table of (batch, line, noun, id, outcome) for those rows, where nobody wants them now;
    it is then a whole catalogue, whose words are indexed later.
    """
    table, columns = TABLES[noun], (*_VERSION, "body", *SEARCHED[noun])
    late = ("indexed",) if kept_in is not None and noun == "offering" else ()
    keep = "" if kept_in is None else f"INSERT INTO {kept_in} (batch, line, noun, id, outcome)"
    shown = "s.line, s.id" if kept_in is None else f"$1::uuid, s.line, '{noun}', s.id"
    told = _standings() if noun == "provider" else "SELECT $4::text[]"
    return f"""
WITH staged AS MATERIALIZED (
  SELECT s.line, s.id, s.role, s.epoch, s.version, s.content_hash,
    h.epoch AS held_epoch, h.version AS held_version, h.content_hash AS held_hash, h.state AS held_state,
    EXISTS (SELECT FROM {table} f WHERE f.id = s.id AND f.owner <> $2) AS elsewhere,
    s.based_version IS NOT NULL
      AND (coalesce(h.epoch, 0), coalesce(h.version, 0)) <> (s.based_epoch, s.based_version) AS moved
  FROM catalogue_staging s LEFT JOIN {table} h ON h.owner = $2 AND h.id = s.id
  WHERE s.batch = $1 AND s.noun = '{noun}' AND s.role <> 'present'
), newest AS MATERIALIZED (
  SELECT DISTINCT ON (id) line, id, held_state FROM staged
  WHERE role IN ('state', 'next', 'removal') AND NOT elsewhere AND NOT moved
    AND (held_epoch IS NULL OR (epoch, version) > (held_epoch, held_version))
  ORDER BY id, epoch DESC, version DESC
), done AS (
  INSERT INTO {table} AS c (owner, id, forked, changed_xid, {", ".join((*columns, *late))})
  SELECT $2, s.id, false, {XID}, {", ".join((*(f"s.{name}" for name in columns), *("false" for _ in late)))}
  FROM newest n JOIN catalogue_staging s ON s.batch = $1 AND s.line = n.line
  ON CONFLICT (owner, id) DO UPDATE SET forked = false, changed_xid = {XID},
    {", ".join(f"{name} = excluded.{name}" for name in (*columns, *late))}
  WHERE (excluded.epoch, excluded.version) > (c.epoch, c.version)
  RETURNING c.id, old.id IS NULL AS created
), forwarded AS (
  INSERT INTO outbox (feed, message_id, type, entity, envelope)
  SELECT $3, m.message::uuid, m.type, m.id, {_ENVELOPE} FROM ({_messages(noun)}) m ORDER BY m.line
), told AS (
  {told}
), flagged AS (
  UPDATE {table} c SET forked = true FROM staged s
  WHERE c.owner = $2 AND c.id = s.id AND NOT c.forked AND NOT s.elsewhere
    AND NOT EXISTS (SELECT FROM newest n WHERE n.id = s.id)
    AND (s.epoch, s.version) = (s.held_epoch, s.held_version)
    AND s.content_hash <> s.held_hash
)
{keep}
SELECT {shown}, CASE
  WHEN s.elsewhere THEN 'not_owner'
  WHEN s.role = 'fork' THEN 'fork'
  WHEN s.moved THEN 'stale'
  WHEN d.id IS NOT NULL AND s.role = 'removal' THEN 'removed'
  WHEN d.id IS NOT NULL AND d.created AND s.role = 'state' THEN 'created'
  WHEN d.id IS NOT NULL THEN 'updated'
  WHEN n.id IS NOT NULL THEN 'stale'
  WHEN s.held_epoch IS NULL THEN CASE s.role WHEN 'state' THEN 'created' ELSE 'updated' END
  WHEN (s.epoch, s.version) > (s.held_epoch, s.held_version) THEN 'updated'
  WHEN (s.epoch, s.version) < (s.held_epoch, s.held_version) THEN 'stale'
  WHEN s.content_hash = s.held_hash THEN 'unchanged'
  ELSE 'fork' END AS outcome
FROM staged s LEFT JOIN newest n ON n.line = s.line LEFT JOIN done d ON d.id = n.id
"""


def _messages(noun: Noun) -> str:
    """What was taken over, to be told; each with an id that is made once."""
    return f"""SELECT s.line, s.id, s.epoch, s.version, s.body, s.state, n.held_state, uuidv7()::text AS message,
    '{noun}.announced.v1' AS type
  FROM done d JOIN newest n ON n.id = d.id JOIN catalogue_staging s ON s.batch = $1 AND s.line = n.line
  WHERE $3::text IS NOT NULL"""


def _standings() -> str:
    """A provider that may no longer take work, or may again, is told to every platform."""
    return f"""INSERT INTO outbox (feed, message_id, type, entity, envelope)
  SELECT feed, m.message::uuid, m.type, m.id, {_ENVELOPE}
  FROM ({_messages("provider")}) m CROSS JOIN unnest($4::text[]) feed
  WHERE m.state IS DISTINCT FROM m.held_state
    AND (m.held_state IN {_BARRED} OR m.state IN {_BARRED}) ORDER BY m.line"""


def fork_of_a_line(noun: Noun) -> str:
    """Flag what two lines of one hand-in said differently, once the first of them is held."""
    return f"""
UPDATE {TABLES[noun]} c SET forked = true FROM catalogue_staging s
WHERE s.batch = $1 AND s.noun = '{noun}' AND s.role = 'fork' AND c.owner = $2 AND c.id = s.id
  AND (c.epoch, c.version) = (s.epoch, s.version) AND c.content_hash <> s.content_hash
"""


def missing(noun: Noun) -> str:
    """What is held alive and the batch does not name."""
    return f"""
SELECT c.id, c.epoch, c.version, c.body FROM {TABLES[noun]} c
WHERE c.owner = $2 AND NOT c.deleted
  AND NOT EXISTS (SELECT FROM catalogue_staging s WHERE s.batch = $1 AND s.noun = '{noun}' AND s.id = c.id)
"""


def leaving(noun: Noun) -> str:
    """How many living records the batch says are deleted, and how many of the platform live."""
    return f"""
SELECT
  (SELECT count(*) FROM {TABLES[noun]} c JOIN catalogue_staging s ON s.id = c.id
   WHERE s.batch = $1 AND s.noun = '{noun}' AND s.role = 'state' AND s.deleted AND c.owner = $2 AND NOT c.deleted),
  (SELECT count(*) FROM {TABLES[noun]} WHERE owner = $2 AND NOT deleted)
"""


def held(noun: Noun) -> str:
    """Of some ids (`$2`), what a platform's records are now."""
    return f"SELECT id, epoch, version, body FROM {TABLES[noun]} WHERE owner = $1 AND id = ANY($2::uuid[])"


def forks(noun: Noun) -> str:
    name = "body->>'title'" if noun == "offering" else "body->>'name'"
    return f"""
SELECT '{noun}' AS noun, id, epoch, version, content_hash, {name} AS name
FROM {TABLES[noun]} WHERE owner = $1 AND forked AND id > $2
"""


def later(noun: Noun) -> str:
    """Owe what one transaction (`$4`) took over to a feed, in parts of `$6` behind an id (`$5`); the last id."""
    envelope = _ENVELOPE.replace("$2", "$1").replace("$5", "$3")
    return f"""
WITH part AS MATERIALIZED (
  SELECT id, epoch, version, body, uuidv7()::text AS message, '{noun}.announced.v1' AS type
  FROM {TABLES[noun]} WHERE owner = $1 AND changed_xid = $4 AND id > $5 ORDER BY id LIMIT $6
), owed AS (
  INSERT INTO outbox (feed, message_id, type, entity, envelope)
  SELECT $2, m.message::uuid, m.type, m.id, {envelope} FROM part m ORDER BY m.id
)
SELECT id FROM part ORDER BY id DESC LIMIT 1
"""


def indexed(limit: int) -> str:
    """Bring the words of some rows that came in bulk into the index."""
    return f"""
UPDATE catalogue_offerings c SET indexed = true FROM (
  SELECT owner, id FROM catalogue_offerings WHERE NOT indexed ORDER BY id LIMIT {limit:d} FOR UPDATE SKIP LOCKED
) n WHERE c.owner = n.owner AND c.id = n.id RETURNING c.id
"""


def again(noun: Noun) -> str:
    """Owe all living records of a platform (`$1`) to a feed (`$2`), as they stand at a time (`$3`)."""
    envelope = _ENVELOPE.replace("$2", "$1").replace("$5", "$3")
    return f"""
INSERT INTO outbox (feed, message_id, type, entity, envelope)
SELECT $2, m.message::uuid, m.type, m.id, {envelope}
FROM (SELECT id, epoch, version, body, uuidv7()::text AS message, '{noun}.announced.v1' AS type
      FROM {TABLES[noun]} WHERE owner = $1 ORDER BY id) m
"""
