//! What the daemon shows and takes on its own port: health, readiness, metrics, a feed of changes, statements handed in.
//!
//! Trust: whoever reaches the port can see how much there is and what changed; whoever also has the token can add
//! statements, and nothing else.

pub mod metrics;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::Notify;

use crate::format::digest::Digest;
use crate::format::feed::{self, Item};
use crate::work::daemon::notices::Told;
use crate::work::daemon::status::Status;
use crate::world::durable::{Disk, Keeping};
use crate::world::store::Store;

/// Bytes of a statement handed in; longer ones go into the inbox as files.
const MAX_STATEMENT: usize = 64 << 20;
/// A daemon that has shown no life for so long is not well.
const SILENT: SignedDuration = SignedDuration::from_mins(10);
/// Changes in the feed.
const CHANGES: usize = 100;

/// What the handlers need.
#[derive(Debug)]
pub struct Desk {
    /// what the daemon is doing
    pub status: Arc<Status>,
    /// the catalogue
    pub catalogue: PathBuf,
    /// where statements handed in are put
    pub inbox: PathBuf,
    /// SHA-256 of the token
    pub token: Digest,
    /// the ledger's origin
    pub archive: String,
    /// told when something was handed in
    pub handed_in: Arc<Notify>,
}

/// The routes.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(show_metrics))
        .route("/changes.atom", get(changes))
        .route("/statements", post(hand_in).layer(DefaultBodyLimit::max(MAX_STATEMENT)))
        .with_state(desk)
}

async fn healthz(State(desk): State<Arc<Desk>>) -> Response {
    let beat = desk.status.beat.get();
    let is_alive = beat.is_some_and(|beat| desk.status.clock.now().duration_since(beat) < SILENT);
    let code = if is_alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "alive": is_alive, "last-sign-of-life": beat, "last-trouble": desk.status.last_trouble() });
    (code, Json(body)).into_response()
}

async fn readyz(State(desk): State<Arc<Desk>>) -> Response {
    let is_ready = desk.status.is_ready() && Store::open_read(&desk.catalogue).is_ok();
    let code = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let state = match () {
        () if is_ready => "ready",
        () if desk.status.stopping.load(Ordering::Relaxed) => "stopping",
        () if desk.status.ready.load(Ordering::Relaxed) => "without its catalogue",
        () => "starting",
    };
    let body = json!({ "ready": is_ready, "state": state, "next-run": desk.status.next_run.get(),
        "last-run": desk.status.last_run.get() });
    (code, Json(body)).into_response()
}

async fn show_metrics(State(desk): State<Arc<Desk>>) -> Response {
    match metrics::text(&desk.status, &desk.catalogue) {
        Ok(text) => ([(header::CONTENT_TYPE, crate::format::metrics::MEDIA_TYPE)], text).into_response(),
        Err(error) => failed(&error),
    }
}

async fn changes(State(desk): State<Arc<Desk>>) -> Response {
    let rows = match Store::open_read(&desk.catalogue).and_then(|store| store.newest_changes(CHANGES)) {
        Ok(rows) => rows,
        Err(error) => return failed(&error),
    };
    let item = |told: Told| Item {
        id: format!("urn:onrecord:change:{}:{}", Digest::of(desk.archive.as_bytes()).hex(), told.index),
        title: told.title(),
        text: told.text(),
        link: Some(told.raw.clone()).filter(|raw| raw.starts_with("http")),
        at: told.at,
    };
    let items: Vec<Item> = rows.into_iter().map(|row| item(Told::of(row, &desk.archive))).collect();
    let id = format!("urn:onrecord:changes:{}", Digest::of(desk.archive.as_bytes()).hex());
    let title = format!("Changes seen by {}", desk.archive);
    let text = feed::atom(&id, &title, &items, desk.status.clock.now());
    ([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], text).into_response()
}

/// A statement is a file in the inbox once this answers 202: from there on it is taken in like any other.
async fn hand_in(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_allowed(&desk, &headers) {
        desk.status.turned_away.up();
        let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, ask, Json(json!({ "error": "the bearer token is missing or wrong" })))
            .into_response();
    }
    if body.is_empty() {
        desk.status.turned_away.up();
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "the statement is empty" }))).into_response();
    }
    let id = Digest::of(&body);
    let name = format!("intake-{}{}", id.hex(), extension(&headers));
    let path = desk.inbox.join(&name);
    match tokio::task::spawn_blocking(move || Disk::default().keep(&path, &body)).await {
        Ok(Ok(keeping)) => {
            desk.status.handed_in.up();
            desk.handed_in.notify_one();
            let answer = json!({ "statement": id, "file": name, "new": keeping == Keeping::New });
            (StatusCode::ACCEPTED, Json(answer)).into_response()
        }
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

/// Compared by digest, so that how long it takes tells nothing of the token.
fn is_allowed(desk: &Desk, headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The scheme's name is in any case (RFC 9110 §11.1).
    let token =
        shown.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token.trim()).is_some_and(|token| Digest::of(token.as_bytes()) == desk.token)
}

/// The ending of a file of that media type, by which it is read.
fn extension(headers: &HeaderMap) -> &'static str {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/html" | "application/xhtml+xml" => ".html",
        "text/markdown" => ".md",
        "message/rfc822" => ".eml",
        "application/pdf" => ".pdf",
        "application/json" => ".json",
        "text/csv" => ".csv",
        "text/plain" => ".txt",
        _ => "",
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!("failed to answer: {error}");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))).into_response()
}
