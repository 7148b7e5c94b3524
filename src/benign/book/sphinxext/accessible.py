"""Markup that assistive technology reads as it is meant, where docutils writes something else."""

from docutils import nodes
from sphinx.writers.html5 import HTML5Translator


def visit_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.visit_citation(writer, node)
    # withdrawn from the standard, and never allowed on an element of this kind
    writer.body[-1] = writer.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def depart_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.depart_citation(writer, node)
