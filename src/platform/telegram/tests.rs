//! The widget in its many shapes.

use proptest::prelude::*;

use super::*;

const EMBED: &str = include_str!("../../../tests/fixtures/other/telegram/embed.html");
const NOT_FOUND: &str = include_str!("../../../tests/fixtures/other/telegram/embed.not-found.html");

fn ask(mut reader: Box<dyn Reader>, status: u16, body: &str) -> (Read, Vec<String>) {
    let mut asked = Vec::new();
    while !reader.done() {
        for (id, request) in reader.asks() {
            asked.push(request.url.to_string());
            reader.learn(id, Ok(&Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }));
        }
    }
    (reader.finish(), asked)
}

fn read(body: &str) -> Read {
    ask(Box::new(PostReader::new("harbourchannel/411").unwrap()), 200, body).0
}

#[test]
fn the_widget_is_read_whole() {
    let (read, asked) = ask(Box::new(PostReader::new("HarbourChannel/411").unwrap()), 200, EMBED);
    assert_eq!(asked, ["https://t.me/HarbourChannel/411?embed=1&mode=tme"]);
    let post = read.post.unwrap();
    assert_eq!(post.name.to_string(), "telegram:harbourchannel/411");
    assert_eq!(post.permalink, "https://t.me/harbourchannel/411");
    assert_eq!(post.text, "Quay 4 closed until Friday.\nDetails: harbour.example/q4");
    assert_eq!(post.links[0].expanded, "https://harbour.example/q4");
    assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30Z");
    assert!(post.edited);
    assert_eq!(post.author.name.as_deref(), Some("Harbour Channel"));
    assert_eq!((post.author.handle.as_str(), post.author.id.as_deref()), ("harbourchannel", Some("1000000000")));
    assert_eq!(read.notes, Vec::<String>::new());
    assert!(!read_one(&EMBED.replace("edited &nbsp;", "")).edited);
}

fn read_one(html: &str) -> crate::platform::post::Post {
    read(html).post.unwrap()
}

#[test]
fn refusals_are_told_apart() {
    assert_eq!(read(NOT_FOUND).state, Some(State::NotFound));
    assert!(read(NOT_FOUND).why.contains("Post not found"));
    let channel = NOT_FOUND.replace("Post not found", "Channel with username <b>@x</b> not found");
    assert_eq!(read(&channel).state, Some(State::NotFound));
    assert_eq!(read(&NOT_FOUND.replace("Post not found", "Please open Telegram")).state, Some(State::Unknown));
    assert_eq!(read("<html>").state, Some(State::Unknown));
    assert_eq!(read("").state, Some(State::Unknown));
    for (status, state) in
        [(404, State::NotFound), (403, State::Blocked), (429, State::RateLimited), (500, State::ServerError)]
    {
        let reader = Box::new(PostReader::new("harbourchannel/411").unwrap());
        assert_eq!(ask(reader, status, "").0.state, Some(state));
    }
    let (private, asked) = ask(Box::new(PostReader::new("c/1234567890/12").unwrap()), 200, "");
    assert_eq!((private.state, asked.len()), (Some(State::Protected), 0));
    for wrong in ["", "a", "a/", "a/b", "/1", "a b/1", "a/1/2"] {
        assert!(PostReader::new(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn another_post_than_the_one_asked_is_told() {
    let read = read(&EMBED.replace("data-post=\"harbourchannel/411\"", "data-post=\"otherchannel/7\""));
    assert_eq!(read.post.unwrap().name.id, "otherchannel/7");
    assert!(read.notes[0].contains("asked for harbourchannel/411"));
}

#[test]
fn media_forwards_and_replies_are_read() {
    let more = r##"<a class="tgme_widget_message_photo_wrap 51" style="width:800px;background-image:url('https://cdn.example/p.jpg')"></a>
        <a class="tgme_widget_message_video_player"><i class="tgme_widget_message_video_thumb" style="background-image:url('//cdn.example/t.jpg')"></i>
        <video src="https://cdn.example/v.mp4" class="tgme_widget_message_video"></video><time class="message_video_duration">0:41</time></a>
        <a class="tgme_widget_message_link_preview" href="https://harbour.example/q4"><i class="link_preview_image" style="background-image:url('https://cdn.example/c.jpg')"></i></a>
        <a class="tgme_widget_message_reply" href="https://t.me/harbourchannel/410"><div class="tgme_widget_message_metatext js-message_reply_text">before</div></a>
        <div class="tgme_widget_message_forwarded_from">Forwarded from <a class="tgme_widget_message_forwarded_from_name" href="https://t.me/x/1">Port News</a></div>
        <div class="tgme_widget_message_text"##;
    let read = read(&EMBED.replacen("<div class=\"tgme_widget_message_text", more, 1));
    let post = read.post.unwrap();
    let media: Vec<_> = post.media.iter().map(|m| (m.kind.as_str(), m.url.as_str(), m.poster.as_deref())).collect();
    assert_eq!(
        media,
        [
            ("photo", "https://cdn.example/p.jpg", None),
            ("video", "https://cdn.example/v.mp4", Some("https://cdn.example/t.jpg")),
            ("card", "https://harbour.example/q4", Some("https://cdn.example/c.jpg")),
        ]
    );
    assert_eq!(post.reply_to.unwrap().id, "harbourchannel/410");
    assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30Z", "the video's length is no date");
    assert_eq!(read.notes, ["forwarded from: Port News"]);
    assert!(post.text.starts_with("Quay 4"));
}

#[test]
fn formatting_inside_the_text_keeps_every_word() {
    let rich = EMBED.replace(
        "Quay 4 closed until Friday.",
        "<b>Quay 4</b> <i class=\"emoji\" style=\"x\"><b>🚢</b></i> <div><tg-spoiler>closed</tg-spoiler></div> until <s>Thursday</s> Friday.",
    );
    assert_eq!(read_one(&rich).text, "Quay 4 🚢\n\nclosed\n\nuntil Thursday Friday.\nDetails: harbour.example/q4");
}

#[test]
fn channels_are_read_from_their_preview() {
    let page = r#"<div class="tgme_channel_info_header_title"><span dir="auto">Harbour Channel</span></div><div data-post="harbourchannel/1" data-peer="c1000000000_-1">"#;
    let profile = |body: &str| ask(Box::new(ProfileReader::new("harbourchannel").unwrap()), 200, body).0;
    let author = profile(page).author.unwrap();
    assert_eq!((author.name.as_deref(), author.id.as_deref()), (Some("Harbour Channel"), Some("1000000000")));
    let closed = profile("<div class=\"tgme_page_title\"><span>Harbour Channel</span></div>");
    assert_eq!((closed.author.unwrap().id, closed.notes.len()), (None, 1));
    assert_eq!(profile("<html>").state, Some(State::NotFound));
    assert!(ProfileReader::new("a/b").is_none());
}

proptest! {
    #[test]
    fn no_cut_or_shuffle_of_the_widget_makes_it_panic(at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let (at, to) = (at.index(EMBED.len()), to.index(EMBED.len()));
        let cut = String::from_utf8_lossy(&[&EMBED.as_bytes()[at..], &EMBED.as_bytes()[..to]].concat()).into_owned();
        let _ = read(&cut);
    }
}
