//! The proof: what a stranger needs to believe one record.
