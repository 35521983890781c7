//! t.me: a channel's posts as embeds, with their exact times (PLATFORMS 5).

use jiff::Timestamp;

use crate::calendar;
use crate::fixtures;
use crate::post::{attribute, escape};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// A post in a channel.
#[derive(Debug, Clone)]
pub struct Message {
    /// The channel's name.
    pub channel: String,
    /// Its title.
    pub title: String,
    /// The number in the channel.
    pub number: u64,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Whether it says that it was edited.
    pub edited: bool,
    /// The number of the post it answers.
    pub answers: Option<u64>,
}

impl World {
    /// Adds a post to a channel; its URL comes back.
    pub fn add_telegram(&mut self, channel: &str, title: &str, number: u64, text: &str, at: Timestamp) -> String {
        let (channel, title, text) = (channel.to_owned(), title.to_owned(), text.to_owned());
        let place = format!("{channel}/{number}");
        self.telegram.insert(place.clone(), Message { channel, title, number, text, at, edited: false, answers: None });
        format!("https://t.me/{place}")
    }
}

/// An embed, a channel's list, or the page that asks to open the app.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let path = request.path().to_lowercase();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let embed = request.param("embed").is_some();
    match parts.as_slice() {
        ["iv"] => Reply::to(302, &request.param("url").unwrap_or_default()),
        ["s", channel] => list(world, channel, request.param("before").and_then(|text| text.parse().ok())),
        [channel, number] if embed => message(world, channel, number),
        [channel, number] => page(world, channel, number),
        [channel] => Reply::html(200, format!("<!DOCTYPE html><title>Telegram: Contact @{}</title>", escape(channel))),
        _ => Reply::html(404, ""),
    }
}

/// The fixture's own `data-post`.
fn fixture() -> (&'static str, &'static str) {
    let html = fixtures::text("telegram/embed.html");
    let place = html.split_once("data-post=\"").and_then(|(_, rest)| rest.split_once('"'));
    (place.map_or("", |(place, _)| place), html)
}

fn message(world: &World, channel: &str, number: &str) -> Reply {
    let place = format!("{channel}/{number}");
    let missing = || Reply::html(200, fixtures::bytes("telegram/embed.not-found.html"));
    if world.is_gone(&format!("telegram:{place}")) {
        return missing();
    }
    if fixture().0 == place {
        return Reply::html(200, fixture().1);
    }
    match world.telegram.get(&place) {
        Some(message) => Reply::html(200, format!("<!DOCTYPE html>\n<html><body>{}</body></html>\n", widget(message))),
        None => missing(),
    }
}

fn widget(message: &Message) -> String {
    let place = format!("{}/{}", message.channel, message.number);
    let edited = if message.edited { "edited " } else { "" };
    let reply = |number: u64| {
        let channel = &message.channel;
        format!(
            "<a class=\"tgme_widget_message_reply\" href=\"https://t.me/{channel}/{number}\"><div>An answer</div></a>"
        )
    };
    let answers = message.answers.map(reply).unwrap_or_default();
    format!(
        "<div class=\"tgme_widget_message text_not_supported_wrap js-widget_message\" data-post=\"{place}\" \
         data-peer=\"c{}_-1\">\
         <div class=\"tgme_widget_message_author\"><a class=\"tgme_widget_message_owner_name\" \
         href=\"https://t.me/{}\"><span dir=\"auto\">{}</span></a></div>\
         {answers}<div class=\"tgme_widget_message_text js-message_text\" dir=\"auto\">{}</div>\
         <div class=\"tgme_widget_message_footer\"><span class=\"tgme_widget_message_meta\">{edited}\
         <a class=\"tgme_widget_message_date\" href=\"https://t.me/{place}\">\
         <time datetime=\"{}\" class=\"datetime\">{}</time></a></span></div></div>",
        peer(&message.channel),
        message.channel,
        escape(&message.title),
        escape(&message.text).replace('\n', "<br/>"),
        calendar::form(message.at, "%Y-%m-%dT%H:%M:%S+00:00"),
        calendar::form(message.at, "%b %-d, %Y at %H:%M")
    )
}

/// A channel's lasting number.
fn peer(channel: &str) -> u64 {
    1_000_000_000 + crate::pixels::hash(channel) % 1_000_000_000
}

/// How many posts stand on one page of a list.
const PAGE: usize = 20;

fn list(world: &World, channel: &str, before: Option<u64>) -> Reply {
    let mut posts: Vec<&Message> = world
        .telegram
        .values()
        .filter(|m| m.channel == channel && !world.is_gone(&format!("telegram:{channel}/{}", m.number)))
        .collect();
    posts.sort_by_key(|message| message.number);
    let known = !posts.is_empty();
    posts.retain(|message| before.is_none_or(|before| message.number < before));
    let posts: Vec<String> =
        posts.iter().skip(posts.len().saturating_sub(PAGE)).map(|message| widget(message)).collect();
    let title = world.telegram.values().find(|m| m.channel == channel).map(|m| escape(&m.title)).unwrap_or_default();
    if !known {
        return Reply::to(302, &format!("https://t.me/{channel}"));
    }
    Reply::html(
        200,
        format!(
            "<!DOCTYPE html>\n<html><body><div class=\"tgme_channel_info\"><div class=\"tgme_channel_info_header_title\">\
         <span dir=\"auto\">{}</span></div></div><main>{}</main></body></html>\n",
            title,
            posts.concat()
        ),
    )
}

/// The page at a post's own address: its words stand in the description.
fn page(world: &World, channel: &str, number: &str) -> Reply {
    let place = format!("{channel}/{number}");
    let message = world.telegram.get(&place).filter(|_| !world.is_gone(&format!("telegram:{place}")));
    let text = message.map_or("", |message| message.text.as_str());
    let body = format!(
        "<!DOCTYPE html><html><head><title>Telegram: Contact @{channel}</title>\
         <meta property=\"og:title\" content=\"{}\"><meta property=\"og:description\" content=\"{}\"></head>\
         <body><iframe src=\"https://t.me/{channel}/{number}?embed=1\"></iframe></body></html>\n",
        attribute(message.map_or("Telegram", |message| message.title.as_str())),
        attribute(text),
        channel = escape(channel),
        number = escape(number)
    );
    Reply::html(200, body)
}
