"""The metadata of a release: an RO-Crate of the profile Process Run Crate, one action a chapter.

https://w3id.org/ro/wfrun/process/0.5 says what is in it: which tool, with which inputs and parameters, made which
files, when, and by whom.
"""

import json
import mimetypes
from collections.abc import Mapping, Sequence
from functools import cache

from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from livingpaper.build.assemble import Chapter
from livingpaper.files import sha256
from livingpaper.publish import bundle
from livingpaper.publish.identity import Identity, name_of, span

LOCK = "requirements.txt"
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


def metadata(identity: Identity, description: str, contents: Mapping[str, bytes], chapters: Sequence[Chapter]) -> bytes:
    """The content of ``ro-crate-metadata.json`` for a release with these files, the metadata file not among them."""
    crate = ROCrate(version=SPECIFICATION)
    crate.metadata.extra_contexts.append(TERMS)
    folders = {
        name: crate.add_dataset(dest_path=name, properties={"name": name.rstrip("/"), "description": what})
        for name, what in FOLDERS.items()
    }
    code = {f"source/{chapter.path}": chapter.run["commit"] or "no commit" for chapter in chapters}
    files = {name: _add_file(crate, name, content, code.get(name)) for name, content in contents.items()}
    for name, folder in folders.items():
        folder["hasPart"] = [file for path, file in files.items() if path.startswith(name)]
    people = [_add_author(crate, author) for author in identity.citation["authors"]]
    authors = people if len(people) > 1 else people[0]  # as the specification prefers it
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate"}
    package = crate.add_jsonld(_package(identity) | {"hasPart": {"@id": "source/"}})
    root = crate.root_dataset
    root["name"], root["description"], root["version"] = identity.title, description, identity.version
    crate.datePublished = identity.made
    root["keywords"] = ", ".join(identity.citation.get("keywords", []))
    root["license"], root["author"] = files["LICENSE"], authors
    root["conformsTo"] = crate.add_jsonld(profile | {"version": PROFILE.rpartition("/")[2]})
    # the folders hold the rest
    root["hasPart"] = [*folders.values(), *(file for path, file in files.items() if "/" not in path)]
    root["mentions"] = [_add_action(crate, chapter, files, package, authors) for chapter in chapters]
    described = json.dumps(crate.metadata.generate(), indent=1, sort_keys=True, ensure_ascii=False)
    return f"{described}\n".encode()  # equal descriptions give equal bytes


def _package(identity: Identity) -> dict:
    described = {
        "@id": f"#{identity.command}",
        "@type": "SoftwareSourceCode",
        "name": identity.command,
        "version": identity.version,
        "identifier": f"git commit {identity.commit}" if identity.commit else "no commit",
        "programmingLanguage": "Python",
    }
    if repository := identity.citation.get("repository-code"):
        described |= {"codeRepository": repository, "url": repository}
    return described


def _add_file(crate: ROCrate, name: str, content: bytes, version: str | None) -> File:
    """A file of the release; ``version`` is that of a chapter's source, which is a program."""
    described = {
        "name": name.rpartition("/")[2],
        "encodingFormat": _media_types().guess_type(name)[0] or "application/octet-stream",
        "contentSize": str(len(content)),
        "sha256": sha256(content),
    }
    if version:
        described |= {"@type": ["File", "SoftwareSourceCode"], "version": version, "programmingLanguage": "Python"}
    return crate.add_file(dest_path=name, properties=described)


@cache
def _media_types() -> mimetypes.MimeTypes:
    # the tables of Python's own, not those of the machine: the same release everywhere
    known = mimetypes.MimeTypes()
    for suffix, media in OUR_MEDIA_TYPES.items():
        known.add_type(media, suffix)
    return known


def _add_author(crate: ROCrate, author: dict) -> ContextEntity:
    name = name_of(author)
    kind = "Organization" if "name" in author else "Person"
    identity = author.get("orcid") or author.get("website") or "#" + name.lower().replace(" ", "-")
    return crate.add_jsonld({"@id": identity, "@type": kind, "name": name})


def _add_action(
    crate: ROCrate,
    chapter: Chapter,
    files: Mapping[str, File],
    package: ContextEntity,
    agent: ContextEntity | list[ContextEntity],
) -> ContextEntity:
    record, source = chapter.run, files[f"source/{chapter.path}"]
    values = [
        crate.add_jsonld(
            {"@id": f"#{chapter.name}/{name}", "@type": "PropertyValue", "name": name, "value": _literal(value)}
        )
        for name, value in sorted(record["parameters"].items())
    ]
    ran = {root + name for name in {*record["modules"], *record["files"]} - {LOCK} for root in bundle.ROOTS}
    used = [file for name, file in files.items() if name in ran]
    published = tuple(f"site/figures/{id}." for id in chapter.figures)
    machine, (start, end) = record["machine"], span(record)
    action = crate.add_action(
        [source, package],
        identifier=f"#run-{chapter.name}-{record['key']}",
        object=[*values, files[f"source/{LOCK}"], *used],
        result=[files[f"book/{chapter.path}"], *(file for name, file in files.items() if name.startswith(published))],
        properties={
            "@type": "CreateAction",
            "name": f"Execution of the chapter {chapter.name}",
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
    action["agent"], action["subjectOf"] = agent, files[f"book/runs/{chapter.name}.json"]
    return action


def _literal(value: object) -> object:
    return value if isinstance(value, str | int | float) else json.dumps(value)
