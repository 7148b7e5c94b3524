"""Which build this is: title, authors, version, commit, the time of its last run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from livingpaper.build.project import Project, Variant
from livingpaper.build.repository import Repository
from livingpaper.publish import citation


@dataclass(frozen=True)
class Identity:
    """What identifies a build to whoever cites or archives it; equal builds give equal identities."""

    command: str  #: the name of the paper's command and package
    citation: dict  #: the content of CITATION.cff
    variant: Variant
    commit: str | None  #: None if the book has no history, as in an unpacked archive
    changed: bool  #: whether files differed from the commit, when a chapter was executed or now
    made: datetime  #: when the last chapter was executed

    @property
    def title(self) -> str:
        """The title of the book."""
        return self.citation["title"]

    @property
    def version(self) -> str:
        """The version of the book and of its package, which are one."""
        return str(self.citation["version"])

    @cached_property
    def authors(self) -> list[str]:
        """The names of the authors."""
        return [name_of(author) for author in self.citation["authors"]]

    @property
    def stem(self) -> str:
        """How files that are made of this build are named."""
        return f"{self.command}-{self.version}" + ("" if self.variant.published else f"-{self.variant.name}")


def identify(project: Project, variant: Variant, records: Iterable[dict]) -> Identity:
    """The identity of the build that the runs with these records make."""
    records = list(records)
    repository = Repository.of(project.root, project.repository_url)
    changed = bool(repository.dirty) or any(record["dirty"] for record in records)
    return Identity(
        project.settings.command,
        citation.read(project.root / "CITATION.cff"),
        variant,
        repository.commit,
        changed,
        max(span(record)[1] for record in records),
    )


def span(record: dict) -> tuple[datetime, datetime]:
    """When a run started and when it ended, to the second."""
    start = datetime.fromisoformat(record["started"])
    return start, start + timedelta(seconds=round(record["seconds"]))


def name_of(author: dict) -> str:
    """The name of an author in CITATION.cff, a person or an entity."""
    parts = ("given-names", "name-particle", "family-names", "name-suffix")
    return author.get("name") or " ".join(author[part] for part in parts if author.get(part))
