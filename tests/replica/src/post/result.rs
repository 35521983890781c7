//! The answers of `cdn.syndication.twimg.com/tweet-result` (PLATFORMS 2.1), keys in X's order.

use std::fmt::Write;

use crate::calendar;
use crate::pixels;
use crate::post::{Post, State, quote};
use crate::world::World;

/// A live post as JSON.
pub fn tweet_result(world: &World, post: &Post) -> String {
    let mut out = String::from("{\"__typename\":\"Tweet\"");
    if let Some(parent) = post.made.answers.and_then(|id| world.posts.get(&id)) {
        let _ = write!(
            out,
            ",\"in_reply_to_screen_name\":{},\"in_reply_to_status_id_str\":\"{}\",\"in_reply_to_user_id_str\":\"{}\"",
            quote(&parent.made.handle),
            parent.id,
            parent.user_id
        );
    }
    let _ = write!(
        out,
        ",\"lang\":{},\"favorite_count\":{},\"possibly_sensitive\":false",
        quote(&post.made.lang),
        pixels::mix(post.id) % 900
    );
    inner(&mut out, post);
    media(&mut out, post);
    let talk = pixels::mix(post.id) % 40;
    let _ = write!(out, ",\"conversation_count\":{talk},\"news_action_type\":\"conversation\"");
    for (key, id) in [("quoted_tweet", post.made.quotes), ("parent", post.made.answers)] {
        if let Some(other) = id.and_then(|id| world.posts.get(&id)).filter(|p| p.made.state == State::Live) {
            let _ = write!(out, ",\"{key}\":{}", nested(other));
        }
    }
    if post.made.note.is_some() {
        let note = data_encoding::BASE64.encode(format!("NoteTweet:NoteTweetResults:{}", post.id + 1).as_bytes());
        let _ = write!(out, ",\"note_tweet\":{{\"id\":\"{note}\"}}");
    }
    finish(&mut out, post);
    out
}

/// A post inside another's answer.
fn nested(post: &Post) -> String {
    let mut out = format!(
        "{{\"lang\":{},\"reply_count\":7,\"retweet_count\":3,\"favorite_count\":{}",
        quote(&post.made.lang),
        pixels::mix(post.id) % 900
    );
    inner(&mut out, post);
    media(&mut out, post);
    finish(&mut out, post);
    out
}

fn finish(out: &mut String, post: &Post) {
    let edited = post.versions.len() > 1 && !post.is_stale();
    let _ = write!(out, ",\"isEdited\":{edited},\"isStaleEdit\":{}}}", post.is_stale());
}

/// From `created_at` to `edit_control`.
fn inner(out: &mut String, post: &Post) {
    let text = post.escaped();
    let length = text.chars().count();
    let tail = post.media_link().map_or(0, |(code, _)| format!(" https://t.co/{code}").chars().count());
    let _ = write!(
        out,
        ",\"created_at\":\"{}\",\"display_text_range\":[0,{}],\"entities\":{{{}}},\"id_str\":\"{}\",\"text\":{}",
        calendar::iso_seconds(post.at),
        length - tail.min(length),
        entities(post, &text),
        post.id,
        quote(&text)
    );
    let avatar = avatar(post);
    let _ = write!(
        out,
        ",\"user\":{{\"id_str\":\"{}\",\"name\":{},\"profile_image_url_https\":\"{avatar}_normal.jpg\",\
         \"screen_name\":{},\"verified\":false,\"is_blue_verified\":false,\"profile_image_shape\":\"Circle\"}}",
        post.user_id,
        quote(&post.made.name),
        quote(&post.made.handle)
    );
    let versions: Vec<String> = post.versions.iter().map(|id| format!("\"{id}\"")).collect();
    let first = post.versions.first().copied().unwrap_or(post.id);
    let old = post.at < calendar::at("2022-09-01T00:00:00Z");
    let minutes = if old { 30 } else { 60 };
    let _ = write!(
        out,
        ",\"edit_control\":{{\"edit_tweet_ids\":[{}],\"editable_until_msecs\":\"{}\",\"is_edit_eligible\":{old},\
         \"edits_remaining\":\"{}\"}}",
        versions.join(","),
        calendar::snowflake_time(first).as_second() * 1000 + minutes * 60_000,
        6usize.saturating_sub(post.versions.len())
    );
}

/// The address of the author's picture, up to its size.
pub fn avatar(post: &Post) -> String {
    let upload = calendar::snowflake(calendar::at("2018-03-01T09:00:00Z"), post.user_id);
    let name = data_encoding::BASE64URL_NOPAD.encode(&post.user_id.to_be_bytes()[2..]);
    format!("https://pbs.twimg.com/profile_images/{upload}/{name}")
}

/// Where `part` stands in `text`, in code points.
fn span(text: &str, part: &str) -> Option<(usize, usize)> {
    let at = text.find(part)?;
    let start = text.get(..at)?.chars().count();
    Some((start, start + part.chars().count()))
}

fn entities(post: &Post, text: &str) -> String {
    let tags = words(text, '#').into_iter().filter_map(|tag| {
        let (from, to) = span(text, &format!("#{tag}"))?;
        Some(format!("{{\"indices\":[{from},{to}],\"text\":{}}}", quote(tag)))
    });
    let tags: Vec<String> = tags.collect();
    let urls: Vec<String> = post.made.links.iter().filter_map(|(code, target)| link(text, code, target)).collect();
    let mentions = words(text, '@').into_iter().filter_map(|name| {
        let (from, to) = span(text, &format!("@{name}"))?;
        let id = 100_000_000 + pixels::hash(name) % 2_000_000_000;
        let name = quote(name);
        Some(format!("{{\"id_str\":\"{id}\",\"indices\":[{from},{to}],\"name\":{name},\"screen_name\":{name}}}"))
    });
    let mentions: Vec<String> = mentions.collect();
    let mut out = format!(
        "\"hashtags\":[{}],\"urls\":[{}],\"user_mentions\":[{}],\"symbols\":[]",
        tags.join(","),
        urls.join(","),
        mentions.join(",")
    );
    if let Some(entity) = media_entity(post, text) {
        let _ = write!(out, ",\"media\":[{{{entity}}}]");
    }
    out
}

fn link(text: &str, code: &str, target: &str) -> Option<String> {
    let short = format!("https://t.co/{code}");
    let (from, to) = span(text, &short)?;
    let bare = target.split_once("://").map_or(target, |(_, rest)| rest);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let display: String =
        if bare.chars().count() > 30 { bare.chars().take(30).chain(['…']).collect() } else { bare.to_owned() };
    Some(format!(
        "{{\"display_url\":{},\"expanded_url\":{},\"indices\":[{from},{to}],\"url\":\"{short}\"}}",
        quote(&display),
        quote(target)
    ))
}

/// The fields that a media entity and a media detail share, up to the indices.
fn media_entity(post: &Post, text: &str) -> Option<String> {
    let (code, target) = post.media_link()?;
    let (from, to) = span(text, &format!("https://t.co/{code}"))?;
    let display = format!("{}/{code}", post.pic_host());
    Some(format!(
        "\"display_url\":\"{display}\",\"expanded_url\":{},\"indices\":[{from},{to}],\"url\":\"https://t.co/{code}\"",
        quote(&target)
    ))
}

const SIZES: &str = "\"sizes\":{\"large\":{\"h\":900,\"resize\":\"fit\",\"w\":1200},\
    \"medium\":{\"h\":900,\"resize\":\"fit\",\"w\":1200},\"small\":{\"h\":510,\"resize\":\"fit\",\"w\":680},\
    \"thumb\":{\"h\":150,\"resize\":\"crop\",\"w\":150}}";

fn media(out: &mut String, post: &Post) {
    let Some(entity) = media_entity(post, &post.escaped()) else { return };
    if post.made.video.is_some() {
        let _ = write!(out, "{}", video(post, &entity));
        return;
    }
    let details = post.media.iter().map(|name| {
        format!(
            "{{{entity},\"ext_media_availability\":{{\"status\":\"Available\"}},\
             \"media_url_https\":\"https://pbs.twimg.com/media/{name}.jpg\",\
             \"original_info\":{{\"height\":900,\"width\":1200,\"focus_rects\":[]}},{SIZES},\"type\":\"photo\"}}"
        )
    });
    let details: Vec<String> = details.collect();
    let photos = post.media.iter().enumerate().map(|(n, name)| {
        format!(
            "{{\"backgroundColor\":{{\"red\":47,\"green\":82,\"blue\":96}},\"cropCandidates\":[],\
             \"expandedUrl\":\"{}/photo/{}\",\"url\":\"https://pbs.twimg.com/media/{name}.jpg\",\
             \"width\":1200,\"height\":900}}",
            post.permalink(),
            n + 1
        )
    });
    let photos: Vec<String> = photos.collect();
    let _ = write!(out, ",\"mediaDetails\":[{}],\"photos\":[{}]", details.join(","), photos.join(","));
}

/// The number in a video's addresses: its upload, twenty seconds before the post.
pub(crate) fn video_id(post: &Post) -> u64 {
    post.id - (20_000 << 22)
}

fn video(post: &Post, entity: &str) -> String {
    let id = video_id(post);
    let poster = format!("https://pbs.twimg.com/amplify_video_thumb/{id}/img/Qz7Lr0aVbNc1sUeT.jpg");
    let base = format!("https://video.twimg.com/amplify_video/{id}");
    let playlist = format!("{base}/pl/4bYk0mWqfH2Rz8Jd.m3u8?tag=21");
    let files = [("480x270", 256_000), ("640x360", 832_000), ("1280x720", 2_176_000)];
    let file = |size: &str| format!("{base}/vid/avc1/{size}/oN6hTz4KpXs7aWc9.mp4?tag=21");
    let info: Vec<String> = files
        .iter()
        .map(|(size, rate)| format!("{{\"bitrate\":{rate},\"content_type\":\"video/mp4\",\"url\":\"{}\"}}", file(size)))
        .collect();
    let plain: Vec<String> =
        files.iter().map(|(size, _)| format!("{{\"type\":\"video/mp4\",\"src\":\"{}\"}}", file(size))).collect();
    format!(
        ",\"mediaDetails\":[{{\"additional_media_info\":{{}},{entity},\
         \"ext_media_availability\":{{\"status\":\"Available\"}},\"media_url_https\":\"{poster}\",\
         \"original_info\":{{\"height\":720,\"width\":1280,\"focus_rects\":[]}},{SIZES},\"type\":\"video\",\
         \"video_info\":{{\"aspect_ratio\":[16,9],\"duration_millis\":14214,\"variants\":[\
         {{\"content_type\":\"application/x-mpegURL\",\"url\":\"{playlist}\"}},{}]}}}}],\
         \"video\":{{\"aspectRatio\":[16,9],\"contentType\":\"media_entity\",\"durationMs\":14214,\
         \"mediaAvailability\":{{\"status\":\"available\"}},\"poster\":\"{poster}\",\"variants\":[\
         {{\"type\":\"application/x-mpegURL\",\"src\":\"{playlist}\"}},{}],\
         \"videoId\":{{\"type\":\"tweet\",\"id\":\"{}\"}},\"viewCount\":0}}",
        info.join(","),
        plain.join(","),
        post.id
    )
}

/// The words that follow a mark, in order, each once.
pub(crate) fn words(text: &str, mark: char) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(mark) {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        if before.is_some_and(|c| c.is_alphanumeric() || c == '/' || c == '&') {
            continue;
        }
        let rest = text.get(at + mark.len_utf8()..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word.chars().any(char::is_alphabetic) && !found.contains(&word) {
            found.push(word);
        }
    }
    found
}
