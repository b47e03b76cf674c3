"""A local Solana for tests and rehearsals: a chain over LiteSVM, its JSON-RPC and websocket servers, and faults."""
