"""What a page shows of the outputs of a cell: text that a reader may want, of a length that a page can bear.

What goes to standard error is for the author, and a widget needs a kernel. A page says so where it leaves something
out; the executed notebook and the log have all of it.
"""

from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from livingpaper.build import words

LONGEST = 100_000  # characters of text in all outputs of a cell
LARGEST = 10_000_000  # characters of any other output: a picture, a table in HTML
WIDGET = "application/vnd.jupyter.widget-view+json"


def shown(cell: NotebookNode) -> tuple[list[NotebookNode], list[str]]:
    """The outputs of an executed cell as its page shows them, and in words what it does not show."""
    kept, told, room = [], [], LONGEST
    errors = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
    if lines := _seen(errors).strip().splitlines():
        told.append(f"wrote to standard error, which no page shows: {lines[0][:200]}")
    for output in map(nbformat.from_dict, cell.outputs):
        if output.get("name") == "stderr":
            continue
        if lost := _unbearable(output):
            told.append(f"has an output that no page shows: {lost}")
            output = nbformat.v4.new_output("stream", text=f"[left out: {lost}]\n")
        for holder, name in _texts(output):
            text = _seen(holder[name])
            holder[name], more = text[:room], len(text) - room
            if more > 0 < room:
                told.append(f"prints more than the {LONGEST} characters that a page shows")
                holder[name] += "\n[the rest of this text is left out here]\n"
            room = max(-more, 0)
        if output.get("text") == "":
            continue
        if output.output_type == "execute_result":
            output.execution_count = None
        kept.append(output)
    return kept, [f"cell {cell.id} {each}" for each in told]


def _texts(output: NotebookNode) -> Iterator[tuple[dict, str]]:
    """Where an output has plain text: what is ours is glued or the fallback of a figure, and short."""
    if output.output_type == "stream":
        yield output, "text"
    elif "text/plain" in output.get("data", {}) and not any(mime in output.data for mime in words.MIMES):
        yield output.data, "text/plain"


def _unbearable(output: NotebookNode) -> str:
    data = output.get("data", {})
    if WIDGET in data:
        return "a widget, which needs a running kernel"
    large = {mime: len(str(content)) for mime, content in data.items() if mime not in (*words.MIMES, "text/plain")}
    return next((f"{size} characters of {mime}" for mime, size in large.items() if size > LARGEST), "")


def _seen(text: str) -> str:
    """What a terminal shows in the end: of a line that was written over again and again, the last state."""
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
