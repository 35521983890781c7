//! From settings to what each room below needs, and from the deeds' faults to what a person is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::Global;
use super::fault::{Exit, Fault, chain};
use crate::face::config::Settings;
use crate::face::config::section::{Network, Notify, NotifyKind, RobotsPolicy, SourceKind};
use crate::face::config::value::{Period, Size};
use crate::format::cron::Cron;
use crate::format::http::coding::Limits;
use crate::format::note::VerifierKey;
use crate::format::tsp::Roots;
use crate::platform::secret::Secret;
use crate::resolution::pursuit;
use crate::snapshot::gather;
use crate::work::anchor;
use crate::work::archive::Choices;
use crate::work::attest::Asking;
use crate::work::beacon;
use crate::work::daemon::notices::{Target, TargetWay};
use crate::work::daemon::schedule::Schedule;
use crate::work::daemon::{Feed, Orders};
use crate::work::errand::Manner;
use crate::work::fault::Fault as Deed;
use crate::work::keep::Keys;
use crate::work::parts::Paths;
use crate::work::pursue::Again;
use crate::work::robots::Policy;
use crate::world::clock::Clock;
use crate::world::services::node::Headers;
use crate::world::services::{Services, mail, webhook};
use crate::world::wire::tls;
use crate::world::{input, keys, lock, store, vault, wire};

/// A run waits for its beacon no longer than that.
const BEACON: Duration = Duration::from_secs(10);
/// Longest file of certificates: all of Mozilla's roots are a tenth of it.
const MAX_PEM: u64 = 4 << 20;

/// Where the archive lies.
pub(super) fn paths(global: &Global, settings: &Settings) -> Paths {
    Paths { root: global.archive.clone(), key: settings.ledger.key.clone() }
}

/// Freezes the clock at an RFC 3339 instant, for a test that needs the same world twice.
const TEST_CLOCK: &str = "ONRECORD_TEST_CLOCK";
/// Draws ids and nonces from a whole number, for the same; keys are never made from it.
const TEST_SEED: &str = "ONRECORD_TEST_SEED";

/// How the archive is opened.
pub(super) fn choices(settings: &Settings) -> Result<Choices, Fault> {
    let origin = settings.ledger.origin.trim();
    let clock = of_test::<jiff::Timestamp>(TEST_CLOCK, "an instant such as 2026-01-01T00:00:00Z")?;
    Ok(Choices {
        origin: (!origin.is_empty()).then(|| origin.to_owned()),
        limits: vault::Limits { roll_at: settings.capture.warc_size.0 },
        frozen: clock.is_some(),
        clock: clock.map_or_else(Clock::real, Clock::frozen),
        seed: of_test(TEST_SEED, "a whole number")?,
        ..Choices::default()
    })
}

fn of_test<T: std::str::FromStr>(variable: &str, expected: &str) -> Result<Option<T>, Fault> {
    let Some(value) = std::env::var_os(variable) else { return Ok(None) };
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(value) => Ok(Some(value)),
        None => Err(Fault::plain(Exit::Usage, format!("{variable} is {value:?}, expected {expected}"))
            .hint("unset it; it is for tests alone")),
    }
}

/// The network.
pub(super) fn network(settings: &Settings) -> wire::settings::Settings {
    let network = &settings.network;
    let bytes = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
    wire::settings::Settings {
        connect_to: network.connect_to.clone(),
        ca_certs: network.ca_cert.clone(),
        allow_net: network.allow_net.clone(),
        name_server: network.name_server.map(|server| server.0),
        user_agent: user_agent(network),
        concurrency: network.concurrency.get() as usize,
        per_host: network.per_host.get() as usize,
        timeout: network.timeout.0,
        max_body: network.max_body.0,
        max_head: bytes(network.max_head),
        spill_at: bytes(network.stream_from),
        reading: Limits { output: network.max_decoded.0, ratio: network.max_ratio.get().into(), ..Limits::default() },
        offline: network.offline,
        ..wire::settings::Settings::default()
    }
}

/// What we call ourselves, and how to reach us where that is set.
fn user_agent(network: &Network) -> String {
    match network.contact.trim() {
        "" => network.user_agent.clone(),
        contact => format!("{} (+{contact})", network.user_agent),
    }
}

/// How a run goes about it.
pub(super) fn manner(settings: &Settings) -> Result<Manner, Fault> {
    let capture = &settings.capture;
    let keep = secret(settings.archives.save_keys_file.as_deref(), "archives.save-keys-file")?;
    Ok(Manner {
        limits: limits(settings)?,
        keep: keep.map(|keys| Keys { keys }),
        budget: capture.requisites.then(|| gather::Budget {
            count: capture.requisites_max as usize,
            bytes: capture.snapshot_max_bytes.0,
            ms: u64::try_from(capture.snapshot_max_time.0.as_millis()).unwrap_or(u64::MAX),
            ..gather::Budget::default()
        }),
        again: Again {
            ages: settings.schedule.revisit.iter().map(|period| signed(period.0)).collect(),
            retries: settings.schedule.retry.iter().map(|period| signed(period.0)).collect(),
        },
        at_once: settings.network.concurrency.get() as usize,
        robots: match capture.robots {
            RobotsPolicy::Record => Policy::Record,
            RobotsPolicy::Obey => Policy::Obey,
            RobotsPolicy::Ignore => Policy::Ignore,
        },
        grace: None,
        beacon: beacon(settings)?,
    })
}

/// The beacon whose rounds open runs, and how it is asked.
fn beacon(settings: &Settings) -> Result<Option<beacon::Asking>, Fault> {
    let network = &settings.network;
    let Some(source) = settings.anchor.beacon.clone() else { return Ok(None) };
    let services = (!network.offline).then(|| services(settings)).transpose()?;
    Ok(Some(beacon::Asking { source, services, within: network.timeout.0.min(BEACON) }))
}

/// A client for services.
fn services(settings: &Settings) -> Result<Services, Fault> {
    let network = &settings.network;
    Services::new(&network.user_agent, network.timeout.0, &certificates(&network.ca_cert)?)
        .map_err(|e| Fault::new(Exit::Usage, "set up the network", &e))
}

/// The secret in a file that a setting names.
fn secret(file: Option<&Path>, setting: &str) -> Result<Option<Secret>, Fault> {
    let Some(file) = file else { return Ok(None) };
    let doing = || format!("read the secret that {setting} names, {}", file.display());
    let bytes = input::file(file, 1 << 16).map_err(|e| Fault::new(Exit::Usage, doing(), &e))?;
    let secret = std::str::from_utf8(&bytes).ok().and_then(Secret::read);
    let bad = || Fault::plain(Exit::Usage, format!("failed to {}: expected one line of visible ASCII", doing()));
    secret.map(Some).ok_or_else(bad)
}

/// Whom a checkpoint is shown to, and how they are asked.
pub(super) fn asking(settings: &Settings) -> Result<Asking, Fault> {
    let anchor = &settings.anchor;
    let whom = anchor::Settings {
        authorities: anchor.tsa.clone(),
        roots: roots(&anchor.tsa_roots)?,
        calendars: anchor.calendars.clone(),
        headers: headers(settings),
        witnesses: anchor.witnesses.clone(),
    };
    // Three tries of the slowest, one after the other.
    let within = settings.network.timeout.0.saturating_mul(3);
    Ok(Asking { settings: whom, services: services(settings)?, within })
}

/// The same, where anyone is named and the network may be asked.
pub(super) fn asking_someone(settings: &Settings) -> Result<Option<Asking>, Fault> {
    let anchor = &settings.anchor;
    let witnessed = anchor.witnesses.iter().any(|witness| witness.url.is_some());
    let someone = !anchor.tsa.is_empty() || !anchor.calendars.is_empty() || witnessed;
    (someone && !settings.network.offline).then(|| asking(settings)).transpose()
}

/// Where block headers come from.
pub(super) fn headers(settings: &Settings) -> Option<Headers> {
    let named = settings.anchor.bitcoin_headers.trim();
    match named {
        "" => None,
        url if url.starts_with("http://") || url.starts_with("https://") => Some(Headers::Node(url.parse().ok()?)),
        file => Some(Headers::File(settings.based(Path::new(file)))),
    }
}

/// The pinned roots of timestamp authorities.
pub(super) fn roots(files: &[PathBuf]) -> Result<Roots, Fault> {
    let mut roots = Roots::default();
    for path in files {
        let told = |e: &dyn std::error::Error| {
            Fault::new(Exit::Usage, format!("read the roots in {}", path.display()), e)
                .hint("expected PEM: the certificate of each authority's root")
        };
        let pem = input::file(path, MAX_PEM).map_err(|e| told(&e))?;
        roots.extend(Roots::from_pem(&pem).map_err(|e| told(&e))?);
    }
    Ok(roots)
}

/// The certificates that are trusted besides the world's.
pub(super) fn certificates(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let mut found = Vec::new();
    for path in files {
        let told = |e: &dyn std::error::Error| {
            Fault::new(Exit::Usage, format!("read the certificates in {}", path.display()), e).hint("expected PEM")
        };
        let pem = input::file(path, MAX_PEM).map_err(|e| told(&e))?;
        let before = found.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            found.push(certificate.map_err(|e| told(&e))?);
        }
        if found.len() == before {
            let said = format!("failed to read the certificates in {}: none stands there", path.display());
            return Err(Fault::plain(Exit::Usage, said).hint("expected PEM"));
        }
    }
    Ok(found)
}

/// What the daemon is to do.
pub(super) fn orders(global: &Global, settings: &Settings, wire: wire::Wire) -> Result<Orders, Fault> {
    let schedule = &settings.schedule;
    let put_off = |jitter: Option<Period>| jitter.map_or(jiff::SignedDuration::ZERO, |period| signed(period.0));
    let line = |name: String, line: &str, zone: &str, jitter: Option<Period>| -> Result<Schedule, Fault> {
        let cron =
            Cron::read(line).map_err(|e| Fault::new(Exit::Usage, format!("read the cron line of {name}"), &e))?;
        let zone = jiff::tz::TimeZone::get(zone)
            .map_err(|e| Fault::new(Exit::Usage, format!("read the time zone of {name}"), &e))?;
        Ok(Schedule { name, cron, zone, jitter: put_off(jitter) })
    };
    let mut folders = vec![paths(global, settings).statements()];
    let mut feeds = Vec::new();
    for source in &settings.sources {
        folders.extend(source.path.clone().filter(|_| source.kind == SourceKind::Folder));
        if let (SourceKind::Feed, Some(url)) = (source.kind, &source.url) {
            let name = format!("feed {}", source.name.clone().unwrap_or_else(|| url.to_string()));
            let runs = source.runs.as_deref().unwrap_or(&schedule.runs);
            let zone = source.zone.as_deref().unwrap_or(&schedule.zone);
            let schedule = line(name, runs, zone, source.jitter.or(schedule.jitter))?;
            feeds.push(Feed { schedule, url: url.clone() });
        }
    }
    Ok(Orders {
        runs: line("runs".to_owned(), &schedule.runs, &schedule.zone, schedule.jitter)?,
        catch_up: schedule.catch_up,
        quiet: signed(schedule.quiet.0),
        folders,
        feeds,
        manner: Manner { grace: Some(schedule.grace.0), ..manner(settings)? },
        wire,
        targets: targets(settings)?,
    })
}

/// Who is told of changes.
fn targets(settings: &Settings) -> Result<Vec<Target>, Fault> {
    let mut out: Vec<Target> = Vec::new();
    for notify in &settings.notify {
        let secret = match &notify.secret_file {
            Some(path) => Some(
                keys::secret(path)
                    .map_err(|e| Fault::new(Exit::Usage, "read the secret of a [[notify]]", &e).hint("chmod 600"))?,
            ),
            None => None,
        };
        let (kind, whom) = match notify.kind {
            NotifyKind::Webhook => {
                ("webhook", notify.url.as_ref().and_then(|url| url.host_str()).unwrap_or_default().to_owned())
            }
            NotifyKind::Command => ("command", notify.command.first().cloned().unwrap_or_default()),
            NotifyKind::Email => ("email", notify.to.join(", ")),
        };
        let mut name = notify.name.clone().unwrap_or_else(|| format!("{kind} {whom}"));
        while out.iter().any(|target| target.name == name) {
            name.push_str(" again");
        }
        let way = way(settings, notify, secret)?;
        out.push(Target { name, only: notify.only.clone(), way });
    }
    Ok(out)
}

fn way(settings: &Settings, notify: &Notify, secret: Option<String>) -> Result<TargetWay, Fault> {
    let wrong = |e: &dyn std::error::Error| Fault::new(Exit::Usage, "take a [[notify]]", e);
    Ok(match notify.kind {
        NotifyKind::Webhook => {
            let url = notify.url.clone().ok_or_else(|| Fault::plain(Exit::Usage, "a webhook needs its url"))?;
            let network = &settings.network;
            let roots = certificates(&network.ca_cert)?;
            let services = Services::new(&network.user_agent, network.timeout.0, &roots).map_err(|e| wrong(&e))?;
            TargetWay::Webhook { url, secret: secret.as_deref().map(webhook::Secret::read), services }
        }
        NotifyKind::Command => TargetWay::Command(notify.command.clone()),
        NotifyKind::Email => {
            let from = notify.from.clone().unwrap_or_default();
            let user = notify.username.clone().unwrap_or_else(|| from.clone());
            let login = secret.map(|password| (user, password));
            let server = notify.smtp.clone().unwrap_or_default();
            TargetWay::Mail(Box::new(mail::Post::new(&server, login, &from, &notify.to).map_err(|e| wrong(&e))?))
        }
    })
}

/// How far a resolution goes.
pub(super) fn limits(settings: &Settings) -> Result<pursuit::Limits, Fault> {
    Ok(pursuit::Limits {
        timegates: settings.archives.timegates.clone(),
        archive_today: settings.archives.archive_today,
        x_bearer: secret(settings.platforms.x_bearer_file.as_deref(), "platforms.x-bearer-file")?,
        max_hops: settings.network.max_hops.get() as usize,
        requests: settings.capture.requests_per_citation.get() as usize,
        both_views: settings.capture.both_views,
        time: signed(settings.network.citation_timeout.0),
        ..pursuit::Limits::default()
    })
}

fn signed(period: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(period).unwrap_or(jiff::SignedDuration::MAX)
}

/// What a person is told of a deed that failed, and the code it ends with.
pub(super) fn fault(doing: &str) -> impl Fn(Deed) -> Fault + '_ {
    move |deed| {
        let exit = match &deed {
            Deed::Input { .. } | Deed::Foreign { .. } => Exit::Usage,
            Deed::Wire(tls::Error::CaCert { .. } | tls::Error::NoCaCert(_) | tls::Error::BadCaCert { .. }) => {
                Exit::Usage
            }
            Deed::NotHere(_) | Deed::NoArchive(_) => Exit::NotFound,
            Deed::Damaged(_) => Exit::Damaged,
            Deed::Lock(lock::Error::Held { .. }) => Exit::InUse,
            Deed::Store(store::Error::Newer { .. } | store::Error::Older { .. } | store::Error::Foreign(_)) => {
                Exit::Usage
            }
            Deed::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        };
        let hint = hint(&deed);
        let fault = Fault::plain(exit, format!("failed to {doing}: {}", chain(&deed)));
        match hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}

fn hint(deed: &Deed) -> Option<String> {
    Some(match deed {
        Deed::Input { hint, .. } => hint.clone(),
        Deed::NoArchive(_) => "name the archive with --archive DIR, or make one with onrecord init".to_owned(),
        Deed::Foreign { .. } => "name another folder with --archive DIR".to_owned(),
        Deed::Damaged(_) => "onrecord verify names everything that is wrong".to_owned(),
        Deed::Lock(lock::Error::Held { .. }) => "wait for it to end, or stop it".to_owned(),
        Deed::Lock(lock::Error::File(..)) => {
            "writing takes the archive's lock: see that its folder and .lock are there and yours to write".to_owned()
        }
        Deed::Wire(tls::Error::CaCert { .. } | tls::Error::NoCaCert(_) | tls::Error::BadCaCert { .. }) => {
            "expected PEM: a file with the certificates to trust".to_owned()
        }
        Deed::Key(_) | Deed::NotAKey(_) => {
            "only with its signing key is anything added to an archive: put the file back from a \
             copy, readable by you alone (chmod 600), or name it with key in [ledger]"
                .to_owned()
        }
        Deed::Ledger(_) => {
            "ledger/checkpoint and ledger/vkey must be there and readable: put back from a copy what is not; \
             onrecord verify names everything that is wrong"
                .to_owned()
        }
        Deed::Store(store::Error::Newer { .. }) => "use the newer onrecord that wrote it".to_owned(),
        Deed::Store(store::Error::Foreign(_)) => {
            "move that file away; onrecord reindex makes the catalogue anew from warc/ and ledger/".to_owned()
        }
        Deed::Store(store::Error::Unfolded(_)) => "copy the archive to where it can be written".to_owned(),
        Deed::Store(_) => "onrecord reindex makes the catalogue anew from warc/ and ledger/".to_owned(),
        Deed::Vault(_) | Deed::File { .. } | Deed::Sealing(_) => {
            "what was acknowledged is safe; make room or access and run again".to_owned()
        }
        _ => return None,
    })
}

/// Longest note: a checkpoint with many signatures is far shorter.
const NOTE_MAX: u64 = 1 << 20;

/// A verifier key from a file of one line.
pub(super) fn key(path: &std::path::Path) -> Result<VerifierKey, Fault> {
    let text = String::from_utf8_lossy(&note(path)?).trim().to_owned();
    text.parse().map_err(|e| {
        Fault::new(Exit::Usage, format!("read the key in {}", path.display()), &e)
            .hint("expected one line: name+hash+key, as in ledger/vkey")
    })
}

/// A signed note, or another small file of one, from where the user keeps it.
pub(super) fn note(path: &std::path::Path) -> Result<Vec<u8>, Fault> {
    input::file(path, NOTE_MAX).map_err(|e| Fault::new(Exit::Usage, format!("read {}", path.display()), &e))
}
