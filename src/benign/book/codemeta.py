"""``codemeta.json``, the description of software that indexers read, out of CITATION.cff and pyproject.toml."""

import tomllib
from pathlib import Path

from benign.book.edition import Edition, name_of

CONTEXT = "https://w3id.org/codemeta/3.0"


def codemeta(edition: Edition, root: Path) -> dict:
    """The description of the book at ``root`` as JSON-LD."""
    citation = edition.citation
    described = {
        "@context": CONTEXT,
        "@type": "SoftwareSourceCode",
        "name": edition.title,
        "version": edition.version,
        "author": [_person(author) for author in citation["authors"]],
        "dateModified": edition.made.date().isoformat(),
        "programmingLanguage": "Python",
    }
    if license := citation.get("license"):
        described["license"] = f"https://spdx.org/licenses/{license}"
    if keywords := citation.get("keywords"):
        described["keywords"] = list(keywords)
    if repository := citation.get("repository-code"):
        described["codeRepository"] = repository
    if references := citation.get("references"):
        described["referencePublication"] = [_publication(reference) for reference in references]
    path = root / "pyproject.toml"
    if path.is_file():
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        described["description"] = project["description"]
        described["runtimePlatform"] = f"Python {project['requires-python']}"
        described["softwareRequirements"] = project["dependencies"]
    return described


def _person(author: dict) -> dict:
    if "name" in author:
        return {"@type": "Organization", "name": author["name"]}
    person = {"@type": "Person", "givenName": author.get("given-names"), "familyName": author.get("family-names")}
    return {key: value for key, value in person.items() if value} | (
        {"@id": author["orcid"]} if "orcid" in author else {}
    )


def _publication(reference: dict) -> dict:
    authors = [{"@type": "Person", "name": name_of(author)} for author in reference["authors"]]
    return {"@type": "ScholarlyArticle", "name": reference["title"], "author": authors} | (
        {"datePublished": str(reference["year"])} if "year" in reference else {}
    )
