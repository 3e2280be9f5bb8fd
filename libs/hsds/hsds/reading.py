"""Records of a directory become public states, one after the other; what is wrong is said and passed over."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common import ids
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.fields import Attributes
from common.rules import explain
from pydantic import TypeAdapter, ValidationError
from reference import credit_code

from hsds import checks, mapping, places, terms
from hsds.findings import Dirt, Given, Noun, found

Record = dict[str, Any]
LONGEST = {"name": 200, "description": 20_000, "title": 200, "summary": 20_000, "profile": 20_000}
_BOUNDED: TypeAdapter[dict[str, Any]] = TypeAdapter(Attributes)
_STATES: dict[Noun, type[Provider] | type[Offering]] = {"provider": Provider, "offering": Offering}
_TABLES: dict[Noun, str] = {"provider": "organization", "offering": "service"}


@dataclass(frozen=True)
class Defaults:
    """What stands in for what a directory does not say."""

    category: str | None = None
    division: str | None = None


NO_DEFAULTS = Defaults()


@dataclass(frozen=True)
class Known:
    """An organization as the services after it need it."""

    name: str
    division: str | None
    taken: bool


@dataclass
class Reading:
    """What has been read so far. Memory: ids, names and codes, never whole records."""

    defaults: Defaults = NO_DEFAULTS
    tabular: bool = False
    organizations: dict[str, Known] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    terms: dict[str, Record] = field(default_factory=dict)
    _seen: dict[str, set[str]] = field(default_factory=dict)
    _titles: set[tuple[str, str]] = field(default_factory=set)
    _called: set[str] = field(default_factory=set)
    _codes: set[str] = field(default_factory=set)

    def take(self, table: str, record: Any, row: int) -> Iterator[Given | Dirt]:
        """Read a record of a table. Organizations and terms come before the services that name them."""
        if not self.tabular or not isinstance(record, dict):
            # Rows of tables were checked one by one, with their own numbers.
            yield from checks.check(table, record, row)
        if not isinstance(record, dict):
            return
        if table == "organization":
            yield from self.organization(record, row)
        elif table == "service":
            yield from self.service(record, row)
        elif table == "taxonomy_term" and record.get("id") not in (None, ""):
            self.terms[str(record["id"])] = record

    def organization(self, record: Record, row: int) -> Iterator[Given | Dirt]:
        reference, problem = self._reference("organization", record, row)
        if reference is None:
            yield from problem
            return
        ours = _ours(record)
        name = str(record.get("name") or "").strip()
        self.organizations[reference] = Known(name, None, taken=False)
        if not name:
            yield found("missing-name", "organization", row, reference, "name")
            return
        code, doubts = self._credit_code(record, row, reference, ours)
        yield from doubts
        division, doubts = places.division(
            record, row, reference, "organization", self.defaults.division, ours
        )
        yield from doubts
        if code is None or division is None:
            return
        if name.casefold() in self._called:
            yield found("duplicate-organization", "organization", row, reference, "name")
        self._called.add(name.casefold())
        categories, doubts = ([], []) if ours else self._categories(record, "organization", row, reference)
        yield from (one for one in doubts if one.severity == "warning" and one.rule != "category-given")
        base = mapping.provider_data(record | {"credit_code": code, "division": division, "name": name})
        if not ours:
            base |= {"categories": categories, "id": str(identify("provider", reference))}
        for given in self._given("provider", record, base, row, reference):
            if isinstance(given, Given):
                self._codes.add(code)
                self.organizations[reference] = Known(given.data.get("name", name), division, taken=True)
                self.names[str(given.id)] = self.organizations[reference].name
            yield given

    def service(self, record: Record, row: int) -> Iterator[Given | Dirt]:
        reference, problem = self._reference("service", record, row)
        if reference is None:
            yield from problem
            return
        nested = record.get("organization")
        owner = str(
            record.get("organization_id") or (nested.get("id") if isinstance(nested, dict) else "") or ""
        )
        if isinstance(nested, dict) and owner and owner not in self.organizations:
            yield from self.organization(nested | {"id": owner}, row)
        ours, known = _ours(record), self.organizations.get(owner)
        alone = ours and "provider_name" in mapping.extension(record)[0]
        if known is None and not alone:
            yield found("no-organization", "service", row, reference, "organization_id")
            return
        if known is not None and not known.taken:
            yield found("refused-organization", "service", row, reference, "organization_id")
            return
        name = str(record.get("name") or "").strip()
        if not name:
            yield found("missing-name", "service", row, reference, "name")
            return
        if (owner, name.casefold()) in self._titles and not ours:
            yield found("duplicate-service", "service", row, reference, "name")
        self._titles.add((owner, name.casefold()))
        record = record | {"organization_id": str(identify("provider", owner)), "name": name}
        base = mapping.offering_data(record, self.names)
        if not ours:
            default = (known.division if known else None) or self.defaults.division
            division, doubts = places.division(
                record, row, reference, "service", default, ours, inherited=known is not None
            )
            yield from doubts
            categories, doubts = self._categories(record, "service", row, reference)
            yield from doubts
            if division is None or not categories:
                return
            areas, doubts = places.areas(record, row, reference)
            yield from doubts
            yield from _priced(record, row, reference)
            base |= {
                "id": str(identify("offering", reference)), "division": division, "category": categories[0],
                "service_area": areas,
            }  # fmt: skip
        yield from self._given("offering", record, base, row, reference)

    def _reference(self, table: str, record: Record, row: int) -> tuple[str | None, list[Dirt]]:
        reference = str(record.get("id") or "").strip()
        if not reference:
            return None, [found("missing-id", table, row, None, "id")]
        seen = self._seen.setdefault(table, set())
        if reference in seen:
            return None, [found("duplicate-id", table, row, reference, "id")]
        seen.add(reference)
        return reference, []

    def _credit_code(
        self, record: Record, row: int, reference: str, ours: bool
    ) -> tuple[str | None, list[Dirt]]:
        said = record.get("credit_code") or _identifier(record)
        fault = "error" if not ours else "warning"
        if ours and not said:
            said = mapping.extension(record)[0].get("credit_code")
        if not said:
            return None, [found("missing-credit-code", "organization", row, reference, "credit_code")]
        code = str(said) if ours else credit_code.normalise(str(said))
        doubts: list[Dirt] = []
        try:
            credit_code.check(code)
        except credit_code.BadCreditCode:
            doubts.append(
                found("bad-credit-code", "organization", row, reference, "credit_code", severity=fault)
            )
        if code in self._codes:
            doubts.append(
                found("duplicate-credit-code", "organization", row, reference, "credit_code", severity=fault)
            )
        return (None if any(one.severity == "error" for one in doubts) else code), doubts

    def _categories(
        self, record: Record, table: str, row: int, reference: str
    ) -> tuple[list[str], list[Dirt]]:
        """The categories of a record: by code of ours, else by name, else the one given for such cases."""
        codes: list[str] = []
        doubts: list[Dirt] = []
        unknown = False
        for mark in mapping.objects(record, "attributes"):
            if (code := terms.code_of(mark, terms.CATEGORY)) is not None:
                codes.append(code)
            elif not any(terms.code_of(mark, other) for other in (terms.KIND, terms.SIZE)):
                named = self._named(mark)
                if named:
                    doubts.append(found("category-by-name", table, row, reference, "attributes"))
                    codes.append(named)
                unknown = unknown or not named
        if not codes and self.defaults.category:
            return [self.defaults.category], [found("category-given", table, row, reference, "attributes")]
        if not codes:
            rule = "unknown-category" if unknown else "no-category"
            severity = "error" if table == "service" else "warning"
            worth = table == "service" or unknown
            return [], [found(rule, table, row, reference, "attributes", severity=severity)] if worth else []
        return list(dict.fromkeys(codes)), doubts

    def _named(self, mark: Record) -> str | None:
        term = mark.get("taxonomy_term") or self.terms.get(str(mark.get("taxonomy_term_id")))
        if not isinstance(term, dict):
            return None
        for said in (term.get("code"), term.get("name")):
            if said and (named := terms.category_named(str(said))):
                return named
        return None

    def _given(
        self, noun: Noun, record: Record, data: Record, row: int, reference: str
    ) -> Iterator[Given | Dirt]:
        """The state, if the contract of its noun takes it."""
        table, ours = _TABLES[noun], _ours(record)
        if not ours:
            for name in sorted(LONGEST.keys() & data.keys()):
                if isinstance(data[name], str) and len(data[name]) > LONGEST[name]:
                    yield found("too-long", table, row, reference, name)
                    data[name] = data[name][: LONGEST[name]]
        said = {
            name: value
            for name, value in data.items()
            if name not in ("epoch", "version") or value is not None
        }
        try:
            held = _STATES[noun].model_validate({"version": 1} | said)
            _BOUNDED.validate_python(said)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            zh, en = explain(dict(first))
            where = ".".join(str(part) for part in first["loc"]) or None
            yield Dirt(table, row, reference, where, first["type"].replace("_", "-"), zh, en, "error")
            return
        if not ours:
            said = held.model_dump(mode="json", exclude={"version", "epoch"})
        else:
            said |= {name: getattr(held, name) for name in ("epoch", "version") if name in said}
        yield Given(
            noun=noun,
            id=held.id,
            epoch=said.get("epoch"),
            version=said.get("version"),
            deleted=bool(record.get("record_deleted")) or held.state == "retired",
            data=said,
            platform=record.get("platform"),
            row=row,
            reference=reference,
        )


def _ours(record: Record) -> bool:
    """Whether it is a record of this profile: held to the contract alone, every further doubt is a warning."""
    return type(record.get("record_version")) is int


def identify(noun: Noun, reference: str) -> UUID:
    """The id of a record: its own if that is a UUID, else one derived from it."""
    return checks.as_uuid(reference) or ids.derived("hsds", noun, reference)


def _identifier(record: Record) -> str | None:
    """A credit code among the identifiers: one that is called so, else one that is one."""
    said = mapping.objects(record, "organization_identifiers")
    for one in said:
        kind = str(one.get("identifier_type") or "").casefold()
        if "信用代码" in kind or "credit code" in kind:
            return str(one.get("identifier") or "") or None
    for one in said:
        try:
            credit_code.check(str(one.get("identifier") or ""))
        except credit_code.BadCreditCode:
            continue
        return str(one["identifier"])
    return None


def _priced(record: Record, row: int, reference: str) -> Iterator[Dirt]:
    for option in mapping.objects(record, "cost_options"):
        if (
            option.get("amount") not in (None, "")
            and mapping.to_cents(option.get("amount"), option.get("currency")) is None
        ):
            yield found("bad-price", "service", row, reference, "cost_options")
