//! E-mail (RFC 5322, MIME RFC 2045 to 2049): its readable parts as text, in order, and its header's words.

use mail_parser::{MessageParser, MimeHeaders, PartType};

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

/// Reads a message; `None` where nothing in the bytes is one.
pub fn read(bytes: &[u8]) -> Option<Mail> {
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
            PartType::Text(_) | PartType::Multipart(_) => {}
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
