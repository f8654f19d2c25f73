#!/bin/sh
# Install the workflow in a bare Debian, as root: the system's packages, Snakemake, and the environments
# of the rules (all but that of HD-BET 2). Both recipes run this script.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/envs/without-conda/bin:$PWD/.environments/snakemake/bin:$PATH"
export SNAKEMAKE_CONDA_PREFIX="$PWD/.environments/rules" PIP_NO_CACHE_DIR=1

apt-get update
# The packages of .ci/run.
apt-get install --yes --no-install-recommends make procps python3.11-venv util-linux
make .environments/snakemake/.built
# The demo uses all environments but that of HD-BET 1, which strips one of its cohorts here. A chunk is
# named since Snakemake knows the chunks of a cohort only when its scans are listed.
snakemake --directory demo --cores 1 --conda-create-envs-only \
    --config 'datasets={atlas: {skull_stripping: hdbet}}' -- all results/corrected/atlas_t1/chunk0
