"""A new chapter out of the paper's template: a notebook that already runs, to be replaced piece by piece.

The template is a chapter like any other, except that the table of contents does not name it and that ``{name}`` and
``{title}`` in its cells are filled in. Its metadata may hold ``livingpaper.presets``: values for the presets, by name.
"""

import io
import re
from pathlib import Path

import nbformat
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from livingpaper.build import words
from livingpaper.build.project import Project
from livingpaper.errors import InputError, PaperError, nearest
from livingpaper.files import write_atomically

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def add_chapter(project: Project, name: str, title: str | None = None, part: str | None = None) -> list[Path]:
    """Write a new chapter into a book; the files written or changed, relative to its root.

    Raises:
        InputError: a name that is no name or that something has already, a part that there is not.
        PaperError: no template, or a file that cannot be read or written.
    """
    notebook = _filled(project, name, title or name.replace("-", " ").capitalize())
    values = notebook.metadata.pop("livingpaper", {}).get("presets", {})
    _check_name(project, name, notebook)
    contents = {Path("chapters", f"{name}.ipynb"): nbformat.writes(notebook) + "\n"}
    toc = _read(project.root / "_toc.yml")
    _chapters_of(project, toc, part).append(CommentedMap(file=f"chapters/{name}"))
    contents[Path("_toc.yml")] = _written(toc)
    for preset in sorted(values.keys() & set(project.presets)):
        path = Path("presets", f"{preset}.yml")
        content = _read(project.root / path)
        content.setdefault("chapters", CommentedMap())[name] = _block(values[preset])
        contents[path] = _written(content)
    for path, content in contents.items():
        write_atomically(project.root / path, content.encode())
    return list(contents)


def _filled(project: Project, name: str, title: str) -> nbformat.NotebookNode:
    template = project.settings.template
    if not template or not (project.root / template).is_file():
        raise PaperError(
            f"the template of a chapter is {template!r}, and there is no such file: name a notebook of the book in "
            "pyproject.toml, `template` in [tool.livingpaper]"
        )
    notebook = nbformat.read(project.root / template, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("{name}", name).replace("{title}", title)
    return notebook


def _check_name(project: Project, name: str, notebook: nbformat.NotebookNode) -> None:
    if not NAME.fullmatch(name):
        raise InputError(
            f"a chapter cannot be called {name!r}: its name is its address and part of the ids in it, so use "
            "lower-case words joined by single hyphens, e.g. my-question"
        )
    taken = {page.stem: page for page in project.pages} | {
        path.stem: path.relative_to(project.root) for path in project.root.glob("chapters/*")
    }
    if name in taken:
        raise InputError(f"there is already {taken[name]}: choose another name")
    ours = words.said(notebook).keys()
    for chapter in project.chapters:
        if both := ours & words.said(project.notebook(chapter)).keys():
            raise InputError(f"{chapter} has the id {min(both)!r} already: choose another name")


def _chapters_of(project: Project, toc: CommentedMap, part: str | None) -> CommentedSeq:
    """The entries of a part of a table of contents (None: of the last part in which there are notebooks)."""
    parts = toc.get("parts") or []
    captions = [str(entry.get("caption", "")) for entry in parts]
    if part is not None and part not in captions:
        hint = nearest(part, captions, f"it has {', '.join(map(repr, captions)) or 'no parts'}")
        raise InputError(f"_toc.yml has no part {part!r}: {hint}")
    if part is not None:
        return parts[captions.index(part)].setdefault("chapters", CommentedSeq())
    lists = [entry.get("chapters") or [] for entry in parts] or [toc.setdefault("chapters", CommentedSeq())]
    notebooks = {str(path.with_suffix("")) for path in project.chapters.values()}
    named = [pages for pages in lists if any(str(page.get("file")) in notebooks for page in pages)]
    return (named or lists)[-1]


def _block(values: dict[str, object]) -> CommentedMap:
    """Values as a preset has them: one a line, a list on one line too."""
    block = CommentedMap(values)
    for name, value in values.items():
        if isinstance(value, list):
            block[name] = CommentedSeq(value)
            block[name].fa.set_flow_style()
    return block


def _yaml() -> YAML:
    """A reader and writer that keeps comments, quotes and layout."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _read(path: Path) -> CommentedMap:
    return _yaml().load(path.read_text(encoding="utf-8")) or CommentedMap()


def _written(content: CommentedMap) -> str:
    stream = io.StringIO()
    _yaml().dump(content, stream)
    return stream.getvalue()
