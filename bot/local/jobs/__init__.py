"""Fine-tune jobs of this machine: kept in one small SQLite file, run one at a time.

Several tunebots may share a data folder. All of them take jobs and tell of them; the one that
holds the lock runs them, and another takes over when it ends.
"""
