//! Randomness: from the operating system, or from a seed where a test needs the same world twice.

use std::sync::Mutex;

use jiff::Timestamp;
use sha2::Digest as _;
use uuid::Uuid;

/// Bytes asked of the operating system at once.
const ASKED: usize = 1024;

/// A source of random bits.
pub struct Random(Source);

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

enum Source {
    /// what the operating system gave and was not used yet: one call for many ids
    System(Mutex<(Box<[u8; ASKED]>, usize)>),
    Seeded(Mutex<([u8; 32], u64)>),
}

/// The operating system gives no randomness.
#[derive(Debug, thiserror::Error)]
#[error("operating system's randomness: {0}")]
pub struct Error(String);

impl Random {
    /// The operating system's.
    pub fn system() -> Self {
        Self(Source::System(Mutex::new((Box::new([0; ASKED]), ASKED))))
    }

    /// A stream that `seed` alone decides. Never for keys of an archive that means anything.
    pub fn seeded(seed: u64) -> Self {
        let mut state = [0; 32];
        state[..8].copy_from_slice(&seed.to_be_bytes());
        Self(Source::Seeded(Mutex::new((state, 0))))
    }

    /// 128 bits.
    ///
    /// # Errors
    /// The operating system's.
    pub fn bits128(&self) -> Result<u128, Error> {
        let mut bytes = [0; 16];
        match &self.0 {
            Source::System(held) => {
                let mut held = held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let (pool, used) = &mut *held;
                if *used + bytes.len() > ASKED {
                    getrandom::fill(pool.as_mut_slice()).map_err(|e| Error(e.to_string()))?;
                    *used = 0;
                }
                let next = *used..*used + bytes.len();
                bytes.copy_from_slice(pool.get(next.clone()).unwrap_or(&[0; 16]));
                // What was given out is not left lying in memory.
                pool.get_mut(next).unwrap_or_default().fill(0);
                *used += bytes.len();
            }
            Source::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                state.1 += 1;
                let block = sha2::Sha256::new().chain_update(state.0).chain_update(state.1.to_be_bytes()).finalize();
                bytes.copy_from_slice(block.get(..16).unwrap_or(&[0; 16]));
            }
        }
        Ok(u128::from_be_bytes(bytes))
    }

    /// A version 7 UUID (RFC 9562 §5.7): it begins with the time, so that ids made one after the other lie side by side in an
    /// index, where random ones would each touch a page of their own.
    ///
    /// # Errors
    /// The operating system's.
    pub fn uuid(&self, at: Timestamp) -> Result<Uuid, Error> {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        let bits: [u8; 16] = self.bits128()?.to_be_bytes();
        let bits = bits.first_chunk::<10>().unwrap_or(&[0; 10]);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, bits).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything_and_the_system_nothing_twice() -> Result<(), Error> {
        let (a, b) = (Random::seeded(7), Random::seeded(7));
        let (at, later) = (Timestamp::UNIX_EPOCH, Timestamp::from_millisecond(1).unwrap_or_default());
        assert_eq!((a.uuid(at)?, a.uuid(at)?), (b.uuid(at)?, b.uuid(at)?));
        assert_ne!(a.uuid(at)?, a.uuid(at)?);
        assert_ne!(Random::seeded(8).uuid(at)?, Random::seeded(7).uuid(at)?);
        assert!((0..100).all(|_| a.uuid(at).ok() < a.uuid(later).ok()));
        let system = Random::system();
        let drawn: Vec<u128> = (0..1000).map(|_| system.bits128()).collect::<Result<_, _>>()?;
        assert_eq!(drawn.iter().collect::<std::collections::HashSet<_>>().len(), drawn.len());
        assert!(!drawn.contains(&0));
        Ok(())
    }
}
