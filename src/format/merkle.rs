//! The Merkle tree of a transparency log: RFC 6962 §2.1, proofs and their checks as in RFC 9162 §2.1.3 and §2.1.4.
//!
//! ```text
//! leaf hash = SHA-256(00 ‖ data)     node hash = SHA-256(01 ‖ left ‖ right)     root of nothing = SHA-256("")
//! ```
//! An unbalanced tree splits at the largest power of two below its size. A *subtree* here is always complete: `height`
//! 0 is a leaf, and subtree `index` at `height` covers the leaves `index << height` up to `(index + 1) << height`.

use crate::format::digest::Digest;
use crate::format::sha2x;

/// The greatest size of a tree here; one bit below what the text form could hold, so that no sum overflows.
pub const MAX_SIZE: u64 = 1 << 62;

/// No proof in a tree of [`MAX_SIZE`] is longer.
pub const MAX_PROOF: usize = 63;

/// The hash of a leaf that holds `data`.
pub fn leaf_hash(data: &[u8]) -> Digest {
    let mut hasher = crate::format::digest::Hasher::default();
    hasher.update(&[0]);
    hasher.update(data);
    hasher.finish()
}

/// The hash of a leaf that holds a digest. The same as [`leaf_hash`] of its 32 bytes; one padded block, compressed at
/// once, because every leaf of ours is one.
pub fn record_leaf(data: &Digest) -> Digest {
    sha2x::padded_alone(&[leaf_block(data)])
}

/// The same of many.
pub fn record_leaves(records: &[Digest]) -> Vec<Digest> {
    let mut leaves = Vec::with_capacity(records.len());
    let (pairs, odd) = records.as_chunks::<2>();
    for [a, b] in pairs {
        let (a, b) = sha2x::padded_pair(&[leaf_block(a)], &[leaf_block(b)]);
        leaves.extend([a, b]);
    }
    leaves.extend(odd.iter().map(record_leaf));
    leaves
}

/// The hash of the node above `left` and `right`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha2x::padded_alone(&node_blocks(left, right))
}

/// The nodes above a row of hashes, two and two; one that is left over stands under none.
pub fn row_above(row: &[Digest]) -> Vec<Digest> {
    let mut above = Vec::with_capacity(row.len() / 2);
    let (fours, rest) = row.as_chunks::<4>();
    for [a, b, c, d] in fours {
        let (first, second) = sha2x::padded_pair(&node_blocks(a, b), &node_blocks(c, d));
        above.extend([first, second]);
    }
    let (pair, _) = rest.as_chunks::<2>();
    above.extend(pair.iter().map(|[a, b]| node_hash(a, b)));
    above
}

fn leaf_block(data: &Digest) -> [u8; 64] {
    let mut block = [0; 64];
    block[1..33].copy_from_slice(&data.0);
    block[33] = 0x80;
    block[62..].copy_from_slice(&(33u16 * 8).to_be_bytes());
    block
}

/// 65 bytes are one block and one byte: laid out by hand, since this is where all the time goes.
fn node_blocks(left: &Digest, right: &Digest) -> [[u8; 64]; 2] {
    let mut blocks = [[0; 64]; 2];
    blocks[0][0] = 1;
    blocks[0][1..33].copy_from_slice(&left.0);
    blocks[0][33..].copy_from_slice(&right.0[..31]);
    blocks[1][0] = right.0[31];
    blocks[1][1] = 0x80;
    blocks[1][62..].copy_from_slice(&(65u16 * 8).to_be_bytes());
    blocks
}

/// The root of the empty tree.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The root of these leaf hashes, in place.
pub fn root_of(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    let (tiles, rest) = leaves.as_chunks::<256>();
    for tile in tiles {
        let top = (0..8).fold(tile.to_vec(), |row, _| row_above(&row));
        top.first().into_iter().for_each(|top| frontier.push_subtree(8, *top, |_, _| ()));
    }
    for leaf in rest {
        frontier.push(*leaf, |_, _| ());
    }
    frontier.root()
}

/// What is needed to go on appending: the complete subtrees of a tree, one for every bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// From the complete subtrees of a tree of `size`, the largest first; `None` if their number does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        (size <= MAX_SIZE && peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash. `done` hears of every subtree it completes, from height 1 upward.
    #[inline]
    pub fn push(&mut self, leaf: Digest, done: impl FnMut(u8, Digest)) {
        self.push_subtree(0, leaf, done);
    }

    /// Appends the 2^`height` leaves below a complete subtree's root; their number must divide the size. `done` hears of
    /// every subtree above it that it completes, lowest first.
    #[inline]
    pub fn push_subtree(&mut self, height: u8, root: Digest, mut done: impl FnMut(u8, Digest)) {
        let mut node = root;
        let number = self.size.checked_shr(height.into()).unwrap_or(0);
        for above in 1..=number.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            done(height.saturating_add(u8::try_from(above).unwrap_or(u8::MAX)), node);
        }
        self.peaks.push(node);
        self.size += 1u64.checked_shl(height.into()).unwrap_or(0);
    }

    /// The root.
    pub fn root(&self) -> Digest {
        fold(self.peaks.iter().copied()).unwrap_or_else(empty_root)
    }
}

/// The hash above complete subtrees that stand side by side, the largest first.
fn fold(peaks: impl DoubleEndedIterator<Item = Digest>) -> Option<Digest> {
    peaks.rev().reduce(|right, left| node_hash(&left, &right))
}

/// Where the hashes of complete subtrees are found.
pub trait Subtrees {
    /// Why one is not.
    type Error;

    /// The hash of subtree `index` at `height`.
    ///
    /// # Errors
    /// The tree has no such subtree, or whatever keeps the source from giving it.
    fn subtree(&mut self, height: u8, index: u64) -> Result<Digest, NotMade<Self::Error>>;
}

/// Leaf hashes in memory: each subtree is computed when it is asked for.
impl Subtrees for &[Digest] {
    type Error = std::convert::Infallible;

    fn subtree(&mut self, height: u8, index: u64) -> Result<Digest, NotMade<Self::Error>> {
        let width = 1usize.checked_shl(height.into()).ok_or(NotMade::OutOfRange)?;
        let start = usize::try_from(index).ok().and_then(|i| i.checked_mul(width)).ok_or(NotMade::OutOfRange)?;
        let leaves = start.checked_add(width).and_then(|end| self.get(start..end));
        leaves.map(root_of).ok_or(NotMade::OutOfRange)
    }
}

/// Why a proof was not made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotMade<E> {
    /// the index is not below the size, or the old size above the new one
    #[error("the tree has no such index or size")]
    OutOfRange,
    /// a hash is not to be had
    #[error("a hash of the tree is not to be had")]
    Source(#[source] E),
}

/// The audit path of leaf `index` in the tree of the first `size` leaves, the leaf's sibling first.
///
/// # Errors
/// An index out of range, or what the source says.
pub fn inclusion<S: Subtrees>(source: &mut S, index: u64, size: u64) -> Result<Vec<Digest>, NotMade<S::Error>> {
    inclusion_above(source, index, size, 0)
}

/// The part of an audit path above the complete subtree of `height` that holds leaf `index`: what is left of
/// [`inclusion`] without its first `height` hashes. The tree must have that subtree whole.
///
/// # Errors
/// As [`inclusion`].
pub fn inclusion_above<S: Subtrees>(
    source: &mut S,
    index: u64,
    size: u64,
    height: u8,
) -> Result<Vec<Digest>, NotMade<S::Error>> {
    let width = 1u64.checked_shl(height.into()).unwrap_or(u64::MAX);
    let whole = (index / width).checked_add(1).and_then(|n| n.checked_mul(width)).is_some_and(|end| end <= size);
    if !whole || size > MAX_SIZE {
        return Err(NotMade::OutOfRange);
    }
    path(source, index, size, width)
}

/// Siblings from the subtree of `width` leaves around `index`, lowest first, up to the root.
fn path<S: Subtrees>(source: &mut S, index: u64, size: u64, width: u64) -> Result<Vec<Digest>, NotMade<S::Error>> {
    let (mut from, mut to) = (0, size);
    let mut siblings = Vec::with_capacity(64);
    while to - from > width {
        let middle = from + split(to - from);
        if index < middle {
            siblings.push((middle, to));
            to = middle;
        } else {
            siblings.push((from, middle));
            from = middle;
        }
    }
    siblings.into_iter().rev().map(|(a, b)| range(source, a, b)).collect()
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The hash of the leaves `[from, to)`; `from` is a multiple of the largest power of two in the width.
fn range<S: Subtrees>(source: &mut S, from: u64, to: u64) -> Result<Digest, NotMade<S::Error>> {
    let mut peaks = Vec::new();
    let mut at = from;
    while at < to {
        let height = (to - at).ilog2();
        let peak = source.subtree(u8::try_from(height).unwrap_or(u8::MAX), at >> height)?;
        peaks.push(peak);
        at += 1 << height;
    }
    fold(peaks.into_iter()).ok_or(NotMade::OutOfRange)
}

/// The root of the first `size` leaves.
///
/// # Errors
/// What the source says.
pub fn root<S: Subtrees>(source: &mut S, size: u64) -> Result<Digest, NotMade<S::Error>> {
    match size {
        0 => Ok(empty_root()),
        1..=MAX_SIZE => range(source, 0, size),
        _ => Err(NotMade::OutOfRange),
    }
}

/// The frontier of the first `size` leaves.
///
/// # Errors
/// What the source says.
pub fn frontier<S: Subtrees>(source: &mut S, size: u64) -> Result<Frontier, NotMade<S::Error>> {
    if size > MAX_SIZE {
        return Err(NotMade::OutOfRange);
    }
    let mut peaks = Vec::new();
    let mut at = 0;
    while at < size {
        let height = (size - at).ilog2();
        let peak = source.subtree(u8::try_from(height).unwrap_or(u8::MAX), at >> height)?;
        peaks.push(peak);
        at += 1 << height;
    }
    Ok(Frontier { size, peaks })
}

/// The proof that the tree of the first `old` leaves is a prefix of the tree of the first `new` ones. Empty where either
/// says nothing: `old` is 0 or equals `new`.
///
/// # Errors
/// An old size above the new one, or what the source says.
pub fn consistency<S: Subtrees>(source: &mut S, old: u64, new: u64) -> Result<Vec<Digest>, NotMade<S::Error>> {
    if old > new || new > MAX_SIZE {
        return Err(NotMade::OutOfRange);
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut from, mut to) = (0, new);
    let mut nodes = Vec::with_capacity(64);
    // walk down to the subtree that ends where the old tree ended
    while to > old {
        let middle = from + split(to - from);
        if old <= middle {
            nodes.push((middle, to));
            to = middle;
        } else {
            nodes.push((from, middle));
            from = middle;
        }
    }
    if from > 0 {
        nodes.push((from, to)); // else it is the old root itself, which the verifier has
    }
    nodes.into_iter().rev().map(|(a, b)| range(source, a, b)).collect()
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unproved {
    /// there is no such leaf in the tree, or the old tree is larger than the new one
    #[error("the tree has no such index or size")]
    OutOfRange,
    /// more hashes than the path has
    #[error("the proof is too long")]
    TooLong,
    /// fewer
    #[error("the proof is too short")]
    TooShort,
    /// the path leads elsewhere
    #[error("the proof does not lead to the root")]
    OtherRoot,
    /// the path of the old tree leads elsewhere
    #[error("the proof does not lead to the old root")]
    OtherOldRoot,
}

/// Checks that the leaf with this hash stands at `index` in the tree of `size` leaves with this root.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> Result<(), Unproved> {
    if index >= size || size > MAX_SIZE {
        return Err(Unproved::OutOfRange);
    }
    let mut climb = Climb { position: index, last: size - 1 };
    let mut node = *leaf;
    for sibling in proof {
        node = match climb.step()? {
            Side::Left => node_hash(sibling, &node),
            Side::Right => node_hash(&node, sibling),
        };
    }
    climb.arrived()?;
    if node == *root { Ok(()) } else { Err(Unproved::OtherRoot) }
}

/// Checks that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), Unproved> {
    if old > new || new > MAX_SIZE {
        return Err(Unproved::OutOfRange);
    }
    if old == 0 || old == new {
        return trivially_consistent(old, old_root, new_root, proof);
    }
    let (seed, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(Unproved::TooShort)?;
        (*first, rest)
    };
    let shift = (old - 1).trailing_ones();
    let mut climb = Climb { position: (old - 1) >> shift, last: (new - 1) >> shift };
    let (mut was, mut is) = (seed, seed);
    for node in rest {
        match climb.step()? {
            Side::Left => {
                was = node_hash(node, &was);
                is = node_hash(node, &is);
            }
            Side::Right => is = node_hash(&is, node),
        }
    }
    climb.arrived()?;
    if was != *old_root {
        return Err(Unproved::OtherOldRoot);
    }
    if is == *new_root { Ok(()) } else { Err(Unproved::OtherRoot) }
}

fn trivially_consistent(old: u64, old_root: &Digest, new_root: &Digest, proof: &[Digest]) -> Result<(), Unproved> {
    if !proof.is_empty() {
        return Err(Unproved::TooLong);
    }
    let expected = if old == 0 { empty_root() } else { *new_root };
    if *old_root == expected { Ok(()) } else { Err(Unproved::OtherOldRoot) }
}

/// The way up from a node, beside the way up from the last one: RFC 9162's `fn` and `sn`.
struct Climb {
    position: u64,
    last: u64,
}

enum Side {
    Left,
    Right,
}

impl Climb {
    /// On which side the next sibling stands.
    fn step(&mut self) -> Result<Side, Unproved> {
        if self.last == 0 {
            return Err(Unproved::TooLong);
        }
        let side = if self.position & 1 == 1 || self.position == self.last {
            // the last node of a level may have no sibling there: it rises until it is a right child
            while self.position & 1 == 0 && self.position != 0 {
                self.position >>= 1;
                self.last >>= 1;
            }
            Side::Left
        } else {
            Side::Right
        };
        self.position >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    fn arrived(&self) -> Result<(), Unproved> {
        if self.last == 0 { Ok(()) } else { Err(Unproved::TooShort) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inputs of the RFC 6962 reference implementation's test tree, and the roots of its first 1 to 8 leaves.
    const INPUTS: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves(n: u64) -> Vec<Digest> {
        (0..n).map(|i| record_leaf(&Digest::of(&i.to_be_bytes()))).collect()
    }

    #[test]
    fn rfc_6962_roots() {
        let inputs = INPUTS.map(|hex| leaf_hash(&data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()));
        for (n, root) in ROOTS.iter().enumerate() {
            assert_eq!(root_of(&inputs[..=n]).hex(), *root);
        }
        assert_eq!(root_of(&[]).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn blocks_laid_out_by_hand_are_sha_256() {
        for i in 0..40u8 {
            let (a, b) = (Digest::of(&[i]), Digest::of(&[i, i]));
            assert_eq!(record_leaf(&a), leaf_hash(&a.0));
            assert_eq!(node_hash(&a, &b), Digest::of(&[&[1], &a.0[..], &b.0[..]].concat()));
        }
    }

    /// RFC 6962's recursive definition, word for word, against the frontier.
    fn defined(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(usize::try_from(split(many.len() as u64)).unwrap());
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn every_proof_up_to_300_leaves_holds_and_no_altered_one_does() {
        let all = leaves(300);
        let roots: Vec<_> = (0..=all.len()).map(|n| defined(&all[..n])).collect();
        for size in (1..=70u64).chain([127, 128, 129, 255, 256, 257, 299, 300]) {
            let n = usize::try_from(size).unwrap();
            assert_eq!(root_of(&all[..n]), roots[n]);
            for index in 0..size {
                let proof = inclusion(&mut &all[..], index, size).unwrap();
                let leaf = all[usize::try_from(index).unwrap()];
                assert_eq!(verify_inclusion(&leaf, index, size, &proof, &roots[n]), Ok(()));
                refuses_altered_inclusion(&leaf, index, size, &proof, &roots[n]);
            }
            for old in 0..=size {
                let proof = consistency(&mut &all[..], old, size).unwrap();
                let was = roots[usize::try_from(old).unwrap()];
                assert_eq!(verify_consistency(old, &was, size, &roots[n], &proof), Ok(()), "{old} {size}");
                refuses_altered_consistency(old, &was, size, &roots[n], &proof);
            }
        }
    }

    fn refuses_altered_inclusion(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) {
        let wrong = Digest::of(b"wrong");
        let longer = [proof, &[wrong]].concat();
        assert_eq!(verify_inclusion(leaf, index, size, &longer, root), Err(Unproved::TooLong));
        assert_eq!(verify_inclusion(leaf, size, size, proof, root), Err(Unproved::OutOfRange));
        assert_eq!(verify_inclusion(&wrong, index, size, proof, root), Err(Unproved::OtherRoot));
        if let Some((_, shorter)) = proof.split_last() {
            assert_eq!(verify_inclusion(leaf, index, size, shorter, root), Err(Unproved::TooShort));
            assert!(verify_inclusion(leaf, (index + 1) % size, size, proof, root).is_err());
        }
        for at in 0..proof.len() {
            let mut bent = proof.to_vec();
            bent[at] = wrong;
            assert_eq!(verify_inclusion(leaf, index, size, &bent, root), Err(Unproved::OtherRoot));
        }
    }

    fn refuses_altered_consistency(old: u64, was: &Digest, new: u64, is: &Digest, proof: &[Digest]) {
        let wrong = Digest::of(b"wrong");
        let longer = [proof, &[wrong]].concat();
        assert_eq!(verify_consistency(old, was, new, is, &longer), Err(Unproved::TooLong));
        assert!(verify_consistency(old, &wrong, new, is, proof).is_err());
        if old > 0 {
            assert!(verify_consistency(old, was, new, &wrong, proof).is_err());
        }
        if let Some((_, shorter)) = proof.split_last() {
            assert!(verify_consistency(old, was, new, is, shorter).is_err());
        }
        for at in 0..proof.len() {
            let mut bent = proof.to_vec();
            bent[at] = wrong;
            assert!(verify_consistency(old, was, new, is, &bent).is_err());
        }
    }

    #[test]
    fn a_frontier_taken_up_again_goes_on_as_if_never_left() {
        let all = leaves(300);
        for size in 0..=300usize {
            let taken = frontier(&mut &all[..], size as u64).unwrap();
            let mut grown = taken.clone();
            let mut heights = Vec::new();
            for leaf in &all[size..] {
                grown.push(*leaf, |height, _| heights.push(height));
            }
            assert_eq!(taken.root(), defined(&all[..size]));
            assert_eq!(grown.root(), defined(&all));
            let completed = (1..=8u32).map(|h| (300 >> h) - (size >> h)).sum::<usize>();
            assert_eq!(heights.len(), completed, "each subtree is announced once");
        }
        assert_eq!(Frontier::from_peaks(3, vec![empty_root()]), None);
    }

    #[test]
    fn trees_built_wrongly_have_another_root() {
        let all = leaves(3);
        // the last leaf doubled (as in Bitcoin), and a node passed off as a leaf (no prefix)
        assert_ne!(root_of(&[all[0], all[1], all[2], all[2]]), root_of(&all));
        assert_ne!(root_of(&[leaf_hash(&[all[0].0, all[1].0].concat()), all[2]]), root_of(&all));
    }
}
