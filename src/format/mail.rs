//! E-mail (RFC 5322, MIME RFC 2045 to 2049): its readable parts as text, in order, and its header's words.

use mail_parser::{MessageParser, MimeHeaders, PartType};
use memchr::memmem;

use super::contained::contained;

/// A message, read.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// its readable parts
    pub parts: Vec<Part>,
    /// `Date`, as RFC 3339
    pub date: Option<String>,
    /// `Subject`
    pub subject: Option<String>,
    /// the first author's name, else address
    pub from: Option<String>,
    /// parts that were not read: which, and why
    pub unread: Vec<(String, String)>,
}

/// One readable part.
#[derive(Clone, Debug)]
pub struct Part {
    /// decoded
    pub text: String,
    /// HTML rather than plain text
    pub html: bool,
}

/// Whether `head` begins like a message: at least two header fields that only mail has.
pub fn looks_like(head: &str) -> bool {
    const FIELDS: &[&str] = &[
        "from:",
        "to:",
        "received:",
        "return-path:",
        "mime-version:",
        "message-id:",
        "delivered-to:",
        "dkim-signature:",
        "x-mailer:",
        "content-type:",
        "subject:",
        "date:",
    ];
    let mut known = 0;
    for line in head.lines().take(60) {
        let lower = line.to_ascii_lowercase();
        let field = lower
            .split(':')
            .next()
            .is_some_and(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
            && lower.contains(':');
        if line.is_empty() || !(field || line.starts_with([' ', '\t'])) {
            break;
        }
        known += usize::from(FIELDS.iter().any(|f| lower.starts_with(f)));
    }
    let sure = ["mime-version:", "message-id:", "received:", "return-path:"]
        .iter()
        .any(|f| head.to_ascii_lowercase().contains(&format!("\n{f}")) || head.to_ascii_lowercase().starts_with(f));
    known >= 3 || (known >= 2 && sure)
}

/// Reads a message; `None` where nothing in the bytes is one. One whose parts cannot be told apart is read as its bytes stand.
pub fn read(bytes: &[u8]) -> Option<Mail> {
    contained(|| parts(bytes)).unwrap_or_else(|| Some(as_it_stands(bytes)))
}

/// What follows the header, undecoded.
fn as_it_stands(bytes: &[u8]) -> Mail {
    let header =
        ["\r\n\r\n", "\n\n"].iter().filter_map(|end| Some(memmem::find(bytes, end.as_bytes())? + end.len())).min();
    let body = bytes.get(header.unwrap_or_default()..).unwrap_or_default();
    let text = String::from_utf8_lossy(body).into_owned();
    let why = "its parts cannot be told apart; read undecoded, as one text";
    Mail {
        parts: vec![Part { text, html: false }],
        unread: vec![("its structure".into(), why.into())],
        ..Mail::default()
    }
}

fn parts(bytes: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(bytes)?;
    let mut mail = Mail {
        date: message.date().map(mail_parser::DateTime::to_rfc3339),
        subject: message.subject().map(str::to_owned),
        from: message.from().and_then(|f| f.first()).and_then(|a| a.name().or_else(|| a.address())).map(str::to_owned),
        ..Mail::default()
    };
    // where a message says the same as HTML and as text, the HTML has the links; a part without such a twin is in both lists
    let chosen = if message.html_body.is_empty() { &message.text_body } else { &message.html_body };
    for (n, part) in message.parts.iter().enumerate() {
        let id = u32::try_from(n).unwrap_or(u32::MAX);
        let name = || {
            let kind = part
                .content_type()
                .map_or_else(|| "text/plain".to_owned(), |t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or("*")));
            format!("part {n} ({kind})")
        };
        if part.is_encoding_problem {
            mail.unread.push((name(), "its transfer encoding is damaged; read as far as it goes".into()));
        }
        match &part.body {
            PartType::Text(text) if chosen.contains(&id) || !message.text_body.contains(&id) => {
                mail.parts.push(Part { text: text.clone().into_owned(), html: false })
            }
            PartType::Html(text) => mail.parts.push(Part { text: text.clone().into_owned(), html: true }),
            PartType::Text(text) => {
                if !text.trim().is_empty() {
                    mail.unread.push((name(), "another form of a part that was read as HTML".into()));
                }
            }
            PartType::Multipart(_) => {}
            PartType::Message(inner) => {
                for part in &inner.parts {
                    match &part.body {
                        PartType::Text(text) => mail.parts.push(Part { text: text.clone().into_owned(), html: false }),
                        PartType::Html(text) => mail.parts.push(Part { text: text.clone().into_owned(), html: true }),
                        _ => {}
                    }
                }
            }
            PartType::Binary(_) | PartType::InlineBinary(_) => {
                mail.unread.push((name(), "an attachment without text".into()))
            }
        }
    }
    Some(mail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(mail: &Mail) -> Vec<(&str, bool)> {
        mail.parts.iter().map(|p| (p.text.trim(), p.html)).collect()
    }

    #[test]
    fn of_twins_the_html_is_read_and_the_other_named() {
        let mail = read(b"From: Press <press@harbour.example>\r\nSubject: Quay 4\r\nDate: Sat, 7 Mar 2026 09:30:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nclosed =E2=80=94 ask us\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+Y2xvc2VkIOKAlCBhc2sgdXM8L3A+\r\n--b--\r\n").unwrap_or_default();
        assert_eq!(texts(&mail), [("<p>closed — ask us</p>", true)]);
        assert_eq!(mail.unread.len(), 1, "{:?}", mail.unread);
        assert!(mail.unread.iter().all(|(part, _)| part.contains("text/plain")), "{:?}", mail.unread);
        assert_eq!((mail.from.as_deref(), mail.subject.as_deref()), (Some("Press"), Some("Quay 4")));
    }

    #[test]
    fn a_forwarded_message_an_attachment_and_a_tree_that_breaks_off() {
        let mail = read(b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\nSubject: forwarded\r\n\r\nsecond https://t.co/Hq7LmZx2Pa\r\n--b\r\nContent-Type: text/plain\r\n\r\nthird, and then no mo").unwrap_or_default();
        let all: Vec<&str> = texts(&mail).iter().map(|t| t.0).collect();
        assert_eq!(all, ["first", "second https://t.co/Hq7LmZx2Pa", "third, and then no mo"]);
        assert_eq!(mail.unread.iter().filter(|(part, _)| part.contains("image/png")).count(), 1, "{:?}", mail.unread);
    }

    #[test]
    fn a_tree_that_the_library_gives_up_on_is_read_all_the_same() {
        // found by a fuzzer: two messages inside, the first of them cut
        let bytes = include_bytes!("../../fuzz/corpus/mail/nested-and-cut");
        let mail = read(bytes).unwrap_or_default();
        assert!(mail.parts.iter().any(|part| part.text.contains("https://t.c")), "{mail:?}");
        let stands = as_it_stands(bytes);
        assert!(texts(&stands).iter().any(|(text, html)| text.starts_with("--b") && !html), "{stands:?}");
        assert_eq!(stands.unread.len(), 1);
    }
}
