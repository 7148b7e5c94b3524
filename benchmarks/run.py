"""All rows, each in a process of its own; `make bench` runs this.

A row that was measured by the same code on the same machine is kept, so an interrupted run goes on where it stopped;
``--again`` measures it anew. The records, one a row, go to results/, and all of them together to results.json.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from harness import Options, key
from row import HERE, file_of, folder_of, lines, merged

from livingpaper.errors import PaperError
from livingpaper.files import write_atomically


def scripts() -> dict[int, Path]:
    """The rows by number."""
    return {int(file.name.split("_")[1]): file for file in sorted(HERE.glob("row_[0-9]*_*.py"))}


def chosen(rows: str | None) -> dict[int, Path]:
    """The rows that were asked for, all by default."""
    every = scripts()
    wanted = [text.strip() for text in rows.split(",")] if rows else list(map(str, every))
    if unknown := [text for text in wanted if text not in map(str, every)]:
        raise PaperError(f"there is no row {unknown[0]!r}: there are {', '.join(map(str, every))}")
    return {number: script for number, script in every.items() if str(number) in wanted}


def kept(file: Path, script: Path, options: Options) -> bool:
    """Whether the record in a file is what measuring now would be made of."""
    return file.exists() and json.loads(file.read_text()).get("key") == key(script, options)


def main(
    rows: Annotated[str | None, typer.Option(help="Numbers of rows, such as 1,2; all by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes: only shows that everything runs.")] = False,
    device: Annotated[str, typer.Option(help="cpu, or cuda.")] = "cpu",
    peers: Annotated[bool, typer.Option(help="Measure JAX and neural-tangents too.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Measure rows too that were measured before.")] = False,
    results: Annotated[Path | None, typer.Option(help="The folder for the records.")] = None,
) -> None:
    """Measure, print every row as it comes, and write the records."""
    options, trial = Options(quick, device, peers), quick or not peers
    folder = results or folder_of(trial)
    flags = ["--device", device, "--folder", str(folder)] + ["--quick"] * quick + ["--no-peers"] * (not peers)
    failed = []
    for number, script in chosen(rows).items():
        file = file_of(number, device, folder)
        if not again and kept(file, script, options):
            print(
                "\n".join(lines(json.loads(file.read_text()))), "   (measured before; --again measures anew)", sep="\n"
            )
        elif subprocess.run([sys.executable, script, *flags]).returncode:
            failed.append(str(number))
        if not trial:
            together = folder.parent / ("results.json" if device == "cpu" else f"results-{device}.json")
            write_atomically(together, (json.dumps(merged(folder, device, together), indent=1) + "\n").encode())
    if failed:
        raise PaperError(f"not measured: row {', '.join(failed)}; what was wrong stands above")


if __name__ == "__main__":
    try:
        typer.run(main)
    except PaperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
