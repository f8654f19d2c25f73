#!/usr/bin/env bash
# Run the workflow on phantoms in a working directory: demo/run.sh DIRECTORY [argument of Snakemake ...]
#
# A Snakemake that was killed leaves its working directory locked. The lock here ends with its holder,
# so once it is ours, and no other Snakemake runs there, the one left behind is stale. Jobs that
# outlive a killed Snakemake hold their logs (scripts/brainuad/io/job.py); the next of their kind waits.
set -euo pipefail
directory=$1
shift

# Whether a Snakemake works in the directory: it goes there first, so a demo of another clone does not.
snakemake_runs_here() {
    local process
    for process in $(pgrep --full "python[^ ]* [^ ]*/snakemake "); do
        [ "/proc/$process/cwd" -ef "$directory" ] && return
    done
    return 1
}

mkdir -p "$directory/.snakemake"
exec 9>"$directory/.snakemake/run.lock"
flock --nonblock 9 || {
    echo "Waiting for another run in $directory to end ..."
    flock 9
}
if [ -n "$(ls "$directory/.snakemake/locks" 2>/dev/null)" ] && ! snakemake_runs_here; then
    snakemake --directory "$directory" "$@" --unlock --quiet progress rules host
fi
# Ctrl-C goes to all of them; what Snakemake says then is still to be told.
snakemake --directory "$directory" --cores all --use-conda "$@" 2>&1 \
    | (trap '' INT; exec awk -f "$(dirname "$0")/one_line_per_job.awk")

report=$directory/results/report
if [ "$report/index.html" -nt "$report/snakemake_report.zip" ]; then
    snakemake --directory "$directory" "$@" --report results/report/snakemake_report.zip \
        --quiet progress rules host
fi
echo
echo "The report:              $PWD/$report/index.html"
echo "The same with all code:  $PWD/$report/snakemake_report.zip"
