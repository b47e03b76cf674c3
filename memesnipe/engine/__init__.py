"""The engine advances a population of strategies over events; backtest, simulation and recovery run the same code."""
