"""Files of swaps from other programs: their layouts, units of amounts and times, and their translation."""
