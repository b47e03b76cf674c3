"""Evolution: breeds genomes; it never evaluates one itself."""
