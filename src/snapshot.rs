//! The snapshot: what stood at the end. All exchanges of one capture, the post read from them, one manifest, one digest.
