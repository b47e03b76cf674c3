"""Swaps directly at pump.fun's curves and PumpSwap's pools, without an aggregator."""
