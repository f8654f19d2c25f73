"""The stages that bench/on_gpu.sh runs on a GPU, in order of importance."""
