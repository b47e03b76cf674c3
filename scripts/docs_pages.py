"""Add the pages at the top of the repository to the documentation site (a hook of mkdocs)."""

import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = {"SECURITY.md": "security.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_LINK: Final = re.compile(r"\]\((?:\.\./)*(docs/|[A-Z]+\.md)([^)]*)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, with their links as they are inside of the site."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=_relinked((ROOT / name).read_text())))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page of `docs/` with its links to the pages at the top as they are inside of the site."""
    return _relinked(markdown)


def _relinked(text: str) -> str:
    return _LINK.sub(_target, text)


def _target(link: "re.Match[str]") -> str:
    where, rest = link.groups()
    return f"]({'' if where == 'docs/' else PAGES.get(where, where)}{rest})"
