//! Attacks on anchors, and how the anchored archive is made.

use std::fs;
use std::path::Path;

use onrecord::format::checkpoint::Signed;
use onrecord::format::digest::Digest;
use onrecord::format::note::{Ed25519Signer, KeyKind, Signer as _, cosignature};
use onrecord::format::ots::Proof;
use onrecord::format::tsp::Query;
use onrecord::record::Event;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::parts::Paths;
use onrecord::work::seal::Deed;

use super::world::{Fixture, copy};
use super::{Attack, Kept, attack, world};
use crate::timestamps::{Authority, EC, VALID, authority};

/// The header of Bitcoin's first block, which commits to none of our checkpoints.
const FIRST_BLOCK: &str = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

fn signed(archive: &Path) -> Signed {
    Signed::parse(&fs::read(archive.join("ledger/checkpoint")).unwrap()).unwrap()
}

fn record(archive: &Path, events: Vec<Event>) {
    let open = OpenArchive::open(Paths::new(archive), Choices::default()).unwrap();
    open.seal.commit_now(Deed::of(events)).unwrap();
    open.close().unwrap();
}

fn added(archive: &Path, size: u64, anchor: &str, authority: &str, state: &str, bytes: &[u8]) -> Event {
    let end = if anchor == "cosignature" { "cosignature" } else { anchor };
    let file = format!("{size}.{authority}.{end}");
    fs::write(archive.join("ledger/anchors").join(&file), bytes).unwrap();
    Event::AnchorAdded {
        size,
        anchor: anchor.to_owned(),
        authority: authority.to_owned(),
        state: state.to_owned(),
        file,
        digest: Digest::of(bytes),
        time: None,
    }
}

/// A calendar's answer with one attestation to the message itself.
fn promise(tag: [u8; 8], body: &[u8]) -> Vec<u8> {
    let mut answer = vec![0];
    answer.extend(tag);
    answer.push(u8::try_from(body.len()).unwrap());
    answer.extend(body);
    answer
}

const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];

fn pending(checkpoint: &Signed) -> Vec<u8> {
    let uri = b"https://calendar.example";
    let body = [&[u8::try_from(uri.len()).unwrap()][..], uri].concat();
    Proof::submitted(checkpoint.digest(), &[7; 16], &promise(PENDING, &body)).unwrap().to_bytes()
}

/// Stamps the checkpoint as `anchor` would, and puts it on record.
pub(super) fn stamp(archive: &Path, authority: &Authority) {
    let signed = signed(archive);
    let size = signed.checkpoint.size;
    let folder = archive.join("ledger/anchors");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{size}.checkpoint")), &signed.note).unwrap();
    let query = Query { imprint: signed.digest(), nonce: [9; 8] }.to_der();
    fs::write(folder.join(format!("{size}.tsa.example.tsq")), &query).unwrap();
    let token = added(archive, size, "tsr", "tsa.example", "verified", &authority.answer(&query));
    let promise = added(archive, size, "ots", "calendar.example", "pending", &pending(&signed));
    record(archive, vec![token, promise]);
}

fn sizes(f: &Fixture) -> Vec<u64> {
    let names = fs::read_dir(f.ledger("anchors")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut sizes: Vec<u64> = names.filter_map(|n| n.strip_suffix(".checkpoint").map(|n| n.parse().unwrap())).collect();
    sizes.sort_unstable();
    sizes
}

fn token(f: &Fixture, n: usize) -> String {
    format!("anchors/{}.tsa.example.tsr", sizes(f)[n])
}

fn settings(f: &Fixture, line: &str) {
    fs::write(f.root.join("onrecord.toml"), format!("[anchor]\n{line}\n")).unwrap();
}

/// A token over the newest checkpoint by `authority`, recorded as if it were good.
fn another(f: &Fixture, authority: &Authority, imprint: Option<Digest>) -> String {
    let signed = signed(&f.root);
    let size = signed.checkpoint.size;
    fs::write(f.ledger(&format!("anchors/{size}.checkpoint")), &signed.note).unwrap();
    let query = Query { imprint: imprint.unwrap_or_else(|| signed.digest()), nonce: [9; 8] }.to_der();
    let event = added(&f.root, size, "tsr", "other.example", "verified", &authority.answer(&query));
    record(&f.root, vec![event]);
    format!("ledger/anchors/{size}.other.example.tsr")
}

/// The first proof, grown and on record, and still beside its file. Says which.
pub(super) fn grown(f: &Fixture) -> String {
    let size = sizes(f)[0];
    let file = format!("{size}.calendar.example.ots");
    let path = f.ledger(&format!("anchors/{file}"));
    let old = fs::read(&path).unwrap();
    let digest = Digest::of(&fs::read(f.ledger(&format!("anchors/{size}.checkpoint"))).unwrap());
    let new = Proof::submitted(digest, &[7; 16], &promise(BITCOIN, &[9])).unwrap().to_bytes();
    record(&f.root, vec![added(&f.root, size, "ots", "calendar.example", "unchecked", &new)]);
    fs::write(&path, old).unwrap();
    fs::write(f.ledger(&format!("anchors/{file}.new")), new).unwrap();
    file
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("anchor-token-flipped", &["anchor-changed", "anchor-invalid"], |f| {
        let name = token(f, 0);
        f.edit(&f.ledger(&name), |b| {
            let at = b.len() - 20;
            b[at] ^= 1;
        });
        format!("ledger/{name}")
    }),
    attack("anchor-tokens-swapped", &["anchor-changed", "anchor-invalid"], |f| {
        let (one, two) = (f.ledger(&token(f, 0)), f.ledger(&token(f, 1)));
        let bytes = fs::read(&one).unwrap();
        fs::copy(&two, &one).unwrap();
        fs::write(&two, bytes).unwrap();
        format!("ledger/{}", token(f, 0))
    }),
    attack("anchor-token-removed", &["anchor-missing"], |f| {
        let name = token(f, 0);
        fs::remove_file(f.ledger(&name)).unwrap();
        format!("ledger/{name}")
    }),
    attack("anchor-token-for-another-digest", &["anchor-invalid"], |f| {
        another(f, world().authority.as_ref().unwrap(), Some(Digest::of(b"something else")))
    }),
    attack("anchor-token-of-an-unpinned-authority", &["anchor-invalid"], |f| {
        another(f, &authority(EC, VALID, "").unwrap(), None)
    })
    .kept(Kept::Roots)
    .blind(),
    attack("anchor-checkpoint-edited", &["anchor-invalid"], |f| {
        let name = format!("anchors/{}.checkpoint", sizes(f)[0]);
        let text = fs::read_to_string(f.ledger(&name)).unwrap();
        fs::write(
            f.ledger(&name),
            text.replacen(&format!("\n{}\n", sizes(f)[0]), &format!("\n{}\n", sizes(f)[0] + 1), 1),
        )
        .unwrap();
        format!("ledger/{name}")
    }),
    attack("anchor-proof-edited", &["anchor-changed"], |f| {
        // A pending promise passed off as a block's commitment.
        let size = sizes(f)[0];
        let name = format!("anchors/{size}.calendar.example.ots");
        let digest = Digest::of(&fs::read(f.ledger(&format!("anchors/{size}.checkpoint"))).unwrap());
        let sold = Proof::submitted(digest, &[7; 16], &promise(BITCOIN, &[0])).unwrap().to_bytes();
        fs::write(f.ledger(&name), sold).unwrap();
        format!("ledger/{name}")
    }),
    attack("anchor-pending-sold-as-confirmed", &["anchor-invalid"], |f| {
        let checkpoint = signed(&f.root);
        let size = checkpoint.checkpoint.size;
        fs::write(f.ledger(&format!("anchors/{size}.checkpoint")), &checkpoint.note).unwrap();
        let sold = Proof::submitted(checkpoint.digest(), &[7; 16], &promise(BITCOIN, &[0])).unwrap().to_bytes();
        record(&f.root, vec![added(&f.root, size, "ots", "calendar.example", "confirmed", &sold)]);
        let headers = f.root.join("../headers");
        fs::write(&headers, format!("0 {FIRST_BLOCK}\n")).unwrap();
        settings(f, &format!("bitcoin-headers = {:?}", headers.canonicalize().unwrap().display().to_string()));
        format!("ledger/anchors/{size}.calendar.example.ots")
    })
    .kept(Kept::Headers)
    .blind(),
    attack("anchor-cosignature-forged", &["anchor-invalid"], |f| {
        let checkpoint = signed(&f.root);
        let size = checkpoint.checkpoint.size;
        fs::write(f.ledger(&format!("anchors/{size}.checkpoint")), &checkpoint.note).unwrap();
        let witness = |seed| {
            let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
            Ed25519Signer::new("witness.example".parse().unwrap(), KeyKind::CosignatureV1, secret).unwrap()
        };
        let mut line = cosignature(&checkpoint.checkpoint.to_string(), 1_700_000_000, &witness(1)).unwrap();
        line.id = witness(2).key().id;
        record(
            &f.root,
            vec![added(&f.root, size, "cosignature", "witness.example", "verified", format!("{line}\n").as_bytes())],
        );
        settings(f, &format!("witnesses = [{:?}]", witness(2).key().to_string()));
        format!("ledger/anchors/{size}.witness.example.cosignature")
    })
    .kept(Kept::Witness)
    .blind(),
    attack("anchor-outlives-an-archive-restored-from-a-backup", &["checkpoint-rolled-back"], |f| {
        let kept = f.root.join("../anchors");
        copy(&f.ledger("anchors"), &kept);
        let old = world().path("older");
        fs::remove_dir_all(&f.root).unwrap();
        copy(&old, &f.root);
        copy(&kept, &f.ledger("anchors"));
        "ledger/anchors/".to_owned()
    }),
];
