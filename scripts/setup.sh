#!/usr/bin/env bash
# Makes .venv and everything around it for a task. Does nothing where that has been done.
#
#   scripts/setup.sh base|demo|test
#
# base: squeeze2c alone. demo: what `make demo` needs. test: also the cross-compiler, the emulator
# and the development tools. PYTHON names the interpreter (default python3), TORCH the pip
# requirements for PyTorch that the tests use (default: a tested version, else any).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

task=${1:-base}
python=${PYTHON:-python3}
venv=.venv

case "$task" in
base) extras="" system=compile ;;
demo) extras="[demo]" system=compile ;;
test) extras="[verify,report,demo,dev]" system=test ;;
*) fail "unknown task $task: base, demo or test" ;;
esac

for _ in 1 2; do
    missing=$(missing_packages "$system" "$python")
    [ -n "${missing// /}" ] || break
    # shellcheck disable=SC2086  # a list of words
    apt_install $missing
done
missing=$(missing_packages "$system" "$python")
[ -z "${missing// /}" ] || fail "still missing after the installation: $missing"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "squeeze2c needs Python 3.10 or newer; $python is $("$python" -V 2>&1). Set PYTHON=..."

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    printf 'making %s\n' "$venv" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

# What is installed is a function of these files and the interpreter.
state="$(cat pyproject.toml hatch_build.py | sha256sum) $("$venv/bin/python" -V) ${TORCH:-}"
stamp=$venv/.squeeze2c-$task
[ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && exit 0

install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

printf 'installing Python packages into %s\n' "$venv" >&2
if [ "$task" != test ]; then
    install -e ".$extras"
elif [ -n "${TORCH:-}" ]; then
    # shellcheck disable=SC2086  # several requirements or options
    install -e ".$extras" $TORCH
else
    install -e ".$extras" torch==2.13.0 || install -e ".$extras"
fi
printf '%s' "$state" >"$stamp"
