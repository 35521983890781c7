//! The sections of `onrecord.toml` and every key in them: its type, its default, what it is for.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;
use url::Url;

use super::value::{Expected, NameServer, Period, Raw, Setting, Size};
use crate::work::anchor::Witness;
use crate::work::beacon::Source as Beacon;
use crate::world::wire::settings::ConnectTo;

/// What the loader and `onrecord config` need of a section, whatever its keys.
pub(super) trait Section: Default {
    /// every key, in order
    const KEYS: &'static [&'static str];

    /// Sets `key`; relative paths are taken from `base`.
    fn set(&mut self, key: &str, raw: &Raw, base: &Path) -> Result<(), Expected>;

    /// `(key, for a program, for a person)` of every key, in order.
    fn show(&self) -> Vec<(&'static str, Value, String)>;
}

/// Makes a struct and its [`Section`] from one list, so that a key cannot exist in one place and be missing in another.
macro_rules! section {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $key:literal $field:ident : $kind:ty = $default:expr;)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Section for $name {
            const KEYS: &'static [&'static str] = &[$($key),*];

            fn set(&mut self, key: &str, raw: &Raw, base: &Path) -> Result<(), Expected> {
                match key {
                    $($key => self.$field = <$kind as Setting>::read(raw)?.based(base),)*
                    _ => return Err("a known key"),
                }
                Ok(())
            }

            fn show(&self) -> Vec<(&'static str, Value, String)> {
                vec![$(($key, self.$field.json(), self.$field.text())),*]
            }
        }
    };
}

const fn at_least_one(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

const fn seconds(n: u64) -> Period {
    Period(Duration::from_secs(n))
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

section! {
    /// `[network]`: how the network is asked, and what it may not do to us.
    Network {
        /// connections sent elsewhere, as curl's `--connect-to`
        "connect-to" connect_to: Vec<ConnectTo> = Vec::new();
        /// PEM files with further trusted roots
        "ca-cert" ca_cert: Vec<PathBuf> = Vec::new();
        /// private address ranges that may be connected to
        "allow-net" allow_net: Vec<IpNet> = Vec::new();
        /// who is asked for the addresses of hosts and the keys of e-mails, instead of the system's name servers
        "name-server" name_server: Option<NameServer> = None;
        /// what we call ourselves; t.co answers a plain redirect only to agents that are no browser
        "user-agent" user_agent: String = concat!("onrecord/", env!("CARGO_PKG_VERSION")).to_owned();
        /// an address or page where whoever is asked can reach you; stands behind the User-Agent
        "contact" contact: String = String::new();
        /// exchanges at once
        "concurrency" concurrency: NonZeroU32 = at_least_one(16);
        /// exchanges at once with one host
        "per-host" per_host: NonZeroU32 = at_least_one(2);
        /// bound on one exchange, first byte to last
        "timeout" timeout: Period = seconds(30);
        /// hops from a citation to its end
        "max-hops" max_hops: NonZeroU32 = at_least_one(20);
        /// bytes of one body; what is longer is cut and marked
        "max-body" max_body: Size = Size(512 << 20);
        /// bytes of one head
        "max-head" max_head: Size = Size(256 << 10);
        /// bytes that a body may decode to for reading; the bytes as they came are kept whole
        "max-decoded" max_decoded: Size = Size(64 << 20);
        /// and how many times its own size
        "max-ratio" max_ratio: NonZeroU32 = at_least_one(200);
        /// bytes of one response held in memory; longer ones go to their WARC file as they come
        "stream-from" stream_from: Size = Size(1 << 20);
        /// bound on one citation, its first request to its last
        "citation-timeout" citation_timeout: Period = seconds(300);
        /// nothing is asked at all
        "offline" offline: bool = false;
    }
}

section! {
    /// `[capture]`: how much of a page and of a post is kept.
    Capture {
        /// whether what a reader needs to see the page is fetched too
        "requisites" requisites: bool = true;
        /// how many of them at most
        "requisites-max" requisites_max: u32 = 200;
        /// bytes of one snapshot, all its exchanges together
        "snapshot-max-bytes" snapshot_max_bytes: Size = Size(1 << 30);
        /// how long the requisites of one snapshot may take, all together
        "snapshot-max-time" snapshot_max_time: Period = seconds(300);
        /// what a site's robots.txt is to us: kept as evidence, kept and obeyed, or not asked for
        "robots" robots: RobotsPolicy = RobotsPolicy::Record;
        /// bytes after which a WARC file is sealed and the next begun
        "warc-size" warc_size: Size = Size(1 << 30);
        /// whether a page is asked for as a browser and as an agent
        "both-views" both_views: bool = false;
        /// requests to a platform and to archives for one citation
        "requests-per-citation" requests_per_citation: NonZeroU32 = at_least_one(12);
    }
}

section! {
    /// `[archives]`: web archives, for what is gone or gated, and for copies elsewhere.
    Archives {
        /// Memento TimeGates (RFC 7089) asked after the Wayback Machine; the URL sought is put behind each
        "timegates" timegates: Vec<Url> = Vec::new();
        /// whether archive.today is asked after the Wayback Machine
        "archive-today" archive_today: bool = true;
        /// file with `ACCESS:SECRET` of archive.org; with it Save Page Now is asked to keep a copy of what was captured
        "save-keys-file" save_keys_file: Option<PathBuf> = None;
    }
}

section! {
    /// `[platforms]`: what a user brings along. Everything works without.
    Platforms {
        /// file with a bearer token for the API of X
        "x-bearer-file" x_bearer_file: Option<PathBuf> = None;
    }
}

section! {
    /// `[anchor]`: outside witnesses of a checkpoint. Nobody is asked unless named here or by a flag.
    Anchor {
        /// RFC 3161 timestamp authorities
        "tsa" tsa: Vec<Url> = Vec::new();
        /// PEM files with the authorities' roots
        "tsa-roots" tsa_roots: Vec<PathBuf> = Vec::new();
        /// OpenTimestamps calendars
        "calendars" calendars: Vec<Url> = Vec::new();
        /// file, or URL of a node, to confirm OpenTimestamps proofs with; empty: they are not confirmed
        "bitcoin-headers" bitcoin_headers: String = String::new();
        /// witnesses: a C2SP vkey each and, where it is to be asked, a space and its URL
        "witnesses" witnesses: Vec<Witness> = Vec::new();
        /// randomness beacon (drand) whose latest round opens each run: nothing of it was written before; an address that ends in a
        /// chain's hash, or any server's of quicknet
        "beacon" beacon: Option<Beacon> = None;
    }
}

section! {
    /// `[ledger]`: the log's name and key.
    Ledger {
        /// the log's origin line; empty: made from its key when the archive is made
        "origin" origin: String = String::new();
        /// the signing key; a relative path is taken from the archive
        "key" key: PathBuf = PathBuf::from("keys/ledger.pem");
    }
}

section! {
    /// `[schedule]`: when the daemon runs.
    Schedule {
        /// cron line of the runs
        "runs" runs: String = "*/15 * * * *".to_owned();
        /// ages at which a citation is asked again; the last one repeats
        "revisit" revisit: Vec<Period> = vec![
            seconds(HOUR), seconds(DAY), seconds(7 * DAY), seconds(30 * DAY), seconds(90 * DAY),
        ];
        /// pauses after endings worth another try; the last one repeats
        "retry" retry: Vec<Period> = vec![
            seconds(HOUR), seconds(4 * HOUR), seconds(12 * HOUR), seconds(DAY), seconds(7 * DAY),
        ];
        /// time zone of the cron lines, IANA name
        "zone" zone: String = "UTC".to_owned();
        /// each run is put off by up to so long, the same for the same run; none where empty
        "jitter" jitter: Option<Period> = None;
        /// how long a file must have been left alone before it is taken in
        "quiet" quiet: Period = seconds(2);
        /// how long what is in flight is waited for when the daemon is told to stop
        "grace" grace: Period = seconds(30);
        /// whether a run missed while the machine was off is made up for
        "catch-up" catch_up: bool = true;
    }
}

section! {
    /// `[serve]`: where the daemon and the web face listen.
    Serve {
        /// address and port
        "listen" listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8044));
    }
}

section! {
    /// One `[[source]]`: where statements come from besides the inbox.
    Source {
        /// `folder` or `feed`
        "kind" kind: SourceKind = SourceKind::Folder;
        /// what it is called in records and messages
        "name" name: Option<String> = None;
        /// the folder
        "path" path: Option<PathBuf> = None;
        /// the feed
        "url" url: Option<Url> = None;
        /// its own cron line
        "runs" runs: Option<String> = None;
        /// time zone of that line
        "zone" zone: Option<String> = None;
        /// how much its runs are put off
        "jitter" jitter: Option<Period> = None;
    }
}

section! {
    /// One `[[notify]]`: who is told of changes.
    Notify {
        /// `webhook`, `command` or `email`
        "kind" kind: NotifyKind = NotifyKind::Webhook;
        /// the webhook
        "url" url: Option<Url> = None;
        /// file that holds the webhook's signing secret or the mail server's password
        "secret-file" secret_file: Option<PathBuf> = None;
        /// program and arguments
        "command" command: Vec<String> = Vec::new();
        /// mail server, `host:port`
        "smtp" smtp: Option<String> = None;
        /// who logs in to the mail server; the sender where empty
        "username" username: Option<String> = None;
        /// kinds of change that are told, as `deleted` or `words`; all where empty
        "only" only: Vec<String> = Vec::new();
        /// what it is called in messages
        "name" name: Option<String> = None;
        /// sender
        "from" from: Option<String> = None;
        /// recipients
        "to" to: Vec<String> = Vec::new();
    }
}

impl Source {
    /// What it lacks to be of use.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        match self.kind {
            SourceKind::Folder if self.path.is_none() => Some("path"),
            SourceKind::Feed if self.url.is_none() => Some("url"),
            _ => None,
        }
    }
}

impl Notify {
    /// What it lacks to be of use.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        match self.kind {
            NotifyKind::Webhook if self.url.is_none() => Some("url"),
            NotifyKind::Command if self.command.is_empty() => Some("command"),
            NotifyKind::Email if self.smtp.is_none() => Some("smtp"),
            NotifyKind::Email if self.from.is_none() => Some("from"),
            NotifyKind::Email if self.to.is_empty() => Some("to"),
            _ => None,
        }
    }
}

/// Makes a setting that is one of a few words.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident, $expected:literal { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl Setting for $name {
            fn read(raw: &Raw) -> Result<Self, Expected> {
                match raw {
                    Raw::Str(word) | Raw::Loose(word) => match word.as_str() {
                        $($word => Ok(Self::$variant),)*
                        _ => Err($expected),
                    },
                    _ => Err($expected),
                }
            }

            fn json(&self) -> Value {
                match self { $(Self::$variant => $word.into(),)* }
            }
        }
    };
}

choice! {
    /// What robots.txt is to us. Pages that a statement names are fetched singly, so it is kept and not obeyed by default.
    RobotsPolicy, "\"record\", \"obey\" or \"ignore\"" {
        /// kept
        Record = "record",
        /// kept and obeyed
        Obey = "obey",
        /// not asked for
        Ignore = "ignore",
    }
}

choice! {
    /// Kinds of source.
    SourceKind, "\"folder\" or \"feed\"" {
        /// a folder of statements
        Folder = "folder",
        /// RSS, Atom or JSON Feed
        Feed = "feed",
    }
}

choice! {
    /// Kinds of notice.
    NotifyKind, "\"webhook\", \"command\" or \"email\"" {
        /// an HTTP POST
        Webhook = "webhook",
        /// a program is run
        Command = "command",
        /// a letter through SMTP
        Email = "email",
    }
}
