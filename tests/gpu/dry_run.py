"""Whether a CPU stands for the GPU, as in `bench/on_gpu.sh --dry`."""

import os

DRY = "ON_GPU_DRY" in os.environ
