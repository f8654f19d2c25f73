#!/usr/bin/env bash
# What only a GPU can show, in nine minutes: is it right, how fast, does the whole chain run, what fits.
#
#     bench/on_gpu.sh --out FOLDER [--wheels FOLDER] [--dry]
#
# For a bare machine: python3 (PYTHON names another) with torch, numpy, pandas, scipy, PyYAML, tqdm and
# pytest, no network. What it lacks may lie as wheels in a folder; they are installed aside. Results go to
# FOLDER/results.tsv, row by row as they are known, with logs; `python bench/write_docs.py
# FOLDER/results.tsv` puts them into docs/reference/benchmarks.md. --dry runs all of it in miniature on a CPU.
set -euo pipefail

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }

out='' wheels='' dry=''
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=${2:?} ; shift 2 ;;
        --wheels) wheels=${2:?} ; shift 2 ;;
        --dry) dry=--dry ; shift ;;
        *) usage ;;
    esac
done
[ -n "$out" ] || usage
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# What is built and cached while it runs goes with it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH="$project/scripts:$project/bench:$project/tests/helpers"
if [ -n "$wheels" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --target "$work/site" "$wheels"/*.whl
    PYTHONPATH="$PYTHONPATH:$work/site"
fi
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
"$python" -m on_gpu.stages --out "$out" --work "$work" $dry
