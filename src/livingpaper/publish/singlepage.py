"""All pages of a site as one document for paper.

It is made of the published pages, not rendered a second time: so its numbers are theirs, and every link leads where
theirs does. Sphinx's ``singlehtml`` leaves ids as they are, which the pages share, and a citation ends up anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from livingpaper.build.project import Project
from livingpaper.publish.identity import Identity

STYLE = "_static/css/pdf.css"
#: What paper has no use for: anchors to copy, code that the pages hide too, files to fetch, what moves on a screen.
LEFT_OUT = ".headerlink, details.above-input, .figure-links, .d-print-none, script, noscript, button, dialog, source"
#: Pages that only a screen has a use for: a reference to search in, and thumbnails of what the single page shows large.
ON_SCREEN = ("api/*", "figures.*")


@dataclass(frozen=True)
class Part:
    """Some pages in a row, under a caption if they have one."""

    caption: str | None
    pages: Sequence[str]  #: addresses relative to the site


def parts_of(project: Project) -> list[Part]:
    """The pages of a book that go on paper, as its table of contents orders them."""
    parts = []
    for caption, pages in project.parts:
        printed = [page for page in pages if not any(page.match(pattern) for pattern in ON_SCREEN)]
        if printed:
            parts.append(Part(caption, [page.with_suffix(".html").as_posix() for page in printed]))
    return parts


def compose(site: Path, parts: Sequence[Part], identity: Identity, home: str) -> str:
    """One HTML document whose addresses are relative to the site.

    What the pages link to beside one another is at ``home``; where that is not known, the words stay without a link.
    """
    names = [name for part in parts for name in part.pages]
    soups = {name: BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser") for name in names}
    captions = {part.pages[0]: part.caption for part in parts if part.caption}
    articles, titles = [], {}
    for name in names:
        article = _article(soups[name], name, names, home)
        heading = article.find("h1")
        titles[name] = heading.get_text().strip()
        if name in captions:
            heading.insert_before(BeautifulSoup(f'<p class="part">{escape(captions[name])}</p>', "html.parser"))
        articles.append(str(article))
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<title>{escape(identity.title)}</title>
{_styles(soups[names[0]], names[0])}
<style>{_running_heads(titles)}</style>
{_formulas(soups)}
</head>
<body>
{_title_page(identity)}
{_contents(parts, titles)}
<main class="bd-content">
{"".join(articles)}
</main>
</body>
</html>
"""


def _article(soup: BeautifulSoup, name: str, names: Sequence[str], home: str) -> Tag:
    article = soup.select_one("article.bd-article")
    for node in article.select(LEFT_OUT):
        node.decompose()
    for node in article.select("details"):
        node["open"] = ""
    for node in article.select("[id]"):
        node["id"] = f"{anchor(name)}--{node['id']}"
    for node in article.select("label[for]"):
        node["for"] = f"{anchor(name)}--{node['for']}"
    for node in article.select("[src]"):
        node["src"] = urljoin(name, node["src"])
    for link in article.select("a[href]"):
        _lead(link, name, names, home)
    article["id"] = article["data-page"] = anchor(name)
    return article


def anchor(name: str) -> str:
    """Where a page starts in the document."""
    return str(PurePosixPath(name).with_suffix("")).replace("/", "-")


def _lead(link: Tag, name: str, names: Sequence[str], home: str) -> None:
    """Make a link lead to its place in the document, or to the site on the web, or be no link."""
    if urlsplit(link["href"]).scheme:
        return
    path, fragment = urldefrag(urljoin(name, link["href"]))
    if path in names:
        link["href"] = f"#{anchor(path)}" + (f"--{fragment}" if fragment else "")
    elif home:
        link["href"] = urljoin(home, path)
    else:
        link.unwrap()


def _styles(soup: BeautifulSoup, name: str) -> str:
    sheets = [urljoin(name, link["href"]) for link in soup.select("head link[rel=stylesheet]")]
    return "\n".join(f'<link rel="stylesheet" href="{escape(sheet)}">' for sheet in [*sheets, STYLE])


def _formulas(soups: dict[str, BeautifulSoup]) -> str:
    """MathJax and its settings, from the first page that has formulas."""
    for name, soup in soups.items():
        scripts = soup.select("head script")
        if program := next((script for script in scripts if "mathjax" in script.get("src", "")), None):
            settings = [str(script) for script in scripts if "window.MathJax" in script.get_text()]
            return "\n".join([*settings, f'<script src="{escape(urljoin(name, program["src"]))}"></script>'])
    return ""


def _running_heads(titles: dict[str, str]) -> str:
    """Above each page of paper the title of its chapter; a style sheet cannot take it from the text."""
    rules = []
    for name, title in titles.items():
        words = title.replace("\\", "\\\\").replace('"', '\\"')
        rules.append(f'@page {anchor(name)} {{ @top-left {{ content: "{words}"; }} }}')
        rules.append(f"#{anchor(name)} {{ page: {anchor(name)}; }}")
    return "\n".join(rules).replace("</", "<\\/")


def _title_page(identity: Identity) -> str:
    lines = [f"Version {identity.version}"]
    if identity.commit:
        lines.append(
            f"commit {identity.commit}" + (", with changes that were not committed" if identity.changed else "")
        )
    lines.append(f"last computed on {identity.made:%d %B %Y}".replace(" 0", " "))
    variant = identity.variant
    notice = (
        ""
        if variant.published
        else f'<p class="notice">This is the build <strong>{escape(variant.name)}</strong>, made with other parameters '
        "than the published values: its numbers are not the paper’s.</p>"
    )
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"""<section class="title-page">
<p class="title">{escape(identity.title)}</p>
<p class="authors">{escape(", ".join(identity.authors))}</p>
<div class="build-identity">{told}</div>
{notice}
</section>"""


def _contents(parts: Sequence[Part], titles: dict[str, str]) -> str:
    rows = []
    for part in parts:
        if part.caption:
            rows.append(f'<li class="part">{escape(part.caption)}</li>')
        rows += [
            f'<li><a href="#{anchor(name)}">{escape(titles[name])}</a><span class="sheet"></span></li>'
            for name in part.pages
        ]
    return f"""<nav class="single-page-contents" aria-label="Contents">
<p class="single-page-title">Contents</p>
<ol>{"".join(rows)}</ol>
</nav>"""
