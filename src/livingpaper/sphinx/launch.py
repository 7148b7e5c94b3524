"""Launch buttons: only those that lead to what is there, and to the commit that the page was built from."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from livingpaper.build.repository import Repository, Sources
from livingpaper.sphinx.sources import configured

#: What opens a repository by its owner and name, and where; on other forges there is no button.
HOSTS = {"github.com": ("binderhub_url", "colab_url"), "gitlab.com": ("binderhub_url",)}


def aim(app: Sphinx, config: Config) -> None:
    """Point the theme's launch buttons at the built commit; drop those that its repository does not serve."""
    root = Path(app.srcdir)
    sources = Sources.read(root)
    repository = sources.repository if sources else Repository.of(root, configured(app))
    options = config.html_theme_options
    buttons = options.get("launch_buttons") or {}
    served = _served(repository)
    options["launch_buttons"] = {
        name: value for name, value in buttons.items() if not name.endswith("_url") or name in served
    }
    if served:
        options |= {"repository_url": repository.url, "repository_branch": repository.commit}
        options["path_to_docs"] = repository.prefix
    else:
        options["repository_url"] = ""  # the theme stops at the address of a forge that it does not know


def _served(repository: Repository) -> tuple[str, ...]:
    match = re.fullmatch(r"https://([^/]+)/[^/]+/[^/]+", repository.url or "")
    return HOSTS.get(match[1], ()) if match and repository.commit else ()


def setup(app: Sphinx) -> None:
    """Register the aim of the launch buttons."""
    app.connect("config-inited", aim)
