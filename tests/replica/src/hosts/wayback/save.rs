//! Save Page Now 2: submitted, pending, done, and found only later (PLATFORMS 6.3).

use std::sync::{Arc, PoisonError};

use sha1::{Digest, Sha1};

use crate::calendar;
use crate::fixtures;
use crate::hosts::wayback::{Capture, own};
use crate::post::quote;
use crate::reply::{Answer, Reply};
use crate::request::Request;
use crate::world::World;

/// When every save of the replica is done.
const STAMP: &str = "20261123060005";

/// One page being saved.
#[derive(Debug)]
pub(crate) struct Job {
    url: String,
    polls: usize,
    lookups: usize,
    capture: Option<Arc<Capture>>,
}

/// Submission and status.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let known = request.header("authorization").is_some_and(|v| v.starts_with("LOW "));
    let body = |name: &str| own(Reply::json(200, fixtures::bytes(&format!("wayback/spn2/{name}"))));
    match (request.method.as_str(), request.path()) {
        ("POST", "/save") if known => submit(world, request),
        ("POST", "/save") => Reply { status: 401, ..body("submit.401.json") },
        (_, "/save/status/system") => body("system.json"),
        (_, "/save/status/user") if known => body("user.json"),
        (_, path) if path.starts_with("/save/status/") => status(world, path.trim_start_matches("/save/status/")),
        _ => Reply { status: 429, ..crate::hosts::wayback::page("429 Too Many Requests", "Too Many Requests") },
    }
}

fn submit(world: &World, request: &Request) -> Reply {
    let form = url::form_urlencoded::parse(&request.body).find(|(name, _)| name == "url");
    let Some((_, url)) = form else {
        return own(Reply::json(400, "{\"status\":\"error\",\"status_ext\":\"error:bad-request\"}"));
    };
    let errors = [("daily-limit", "daily-limit.example"), ("session-limit", "session-limit.example")];
    if let Some((name, _)) = errors.iter().find(|(_, host)| url.contains(host)) {
        return own(Reply::json(200, fixtures::bytes(&format!("wayback/spn2/submit.{name}.200.json"))));
    }
    let job = format!("spn2-{}", data_encoding::HEXLOWER.encode(&Sha1::digest(url.as_bytes())));
    let mut saves = world.saves.lock().unwrap_or_else(PoisonError::into_inner);
    let known = saves.contains_key(&job);
    saves.entry(job.clone()).or_insert_with(|| Job { url: url.to_string(), polls: 0, lookups: 0, capture: None });
    let again = "The same snapshot had been made 2 minutes ago. You can make new capture of this URL after 1 hour.";
    let message = if known { format!(",\"message\":{}", quote(again)) } else { String::new() };
    own(Reply::json(200, format!("{{\"url\":{},\"job_id\":\"{job}\"{message}}}", quote(&url))))
}

fn status(world: &World, id: &str) -> Reply {
    let mut saves = world.saves.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(job) = saves.get_mut(id) else {
        let body = format!("{{\"status\":\"error\",\"job_id\":{},\"status_ext\":\"error:not-found\"}}", quote(id));
        return own(Reply::json(404, body));
    };
    job.polls += 1;
    if job.polls <= world.switches.save_polls {
        return own(Reply::json(200, format!("{{\"job_id\":\"{id}\",\"resources\":[],\"status\":\"pending\"}}")));
    }
    for name in ["error", "no-captures", "too-many-requests-in-200"] {
        if job.url.contains(&format!("{name}.example")) {
            return own(Reply::json(200, fixtures::bytes(&format!("wayback/spn2/status.{name}.json"))));
        }
    }
    let (url, known) = (job.url.clone(), job.capture.clone());
    // Asking the world may look into the saves again: not while they are held.
    drop(saves);
    let at = calendar::from_fourteen(STAMP).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let capture = known.unwrap_or_else(|| Arc::new(taken(world, &url, at)));
    if let Some(job) = world.saves.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
        job.capture.get_or_insert_with(|| Arc::clone(&capture));
    }
    let body = format!(
        "{{\"counters\":{{\"embeds\":1,\"outlinks\":0}},\"duration_sec\":3.087,\"http_status\":{},\
         \"job_id\":\"{id}\",\"original_url\":{},\"outlinks\":[],\"resources\":[{}],\"status\":\"success\",\
         \"timestamp\":\"{STAMP}\"}}",
        capture.status.unwrap_or(200),
        quote(&capture.original),
        quote(&url)
    );
    own(Reply::json(200, body))
}

/// What the archive's own client is answered.
pub(crate) fn taken(world: &World, url: &str, at: jiff::Timestamp) -> Capture {
    let request = Request::get(url, "Mozilla/5.0 (compatible; archive.org_bot)");
    let Answer::Reply(reply) = world.answer(&request).negotiated("") else {
        return Capture::new(url, at, "text/html", 200, vec![]);
    };
    let field = |name: &str| {
        let found = reply.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    let mime = field("content-type").unwrap_or_else(|| "text/html".into());
    let mime = mime.split(';').next().unwrap_or("text/html").to_owned();
    let location = field("location");
    Capture { location, ..Capture::new(url, at, &mime, reply.status, reply.body) }
}

/// What was saved and is found by now; each look brings the rest nearer.
pub(crate) fn visible(world: &World) -> Vec<Arc<Capture>> {
    let mut saves = world.saves.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = Vec::new();
    for job in saves.values_mut() {
        let Some(capture) = &job.capture else { continue };
        if job.lookups >= world.switches.save_lag {
            found.push(Arc::clone(capture));
        }
        job.lookups += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    #[test]
    fn a_save_is_submitted_then_pending_then_done_then_found() {
        let mut world = World::new(&Options::default());
        world.switches.save_lag = 1;
        let mut post = Request::get("https://web.archive.org/save", "onrecord");
        post.method = "POST".into();
        post.body = b"url=https%3A%2F%2Fharbour.example%2Fq4".to_vec();
        assert_eq!(answer(&world, &post).status, 401);
        post.headers.push(("Authorization".into(), "LOW key:secret".into()));
        let submitted: serde_json::Value = serde_json::from_slice(&answer(&world, &post).body).unwrap();
        let poll = format!("https://web.archive.org/save/status/{}", submitted["job_id"].as_str().unwrap());
        let poll = Request::get(&poll, "onrecord");
        let word = |reply: Reply| {
            let value: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            value["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(word(answer(&world, &poll)), "pending");
        assert_eq!(word(answer(&world, &poll)), "success");
        let find = format!("https://web.archive.org/web/{STAMP}id_/https://harbour.example/q4");
        let find = Request::get(&find, "onrecord");
        assert_ne!(crate::hosts::wayback::answer(&world, &find).status, 200);
        assert_eq!(crate::hosts::wayback::answer(&world, &find).status, 200);
    }
}
