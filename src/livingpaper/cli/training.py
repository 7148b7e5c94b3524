"""``train``: one setting of an experiment over some seeds, as a table; what a mark in a figure asks for."""

import ast
import dataclasses
import importlib
import pkgutil
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pandas as pd
import typer

from livingpaper import settings
from livingpaper.build import columns
from livingpaper.build.parameters import NOT_LITERAL
from livingpaper.cli.app import AsJson, Scheduler, app, show, show_json
from livingpaper.errors import InputError, nearest
from livingpaper.files import project_root
from livingpaper.sweep import closure

SUMMARY = ("mean", "least", "largest")


@app.command(
    epilog="Example: `COMMAND train borders.Border n=30 p=3000 signal_index=8 label_noise=0.2 width=64 --seeds 2`"
)
def train(
    experiment: Annotated[str, typer.Argument(help="An experiment, as module.Class; the module may be a file here.")],
    setting: Annotated[list[str] | None, typer.Argument(metavar="[name=value]...", help="Its setting.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds, one after another.")] = 1,
    first_seed: Annotated[int, typer.Option("--first-seed", min=0, help="The first of them.")] = 0,
    device: Annotated[str, typer.Option("--device", help="Where to train: cpu, cuda, cuda:1.")] = "cpu",
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Train one setting and print what was measured, and what that is: mean over the seeds, least and largest value.

    With --json each run with its setting. Runs that were done before come from the store. What comes out for a setting
    is the same, whatever else was trained with it.
    """
    from livingpaper.sweep import sweep  # not at the top: other commands need not wait for it

    if root := project_root():
        closure.check_here(settings.read().packages, root)
    found = _experiment(experiment)
    drawn = range(first_seed, first_seed + seeds)
    try:
        table = sweep(found, [_setting(found, setting or [])], drawn, device=device, scheduler=scheduler)
    except Exception as error:  # what the paper itself raises speaks of the setting
        if type(error).__module__.partition(".")[0] not in settings.read().packages:
            raise
        raise InputError(f"{experiment}: {error}") from None
    if as_json:
        show_json(table.astype(object).where(table.notna(), None).to_dict("records"))
        return
    measured = table.drop(columns=[field.name for field in dataclasses.fields(found)])
    # an experiment that measures at several steps has several rows a run
    steps = measured.pop("at_step") if "at_step" in measured else pd.Series(0, measured.index)
    said = {each["name"]: each["meaning"] for each in columns.described(root or Path(), experiment, measured)}
    rows = [
        {"step": step, "quantity": name, "meaning": said[name]}
        | {words: f"{value:.6g}" for words, value in zip(SUMMARY, ends, strict=True)}
        for step, some in measured.select_dtypes(["number", "bool"]).astype(float).groupby(steps)
        for name, ends in some.agg(["mean", "min", "max"]).items()
    ]
    show(rows, [*(["step"] if steps.any() else []), "quantity", *SUMMARY, *(["meaning"] if any(said.values()) else [])])


def _experiment(name: str) -> type:
    module, _, kind = name.partition(".")
    package = settings.read().experiments
    if not package:
        raise InputError(
            "this paper names no experiments: write `experiments` into [tool.livingpaper] of pyproject.toml"
        )
    modules = [found.name for found in pkgutil.iter_modules(_imported(package).__path__)]
    own = [file.stem for file in Path.cwd().glob("*.py")]
    if module in modules:
        there = _imported(f"{package}.{module}")
    elif module in own:
        sys.path.insert(0, str(Path.cwd()))
        there = _imported(module)
    else:
        raise InputError(f"there is no experiment {name!r}: {nearest(module, [*modules, *own])}")
    kinds = [
        found.__name__
        for found in vars(there).values()
        if isinstance(found, type) and found.__module__ == there.__name__ and hasattr(found, "batched_by")
        and hasattr(found, "run")
    ]  # fmt: skip
    if kind not in kinds:
        raise InputError(f"there is no experiment {kind!r} in {module}: {nearest(kind, kinds)}")
    return getattr(there, kind)


def _imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (ImportError, SyntaxError) as error:
        raise InputError(
            f"cannot import {module}: {error}; correct it, or `experiments` in [tool.livingpaper] of pyproject.toml"
        ) from None


def _setting(experiment: type, texts: list[str]) -> dict[str, object]:
    hints, setting = typing.get_type_hints(experiment), {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"{text!r} is no setting: write it as name=value")
        if name in setting:
            raise InputError(f"{name} is given twice, here {text!r}: write one of the two")
        setting[name] = value if hints.get(name) is str else _value(name, value, hints.get(name))
    return setting


def _value(name: str, text: str, kind: type | None) -> object:
    try:
        value = _frozen(ast.literal_eval(text))
    except NOT_LITERAL:
        example = True if kind is bool else 1
        raise InputError(
            f"{name}={text!r} is neither number nor list nor True or False: write e.g. {name}={example}"
        ) from None
    # 1e4 is a whole number in all but Python's eyes, and the same setting as 10000 to the store
    return int(value) if kind is int and isinstance(value, float) and value.is_integer() else value


def _frozen(value: object) -> object:
    """Lists as tuples, in which a setting, which is hashed, keeps them."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
