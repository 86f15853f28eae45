"""Tests mirror the tree; journeys, storms, peers and benchmarks stand beside them."""
