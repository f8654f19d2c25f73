#!/usr/bin/env bash
# Measure on a GPU, in nine minutes: correctness, speed, the whole chain, and memory.
#
#     bench/on_gpu.sh --out FOLDER [--wheels FOLDER] [--dry]
#
# It needs python3 (PYTHON names another) with torch, numpy, pandas, scipy, PyYAML, tqdm and pytest, no
# network. Missing packages can be wheels in a folder, which are installed for this run alone. Results
# are written to FOLDER/results.tsv one by one; `python bench/write_docs.py FOLDER/results.tsv` adds
# them to docs/reference/benchmarks.md. --dry runs everything in miniature on a CPU.
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

# Files that are built and cached during the run are deleted at its end.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH="$project/scripts:$project/bench:$project/tests/helpers"
if [ -n "$wheels" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --target "$work/site" "$wheels"/*.whl
    PYTHONPATH="$PYTHONPATH:$work/site"
fi
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
"$python" -m on_gpu.stages --out "$out" --work "$work" $dry
