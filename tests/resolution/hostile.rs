//! Answers without end and lists that lie: whatever is answered, a pursuit ends within its bounds and says why.

use onrecord::citation::Kind;
use onrecord::format::http::{Answer, Headers};
use onrecord::platform::post::Platform;
use onrecord::resolution::ending::Ending;
use onrecord::resolution::exchange::{Exchange, Failure};
use onrecord::resolution::hop::{Role, Step};
use onrecord::resolution::pursuit::{Limits, Pursuit};

use super::world::{ID, answer, fixture};
use super::{WORDS, quote};

/// Answers that lead on and on, in every way an answer can.
fn any_answer() -> impl proptest::strategy::Strategy<Value = Result<Answer, Failure>> {
    use proptest::prelude::*;
    let url = prop_oneof![
        Just("https://t.co/abcdefghij".to_owned()),
        Just(format!("https://x.com/odelie_m/status/{ID}")),
        Just("https://web.archive.org/web/2019id_/https://a.example/".to_owned()),
        Just("fb://x".to_owned()),
        Just("http://[".to_owned()),
        "[a-z]{1,3}".prop_map(|path| format!("https://a.example/{path}")),
    ];
    let header = prop_oneof![
        url.clone().prop_map(|to| ("location".to_owned(), to)),
        url.clone().prop_map(|to| ("refresh".to_owned(), format!("0;url={to}"))),
        Just(("memento-datetime".to_owned(), "Mon, 10 Jun 2019 05:20:00 GMT".to_owned())),
        "[a-z]=[0-9]".prop_map(|cookie| ("set-cookie".to_owned(), cookie)),
        Just(("content-type".to_owned(), "text/html".to_owned())),
    ];
    let body = prop_oneof![
        url.prop_map(|to| format!("<meta http-equiv=refresh content='0;url={to}'>").into_bytes()),
        Just(fixture("wayback/cdx.prefix.json")),
        Just(fixture("x/tweet-result/photos.json")),
        Just(fixture("x/tweet-result/tombstone.deleted.json")),
        Just(fixture("wayback/payloads/D2S3HPZ5PCBSDP42AT5VB7E65ZQ3SSIS")),
        Just(b"{\"errors\":[{}]}".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    let status =
        prop_oneof![Just(200_u16), Just(301), Just(302), Just(404), Just(403), Just(429), Just(503), 100_u16..600];
    let given = (status, proptest::collection::vec(header, 0..3), body).prop_map(|(status, headers, body)| {
        let headers = headers.into_iter().map(|(n, v)| (n, v.into_bytes())).collect();
        Ok(Answer { status, headers: Headers(headers), body, ..Answer::default() })
    });
    prop_oneof![9 => given, 1 => Just(Err(Failure::Timeout("30 s".into())))]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever is answered, a pursuit ends, within its requests: only the chain itself may go beyond them.
    #[test]
    fn every_pursuit_ends(answers in proptest::collection::vec(any_answer(), 1..40), which in 0..4_u8, requests in 1..14_usize) {
        let limits = Limits { requests, both_views: which == 3, ..Limits::default() };
        let mut pursuit = match which {
            0 => Pursuit::link("https://t.co/abcdefghij", limits),
            1 => Pursuit::post(&quote(&["https://t.co/abcdefghij", "https://pic.twitter.com/CdsTMkBRtm"], WORDS, "2019-06-10"), limits),
            2 => Pursuit::handle(Platform::X, "odelie_m", limits),
            _ => Pursuit::post(&quote(&[], WORDS, "2023-07-10"), limits),
        };
        let (mut hops, mut others, mut turn) = (0, 0, 0);
        while !pursuit.done() {
            let asks = pursuit.asks();
            proptest::prop_assert!(!asks.is_empty() || pursuit.done(), "it waits for nothing");
            for ask in asks {
                if ask.role == Role::Hop { hops += 1 } else { others += 1 }
                let outcome = answers.get(turn % answers.len()).cloned().unwrap_or(Err(Failure::Offline));
                turn += 1;
                pursuit.learn(ask.id, Exchange { request: ask.request, at: jiff::Timestamp::UNIX_EPOCH, ms: 0, remote: None, outcome, evidence: None });
            }
            proptest::prop_assert!(turn < 500, "it goes on and on");
        }
        let chains = 3; // a quest follows each link of the quote
        proptest::prop_assert!(hops <= 20 * chains + 1 && others <= requests, "{hops} hops and {others} others for {requests}");
        let end = pursuit.finish();
        proptest::prop_assert!(!end.why.is_empty());
        proptest::prop_assert_eq!(end.parts.len(), turn);
    }
}

/// What platforms answer that list an account's posts: each of it well made, none of it what was asked for.
fn any_list() -> impl proptest::strategy::Strategy<Value = Result<Answer, Failure>> {
    use proptest::prelude::*;
    let record = |rkey: &str, day: &str| {
        format!(
            "{{\"uri\":\"at://did:plc:iehgelpsa6hrxqbomgxsvwfi/app.bsky.feed.post/{rkey}\",\"cid\":\"bafy\",\"value\":\
             {{\"$type\":\"app.bsky.feed.post\",\"text\":{WORDS:?},\"createdAt\":\"2026-03-0{day}T09:00:00Z\"}}}}"
        )
    };
    let records = format!(
        "{{\"records\":[{},{}],\"cursor\":\"3mg7x3ipobs2f\"}}",
        record("3mg7x3ipobs2f", "4"),
        record("3mg7xffoz722f", "5")
    );
    let status = |n: u64| {
        let ms = 1_772_614_800_000_u64 + n * 60_000;
        format!(
            "{{\"id\":\"{}\",\"created_at\":\"2026-03-04T09:00:00Z\",\"content\":\"<p>{WORDS}</p>\",\"uri\":\"https://a.example/1\",\
             \"edited_at\":\"2026-03-04T10:00:00Z\",\"in_reply_to_id\":\"{}\",\"account\":{{\"acct\":\"odelie_m\"}}}}",
            ms << 16,
            (ms + 60_000) << 16
        )
    };
    let statuses = format!("[{}]", (0..40).map(status).collect::<Vec<_>>().join(","));
    let widget = |n: u64| {
        format!(
            "<div class=tgme_channel_info></div><div class='tgme_widget_message' data-post='odelie_m/{n}'><div class='js-message_text'>{WORDS}</div>\
             <a class=tgme_widget_message_date><time datetime='2026-03-0{}T09:00:00+00:00'></time></a></div>",
            1 + n % 9
        )
    };
    let page: String = (20..40).map(widget).collect();
    let entry = |n: u64| {
        format!(
            "<entry><id>yt:video:aB3dE5gH7j{n}</id><title>{WORDS}</title><published>2026-03-0{n}T09:00:00+00:00</published></entry>\
             <entry><id>t3_{n}abc</id><author><name>/u/odelie_m</name></author><title>{WORDS}</title><published>2026-03-0{n}T09:00:00+00:00</published></entry>"
        )
    };
    let feed = format!("<feed>{}</feed>", (1..9).map(entry).collect::<String>());
    let body = prop_oneof![
        Just(b"{\"did\":\"did:plc:iehgelpsa6hrxqbomgxsvwfi\"}".to_vec()),
        Just(fixture("bluesky/did.json")),
        Just(fixture("bluesky/getRecord.rk1.car")),
        Just(fixture("bluesky/getPostThread.json")),
        Just(records.into_bytes()),
        Just(b"{\"id\":\"9\",\"acct\":\"odelie_m\"}".to_vec()),
        Just(statuses.into_bytes()),
        Just(page.into_bytes()),
        Just(feed.into_bytes()),
        Just(b"<link rel=canonical href=https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv>".to_vec()),
        Just(b"[]".to_vec()),
        Just(b"[[\"timestamp\",\"original\",\"mimetype\",\"statuscode\",\"digest\"],[\"20260305000000\",\"https://t.me/s/odelie_m\",\"text/html\",\"200\",\"A\"],\
            [\"20260305000000\",\"https://t.me/odelie_m/27?embed=1\",\"text/html\",\"200\",\"B\"]]".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    let status = prop_oneof![12 => Just(200_u16), 1 => Just(404), 1 => Just(429), 1 => Just(503), 1 => 100_u16..600];
    let given = (status, any::<bool>(), body).prop_map(|(status, kept, body)| {
        let at = "Thu, 05 Mar 2026 00:00:00 GMT";
        let headers = [("memento-datetime", at), ("content-type", "text/html")];
        answer(status, if kept { &headers } else { &[] }, body)
    });
    prop_oneof![14 => given.prop_map(Ok), 1 => Just(Err(Failure::Timeout("30 s".into())))]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(600))]

    /// The same for posts that nothing links to: lists that lie, repeat themselves and never end cost no more than is allowed.
    #[test]
    fn every_search_of_a_list_ends(answers in proptest::collection::vec(any_list(), 1..30), which in 0..5_usize, requests in 1..14_usize, two in proptest::prelude::any::<bool>()) {
        let accounts = [
            (Platform::Bluesky, "observer.replica.example"),
            (Platform::Mastodon, "odelie_m@a.example"),
            (Platform::Telegram, "odelie_m"),
            (Platform::Youtube, "odelie_m"),
            (Platform::Reddit, "odelie_m"),
        ];
        let (site, account) = accounts[which];
        let mut kind = quote(&[], &format!("{WORDS} And more is said in what follows it."), "2026-03-04");
        if let Kind::Post { platform, handle, date, dates, .. } = &mut kind {
            (*platform, *handle) = (site, Some(account.to_owned()));
            if two {
                *dates = vec!["2026-03-04".into(), "2026-04-03".into()];
                *date = None;
            }
        }
        let mut pursuit = Pursuit::post(&kind, Limits { requests, ..Limits::default() });
        let mut turn = 0;
        while !pursuit.done() {
            let asks = pursuit.asks();
            proptest::prop_assert!(!asks.is_empty() || pursuit.done(), "it waits for nothing");
            for ask in asks {
                let outcome = answers[turn % answers.len()].clone();
                turn += 1;
                pursuit.learn(ask.id, Exchange { request: ask.request, at: jiff::Timestamp::UNIX_EPOCH, ms: 0, remote: None, outcome, evidence: None });
            }
            proptest::prop_assert!(turn <= requests + 20, "{turn} requests for {requests}");
        }
        let end = pursuit.finish();
        proptest::prop_assert!(!end.why.is_empty());
        proptest::prop_assert_eq!(end.parts.len(), turn);
        // a post that is taken is on record as the one that was
        if let Some(post) = &end.post {
            proptest::prop_assert!(end.candidates.iter().any(|c| c.taken && c.post == post.name) || !end.also.is_empty() || end.ending == Ending::Captured);
        }
    }
}
