//! Telegram channels: one post as its embed widget shows it (t.me, 2026). The widget gives text, the exact time, an edit mark
//! and media; it signs nothing.

pub mod lister;
pub mod widget;

use url::Url;

use crate::format::http::{Answer, Request};
use crate::format::markup::{Piece, decode, pieces};
use crate::platform::errand::{Errands, endpoint, refusal};
use crate::platform::post::{Author, Platform, PostName};
use crate::platform::reader::{Attestation, Read, Reader, State};

/// The name of a post.
pub fn name(channel: &str, number: &str) -> PostName {
    PostName { platform: Platform::Telegram, id: format!("{channel}/{number}") }
}

/// Takes a post's id apart: `<channel>/<n>`.
pub fn address(id: &str) -> Option<(&str, &str)> {
    let (channel, number) = id.split_once('/')?;
    let number_ok = (1..=12).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (is_channel(channel) && number_ok).then_some((channel, number))
}

fn is_channel(channel: &str) -> bool {
    (1..=64).contains(&channel.len()) && channel.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Asks for a post's widget.
pub fn get_widget(channel: &str, number: &str) -> Option<Request> {
    endpoint(&format!("https://t.me/{channel}/{number}"), &[("embed", "1"), ("mode", "tme")]).map(Request::get)
}

/// Asks for a channel's public preview.
pub fn get_channel(channel: &str) -> Option<Request> {
    endpoint(&format!("https://t.me/s/{channel}"), &[]).map(Request::get)
}

/// Asks for a channel's posts with numbers below one, the newest of them.
pub fn get_before(channel: &str, number: u64) -> Option<Request> {
    endpoint(&format!("https://t.me/s/{channel}"), &[("before", &number.to_string())]).map(Request::get)
}

/// Reads one post.
#[derive(Debug)]
pub struct PostReader {
    errands: Errands<()>,
    asked: String,
    read: Read,
}

impl PostReader {
    /// The reader for the post whose id is `<channel>/<n>`; none where the id has another shape. `c/…` is a private channel,
    /// which needs no question.
    pub fn new(id: &str) -> Option<Self> {
        let mut reader = Self { errands: Errands::new(), asked: id.to_owned(), read: Read::default() };
        if id.starts_with("c/") {
            reader.read = Read::ended(State::Protected, "t.me/c/ names a private channel: only its members see it");
            return Some(reader);
        }
        let (channel, number) = address(id)?;
        reader.errands.ask((), get_widget(channel, number)?);
        Some(reader)
    }

    fn heard(&mut self, answer: &Answer) -> Read {
        if answer.status != 200 {
            return Read::ended(refusal(answer.status), format!("t.me answered with status {}", answer.status));
        }
        let html = decode(&answer.body, answer.headers.get("content-type").as_deref().unwrap_or("text/html"));
        match widget::read(&html) {
            widget::Widget::Shown(post, mut notes) => {
                if !post.name.id.eq_ignore_ascii_case(&self.asked) {
                    notes.push(format!("asked for {}, shown {}", self.asked, post.name.id));
                }
                Read { notes, ..Read::post(*post, "the embed widget") }
            }
            widget::Widget::Refused(state, why) => Read::ended(state, why),
        }
    }
}

impl Reader for PostReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        if self.errands.settle(id, answer).is_none() {
            return;
        }
        self.read = match answer {
            Ok(answer) => self.heard(answer),
            Err(why) => Read::ended(State::Unknown, format!("t.me gave no answer: {why}")),
        };
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read
    }
}

/// Reads one channel.
#[derive(Debug)]
pub struct ProfileReader {
    errands: Errands<()>,
    channel: String,
    read: Read,
}

impl ProfileReader {
    /// The reader for a channel's name; none where it cannot be one.
    pub fn new(channel: &str) -> Option<Self> {
        is_channel(channel).then_some(())?;
        let mut errands = Errands::new();
        errands.ask((), get_channel(channel)?);
        Some(Self { errands, channel: channel.to_owned(), read: Read::default() })
    }
}

impl Reader for ProfileReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        let Some((_, url)) = self.errands.settle(id, answer) else { return };
        self.read = match answer {
            Ok(answer) if answer.status == 200 => {
                let html = decode(&answer.body, answer.headers.get("content-type").as_deref().unwrap_or("text/html"));
                channel(&html, &self.channel, &url)
            }
            Ok(answer) => Read::ended(refusal(answer.status), format!("t.me answered with status {}", answer.status)),
            Err(why) => Read::ended(State::Unknown, format!("t.me gave no answer: {why}")),
        };
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read
    }
}

/// Reads a channel's preview, or the page that stands in for one where the preview is off.
fn channel(html: &str, asked: &str, url: &Url) -> Read {
    let pieces = pieces(html);
    let title = widget::text_of(&pieces, "tgme_channel_info_header_title")
        .or_else(|| widget::text_of(&pieces, "tgme_page_title"));
    let Some(title) = title else {
        return Read::ended(State::NotFound, "t.me shows no channel or person under this name");
    };
    let id = pieces.iter().find_map(|piece| match piece {
        Piece::Open(tag) => tag.get("data-peer").and_then(widget::peer_id),
        _ => None,
    });
    let mut read = Read { why: format!("{url}"), ..Read::default() };
    if id.is_none() {
        read.notes.push("the page shows no lasting id: the preview is off, or this is no channel".to_owned());
    }
    let attested = id.as_ref().map(|id| Attestation {
        what: format!("the channel {asked} is {id}"),
        holds: true,
        why: "by t.me's own word".to_owned(),
    });
    read.attestations.extend(attested);
    read.author = Some(Author { handle: asked.to_owned(), name: Some(title), id });
    read
}

#[cfg(test)]
mod tests;
