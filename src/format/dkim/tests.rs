//! Messages signed with keys that `openssl` made (`tests/fixtures/dkim`), and what becomes of them when anything is changed.

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/dkim/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap_or_default()
}

fn key(name: &str) -> String {
    let keys: std::collections::HashMap<String, String> =
        serde_json::from_slice(&fixture("keys.json")).unwrap_or_default();
    keys.get(name).cloned().unwrap_or_default()
}

fn judged(message: &[u8], keys: &[String]) -> Option<State> {
    signatures(message).first().map(|signature| signature.under(keys).state)
}

fn changed(message: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn what_was_signed_holds_under_its_key_and_no_other() {
    for (name, own, other) in
        [("rsa", "rsa", "short"), ("rsa-simple", "bare", "ed"), ("mixed", "rsa", "other"), ("ed25519", "ed", "other")]
    {
        let message = fixture(&format!("{name}.eml"));
        assert_eq!(judged(&message, &[key(own)]), Some(State::Verified), "{name}");
        assert_ne!(judged(&message, &[key(other)]), Some(State::Verified), "{name}");
        let unix = String::from_utf8_lossy(&message).replace("\r\n", "\n").into_bytes();
        assert_eq!(judged(&unix, &[key(own)]), Some(State::Verified), "{name} with bare line feeds");
        let header = changed(&message, "Subject: Quay 4", "Subject: Quay 5");
        assert_eq!(judged(&header, &[key(own)]), Some(State::Wrong), "{name}");
        let body = changed(&message, "until Monday", "until Tuesday");
        assert_eq!(judged(&body, &[key(own)]), Some(State::BodyChanged), "{name}");
        assert_eq!(judged(&body, &[]), Some(State::BodyChanged), "known without a key");
    }
}

#[test]
fn blanks_count_where_the_order_is_simple_and_not_where_it_is_relaxed() {
    let state =
        |name: &str, key_of: &str, from: &str, to: &str| judged(&changed(&fixture(name), from, to), &[key(key_of)]);
    assert_eq!(
        state("rsa.eml", "rsa", "Subject: Quay 4\r\n closed", "SUBJECT:  Quay\t4 closed"),
        Some(State::Verified)
    );
    assert_eq!(state("rsa.eml", "rsa", "7, 2026\t\r\n", "7,  2026\r\n\r\n\r\n"), Some(State::Verified));
    assert_eq!(state("rsa.eml", "rsa", "is closed  until", "is closeduntil"), Some(State::BodyChanged));
    assert_eq!(
        state("rsa-simple.eml", "rsa", "Subject: Quay 4\r\n closed", "Subject: Quay 4 closed"),
        Some(State::Wrong)
    );
    assert_eq!(state("rsa-simple.eml", "rsa", "7, 2026\t\r\n", "7, 2026\r\n"), Some(State::BodyChanged));
    assert_eq!(state("rsa-simple.eml", "rsa", "2026\t\r\n\r\n\r\n", "2026\t\r\n"), Some(State::Verified));
}

#[test]
fn a_field_named_once_too_often_cannot_be_added() {
    let message = fixture("mixed.eml");
    let forged = changed(&message, "From: Press", "From: Another <a@harbour.example>\r\nFrom: Press");
    assert_eq!(judged(&forged, &[key("rsa")]), Some(State::Wrong));
    let once = changed(&fixture("rsa.eml"), "From: Press", "From: Another <a@harbour.example>\r\nFrom: Press");
    assert_eq!(judged(&once, &[key("rsa")]), Some(State::Verified), "the last one is the one that was signed");
}

#[test]
fn every_failing_of_a_key_has_its_name() {
    let message = fixture("ed25519.eml");
    let ed = key("ed");
    for (keys, state) in [
        (vec![], State::KeyAbsent),
        (vec!["v=spf1 -all".to_owned()], State::KeyAbsent),
        (vec!["v=spf1 -all".to_owned(), ed.clone()], State::Verified),
        (vec![ed.clone(), key("other")], State::KeyUnusable),
        (vec!["v=DKIM1; k=ed25519; p=".to_owned()], State::KeyRevoked),
        (vec!["v=DKIM1; k=ed25519; p=%%%".to_owned()], State::KeyUnusable),
        (vec!["v=DKIM1; k=ed25519; p=AAAA".to_owned()], State::KeyUnusable),
        (vec![key("rsa")], State::KeyUnusable),
        (vec![format!("{ed}; h=sha1")], State::KeyUnusable),
        (vec![format!("{ed}; h=sha1:sha256; s=email")], State::Verified),
        (vec![format!("{ed}; s=tlsrpt")], State::KeyUnusable),
        (vec![format!("{ed}; t=s")], State::Verified),
        (vec![key("other")], State::Wrong),
    ] {
        assert_eq!(judged(&message, &keys), Some(state), "{keys:?}");
    }
    let short = fixture("short.eml");
    assert_eq!(judged(&short, &[key("short")]), Some(State::KeyUnusable), "512 bits");
    let subdomain = fixture("subdomain.eml");
    assert_eq!(judged(&subdomain, std::slice::from_ref(&ed)), Some(State::Verified));
    assert_eq!(judged(&subdomain, &[format!("{ed}; t=s")]), Some(State::KeyUnusable));
    let testing = signatures(&message).first().map(|s| s.under(&[format!("{ed}; t=y")]));
    assert_eq!(testing.map(|j| (j.state, j.testing)), Some((State::Verified, true)));
}

#[test]
fn what_can_hold_under_no_key_says_why() {
    let whole = fixture("ed25519.eml");
    for (from, to, why) in [
        ("v=1;", "v=2;", "version"),
        ("v=1;", "", "lacks v="),
        ("v=1;", "v=1; v=1;", "twice"),
        ("d=harbour.example;", "", "lacks d="),
        ("c=simple/relaxed", "c=nowsp/relaxed", "canonicalisation"),
        ("s=s1;", "s=s1; q=http;", "name servers"),
        ("s=s1;", "s=s/1;", "no name"),
        ("s=s1;", "s=s1; i=@another.example;", "not its domain's"),
        ("s=s1;", "s=s1; l=many;", "no number"),
        ("s=s1;", "s=s1; l=100000;", "more of the body"),
        ("s=s1;", "s=s1; t=9; x=8;", "before it was made"),
    ] {
        let judged = signatures(&changed(&whole, from, to)).first().map(|s| s.under(&[key("ed")]));
        let judged = judged.filter(|j| j.state == State::Malformed).map(|j| j.why).unwrap_or_default();
        assert!(judged.contains(why), "{to}: {judged}");
    }
    assert_eq!(judged(&fixture("unsigned-author.eml"), &[key("ed")]), Some(State::Malformed));
    assert_eq!(judged(&fixture("sha1.eml"), &[key("rsa")]), Some(State::Outdated));
    let cut = changed(&whole, "\tb=", "\tb=%");
    assert_eq!(judged(&cut, &[key("ed")]), Some(State::Malformed));
}

#[test]
fn a_part_of_the_body_and_an_end_are_told() {
    let message = fixture("part.eml");
    let more = [message.as_slice(), b"and whatever else\r\n"].concat();
    for message in [&message, &more] {
        let signature = signatures(message).pop();
        let said = signature.map(|s| (s.length, s.under(&[key("ed")]).state));
        assert_eq!(said, Some((Some(20), State::Verified)));
    }
    let expired = signatures(&fixture("expired.eml")).pop();
    let said = expired.map(|s| (s.under(&[key("ed")]).state, s.is_expired(1_773_470_001), s.is_expired(1_773_470_000)));
    assert_eq!(said, Some((State::Verified, true, false)));
}

/// The example of RFC 8463 appendix A, whose signatures others made.
#[test]
fn the_example_of_the_standard_holds() {
    let message = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\nFrom: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    let keys = [
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ];
    let found = signatures(message.as_bytes());
    let names: Vec<String> = found.iter().map(Signature::key_name).collect();
    assert_eq!(names, ["brisbane._domainkey.football.example.com", "test._domainkey.football.example.com"]);
    for (signature, key) in found.iter().zip(keys) {
        let judged = signature.under(&[key.to_owned()]);
        assert_eq!(judged.state, State::Verified, "{judged:?}");
    }
}

#[test]
fn the_work_is_bounded() {
    let one = "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=b; h=from; bh=AAAA; b=AAAA\r\n";
    assert_eq!(signatures(format!("{}\r\n", one.repeat(50)).as_bytes()).len(), MOST);
    for hostile in [
        "DKIM-Signature:",
        "DKIM-Signature: ;=;b=;",
        "\n",
        ":\r\n \r\n",
        "a\r\n\r\n",
        "DKIM-Signature: h=:::;b=\r\n b=b",
    ] {
        for message in [hostile.to_owned(), hostile.repeat(3), format!("{hostile}\r\n\r\n\r\n")] {
            for signature in signatures(message.as_bytes()) {
                assert_ne!(signature.under(&[key("rsa")]).state, State::Verified, "{message:?}");
            }
        }
    }
}
