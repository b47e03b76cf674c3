"""The client of the venue on Solana: it does what `memesnipe.execution.submission` decides."""
