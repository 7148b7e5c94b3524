"""What a build would do: for each chapter, whether its outputs are still good, and if not, why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from livingpaper.build import keys
from livingpaper.build.cache import Entry, NotebookCache
from livingpaper.build.project import Project, Variant
from livingpaper.errors import PaperError
from livingpaper.sweep import closure, data


@dataclass
class Step:
    """A chapter in a plan; ``entry`` holds its outputs once they are good."""

    chapter: str
    variant: Variant
    notebook: NotebookNode
    parameters: dict[str, object]
    parts: dict
    key: str
    entry: Entry | None
    reasons: list[str]
    label: str = ""  #: beside the chapter's name, where several variants are executed together

    @property
    def fresh(self) -> bool:
        """Whether nothing has to be executed."""
        return self.entry is not None and not self.reasons


def plan(
    project: Project, variant: Variant, chapters: Iterable[str] | None = None, force: Collection[str] = ()
) -> list[Step]:
    """The steps for the given chapters (all, if None), in reading order; those in ``force`` are not taken as fresh."""
    closure.check_here((*project.settings.packages, "livingpaper"), project.root)
    wanted = set(project.chapters) if chapters is None else {name for name in chapters if project.chapter(name)}
    cache, known = NotebookCache(project.cache), data.digests(project.root, project.settings.data)
    return [_step(project, variant, cache, name, name in force, known) for name in project.chapters if name in wanted]


def _step(
    project: Project, variant: Variant, cache: NotebookCache, chapter: str, force: bool, known: dict[str, str]
) -> Step:
    notebook, overrides = project.notebook(chapter), variant.overrides.get(chapter, {})
    try:
        parts = parts_of(project, chapter, notebook, keys.values(notebook, overrides), known)
    except PaperError as error:
        raise type(error)(f"{project.chapter(chapter)}: {error}") from None
    key = cache.key(chapter, parts)
    entry = cache.load(key)
    step = Step(chapter, variant, notebook, overrides, parts, key, entry, [])
    if entry is None:
        step.reasons = _reasons(cache, chapter, variant, parts, key)
    elif force:
        step.reasons = ["asked for by --force"]
    return step


def parts_of(
    project: Project,
    chapter: str,
    notebook: NotebookNode,
    values: dict[str, object],
    known: dict[str, str] | None = None,
) -> dict:
    """Everything that the outputs of a chapter of a book depend on; ``known`` are the digests of its data files."""
    folders = [(project.root / project.chapter(chapter)).parent, project.root]
    known = data.digests(project.root, project.settings.data) if known is None else known
    return keys.parts(notebook, values, project.settings.packages, folders, known)


def _reasons(cache: NotebookCache, chapter: str, variant: Variant, parts: dict, key: str) -> list[str]:
    if key in cache:
        return ["its cached outputs are damaged"]
    last = cache.nearest(chapter, variant.name)
    return ["never executed here"] if last is None else keys.changes(last, parts)
