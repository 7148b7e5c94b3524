"""The process that runs a chapter's cells: ``python -m livingpaper.build.kernel``, as a Jupyter kernel.

It is IPython's kernel without what the machine's administrator set for IPython; the person's settings it never sees
(``execute.environment``).
"""

import sys

from ipykernel.kernelapp import IPKernelApp
from IPython.core import application
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class Manager(AsyncKernelManager):
    """Starts this kernel with the Python that runs here, whatever kernels a person has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """How it is started."""
        command = [sys.executable, "-m", __spec__.name, "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def main() -> None:
    """Serve one chapter until told to stop."""
    for folders in (application.SYSTEM_CONFIG_DIRS, application.ENV_CONFIG_DIRS):
        folders.clear()  # the very lists that IPython looks through for settings and for startup files
    IPKernelApp.launch_instance()


if __name__ == "__main__":
    main()
