"""The errors that a user can act on."""


class BenignError(Exception):
    """What was wrong, with what value, and what to do about it; the command prints it without a traceback."""


class InputError(BenignError, ValueError):
    """An argument outside what the mathematics or the book allows."""
