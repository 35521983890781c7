//! Letters: a notice is sent through a mail server (SMTP, RFC 5321), over TLS unless the server is on this machine.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

/// The port on which TLS comes first (RFC 8314).
const SUBMISSIONS: u16 = 465;
/// The port letters are handed in at where none is named (RFC 6409).
const SUBMISSION: u16 = 587;

/// A mail server, and in whose name letters go to whom.
#[derive(Clone, Debug)]
pub struct Post {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// a sender or a recipient that is none
    #[error("{0:?} is no mail address")]
    Address(String),
    /// a server that is none
    #[error("{0:?} is no mail server, expected host:port")]
    Server(String),
    /// a letter that is none
    #[error("write the letter")]
    Letter(#[from] lettre::error::Error),
    /// the server did not take it
    #[error("mail server")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

impl Post {
    /// A way to send letters through `server` (`host:port`), as `login` (user and password) where it asks for one.
    ///
    /// # Errors
    /// Addresses that are none, and a server that is none.
    pub fn new(server: &str, login: Option<(String, String)>, from: &str, to: &[String]) -> Result<Self, Error> {
        let none = || Error::Server(server.to_owned());
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| none())?),
            None => (server, SUBMISSION),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(none());
        }
        let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let tls = || TlsParameters::new(host.to_owned());
        let tls = match (here, port) {
            (true, _) => Tls::None,
            (false, SUBMISSIONS) => Tls::Wrapper(tls()?),
            (false, _) => Tls::Required(tls()?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(Duration::from_secs(30)));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user, password));
        }
        let mailbox = |text: &str| text.parse().map_err(|_| Error::Address(text.to_owned()));
        Ok(Self {
            server: builder.build(),
            from: mailbox(from)?,
            to: to.iter().map(|text| mailbox(text)).collect::<Result<_, _>>()?,
        })
    }

    /// Sends a letter of plain text. Its id makes the same letter, sent again, known to be the same.
    ///
    /// # Errors
    /// The server did not take it.
    pub async fn send(&self, id: &str, subject: &str, text: String) -> Result<(), Error> {
        let mut letter = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            letter = letter.to(to.clone());
        }
        self.server.send(letter.body(text)?).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_and_no_server_is_named() {
        let to = ["a@b.example".to_owned()];
        assert!(Post::new("mail.example:465", None, "a@b.example", &to).is_ok());
        assert!(Post::new("[::1]:25", None, "Archive <a@b.example>", &to).is_ok());
        assert!(matches!(Post::new("mail.example:x", None, "a@b.example", &to), Err(Error::Server(_))));
        assert!(matches!(Post::new(":25", None, "a@b.example", &to), Err(Error::Server(_))));
        assert!(matches!(Post::new("localhost", None, "nobody", &to), Err(Error::Address(_))));
        assert!(matches!(Post::new("localhost", None, "a@b.example\r\nBcc: c@d.example", &to), Err(Error::Address(_))));
    }
}
