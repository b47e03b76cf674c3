"""The keyless live feed of pump.fun and PumpSwap: log notifications of a Solana node, decoded and translated."""
