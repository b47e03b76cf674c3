"""Trading: the path of paper and live orders, their records, and the capital of each strategy."""
