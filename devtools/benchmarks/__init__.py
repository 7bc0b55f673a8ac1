"""The benchmarks of ./dev bench; README.md describes them."""
