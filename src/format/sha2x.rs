//! Two SHA-256 digests (FIPS 180-4) of bytes that pass together: a record's block and its payload.

use crate::format::digest::{Digest, Hasher};

/// Two running digests.
#[derive(Clone, Default)]
pub struct Twin {
    a: Hasher,
    b: Hasher,
}

impl Twin {
    /// Adds bytes to each.
    pub fn update(&mut self, a: &[u8], b: &[u8]) {
        self.a.update(a);
        self.b.update(b);
    }

    /// The digests of everything added.
    pub fn finish(self) -> (Digest, Digest) {
        (self.a.finish(), self.b.finish())
    }
}

/// The digests of two messages.
pub fn pair(a: &[u8], b: &[u8]) -> (Digest, Digest) {
    let mut twin = Twin::default();
    twin.update(a, b);
    twin.finish()
}
