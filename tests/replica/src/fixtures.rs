//! The fixtures in `tests/fixtures`, embedded: an installed binary has no repository beside it.

use crate::calendar;
use crate::hosts::wayback::Capture;
use crate::world::World;
use serde_json::Value;

macro_rules! embedded {
    ($($path:literal,)*) => {
        /// Every file, by its path under `tests/fixtures`.
        pub(crate) const FILES: &[(&str, &[u8])] = &[
            $(($path, include_bytes!(concat!("../../fixtures/", $path)))),*
        ];
    };
}

embedded! {
    "bluesky/blob.png",
    "bluesky/did.json",
    "bluesky/expected.json",
    "bluesky/getPostThread.json",
    "bluesky/getPostThread.notfound.400.json",
    "bluesky/getPostThread.parent-deleted.json",
    "bluesky/getPosts.deleted.json",
    "bluesky/getPosts.json",
    "bluesky/getRecord.nonexistent.car",
    "bluesky/getRecord.rk1.car",
    "bluesky/getRecord.rk1.forged-key.car",
    "bluesky/getRecord.rk1.tampered.car",
    "bluesky/getRepo.car",
    "bluesky/plc-genesis-op.json",
    "bluesky/plc-log-audit.json",
    "bluesky/repo.getRecord.json",
    "bluesky/repo.getRecord.notfound.400.json",
    "bluesky/resolveHandle.json",
    "bluesky/resolveHandle.notfound.400.json",
    "bluesky/well-known-atproto-did.txt",
    "http-transactions.json",
    "mastodon/activitypub-note.json",
    "mastodon/api-v1-status.401.json",
    "mastodon/api-v1-status.404.json",
    "mastodon/api-v1-status.json",
    "mastodon/id-note.txt",
    "mastodon/oembed.json",
    "mastodon/webfinger.json",
    "reddit/comments.rss",
    "reddit/oembed.json",
    "telegram/embed.html",
    "telegram/embed.not-found.html",
    "wayback/archive-today.timemap.404",
    "wayback/archive-today.timemap.link",
    "wayback/availability.hit.json",
    "wayback/availability.miss.json",
    "wayback/cdx.all.txt",
    "wayback/cdx.annotated.json",
    "wayback/cdx.blocked.403.txt",
    "wayback/cdx.empty.json",
    "wayback/cdx.empty.txt",
    "wayback/cdx.filter-200-json.json",
    "wayback/cdx.limit3.resume.json",
    "wayback/cdx.limit3.resume.txt",
    "wayback/cdx.prefix.day-11379.json",
    "wayback/cdx.prefix.fl.json",
    "wayback/cdx.prefix.json",
    "wayback/cdx.tco-case-collision.json",
    "wayback/memento-transactions.json",
    "wayback/payloads/25A4ZJ2ZRQATJ7JVFE5WQMNKVQ3D3XOL",
    "wayback/payloads/3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
    "wayback/payloads/3PV52DK7FZAJKZHOBNYO3OWYIDYP7ZXV",
    "wayback/payloads/5KK5HAKY6QYTHQQ2HZQHDVXJ2BGLYVV3",
    "wayback/payloads/6TDJMD5DEZF6HWREDRNOY74LPOWFD4XY",
    "wayback/payloads/7JLXR7MU7ICMXRWXBYQFG4VA4UNFH76F",
    "wayback/payloads/BCCWDUWOTIQ7HJTVMCZOFJOMNCI4C36T",
    "wayback/payloads/D2S3HPZ5PCBSDP42AT5VB7E65ZQ3SSIS",
    "wayback/payloads/HYQLKMQ5AJE3LS36ERSTY6CQO7EXSE6F",
    "wayback/payloads/MYKUFVR72BYEG2GUZDK6ZJKYQFZ3FEG3",
    "wayback/payloads/QSLW2LAAZZISZWHZ7IO3GQYVNMZP37MZ",
    "wayback/payloads/SGW7OIFKGZA4OHBABH2KJFKWH4P5ZVQL",
    "wayback/spn2/status.error.json",
    "wayback/spn2/status.no-captures.json",
    "wayback/spn2/status.pending.json",
    "wayback/spn2/status.success.json",
    "wayback/spn2/status.too-many-requests-in-200.json",
    "wayback/spn2/submit.200.json",
    "wayback/spn2/submit.401.json",
    "wayback/spn2/submit.daily-limit.200.json",
    "wayback/spn2/submit.session-limit.200.json",
    "wayback/spn2/submit.too-soon.200.json",
    "wayback/spn2/system.json",
    "wayback/spn2/user.json",
    "wayback/timemap.link",
    "x/day-prefix-vectors.json",
    "x/expected.json",
    "x/fxtwitter/status.404.json",
    "x/fxtwitter/status.photos.json",
    "x/graphql/TweetResultByRestId.empty.json",
    "x/graphql/TweetResultByRestId.note.json",
    "x/graphql/TweetResultByRestId.photos.json",
    "x/graphql/TweetResultByRestId.tombstone.json",
    "x/graphql/TweetResultByRestId.unavailable.Deleted.json",
    "x/graphql/TweetResultByRestId.unavailable.NsfwLoggedOut.json",
    "x/graphql/TweetResultByRestId.unavailable.NsfwViewerHasNoStatedAge.json",
    "x/graphql/TweetResultByRestId.unavailable.Protected.json",
    "x/graphql/TweetResultByRestId.unavailable.Suspended.json",
    "x/graphql/TweetResultByRestId.video-quote.json",
    "x/graphql/TweetResultByRestId.visibility.json",
    "x/graphql/UserByScreenName.json",
    "x/graphql/UserByScreenName.notfound.json",
    "x/graphql/UserByScreenName.suspended.json",
    "x/graphql/error.429.json",
    "x/graphql/error.features.400.json",
    "x/graphql/error.guest-token.403.json",
    "x/graphql/error.unspecified.200.json",
    "x/graphql/guest-activate.json",
    "x/oembed/error.400.no-url.json",
    "x/oembed/error.403.protected.json",
    "x/oembed/error.404.html",
    "x/oembed/localised.ar.photo-2019.json",
    "x/oembed/localised.de.photo-2019.json",
    "x/oembed/localised.es.photo-2019.json",
    "x/oembed/localised.fr.photo-2019.json",
    "x/oembed/localised.ja.photo-2019.json",
    "x/oembed/localised.ko.photo-2019.json",
    "x/oembed/localised.pl.photo-2019.json",
    "x/oembed/localised.pt.photo-2019.json",
    "x/oembed/localised.ru.photo-2019.json",
    "x/oembed/new-shape.photo-2019.json",
    "x/oembed/new-shape.photos.json",
    "x/oembed/new-shape.plain.json",
    "x/oembed/new-shape.rtl.json",
    "x/oembed/old-shape.link-2019.json",
    "x/oembed/old-shape.photo-2019.json",
    "x/oembed/omit_script.html.txt",
    "x/oembed/plain-text-remnants.json",
    "x/snowflake-vectors.json",
    "x/token-vectors.json",
    "x/tweet-result/edited-latest.json",
    "x/tweet-result/edited-stale.json",
    "x/tweet-result/empty-object.json",
    "x/tweet-result/entities-absent.json",
    "x/tweet-result/entities-empty-object.json",
    "x/tweet-result/error.400.json",
    "x/tweet-result/link-2019.json",
    "x/tweet-result/not-found.404.html",
    "x/tweet-result/note-truncated.full-text.txt",
    "x/tweet-result/note-truncated.json",
    "x/tweet-result/photo-2019.json",
    "x/tweet-result/photos.json",
    "x/tweet-result/plain.json",
    "x/tweet-result/reply-parent.json",
    "x/tweet-result/rtl-emoji.json",
    "x/tweet-result/tombstone.age-restricted.json",
    "x/tweet-result/tombstone.bare.json",
    "x/tweet-result/tombstone.deleted.json",
    "x/tweet-result/tombstone.empty.json",
    "x/tweet-result/tombstone.protected.json",
    "x/tweet-result/tombstone.suspended.json",
    "x/tweet-result/video-quote.json",
    "youtube/errors.txt",
    "youtube/oembed.json",
}

/// A file's bytes; none of a file that is not there.
pub(crate) fn bytes(path: &str) -> &'static [u8] {
    FILES.iter().find(|(name, _)| *name == path).map_or(b"".as_slice(), |(_, bytes)| bytes)
}

/// A file's text.
pub(crate) fn text(path: &str) -> &'static str {
    std::str::from_utf8(bytes(path)).unwrap_or_default()
}

/// The files under a folder.
pub(crate) fn under(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied().filter(move |(name, _)| name.starts_with(folder))
}

/// Puts into the world what the fixtures say: the codes of their posts, the archive's index and payloads.
pub(crate) fn populate(world: &mut World) {
    for (_, bytes) in under("x/tweet-result/") {
        if let Ok(post) = serde_json::from_slice::<Value>(bytes) {
            codes(world, &post);
        }
    }
    for line in text("wayback/cdx.all.txt").lines() {
        if let Some(capture) = capture(line) {
            world.capture(capture);
        }
    }
    for line in text("wayback/archive-today.timemap.link").lines() {
        let memento = line.split_once("https://archive.is/").and_then(|(_, rest)| rest.split_once('>'));
        if let Some((stamp, original)) = memento.and_then(|(place, _)| place.split_once('/'))
            && calendar::from_fourteen(stamp).is_some()
        {
            world.archive_today.push((original.to_owned(), stamp.to_owned()));
        }
    }
}

/// The t.co codes a post's entities name.
fn codes(world: &mut World, post: &Value) {
    for kind in ["urls", "media"] {
        for entity in post.pointer(&format!("/entities/{kind}")).and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| entity.get(key).and_then(Value::as_str);
            if let (Some(url), Some(target)) = (text("url"), text("expanded_url"))
                && let Some(code) = url.strip_prefix("https://t.co/")
            {
                world.code(code, target);
            }
        }
    }
}

/// One line of the index, with its payload.
fn capture(line: &str) -> Option<Capture> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [key, stamp, original, mime, status, digest, length] = fields.as_slice() else { return None };
    let photo = "https://twitter.com/odelie_m/status/1137945522884755456";
    let location = match (*status, original.contains("/CdsTMkBRtm"), *digest) {
        ("301", true, _) => Some(format!("{photo}/photo/1")),
        ("301", false, _) => Some(photo.to_owned()),
        ("302", ..) => Some("https://twitter.com/i/flow/login".to_owned()),
        _ => None,
    };
    Some(Capture {
        key: (*key).to_owned(),
        stamp: (*stamp).to_owned(),
        original: (*original).to_owned(),
        mime: (*mime).to_owned(),
        status: status.parse().ok(),
        digest: (*digest).to_owned(),
        length: length.parse().unwrap_or(0),
        payload: bytes(&format!("wayback/payloads/{digest}")).to_vec(),
        location,
    })
}
