"""From sources to executed notebooks to rendered pages."""
