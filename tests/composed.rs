//! The loopback platforms' composed Bluesky accounts, before our own verifier: what they hold, what they deleted, what
//! they never had.

use onrecord::format::did::{Did, DidDocument};
use onrecord::format::plc::History;
use onrecord::platform::bluesky::proof::{Claim, Keys, Proof, prove};
use onrecord_replica::Options;
use onrecord_replica::request::Request;
use onrecord_replica::world::World;

const HANDLE: &str = "forest.replica.example";

fn get(world: &World, url: &str) -> Vec<u8> {
    let wire = world.answer(&Request::get(url, "onrecord")).wire(false).bytes();
    let head = wire.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    wire[head + 4..].to_vec()
}

fn proof(world: &World, did: &Did, rkey: &str) -> Proof {
    let document = DidDocument::read(&get(world, &format!("https://plc.directory/{did}"))).unwrap();
    let history = History::read(did, &get(world, &format!("https://plc.directory/{did}/log/audit"))).unwrap();
    let query = format!("did={did}&collection=app.bsky.feed.post&rkey={rkey}");
    let car = get(world, &format!("https://pds.replica.example/xrpc/com.atproto.sync.getRecord?{query}"));
    prove(did, rkey, &car, Keys { document: Some(&document), history: Some(&history) })
}

/// A world with an account of sixty posts, so that its tree has several layers.
fn forest() -> (World, Did, Vec<String>) {
    let mut world = World::new(&Options::default());
    let uris: Vec<String> = (0..60)
        .map(|n| world.add_bluesky(HANDLE, "Forest", &format!("Tree {n}"), &format!("2025-03-01T10:{n:02}:00.000Z")))
        .collect();
    let did = String::from_utf8(get(&world, &format!("https://{HANDLE}/.well-known/atproto-did"))).unwrap();
    (world, did.parse().unwrap(), uris.iter().map(|uri| uri.rsplit('/').next().unwrap().to_owned()).collect())
}

#[test]
fn every_post_is_proved_included() {
    let (world, did, rkeys) = forest();
    for (n, rkey) in rkeys.iter().enumerate() {
        let proof = proof(&world, &did, rkey);
        assert!(proof.verified(), "{rkey}: {:?}", proof.fault);
        assert!(matches!(proof.claim, Some(Claim::Included(_))), "{rkey}");
        assert_eq!(proof.record.unwrap()["text"], format!("Tree {n}"));
    }
}

#[test]
fn what_is_deleted_is_proved_absent_at_a_later_revision() {
    let (mut world, did, rkeys) = forest();
    let before = proof(&world, &did, &rkeys[17]);
    world.gone.insert(format!("bluesky:{did}/{}", rkeys[17]));
    let after = proof(&world, &did, &rkeys[17]);
    assert!(after.verified(), "{:?}", after.fault);
    assert_eq!(after.claim, Some(Claim::Absent));
    assert!(after.rev > before.rev);
    assert!(matches!(proof(&world, &did, &rkeys[18]).claim, Some(Claim::Included(_))));
}

#[test]
fn what_never_was_is_proved_absent() {
    let (world, did, _) = forest();
    for rkey in ["3aaaaaaaaaa22", "3lzzzzzzzzz22", "3zzzzzzzzzz22"] {
        let proof = proof(&world, &did, rkey);
        assert_eq!((proof.claim, proof.fault), (Some(Claim::Absent), None), "{rkey}");
    }
}
