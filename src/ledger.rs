//! The ledger: the append-only Merkle log of records (C2SP tlog-tiles) with signed checkpoints.
