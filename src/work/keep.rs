//! Asks the Wayback Machine to keep a copy (Save Page Now 2), where the user's keys are set: submitted, claimed, and confirmed only
//! when the memento of the very instant is read back.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::format::http::{Answer, Request};
use crate::platform::secret::Secret;
use crate::platform::wayback::{self, Save};
use crate::record::{ArchiveRequested, Requested, RunId};
use crate::resolution::exchange::Evidence;
use crate::work::capture::Capture;
use crate::work::fault::Fault;

/// Between two questions about a job.
const PAUSE: Duration = Duration::from_secs(3);
/// Questions about one job: a capture takes two minutes at most (2025-10).
const QUESTIONS: usize = 40;

/// Keys, and how patiently to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// `ACCESS:SECRET`
    pub keys: Secret,
}

/// Asks for a copy of `url` and follows the job to its end.
///
/// # Errors
/// What stops the run: the vault, never the archive.
pub async fn keep(capture: &Arc<Capture>, run: RunId, url: &str, keys: &Keys) -> Result<ArchiveRequested, Fault> {
    let mut asked = Asked { capture, evidence: Vec::new() };
    let mut out = ArchiveRequested {
        run,
        archive: wayback::HOST.to_owned(),
        url: url.to_owned(),
        state: Requested::Refused,
        why: String::new(),
        job: None,
        timestamp: None,
        asked: Vec::new(),
    };
    out.state = asked.follow(&mut out, keys).await?;
    out.asked = asked.evidence;
    Ok(out)
}

/// Copies asked about again in one run.
pub const ASKED_AGAIN: usize = 50;
/// What the archive could not do then, it is asked to do again after this long.
const LATER: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Whether a copy asked for at `at` is asked about again at `now`: a job that was under way and a copy that was not there yet at the
/// next occasion, what the archive put off an hour later.
pub fn is_due(state: Requested, at: jiff::Timestamp, now: jiff::Timestamp) -> bool {
    match state {
        Requested::Submitted | Requested::Claimed => true,
        Requested::Later => now.duration_since(at) >= LATER,
        Requested::Confirmed | Requested::Refused => false,
    }
}

/// Asks again about a copy that was not confirmed: about its job, for the copy it was said to be, or for the whole once more.
///
/// # Errors
/// What stops the run: the vault, never the archive.
pub async fn again(
    capture: &Arc<Capture>,
    run: RunId,
    before: ArchiveRequested,
    keys: &Keys,
) -> Result<ArchiveRequested, Fault> {
    let mut asked = Asked { capture, evidence: Vec::new() };
    let mut out = ArchiveRequested { run, why: String::new(), asked: Vec::new(), ..before };
    out.state = match (out.state, out.timestamp.clone(), out.job.clone()) {
        (Requested::Claimed, Some(stamp), _) => {
            let original = out.url.clone();
            asked.read_back(&mut out, &stamp, &original).await?
        }
        (Requested::Submitted, _, Some(job)) => {
            let said = asked.ask(wayback::status(&job, keys.keys.reveal())).await?;
            asked.judge(&mut out, keys, said, 1).await?
        }
        _ => {
            out.job = None;
            asked.follow(&mut out, keys).await?
        }
    };
    out.asked = asked.evidence;
    Ok(out)
}

struct Asked<'a> {
    capture: &'a Arc<Capture>,
    evidence: Vec<Evidence>,
}

impl Asked<'_> {
    async fn ask(&mut self, request: Option<Request>) -> Result<Result<Answer, String>, Fault> {
        let Some(request) = request else { return Ok(Err("the request cannot be written".to_owned())) };
        let exchange = self.capture.fresh(&request).await?;
        self.evidence.extend(exchange.evidence);
        Ok(exchange.outcome.map_err(|failure| failure.to_string()))
    }

    async fn follow(&mut self, out: &mut ArchiveRequested, keys: &Keys) -> Result<Requested, Fault> {
        let said = self.ask(wayback::submit(&out.url, keys.keys.reveal())).await?;
        self.judge(out, keys, said, QUESTIONS).await
    }

    /// What an answer amounts to, and up to so many more about the same job.
    async fn judge(
        &mut self,
        out: &mut ArchiveRequested,
        keys: &Keys,
        mut said: Result<Answer, String>,
        questions: usize,
    ) -> Result<Requested, Fault> {
        for question in 0..=questions {
            let save = match &said {
                Ok(answer) => wayback::save(answer),
                Err(why) => Save::Later(why.clone()),
            };
            match save {
                Save::Claimed { timestamp, original } => {
                    out.timestamp = Some(timestamp.clone());
                    return self.read_back(out, &timestamp, &original).await;
                }
                Save::Refused(why) => {
                    out.why = why;
                    return Ok(Requested::Refused);
                }
                Save::Later(why) => {
                    out.why = why;
                    return Ok(if out.job.is_some() { Requested::Submitted } else { Requested::Later });
                }
                Save::Unreadable => {
                    out.why = "no answer of this service".to_owned();
                    return Ok(if out.job.is_some() { Requested::Submitted } else { Requested::Later });
                }
                Save::Submitted { job } if question == questions => {
                    out.job.get_or_insert(job);
                }
                Save::Submitted { job } => {
                    if question > 1 {
                        tokio::time::sleep(PAUSE).await;
                    }
                    let job = out.job.get_or_insert(job).clone();
                    said = self.ask(wayback::status(&job, keys.keys.reveal())).await?;
                }
            }
        }
        out.why = "the job was still pending when the last question was put".to_owned();
        Ok(Requested::Submitted)
    }

    /// A claim is believed when the archive gives the copy of that very instant.
    async fn read_back(&mut self, out: &mut ArchiveRequested, stamp: &str, original: &str) -> Result<Requested, Fault> {
        let place = format!("https://{}/web/{stamp}id_/{original}", wayback::HOST);
        let Ok(url) = Url::parse(&place) else { return Ok(Requested::Claimed) };
        match self.ask(Some(Request::get(url.clone()))).await? {
            Ok(answer) if wayback::confirms(stamp, &wayback::memento(&url, &answer)) => Ok(Requested::Confirmed),
            Ok(_) => {
                out.why = format!("{place} is not there yet");
                Ok(Requested::Claimed)
            }
            Err(why) => {
                out.why = why;
                Ok(Requested::Claimed)
            }
        }
    }
}
