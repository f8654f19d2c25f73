#!/usr/bin/env bash
# A real SLURM of one node, on the machine at hand: as root, without systemd.
#
#   one_node_cluster.sh install         slurm-wlm and munge by apt (Debian, Ubuntu), where they lack
#   one_node_cluster.sh start FOLDER    munged, slurmctld and slurmd; FOLDER/slurm.conf is their config
#   one_node_cluster.sh stop FOLDER     cancels all jobs and ends the three
#
# Everything the cluster writes is in FOLDER; the system's own /etc/slurm and munge key stay untouched.
# To use it: export SLURM_CONF=FOLDER/slurm.conf PATH=FOLDER/bin:$PATH, then sbatch, squeue, snakemake.
#
# Two partitions, cpu and gpu. The one GPU is a number to allocate, with /dev/null behind it. The node
# claims 16 cores and 128 GB whatever the machine has, so that jobs of any size start; they share it.
set -euo pipefail

readonly CORES=16 MEMORY_MB=128000

stop_with() {
    echo "one_node_cluster.sh: $*" >&2
    exit 1
}

# The programs are in sbin, which is not on every PATH.
export PATH="$PATH:/usr/sbin:/sbin"

missing_programs() {
    local program
    for program in munged slurmctld slurmd sbatch srun; do
        command -v "$program" >/dev/null || echo "$program"
    done
}

install() {
    [ -n "$(missing_programs)" ] || return 0
    [ "$(id -u)" -eq 0 ] || stop_with "to install, be root"
    command -v apt-get >/dev/null || stop_with "there is no apt-get here; install slurm-wlm and munge by hand"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet
    apt-get install --quiet --yes --no-install-recommends slurm-wlm munge
}

# Whether the process of a pid file lives (a zombie does not), and is the program it should be: pids
# are given out again.
lives() {
    local pid
    pid=$(cat "$FOLDER/$1.pid" 2>/dev/null) || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] && ! grep -q "^State:.Z" "/proc/$pid/status"
}

wait_for() {
    local what=$1
    shift
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    tail -n 20 "$FOLDER"/*.log >&2 || true
    stop_with "$what"
}

# A port from $1 on that nobody listens to.
free_port() {
    local port
    while port=$(($1 + RANDOM % 5000)); (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; do :; done
    echo $port
}

write_config() {
    local name
    name=$(uname -n)
    name=${name%%.*}
    cat >"$FOLDER/slurm.conf" <<CONFIG
ClusterName=one_node
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=$(free_port 20000)
SlurmdPort=$(free_port 25000)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/spool
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/slurmd.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/slurmd.log
# Without cgroups and accounting, which a container or a bare machine lacks.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# A node that has less than it claims is used all the same.
SlurmdParameters=config_overrides
ReturnToService=2
# At its time limit a job gets SIGTERM, and SIGKILL so many seconds later: SLURM's own default.
KillWait=30
MinJobAge=3600
GresTypes=gpu
NodeName=$name NodeAddr=127.0.0.1 Sockets=1 CoresPerSocket=$CORES ThreadsPerCore=1 RealMemory=$MEMORY_MB Gres=gpu:1
PartitionName=cpu Nodes=$name Default=YES MaxTime=INFINITE
PartitionName=gpu Nodes=$name MaxTime=INFINITE
CONFIG
    echo "NodeName=$name Name=gpu File=/dev/null" >"$FOLDER/gres.conf"
    # Inside a job, Snakemake's executor calls srun without most variables of SLURM, SLURM_CONF included.
    mkdir -p "$FOLDER/bin"
    printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$FOLDER/slurm.conf" "$(command -v srun)" \
        >"$FOLDER/bin/srun"
    chmod +x "$FOLDER/bin/srun"
}

start() {
    [ "$(id -u)" -eq 0 ] || stop_with "to start a cluster, be root"
    [ -z "$(missing_programs)" ] || stop_with "there is no $(missing_programs | head -n 1); see 'install'"
    mkdir -p "$FOLDER/state" "$FOLDER/spool"
    # munged trusts no folder that others may write to.
    chmod 0755 "$FOLDER"
    export SLURM_CONF=$FOLDER/slurm.conf
    if ! lives munged; then
        [ -s "$FOLDER/munge.key" ] || (umask 0077 && head -c 128 /dev/urandom >"$FOLDER/munge.key")
        rm -f "$FOLDER"/munge.socket*
        munged --key-file="$FOLDER/munge.key" --socket="$FOLDER/munge.socket" \
            --pid-file="$FOLDER/munged.pid" --seed-file="$FOLDER/munge.seed" \
            --log-file="$FOLDER/munged.log" \
            || stop_with "munged did not start: $(tail -n 1 "$FOLDER/munged.log")"
    fi
    lives slurmctld || lives slurmd || write_config
    lives slurmctld || slurmctld
    wait_for "slurmctld does not answer" scontrol ping
    lives slurmd || slurmd -N "$(scontrol show nodes --oneliner | sed 's/NodeName=\([^ ]*\).*/\1/')"
    wait_for "the node does not come up" node_is_up
}

node_is_up() {
    [ -n "$(sinfo --noheader --responding --states=idle,mixed,allocated)" ]
}

stop() {
    export SLURM_CONF=$FOLDER/slurm.conf
    if lives slurmctld; then
        scancel --user=root || true
        scancel --user=root --signal=KILL || true
        for _ in $(seq 50); do
            [ -z "$(squeue --noheader 2>/dev/null)" ] && break
            sleep 0.2
        done
    fi
    for program in slurmd slurmctld munged; do
        lives "$program" || continue
        kill "$(cat "$FOLDER/$program.pid")"
        wait_for "$program does not end" eval "! lives $program"
    done
}

case "${1:-} $#" in
    "install 1") install ;;
    "start 2" | "stop 2")
        mkdir -p "$2"
        FOLDER=$(cd "$2" && pwd)
        "$1"
        ;;
    *) stop_with "usage: one_node_cluster.sh install | start FOLDER | stop FOLDER" ;;
esac
