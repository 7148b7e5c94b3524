"""The way from a page to what it was made from: pages with the source inside the site, and links to its repository."""

from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path, PurePosixPath

import nbformat
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.errors import PycodeError
from sphinx.ext.viewcode import OUTPUT_DIRNAME
from sphinx.pycode import ModuleAnalyzer

from livingpaper.build.repository import Place, Repository, Sources
from livingpaper.sweep import closure

HIDDEN = {"injected-parameters"}


def note(app: Sphinx, env, docnames: list[str]) -> None:
    """Find out where the sources are: from the pipeline's record, else from the folder itself."""
    root = Path(app.srcdir)
    env.paper_sources = Sources.read(root) or Sources.of(root, {}, configured(app))
    app.config.linkcode_resolve = partial(resolve, env.paper_sources.repository)


def configured(app: Sphinx) -> str:
    """The address of the repository that the book's settings name, or nothing."""
    given = app.config.html_theme_options.get("repository_url") or ""
    return "" if given == "https://github.com/executablebooks/jupyter-book" else given  # Jupyter Book's default


def link(app: Sphinx, id: str, docname: str) -> tuple[str, str]:
    """Where the code of a figure or table leads to, an address or a page of the site with an anchor; and in words."""
    sources = app.env.paper_sources
    place = sources.places.get(id) or Place(str(app.env.doc2path(docname, False)), "", None)
    lines = f", lines {place.lines[0]} to {place.lines[1]}" if place.lines else ""
    words = f"{place.path}{lines}, at {sources.repository.state}"
    if permalink := sources.repository.permalink(place.path, place.lines):
        return permalink, words
    page = app.builder.get_target_uri(f"{OUTPUT_DIRNAME}/{docname}")
    return f"{page}#cell-{place.cell}" if place.cell else page, words


def resolve(repository: Repository, domain: str, info: dict[str, str]) -> str | None:
    """The address of an object's lines in the repository, if it is known: what ``sphinx.ext.linkcode`` asks for."""
    try:
        _, first, last = ModuleAnalyzer.for_module(info["module"]).find_tags()[info["fullname"]]
    except (KeyError, PycodeError):
        return None  # no Python, no file, or no object that has lines of its own
    return repository.permalink(f"src/{_file(info['module'].replace('.', '/'))}", (first, last))


def pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """A page with all the code of each chapter, the cells that the chapter's page leaves out too."""
    if not isinstance(app.builder, StandaloneHTMLBuilder) or app.builder.name == "singlehtml":
        return
    for docname in sorted(app.env.found_docs):
        path = Path(app.env.doc2path(docname))
        if path.suffix == ".ipynb":
            name, title = f"{OUTPUT_DIRNAME}/{docname}", app.env.titles[docname].astext()
            yield name, {"title": f"Code of {title}", "body": _listing(app, name, title, docname)}, "page.html"


def mark_module(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Say on a page of viewcode which commit it shows."""
    folder, _, module = pagename.partition("/")
    if folder == OUTPUT_DIRNAME and module.replace("/", ".") in app.env._viewcode_modules:
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{_state(app, f'src/{_file(module)}')}", 1)


def _listing(app: Sphinx, name: str, title: str, docname: str) -> str:
    page = app.builder.get_relative_uri(name, docname)
    parts = [
        f'<h1>Code of <a href="{page}">{escape(title)}</a></h1>',
        _state(app, app.env.doc2path(docname, False)),
        "<p>Every code cell in its order, those that the page leaves out too.</p>",
    ]
    for cell in nbformat.read(app.env.doc2path(docname), as_version=4).cells:
        if cell.cell_type == "code" and not HIDDEN & set(cell.metadata.get("tags", [])):
            code = app.builder.highlighter.highlight_block(cell.source, "python")
            parts.append(f'<section id="cell-{cell.id}"><h2>{cell.id}</h2>\n{code}</section>')
    return "\n".join(parts)


def _state(app: Sphinx, path: str) -> str:
    repository = app.env.paper_sources.repository
    file = f"<code>{escape(str(path))}</code>"
    if permalink := repository.permalink(str(path)):
        file = f'<a class="reference external" href="{escape(permalink)}">{file}</a>'
    return f'<p class="source-state">{file}, at {repository.state}.</p>'


def _file(module: str) -> str:
    """The path of a module below ``src``, out of its name with slashes."""
    package = closure.home(module.partition("/")[0]) / module
    return str(PurePosixPath(module, "__init__.py") if package.is_dir() else PurePosixPath(f"{module}.py"))


def setup(app: Sphinx) -> None:
    """Register the links to sources."""
    app.setup_extension("sphinx.ext.linkcode")
    app.add_css_file("css/code.css", priority=800)
    app.connect("env-before-read-docs", note)
    app.connect("html-collect-pages", pages)
    app.connect("html-page-context", mark_module)
