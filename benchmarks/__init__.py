"""Long runs of the product, which it does not import: `python -m benchmarks.soak`, `python -m benchmarks.fuzz`."""
