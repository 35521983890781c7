//! drand: a public randomness beacon, whose rounds nobody can know before their time (drand specification; RFC 9380).
//!
//! A chain of rounds is named by the SHA-256 of its public key, period, genesis and seed; a round is a BLS signature
//! (BLS12-381) by a threshold of its members over the round's number. Whoever holds a round's signature holds it no
//! earlier than that round.

use std::fmt;
use std::str::FromStr;

use blst::{BLST_ERROR, min_pk, min_sig};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::{Digest, Hasher};

/// Domain of signatures in G1 (48 bytes), the key in G2.
const IN_G1: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
/// Domain of signatures in G2 (96 bytes), the key in G1.
const IN_G2: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
/// A chain of this name is hashed without it: the first one had none.
const UNNAMED: &str = "default";

/// Bytes that are written as lower-case hex digits; 96 at most.
#[derive(Clone, PartialEq, Eq)]
pub struct Hex(Vec<u8>);

impl Hex {
    /// These bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hex {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| Refused::NotHex)?;
        if bytes.len() <= 96 { Ok(Self(bytes)) } else { Err(Refused::NotHex) }
    }
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a round's signature is over, and in which group. Named as drand names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// the round's number, signed in G1; quicknet
    #[serde(rename = "bls-unchained-g1-rfc9380")]
    UnchainedG1,
    /// the signature before it and the round's number, signed in G2; the first chain
    #[serde(rename = "pedersen-bls-chained")]
    ChainedG2,
    /// the round's number, signed in G2
    #[serde(rename = "pedersen-bls-unchained")]
    UnchainedG2,
}

/// A chain: who signs its rounds, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// its name to the world: [`Chain::computed`]
    pub hash: Hex,
    /// how rounds are signed
    pub scheme: Scheme,
    /// by which key
    pub public_key: Hex,
    /// seconds from one round to the next
    pub period: u32,
    /// Unix time of round 1
    pub genesis_time: i64,
    /// what round 1 of a chained scheme is chained to
    pub seed: Hex,
    /// its short name
    pub id: String,
}

/// A round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// its number, from 1
    pub number: u64,
    /// the signature; the randomness is its SHA-256
    pub signature: Hex,
    /// the signature of the round before it, where the scheme chains them
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Hex>,
}

/// Why a chain or a round is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// something that is no hex
    #[error("not lower-case hex digits")]
    NotHex,
    /// an answer that is no such thing
    #[error("not a {0} of drand")]
    Shape(&'static str),
    /// the chain's own name does not follow from it
    #[error("the chain is {computed}, not {claimed}")]
    OtherChain {
        /// what its contents hash to
        computed: Hex,
        /// what it was said to be
        claimed: Hex,
    },
    /// bytes that are no key
    #[error("the chain's public key is none")]
    Key,
    /// a number that no round has
    #[error("no round has the number {0}")]
    Number(u64),
    /// a chained round without the one before it
    #[error("round {0} comes without the signature before it")]
    Unchained(u64),
    /// the signature is not the chain's
    #[error("the signature of round {0} does not verify")]
    Signature(u64),
    /// the randomness said is not the signature's
    #[error("the randomness of round {0} is not its signature's SHA-256")]
    Randomness(u64),
}

/// `quicknet`, the chain drand's users are told to take: a round every 3 seconds since August 2023.
pub fn quicknet() -> Option<Chain> {
    chain(
        Scheme::UnchainedG1,
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
        (3, 1_692_803_367),
        ("quicknet", "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"),
    )
}

/// The first public chain: a round every 30 seconds since July 2020.
pub fn mainnet() -> Option<Chain> {
    chain(
        Scheme::ChainedG2,
        "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
        (30, 1_595_431_050),
        (UNNAMED, "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a"),
    )
}

fn chain(scheme: Scheme, key: &str, (period, genesis_time): (u32, i64), (id, seed): (&str, &str)) -> Option<Chain> {
    let (public_key, seed) = (key.parse().ok()?, seed.parse().ok()?);
    let mut chain = Chain { hash: Hex(Vec::new()), scheme, public_key, period, genesis_time, seed, id: id.to_owned() };
    chain.hash = chain.computed();
    Some(chain)
}

impl Chain {
    /// The chain that everyone knows by this hash, if one is.
    pub fn known(hash: &Hex) -> Option<Self> {
        [quicknet(), mainnet()].into_iter().flatten().find(|chain| chain.hash == *hash)
    }

    /// The hash that its contents have. The scheme is not in it: a key signs in one group only, and what is signed differs.
    pub fn computed(&self) -> Hex {
        let mut hasher = Hasher::default();
        hasher.update(&self.period.to_be_bytes());
        hasher.update(&self.genesis_time.to_be_bytes());
        hasher.update(&self.public_key.0);
        hasher.update(&self.seed.0);
        if self.id != UNNAMED {
            hasher.update(self.id.as_bytes());
        }
        Hex(hasher.finish().0.to_vec())
    }

    /// Reads what a server says of a chain (`/HASH/info`).
    ///
    /// # Errors
    /// Another shape, or not the chain of that hash.
    pub fn from_info(json: &[u8], wanted: &Hex) -> Result<Self, Refused> {
        let info: Info = serde_json::from_slice(json).map_err(|_| Refused::Shape("chain"))?;
        let chain = Self {
            hash: wanted.clone(),
            scheme: info.scheme,
            public_key: info.public_key,
            period: info.period,
            genesis_time: info.genesis_time,
            seed: info.seed,
            id: info.metadata.id,
        };
        chain.check().map(|()| chain)
    }

    /// Whether its hash follows from it.
    ///
    /// # Errors
    /// It does not.
    pub fn check(&self) -> Result<(), Refused> {
        let computed = self.computed();
        if computed == self.hash { Ok(()) } else { Err(Refused::OtherChain { computed, claimed: self.hash.clone() }) }
    }

    /// When a round is due: nobody has its signature before.
    pub fn time_of(&self, round: u64) -> Option<Timestamp> {
        let rounds = i64::try_from(round.checked_sub(1)?).ok()?;
        let second = rounds.checked_mul(self.period.into())?.checked_add(self.genesis_time)?;
        Timestamp::from_second(second).ok()
    }

    /// Whether this chain signed a round; when it was due.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify(&self, round: &Round) -> Result<Timestamp, Refused> {
        self.check()?;
        let due = self.time_of(round.number).ok_or(Refused::Number(round.number))?;
        let mut signed = Hasher::default();
        if self.scheme == Scheme::ChainedG2 {
            let previous = round.previous.as_ref().ok_or(Refused::Unchained(round.number))?;
            signed.update(&previous.0);
        }
        signed.update(&round.number.to_be_bytes());
        let (message, signature) = (signed.finish().0, &round.signature.0);
        let found = match self.scheme {
            Scheme::UnchainedG1 => {
                let key = min_sig::PublicKey::key_validate(&self.public_key.0).map_err(|_| Refused::Key)?;
                min_sig::Signature::sig_validate(signature, true)
                    .map(|signature| signature.verify(false, &message, IN_G1, &[], &key, false))
            }
            Scheme::ChainedG2 | Scheme::UnchainedG2 => {
                let key = min_pk::PublicKey::key_validate(&self.public_key.0).map_err(|_| Refused::Key)?;
                min_pk::Signature::sig_validate(signature, true)
                    .map(|signature| signature.verify(false, &message, IN_G2, &[], &key, false))
            }
        };
        match found {
            Ok(BLST_ERROR::BLST_SUCCESS) => Ok(due),
            _ => Err(Refused::Signature(round.number)),
        }
    }
}

impl Round {
    /// Reads a server's answer (`/HASH/public/latest`).
    ///
    /// # Errors
    /// Another shape, or a randomness that is not the signature's.
    pub fn from_answer(json: &[u8]) -> Result<Self, Refused> {
        let answer: Answer = serde_json::from_slice(json).map_err(|_| Refused::Shape("round"))?;
        let round = Self { number: answer.round, signature: answer.signature, previous: answer.previous_signature };
        match answer.randomness {
            Some(said) if said.0 != round.randomness().0 => Err(Refused::Randomness(round.number)),
            _ => Ok(round),
        }
    }

    /// The random number that everyone derives from it.
    pub fn randomness(&self) -> Digest {
        Digest::of(&self.signature.0)
    }
}

/// `/info`, as drand spells it.
#[derive(Deserialize)]
struct Info {
    public_key: Hex,
    period: u32,
    genesis_time: i64,
    #[serde(rename = "groupHash")]
    seed: Hex,
    #[serde(rename = "schemeID")]
    scheme: Scheme,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "beaconID")]
    id: String,
}

impl Default for Metadata {
    fn default() -> Self {
        Self { id: UNNAMED.to_owned() }
    }
}

/// A round, as drand spells it.
#[derive(Deserialize)]
struct Answer {
    round: u64,
    #[serde(default)]
    randomness: Option<Hex>,
    signature: Hex,
    #[serde(default)]
    previous_signature: Option<Hex>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds that drand published.
    const QUICKNET_1000: &str = r#"{"round":1000,"randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd","signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#;
    const MAINNET_1: &str = r#"{"round":1,"randomness":"101297f1ca7dc44ef6088d94ad5fb7ba03455dc33d53ddb412bbc4564ed986ec","signature":"8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b10104990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655","previous_signature":"176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a"}"#;

    #[test]
    fn the_known_chains_have_the_hashes_they_are_known_by() {
        let quicknet = quicknet().unwrap();
        assert_eq!(quicknet.hash.to_string(), "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971");
        let mainnet = mainnet().unwrap();
        assert_eq!(mainnet.hash.to_string(), "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce");
        assert_eq!(Chain::known(&quicknet.hash), Some(quicknet));
        assert_eq!(Chain::known(&Hex::of(&[7; 32])), None);
    }

    #[test]
    fn published_rounds_verify_and_nothing_near_them_does() {
        let quicknet = quicknet().unwrap();
        let round = Round::from_answer(QUICKNET_1000.as_bytes()).unwrap();
        assert_eq!(quicknet.verify(&round), Ok("2023-08-23T15:59:24Z".parse().unwrap()));
        let next = Round { number: 1001, ..round.clone() };
        assert_eq!(quicknet.verify(&next), Err(Refused::Signature(1001)));
        let mut turned = round.clone();
        turned.signature.0[47] ^= 1;
        assert_eq!(quicknet.verify(&turned), Err(Refused::Signature(1000)));
        let infinity = Round { signature: Hex([&[0xc0][..], &[0; 47]].concat()), ..round.clone() };
        assert_eq!(quicknet.verify(&infinity), Err(Refused::Signature(1000)));
        let short = Round { signature: Hex::of(&round.signature.0[..47]), ..round.clone() };
        assert_eq!(quicknet.verify(&short), Err(Refused::Signature(1000)));
        assert_eq!(quicknet.verify(&Round { number: 0, ..round.clone() }), Err(Refused::Number(0)));
        let mut later = quicknet.clone();
        later.genesis_time += 1;
        assert!(matches!(later.verify(&round), Err(Refused::OtherChain { .. })));
        let mut keyless = quicknet;
        keyless.public_key = Hex([&[0xc0][..], &[0; 95]].concat());
        keyless.hash = keyless.computed();
        assert_eq!(keyless.verify(&round), Err(Refused::Key));
    }

    #[test]
    fn a_chained_round_rests_on_the_one_before_it() {
        let mainnet = mainnet().unwrap();
        let round = Round::from_answer(MAINNET_1.as_bytes()).unwrap();
        assert_eq!(mainnet.verify(&round), Ok("2020-07-22T15:17:30Z".parse().unwrap()));
        assert_eq!(mainnet.verify(&Round { previous: None, ..round.clone() }), Err(Refused::Unchained(1)));
        let other = Round { previous: Some(round.signature.clone()), ..round };
        assert_eq!(mainnet.verify(&other), Err(Refused::Signature(1)));
    }

    #[test]
    fn answers_are_read_only_in_their_shape() {
        let quicknet = quicknet().unwrap();
        let info = serde_json::json!({
            "public_key": quicknet.public_key, "period": 3, "genesis_time": 1_692_803_367, "hash": quicknet.hash,
            "groupHash": quicknet.seed, "schemeID": "bls-unchained-g1-rfc9380", "metadata": {"beaconID": "quicknet"},
        });
        let read = |info: &serde_json::Value| Chain::from_info(info.to_string().as_bytes(), &quicknet.hash);
        assert_eq!(read(&info), Ok(quicknet.clone()));
        for (key, value) in [("period", 4.into()), ("public_key", "00".into()), ("genesis_time", 0.into())] {
            let mut other = info.clone();
            other[key] = value;
            assert!(matches!(read(&other), Err(Refused::OtherChain { .. })), "{key}");
        }
        let mut other = info.clone();
        other["schemeID"] = "bls-unchained-on-g1".into();
        assert_eq!(read(&other), Err(Refused::Shape("chain")));
        for bad in ["", "{}", "[]", "<html>", r#"{"round":-1,"signature":"00"}"#, r#"{"round":1,"signature":"0G"}"#] {
            assert_eq!(Round::from_answer(bad.as_bytes()), Err(Refused::Shape("round")), "{bad}");
        }
        let lied = QUICKNET_1000.replace("fe290b", "fe290c");
        assert_eq!(Round::from_answer(lied.as_bytes()), Err(Refused::Randomness(1000)));
    }

    #[test]
    fn no_round_is_due_beyond_time() {
        let mut chain = quicknet().unwrap();
        assert_eq!(chain.time_of(u64::MAX), None);
        assert_eq!(chain.time_of(1 << 62), None);
        chain.genesis_time = i64::MAX;
        assert_eq!(chain.time_of(2), None);
    }
}
