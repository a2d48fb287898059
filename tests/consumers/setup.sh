#!/usr/bin/env bash
# Sets up the programs that `make test-consumers` opens our files in; what cannot be had is said, not fatal.
# usage: setup.sh [npm | all], in any folder. Node packages: pinned in package-lock.json, into node_modules beside this file.
# Blender's module bpy: into .venv-blender of the checkout, by a Python 3.13 (PYTHON313, else the first that is found).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bpy=bpy==5.2.3

if ! command -v npm > /dev/null; then
  echo "npm is not installed: the validator and three.js are left out (install Node 18 or newer)"
elif ! (cd "$here" && npm ci --no-audit --no-fund --loglevel=error); then
  echo "npm could not install the pinned packages: the validator and three.js are left out"
fi
[ "${1:-all}" = all ] || exit 0

[ -x "$root/.venv/bin/python" ] && "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint "$root/constraints.txt" bvhio upc-pymotion || echo "bvhio and pymotion could not be installed: left out"

python=${PYTHON313:-}
if [ -z "$python" ]; then
  # pyenv's shim is there for every version, and works for the chosen ones only
  for each in "$(command -v python3.13 || true)" "$HOME"/.pyenv/versions/3.13*/bin/python; do
    if [ -n "$each" ] && "$each" -c "" 2> /dev/null; then python=$each; break; fi
  done
fi
if [ -n "${CHOREODB_BLENDER_PYTHON:-}" ]; then
  echo "Blender: $CHOREODB_BLENDER_PYTHON as given"
elif [ -z "$python" ]; then
  echo "no Python 3.13 for Blender's bpy: Blender is left out (set PYTHON313)"
elif ! "$root/.venv-blender/bin/python" -c "import bpy" 2> /dev/null; then
  "$python" -m venv "$root/.venv-blender" &&
    "$root/.venv-blender/bin/python" -m pip install --quiet --disable-pip-version-check "$bpy" ||
    { echo "bpy could not be installed: Blender is left out"; rm -rf "$root/.venv-blender"; }
fi
exit 0
