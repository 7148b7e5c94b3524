"""The errors that a user can act on."""


class PaperError(Exception):
    """What was wrong, with what value, and what to do about it; the command prints it without a traceback."""


class InputError(PaperError, ValueError):
    """An argument that the paper does not allow."""
