"""What bench/on_gpu.sh runs: stages on a GPU, in order of importance."""
