"""The metadata of a release: an RO-Crate of the profile Process Run Crate, one action a chapter.

https://w3id.org/ro/wfrun/process/0.5 says what is in it: which tool, with which inputs and parameters, made which
files, when, and by whom.
"""

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from rocrate.model.contextentity import ContextEntity
from rocrate.model.dataset import Dataset
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from livingpaper.publish.identity import Identity, name_of, span

METADATA = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SPECIFICATION = "1.1"  # the one that the profile extends
TERMS = "https://w3id.org/ro/terms/workflow-run/context"  # defines sha256
FOLDERS = {
    "site/": "The pages, to be served or opened from disk, with the data of figures, tables and claims.",
    "book/": "What the pages are rendered from, without training: executed notebooks, texts, records of the runs.",
    "source/": "The sources at the commit: packages, chapters without outputs, presets, tests, the lock.",
}
OUR_MEDIA_TYPES = {
    ".ipynb": "application/x-ipynb+json",
    ".bib": "text/x-bibtex",
    ".cff": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
}


@dataclass(frozen=True)
class Member:
    """A file of the release."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Run:
    """The execution of one chapter: its record, and the names of the files in the release that it is about."""

    chapter: str
    record: dict
    source: str
    inputs: list[str]
    results: list[str]
    log: str


def metadata(identity: Identity, description: str, members: Mapping[str, Member], runs: list[Run]) -> bytes:
    """The content of ``ro-crate-metadata.json`` for a release with these files, the metadata file not among them."""
    crate = ROCrate(version=SPECIFICATION)
    crate.metadata.extra_contexts.append(TERMS)
    crate.name, crate.description = identity.title, description
    crate.datePublished = identity.made
    folders = {
        name: crate.add(Dataset(crate, dest_path=name, properties={"name": name.rstrip("/"), "description": what}))
        for name, what in FOLDERS.items()
    }
    package = crate.add(_package(crate, identity, folders["source/"]))
    code = {run.source: run for run in runs}
    files = {name: crate.add(_file(crate, name, member, code.get(name))) for name, member in members.items()}
    for name, folder in folders.items():
        folder["hasPart"] = [file for path, file in files.items() if path.startswith(name)]
    root = crate.root_dataset
    # the folders hold the rest
    root["hasPart"] = [*folders.values(), *(file for path, file in files.items() if "/" not in path)]
    root["license"] = files["LICENSE"]
    root["version"] = identity.version
    root["keywords"] = ", ".join(identity.citation.get("keywords", []))
    people = [crate.add(_author(crate, author)) for author in identity.citation["authors"]]
    authors = people if len(people) > 1 else people[0]  # as the specification prefers it
    root["author"] = authors
    profile = {"@type": "CreativeWork", "name": "Process Run Crate", "version": PROFILE.rpartition("/")[2]}
    root["conformsTo"] = crate.add(ContextEntity(crate, PROFILE, properties=profile))
    root["mentions"] = [_add_action(crate, run, files, [files[run.source], package], authors) for run in runs]
    return as_json(crate.metadata.generate())


def as_json(content: dict) -> bytes:
    """A file's content: equal descriptions give equal bytes."""
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _package(crate: ROCrate, identity: Identity, sources: Dataset) -> ContextEntity:
    described = {
        "@type": "SoftwareSourceCode",
        "name": identity.command,
        "version": identity.version,
        "identifier": f"git commit {identity.commit}" if identity.commit else "no commit",
        "programmingLanguage": "Python",
        "hasPart": sources,
    }
    if repository := identity.citation.get("repository-code"):
        described |= {"codeRepository": repository, "url": repository}
    return ContextEntity(crate, f"#{identity.command}", properties=described)


def _file(crate: ROCrate, name: str, member: Member, run: Run | None) -> File:
    media = _media_types().guess_type(name)[0] or "application/octet-stream"
    described = {"name": name.rpartition("/")[2], "encodingFormat": media}
    described |= {"contentSize": str(member.size), "sha256": member.sha256}
    if run is not None:
        commit = run.record["commit"] or "no commit"
        described |= {"@type": ["File", "SoftwareSourceCode"], "version": commit, "programmingLanguage": "Python"}
    return File(crate, dest_path=name, properties=described)


@cache
def _media_types() -> mimetypes.MimeTypes:
    # the tables of Python's own, not those of the machine: the same release everywhere
    known = mimetypes.MimeTypes()
    for suffix, media in OUR_MEDIA_TYPES.items():
        known.add_type(media, suffix)
    return known


def _author(crate: ROCrate, author: dict) -> ContextEntity:
    name = name_of(author)
    kind = "Organization" if "name" in author else "Person"
    identity = author.get("orcid") or author.get("website") or "#" + name.lower().replace(" ", "-")
    return ContextEntity(crate, identity, properties={"@type": kind, "name": name})


def _add_action(
    crate: ROCrate, run: Run, files: Mapping[str, File], instruments: list, agent: ContextEntity | list[ContextEntity]
) -> ContextEntity:
    record = run.record
    values = [
        crate.add(
            ContextEntity(
                crate,
                f"#{run.chapter}/{name}",
                properties={"@type": "PropertyValue", "name": name, "value": _literal(value)},
            )
        )
        for name, value in sorted(record["parameters"].items())
    ]
    start, end = span(record)
    machine = record["machine"]
    action = crate.add_action(
        instruments,
        identifier=f"#run-{run.chapter}-{record['key']}",
        object=[*values, *(files[name] for name in run.inputs)],
        result=[files[name] for name in run.results],
        properties={
            "@type": "CreateAction",
            "name": f"Execution of the chapter {run.chapter}",
            "description": (
                f"build, values: {record['variant']}; {machine['processor']}, {machine['system']}, "
                f"Python {record['python']}, device {record['device']}, {record['threads']} thread; "
                f"{sum(sweep['runs'] for sweep in record['sweeps'])} trainings, of which "
                f"{sum(sweep['computed'] for sweep in record['sweeps'])} new and the others out of the result store"
            ),
            "startTime": start.isoformat(),
            "endTime": end.isoformat(),
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    action["agent"] = agent
    action["subjectOf"] = files[run.log]
    return action


def _literal(value: object) -> object:
    return value if isinstance(value, str | int | float) else json.dumps(value)
