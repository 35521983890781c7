//! The forms in which the web archive holds posts (PLATFORMS 6.5).

use jiff::tz::TimeZone;

use crate::calendar;
use crate::post::result::{avatar, words};
use crate::post::{Post, escape, quote};

/// The page of before 2020. The printed time is that of California, as the archive's crawlers were shown it.
pub fn html(post: &Post) -> String {
    let made = &post.made;
    let (id, handle, name) = (post.id, &made.handle, escape(&made.name));
    let link = format!("https://twitter.com/{handle}/status/{id}");
    let plain = escape(&without_tail(post)).replace('"', "&quot;");
    let local = post.at.in_tz("America/Los_Angeles").unwrap_or_else(|_| post.at.to_zoned(TimeZone::UTC));
    let shown = local.strftime("%-I:%M %p - %-d %b %Y");
    let photos: Vec<String> = post.media.iter().filter(|_| made.photos.is_some()).map(|m| photo(m)).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\" data-scribe-reduced-action-queue=\"true\"><head><meta charset=\"utf-8\">\n\
         <title>{name} on Twitter: &quot;{plain}&quot;</title>\n<link rel=\"canonical\" href=\"{link}\">\n\
         <link rel=\"alternate\" hreflang=\"fr\" href=\"{link}?lang=fr\">\n\
         <link rel=\"alternate\" type=\"application/json+oembed\" \
         href=\"https://publish.twitter.com/oembed?url={link}\">\n\
         <meta property=\"og:type\" content=\"article\"><meta property=\"og:url\" content=\"{link}\">\
         <meta property=\"og:title\" content=\"{name} on Twitter\">\n\
         <meta property=\"og:description\" content=\"“{plain}”\">\
         <meta property=\"og:site_name\" content=\"Twitter\">\n</head><body class=\"logged-out  PermalinkPage\">\n\
         <div class=\"permalink-inner permalink-tweet-container\"><div class=\"tweet permalink-tweet \
         js-actionable-user js-actionable-tweet js-original-tweet\" data-associated-tweet-id=\"{id}\" \
         data-tweet-id=\"{id}\" data-item-id=\"{id}\" data-permalink-path=\"/{handle}/status/{id}\" \
         data-conversation-id=\"{id}\" data-screen-name=\"{handle}\" data-name=\"{name}\" \
         data-user-id=\"{user}\" data-you-follow=\"false\">\n\
         <div class=\"content clearfix\"><div class=\"permalink-header\"><a class=\"account-group \
         js-account-group js-action-profile js-user-profile-link js-nav\" href=\"/{handle}\" \
         data-user-id=\"{user}\"><img class=\"avatar js-action-profile-avatar\" src=\"{avatar}_bigger.jpg\" \
         alt=\"\"><span class=\"FullNameGroup\"><strong class=\"fullname show-popup-with-id u-textTruncate \" \
         data-aria-label-part>{name}</strong></span> <span class=\"username u-dir u-textTruncate\" dir=\"ltr\" \
         data-aria-label-part>@<b>{handle}</b></span></a>\n\
         <small class=\"time\"><a href=\"/{handle}/status/{id}\" class=\"tweet-timestamp js-permalink js-nav \
         js-tooltip\" title=\"{shown}\" data-conversation-id=\"{id}\"><span class=\"_timestamp \
         js-short-timestamp \" data-aria-label-part=\"last\" data-time=\"{seconds}\" \
         data-time-ms=\"{seconds}000\" data-long-form=\"true\">{short}</span></a></small></div></div>\n\
         <div class=\"js-tweet-text-container\"><p class=\"TweetTextSize TweetTextSize--jumbo js-tweet-text \
         tweet-text\" lang=\"{lang}\" data-aria-label-part=\"0\">{text}</p></div>\n{photos}\
         <div class=\"client-and-actions\"><span class=\"metadata\"><span>{shown}</span></span></div>\n\
         </div></div></body></html>\n",
        user = post.user_id,
        avatar = avatar(post),
        seconds = post.at.as_second(),
        short = local.strftime("%b %-d"),
        lang = made.lang,
        text = paragraph(post),
        photos = photos.concat(),
    )
}

/// The profile page of before 2020, as far as it names the account.
pub fn profile(handle: &str, post: &Post) -> String {
    let (name, user, avatar) = (escape(&post.made.name), post.user_id, avatar(post));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name} (@{handle}) | Twitter</title>\n\
         <link rel=\"canonical\" href=\"https://twitter.com/{handle}\"></head><body>\n\
         <div class=\"ProfileNav\" role=\"navigation\" data-user-id=\"{user}\"></div>\n\
         <div class=\"ProfileHeaderCard\"><h1 class=\"ProfileHeaderCard-name\"><a href=\"/{handle}\" \
         class=\"ProfileHeaderCard-nameLink u-textInheritColor js-nav\">{name}</a></h1>\
         <h2 class=\"ProfileHeaderCard-screenname u-inlineBlock u-dir\" dir=\"ltr\"><a \
         class=\"ProfileHeaderCard-screennameLink u-linkComplex js-nav\" href=\"/{handle}\"><span \
         class=\"username u-dir\" dir=\"ltr\">@<b class=\"u-linkComplex-target\">{handle}</b></span></a></h2></div>\n\
         <img class=\"ProfileAvatar-image \" src=\"{avatar}_400x400.jpg\" alt=\"{name}\">\n</body></html>\n"
    )
}

fn photo(name: &str) -> String {
    format!(
        "<div class=\"AdaptiveMediaOuterContainer\"><div class=\"AdaptiveMedia-photoContainer js-adaptive-photo \" \
         data-image-url=\"https://pbs.twimg.com/media/{name}.jpg\" data-element-context=\"platform_photo_card\">\
         <img data-aria-label-part src=\"https://pbs.twimg.com/media/{name}.jpg\" alt=\"\"></div></div>\n"
    )
}

/// The text without the link of its own media.
fn without_tail(post: &Post) -> String {
    match post.media_link() {
        Some((code, _)) => post.made.text.replace(&format!(" https://t.co/{code}"), ""),
        None => post.made.text.clone(),
    }
}

fn paragraph(post: &Post) -> String {
    let mut html = escape(&without_tail(post));
    for tag in words(&post.made.text, '#') {
        let anchor = format!(
            "<a href=\"/hashtag/{tag}?src=hash\" data-query-source=\"hashtag_click\" \
             class=\"twitter-hashtag pretty-link js-nav\" dir=\"ltr\"><s>#</s><b>{tag}</b></a>"
        );
        html = html.replacen(&format!("#{tag}"), &anchor, 1);
    }
    for (code, target) in &post.made.links {
        let short = format!("https://t.co/{code}");
        let shown = escape(target.split_once("://").map_or(target.as_str(), |(_, rest)| rest));
        let anchor = format!(
            "<a href=\"{short}\" rel=\"nofollow noopener\" dir=\"ltr\" data-expanded-url=\"{}\" \
             class=\"twitter-timeline-link\" target=\"_blank\" title=\"{}\"><span class=\"tco-ellipsis\"></span>\
             <span class=\"invisible\">https://</span><span class=\"js-display-url\">{shown}</span></a>",
            escape(target),
            escape(target)
        );
        html = html.replacen(&short, &anchor, 1);
    }
    if let Some((code, _)) = post.media_link() {
        html.push_str(&format!(
            "<a href=\"https://t.co/{code}\" class=\"twitter-timeline-link u-hidden\" data-pre-embedded=\"true\" \
             dir=\"ltr\">{}/{code}</a>",
            post.pic_host()
        ));
    }
    html
}

/// The object of the v1.1 stream.
pub fn stream_json(post: &Post) -> String {
    let made = &post.made;
    let urls = made
        .links
        .iter()
        .map(|(code, target)| format!("{{\"url\":\"https://t.co/{code}\",\"expanded_url\":{}}}", quote(target)));
    let urls: Vec<String> = urls.collect();
    let tags: Vec<String> =
        words(&made.text, '#').into_iter().map(|tag| format!("{{\"text\":{}}}", quote(tag))).collect();
    let media = post.media_link().map_or(String::new(), |(code, target)| {
        let name = post.media.first().map_or("", String::as_str);
        format!(
            ",\"media\":[{{\"id\":1,\"id_str\":\"1\",\"media_url_https\":\"https://pbs.twimg.com/media/{name}.jpg\",\
             \"url\":\"https://t.co/{code}\",\"display_url\":\"{}/{code}\",\"expanded_url\":{},\"type\":\"photo\"}}]",
            post.pic_host(),
            quote(&target)
        )
    });
    format!(
        "{{\"created_at\":\"{}\",\"id\":{id},\"id_str\":\"{id}\",\"text\":{},\"truncated\":false,\
         \"in_reply_to_status_id\":null,\"user\":{{\"id\":{user},\"id_str\":\"{user}\",\"name\":{},\
         \"screen_name\":{},\"protected\":false,\"verified\":false}},\"is_quote_status\":{},\
         \"entities\":{{\"hashtags\":[{}],\"urls\":[{}],\"user_mentions\":[],\"symbols\":[]{media}}},\
         \"favorited\":false,\"retweeted\":false,\"lang\":{},\"timestamp_ms\":\"{}\"}}",
        calendar::v1(post.at),
        quote(&post.escaped()),
        quote(&made.name),
        quote(&made.handle),
        made.quotes.is_some(),
        tags.join(","),
        urls.join(","),
        quote(&made.lang),
        post.at.as_millisecond(),
        id = post.id,
        user = post.user_id,
    )
}

/// The answer of API v2.
pub fn v2_json(post: &Post) -> String {
    let made = &post.made;
    let urls = made.links.iter().map(|(code, target)| {
        format!("{{\"start\":0,\"end\":0,\"url\":\"https://t.co/{code}\",\"expanded_url\":{}}}", quote(target))
    });
    let urls: Vec<String> = urls.collect();
    format!(
        "{{\"data\":{{\"author_id\":\"{user}\",\"created_at\":\"{}\",\"id\":\"{}\",\"text\":{},\"lang\":{},\
         \"entities\":{{\"urls\":[{}]}},\"edit_history_tweet_ids\":[\"{}\"]}},\"includes\":{{\"users\":[\
         {{\"id\":\"{user}\",\"name\":{},\"username\":{}}}]}}}}",
        calendar::iso_seconds(post.at),
        post.id,
        quote(&post.escaped()),
        quote(&made.lang),
        urls.join(","),
        post.id,
        quote(&made.name),
        quote(&made.handle),
        user = post.user_id,
    )
}

/// The server-rendered page of 2022, its page language anything.
pub fn microdata(post: &Post) -> String {
    let made = &post.made;
    let link = format!("https://twitter.com/{}/status/{}", made.handle, post.id);
    let (name, text) = (escape(&made.name), escape(&without_tail(post)));
    let at = calendar::iso_seconds(post.at);
    format!(
        "<!DOCTYPE html><html dir=\"ltr\" lang=\"fi\"><head><meta charset=\"utf-8\"/><title>Twitter</title>\n\
         <meta data-rh=\"true\" property=\"og:title\" content=\"{name} on Twitter\"/>\
         <link data-rh=\"true\" rel=\"canonical\" href=\"{link}\"/></head>\n<body><div id=\"react-root\">\
         <article data-testid=\"tweet\" itemscope=\"\" itemtype=\"https://schema.org/SocialMediaPosting\">\
         <meta itemprop=\"identifier\" content=\"{id}\"/><meta itemprop=\"position\" content=\"1\"/>\
         <meta itemprop=\"dateCreated\" content=\"{at}\"/><meta itemprop=\"datePublished\" content=\"{at}\"/>\
         <meta itemprop=\"url\" content=\"{link}\"/>\n<div itemprop=\"author\" itemscope=\"\" \
         itemtype=\"https://schema.org/Person\"><meta itemprop=\"identifier\" content=\"{user}\"/>\
         <meta itemprop=\"additionalName\" content=\"{handle}\"/><meta itemprop=\"givenName\" content=\"{name}\"/>\
         </div><div itemprop=\"articleBody\" lang=\"{lang}\">{text}</div></article></div></body></html>\n",
        id = post.id,
        user = post.user_id,
        handle = made.handle,
        lang = made.lang,
    )
}
