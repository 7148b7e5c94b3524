"""A release that somebody else may have made: read whole, and its pages rendered again without running anything in it.

Its digests tell of damage. Whoever changes a file can write new digests too, so nothing in it is trusted for them.
"""

import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import yaml

from livingpaper.build import pipeline, render, stamp
from livingpaper.errors import PaperError
from livingpaper.files import below, cannot_write, sha256
from livingpaper.sweep import closure

SUMS = "SHA256SUMS"
ROOTS = ("source/src/", "source/")  # where a package or a file of the book lies
MOST_FILES, MOST_BYTES = 100_000, 4 * 1024**3  # a book has a thousand files and a hundred megabytes
LONGEST_NAME = 1024  # characters
_ANY = None
#: What settings of a book may be in a bundle, with the values where only some are harmless: none of them names code
#: to run, or a template or theme that is no part of what is installed.
HARMLESS = {
    **dict.fromkeys(("title", "author", "copyright", "logo", "only_build_toc_files", "exclude_patterns"), _ANY),
    **dict.fromkeys(("parse", "html", "latex", "launch_buttons", "repository", "bibtex_bibfiles"), _ANY),
    "execute": {"execute_notebooks": ["off"], **dict.fromkeys(("timeout", "stderr_output", "eval_regex"), _ANY)},
    "sphinx": {
        "recursive_update": _ANY,
        "extra_extensions": [
            "livingpaper.sphinx", "sphinx.ext.autodoc", "sphinx.ext.intersphinx", "sphinx.ext.mathjax",
            "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_codeautolink", "sphinx_design", "sphinx_exercise",
            "sphinx_proof",
        ],
        "config": dict.fromkeys(
            (
                "add_module_names", "autodoc_default_options", "autodoc_member_order", "autodoc_preserve_defaults",
                "autodoc_typehints", "bibtex_default_style", "bibtex_reference_style", "codeautolink_concat_default",
                "codeautolink_inventory_map", "html_baseurl", "html_domain_indices", "html_last_updated_fmt",
                "html_sidebars", "html_theme_options", "html_title", "language", "math_eqref_format", "mathjax3_config",
                "myst_heading_anchors", "myst_ref_domains", "napoleon_google_docstring", "napoleon_numpy_docstring",
                "nb_code_prompt_hide", "nb_code_prompt_show", "nb_merge_streams", "nitpick_ignore",
                "nitpick_ignore_regex", "numfig", "numfig_format", "numfig_secnum_depth", "prf_realtyp_to_countertyp",
                "python_maximum_signature_line_length", "suppress_warnings", "today", "viewcode_line_numbers",
            ),
            _ANY,
        )
        # not what the theme takes for a template: `edit_page_url_template`
        | {"html_context": {"default_mode": _ANY}},
    },
}  # fmt: skip


def read(path: Path) -> dict[str, bytes]:
    """The files of a release by name, if every one is there, is as it was written, and is listed."""
    contents = {}
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(path, archive)
            for name in archive.namelist():
                try:
                    contents[name] = archive.read(name)
                except (EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
                    raise PaperError(f"{path} is damaged: {name} in it cannot be read; get it again") from None
    except OSError as error:
        raise PaperError(f"cannot read {path}: {error.strerror or error}") from None
    except zipfile.BadZipFile:
        raise PaperError(f"{path} is no zip file, or its end is missing: get it again") from None
    if SUMS not in contents:
        raise PaperError(f"{path} has no file {SUMS}: it is no release of this book")
    try:
        lines = [line.split("  ", 1) for line in contents.pop(SUMS).decode().splitlines()]
        sums = {name: digest for digest, name in lines}
    except ValueError:
        raise PaperError(f"{path} is damaged: {SUMS} in it is no list of digests; get it again") from None
    if missing := sorted(sums.keys() - contents.keys()):
        raise PaperError(f"{path} is not whole: {_named(missing)} not in it; get it again")
    if unlisted := sorted(contents.keys() - sums.keys()):
        raise PaperError(f"{path} was changed since it was made: {_named(unlisted)} not in its {SUMS}")
    for name, content in contents.items():
        if sha256(content) != sums[name]:
            raise PaperError(f"{path} is damaged: {name} in it is not what {SUMS} says; get it again")
    return contents


def render_again(path: Path, output: Path) -> int:
    """Render a release's pages into a new folder and compare them with those in it; how many files are alike."""
    if output.exists():
        raise PaperError(f"{output} is there already: name a folder that is not, with --output")
    contents = read(path)
    expected = {name.removeprefix("site/"): content for name, content in contents.items() if name.startswith("site/")}
    check_settings(path, contents.get("book/_config.yml", b""))
    check_sources(path, contents)
    packages, variant = _made_with(path, expected)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".render-") as work:
            tree, log = Path(work, "tree"), output.with_name(f"{output.name}.log")
            for name in (name for name in contents if name.startswith("book/")):
                target = tree / name.removeprefix("book/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents[name])
            made = pipeline.pages_of(tree, packages, variant, Path(work), log, ours=False)
            found = dict(below(made))
            render.put_up(made, output)
            log.unlink()
    except OSError as error:
        raise cannot_write(output, error) from error
    if differing := sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)):
        shown = ", ".join(differing[:3]) + (f" and {len(differing) - 3} more" if len(differing) > 3 else "")
        raise PaperError(
            f"{len(differing)} of {len(expected)} files in {output} are not as in {path}: {shown}\n"
            "They were rendered with other versions: install source/requirements.txt and the package in source/, "
            "both of the bundle, and render again."
        )
    return len(found)


def check_settings(path: Path, content: bytes) -> None:
    """Refuse a book's ``_config.yml`` in a release if it says more than what is known to be harmless."""
    try:
        config = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError):
        config = None
    if not isinstance(config, dict):
        raise PaperError(f"{path} has no readable book/_config.yml: it is no release of this book")
    if unknown := next(_unknown(config, HARMLESS, ""), None):
        raise PaperError(
            f"{path} has {unknown} in its book/_config.yml, which may run code, so that it is not rendered: if "
            "you made it, take the setting out; if you trust who did, unpack it and run `jupyter-book build book`"
        )


def check_sources(path: Path, contents: Mapping[str, bytes]) -> None:
    """Refuse a release whose sources are not those that its records say ran or were read.

    Only what lies in ``source`` is a source, not what a site may hold of a module for a page to run; and packages may
    be installed from elsewhere.
    """
    for record in (name for name in contents if name.startswith("book/runs/")):
        try:
            run = json.loads(contents[record])
            used = [(_place(module, contents), digest) for module, digest in run["modules"].items()]
            files = run.get("files", {})  # a release of old has none
            used += [(f"source/{name}", digest) for name, digest in files.items() if not name.startswith(("/", "../"))]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise PaperError(f"{path} has no readable {record}: it is no release of this book") from None
        for name, digest in ((name, digest) for name, digest in used if name):
            content = contents.get(name)
            if content is None or digest not in (closure.source_digest(content), sha256(content)):
                how = "is not among the sources" if content is None else "is not as it was then"
                raise PaperError(
                    f"{path}: {name} {how}, and {record} says that it was used: commit it, build the book again and "
                    "release that"
                )


def _place(module: str, contents: Mapping[str, bytes]) -> str:
    """Where in a release a module must be; nowhere, if its package is none of its sources."""
    package, slash, _ = module.partition("/")
    for root in ROOTS:
        if any(name.startswith(f"{root}{package}{slash}") and name.endswith(".py") for name in contents):
            return root + module
    return ""


def _check_size(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse, before anything is unpacked, what would fill memory or disk or go to another place than its name says."""
    entries, seen = archive.infolist(), set()
    size = sum(entry.file_size for entry in entries)  # no more than that is read of each
    if len(entries) > MOST_FILES or size > MOST_BYTES:
        most = f"{MOST_FILES} files or {MOST_BYTES / 1024**3:.0f} GiB"
        raise PaperError(f"{path} has {len(entries)} files of {size / 1024**3:.1f} GiB, more than {most}: no book has")
    for name in archive.namelist():
        parts = name.split("/")
        if PurePosixPath(name).is_absolute() or {"", ".", ".."} & set(parts) or len(name) > LONGEST_NAME:
            raise PaperError(f"{path} has a file {name[:LONGEST_NAME]}, which leads out of it: do not trust it")
        if "\\" in name or ":" in name or not name.isprintable():
            raise PaperError(f"{path} has a file {name!r}, which is another one on another system: do not trust it")
        if name.casefold() in seen:
            raise PaperError(f"{path} has two files {name}, or their names differ in case only: do not trust it")
        seen.add(name.casefold())


def _made_with(path: Path, site: dict[str, bytes]) -> tuple[list[str], str]:
    """What a site says of the packages and the values that it was made with."""
    try:
        facts = json.loads(site[stamp.FILE])
        packages, variant = facts["packages"], facts["variant"]
        absent = [package for package in packages if not package.isidentifier() or closure.home(package) is None]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PaperError(f"{path} has no readable site/{stamp.FILE}: it is no release of this book") from None
    if absent:
        raise PaperError(
            f"the pages in {path} show the package {absent[0]!r}, which is not installed: "
            "if you trust who made it, unpack it and install the package in source/"
        )
    return packages, variant


def _unknown(found: object, known: dict | list | None, where: str) -> Iterator[str]:
    """What in a setting's value is not known, by its place."""
    if isinstance(known, dict) and isinstance(found, dict):
        for name, value in found.items():
            if name in known:
                yield from _unknown(value, known[name], f"{where}{name}.")
            else:
                yield f"{where}{name}"
    elif isinstance(known, list):
        values = found if isinstance(found, list) else [found]
        yield from (f"{where.rstrip('.')}: {value}" for value in values if value not in known)
    elif known is not None and found is not None:
        yield f"{where.rstrip('.')}: {found!r}"


def _named(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"
