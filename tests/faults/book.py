"""What the clients know: each act ended ok, was refused, or nobody can say. Nothing else may be claimed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import httpx

Ending = Literal["ok", "fail", "unknown"]


@dataclass
class Act:
    """One act of one client. `mark` is unique and part of what the act writes, where it writes a title."""

    number: int
    node: str
    noun: Literal["demand", "offering", "provider"]
    verb: str
    mark: str
    entity: UUID | None = None
    ending: Ending = "unknown"
    version: int | None = None
    said: str = ""

    def note(self, answer: httpx.Response | None) -> None:
        """The last answer, for whoever reads of a failure."""
        if answer is None:
            self.said = "no answer"
        else:
            self.said = f"{answer.status_code} {answer.text[:200] if answer.is_error else ''}"

    @property
    def creates(self) -> bool:
        return self.verb in ("submit", "import", "register")

    @property
    def titles(self) -> bool:
        """Whether what it writes shows its mark."""
        return self.verb in ("submit", "import", "change")

    @property
    def ends(self) -> bool:
        """Whether nothing may come back after it."""
        return self.verb in ("retire", "withdraw")


@dataclass
class Entity:
    """A record as its one client sees it, act after act."""

    node: str
    noun: str
    acts: list[Act] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return any(act.ending == "ok" for act in self.acts)

    @property
    def least_version(self) -> int:
        return max((act.version or 1 for act in self.acts if act.ending == "ok"), default=0)

    @property
    def titles(self) -> set[str]:
        """The marks its title may bear: of the last act that is known to be done, and of any unknown since."""
        possible: set[str] = set()
        for act in self.acts:
            if act.titles and act.ending == "ok":
                possible = {act.mark}
            elif act.titles and act.ending == "unknown":
                possible.add(act.mark)
        return possible

    @property
    def ended(self) -> bool | None:
        """Whether it is retired or withdrawn; None when that is unknown."""
        endings = [act.ending for act in self.acts if act.ends]
        if "ok" in endings:
            return True
        return None if "unknown" in endings else False


@dataclass
class Book:
    """Every act of a run, in the order they were begun."""

    run: str
    acts: list[Act] = field(default_factory=list)

    def open(self, node: str, noun: Literal["demand", "offering", "provider"], verb: str) -> Act:
        act = Act(len(self.acts), node, noun, verb, f"{self.run}-{len(self.acts):05d}")
        self.acts.append(act)
        return act

    @property
    def length(self) -> int:
        return len(self.acts)

    def doubt(self, node: str, since: int) -> None:
        """A platform's database went back to before an act: nobody can say of those after it."""
        for act in self.acts[since:]:
            if act.node == node and act.ending == "ok":
                act.ending = "unknown"

    @property
    def entities(self) -> dict[UUID, Entity]:
        found: dict[UUID, Entity] = {}
        for act in self.acts:
            if act.entity is not None:
                found.setdefault(act.entity, Entity(act.node, act.noun)).acts.append(act)
        return found

    def ended(self, ending: Ending) -> Iterator[Act]:
        return (act for act in self.acts if act.ending == ending)

    def counts(self) -> dict[str, int]:
        return {ending: sum(1 for _ in self.ended(ending)) for ending in ("ok", "fail", "unknown")}
