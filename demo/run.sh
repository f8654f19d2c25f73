#!/usr/bin/env bash
# Run the workflow on phantoms: demo/run.sh DIRECTORY [argument of Snakemake ...]
#
# A Snakemake that was killed leaves its working directory locked. The lock of this script ends with
# its process: once this script has it, and no other Snakemake runs there, Snakemake's lock is
# stale. Jobs that outlive a killed Snakemake hold their logs (scripts/brainuad/io/job.py), and
# their successors wait.
set -euo pipefail
directory=$1
shift

# Whether a Snakemake runs in the directory. It changes into its directory, so that of another clone
# is not counted.
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
# Ctrl-C reaches both processes; awk ignores it, to show what Snakemake prints at its end.
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
