"""Trading: what paper and live orders go through, what they leave in the books, and who may trade how much."""
