//! The answers of publish.x.com/oembed (PLATFORMS 2.2): the source of the remnants that statements quote.

use crate::calendar;
use crate::post::result::words;
use crate::post::{Post, escape, quote};

/// Which shape: anchors and names of 2026, or of 2018 to 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// x.com anchors, slashes as they are.
    X,
    /// twitter.com anchors, `\/`, `\u003C` and `\u003E`.
    Twitter,
}

impl Shape {
    fn origin(self) -> &'static str {
        match self {
            Shape::X => "https://x.com",
            Shape::Twitter => "https://twitter.com",
        }
    }
}

/// The JSON of one post.
pub fn json(post: &Post, shape: Shape, with_script: bool) -> String {
    let origin = shape.origin();
    let (url, author) = (format!("{origin}/{}/status/{}", post.made.handle, post.id), &post.made.handle);
    let mut html = blockquote(post, shape);
    if with_script {
        let host = if shape == Shape::X { "platform.x.com" } else { "platform.twitter.com" };
        html.push_str(&format!("\n<script async src=\"https://{host}/widgets.js\" charset=\"utf-8\"></script>\n"));
    }
    html.push('\n');
    let provider = if shape == Shape::X { "X" } else { "Twitter" };
    let body = format!(
        "{{\"url\":{},\"author_name\":{},\"author_url\":{},\"html\":{},\"width\":550,\"height\":null,\
         \"type\":\"rich\",\"cache_age\":\"3153600000\",\"provider_name\":\"{provider}\",\"provider_url\":{},\
         \"version\":\"1.0\"}}",
        quote(&url),
        quote(&post.made.name),
        quote(&format!("{origin}/{author}")),
        quote(&html),
        quote(origin)
    );
    match shape {
        Shape::X => body,
        Shape::Twitter => body.replace('/', "\\/").replace('<', "\\u003C").replace('>', "\\u003E"),
    }
}

/// The blockquote that pages embed.
pub fn blockquote(post: &Post, shape: Shape) -> String {
    let origin = shape.origin();
    let made = &post.made;
    let direction = if ["ar", "he", "fa", "ur"].contains(&made.lang.as_str()) { "rtl" } else { "ltr" };
    format!(
        "<blockquote class=\"twitter-tweet\"><p lang=\"{}\" dir=\"{direction}\">{}</p>&mdash; {} (@{}) \
         <a href=\"{origin}/{}/status/{}?ref_src=twsrc%5Etfw\">{}</a></blockquote>",
        made.lang,
        words_linked(post, origin),
        escape(&made.name),
        made.handle,
        made.handle,
        post.id,
        calendar::long(post.at)
    )
}

/// The text with its tags, handles and links as anchors.
fn words_linked(post: &Post, origin: &str) -> String {
    let mut html = post.escaped().replace('\n', "<br>");
    for tag in words(&post.made.text, '#') {
        let anchor = format!(
            "<a href=\"{origin}/hashtag/{}?src=hash&amp;ref_src=twsrc%5Etfw\">#{tag}</a>",
            url::form_urlencoded::byte_serialize(tag.as_bytes()).collect::<String>()
        );
        html = html.replacen(&format!("#{tag}"), &anchor, 1);
    }
    for name in words(&post.made.text, '@') {
        let anchor = format!("<a href=\"{origin}/{name}?ref_src=twsrc%5Etfw\">@{name}</a>");
        html = html.replacen(&format!("@{name}"), &anchor, 1);
    }
    for (code, _) in &post.made.links {
        let short = format!("https://t.co/{code}");
        html = html.replacen(&short, &format!("<a href=\"{short}\">{short}</a>"), 1);
    }
    if let Some((code, _)) = post.media_link() {
        let short = format!("https://t.co/{code}");
        html = html.replacen(&short, &format!("<a href=\"{short}\">{}/{code}</a>", post.pic_host()), 1);
    }
    html
}
