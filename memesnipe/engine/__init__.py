"""The engine: moves a population of strategies over events; the same code in backtest, simulation and recovery."""
