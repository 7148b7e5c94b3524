"""What a chapter says: figures, tables, claims and numbers, under ids that the Markdown below puts into words.

Numbers are code, words are Markdown. A code cell hands over what it computed::

    say.figure("fig-error", figure, table)

and the directive of that id, in the Markdown cell below, says what is to be seen::

    :::{glue:figure} fig-error
    :alt: A line that falls from one half to nothing.

    Test error against the number of samples, mean over {glue:text}`seeds` seeds.
    :::

``style`` and ``plots`` are modules of their own, for a chapter that draws.
"""

from livingpaper.say.claims import claim as claim
from livingpaper.say.figures import figure as figure
from livingpaper.say.figures import table as table
from livingpaper.say.numbers import numbers as numbers
from livingpaper.say.numbers import scientific as scientific
from livingpaper.say.numbers import spelt as spelt
