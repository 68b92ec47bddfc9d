"""Every path that the documentation names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("bench/*.md")]
)
# A path of the repository starts with one of these; others belong to the user's folders.
TOP_LEVEL = (
    "squeeze2c", "templates", "runtime_c", "tests", "examples", "bench", "docs", "scripts", ".ci",
)
PATH = re.compile(r"[\w.*-]+/[\w.*/-]*")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def repository_paths(text: str) -> list[str]:
    """Tokens in backticks that start with a top-level folder and look like a path."""
    paths = []
    for code in CODE.findall(FENCE.sub("", text)):
        for token in code.split():
            token = token.rstrip(".,;:").split("::")[0]
            if PATH.fullmatch(token) and token.split("/")[0] in TOP_LEVEL:
                paths.append(token)
    return paths


def exists(path: str) -> bool:
    """Something matches ``path``, and is a folder where it ends in a slash."""
    if path.endswith("/"):
        return (CHECKOUT / path).is_dir()
    return any(CHECKOUT.glob(path))


def links(text: str) -> list[str]:
    """Targets of links into the repository, without their fragments."""
    targets = [t.split("#")[0] for t in LINK.findall(FENCE.sub("", text))]
    return [t for t in targets if t and not re.match(r"[a-z]+:", t)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_paths_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not [p for p in repository_paths(text) if not exists(p)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not [t for t in links(text) if not (document.parent / t).exists()]


def test_the_rules_find_paths_and_only_paths() -> None:
    text = """
    See `squeeze2c/ir/ops.py`, `tests/unit/`, `runtime_c/src/*.c` and `docs`; run
    `pytest tests/unit/test_memory.py::test_align_up`. Not `firmware/net.c`, `runtime/s2c.h`,
    `squeeze2c compile`, `float/double` or `tests`.
    [link](docs/cli.md#json), [web](https://example.org), [here](#below)

```sh
make `docs/none.md`
```
    """
    paths = ["squeeze2c/ir/ops.py", "tests/unit/", "runtime_c/src/*.c", "tests/unit/test_memory.py"]
    assert repository_paths(text) == paths
    assert all(map(exists, paths))
    assert not exists("tests/unit/test_memory.py/") and not exists("docs/none.md")
    assert links(text) == ["docs/cli.md"]


def test_the_documentation_names_paths() -> None:
    texts = [d.read_text(encoding="utf-8") for d in DOCUMENTS]
    assert sum(len(repository_paths(t)) for t in texts) > 10
    assert sum(len(links(t)) for t in texts) > 5
