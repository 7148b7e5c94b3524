"""From sources to executed notebooks to rendered pages."""

import sys

# Where this package is installed, jsonschema makes a grammar of international addresses of it whenever it is imported,
# as nbformat does: two seconds in every process, for a check of addresses that no notebook is put to.
sys.modules.setdefault("rfc3987_syntax", None)
