# Shorten Snakemake's output to one line for each job that starts: how many jobs are done, the rule
# and its wildcards. Errors and all other lines stay; .snakemake/log/ in the working directory has
# everything.

function tell() {
    if (rule == "") return
    printf "%s%s%s\n", progress, rule, wildcards
    fflush()
    rule = wildcards = ""
}

/^\[[A-Z][a-z][a-z] [A-Z][a-z][a-z] .*\]$/ || /^Activating conda environment: / { next }
/^DAG of jobs will be updated after completion\.$/ || /^Updating checkpoint dependencies\.$/ { next }
/^Select jobs to execute\.\.\.$/ || /^Execute [0-9]+ jobs\.\.\.$/ || /^Finished jobid: / { next }

/^(local)?(rule|checkpoint) [^ ]+:$/ { tell(); rule = substr($2, 1, length($2) - 1); next }
rule != "" && /^    wildcards: / { wildcards = substr($0, 15) }
rule != "" && /^    / { next }
{ tell() }

/^[0-9]+ of [0-9]+ steps \([0-9.]+%\) done$/ {
    progress = sprintf("%" length($3) "d of %d  ", $1, $3)
    if ($1 == $3) print
    next
}
/^$/ && blank { next }
{ blank = /^$/; print; fflush() }
END { tell() }
