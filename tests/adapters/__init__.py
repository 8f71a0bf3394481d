"""Every platform, against the contract and against itself."""
