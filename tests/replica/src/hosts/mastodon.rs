//! Two Mastodon servers: `fedi.replica.example`, where posts are at home, and `mastodon.replica.example`, which has
//! copies (PLATFORMS 5).

use jiff::Timestamp;

use crate::calendar;
use crate::fixtures;
use crate::post::{attribute, escape, quote};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

const HOME: &str = "fedi.replica.example";

/// A post on a server.
#[derive(Debug, Clone)]
pub struct Status {
    /// Its id there.
    pub id: u64,
    /// The account's name on its home server.
    pub user: String,
    /// The display name.
    pub name: String,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Where it is at home: its ActivityPub id.
    pub uri: String,
    /// When it was edited.
    pub edited: Option<Timestamp>,
    /// What it said before, and since when, oldest first.
    pub before: Vec<(Timestamp, String)>,
    /// The id there of the post it answers.
    pub answers: Option<u64>,
    /// Whether its page gives the ActivityPub object to whoever asks for it.
    pub object: bool,
}

impl World {
    /// Adds a post to the home server, and a copy to the other; the home URL comes back.
    pub fn add_mastodon(&mut self, user: &str, name: &str, text: &str, at: Timestamp) -> String {
        let ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
        let id = ms << 16 | 0x1f2e;
        let uri = format!("https://{HOME}/users/{user}/statuses/{id}");
        let status = Status {
            id,
            user: user.into(),
            name: name.into(),
            text: text.into(),
            at,
            uri,
            edited: None,
            before: vec![],
            answers: None,
            object: true,
        };
        // The copy's id is from when it arrived, a second later.
        let copy = Status { id: (ms + 1000) << 16 | 0x77, ..status.clone() };
        self.fediverse.insert(format!("mastodon.replica.example/{}", copy.id), copy);
        self.fediverse.insert(format!("{HOME}/{id}"), status);
        format!("https://{HOME}/@{user}/{id}")
    }
}

impl World {
    /// Adds an answer to a post of the home server; its URL comes back.
    pub fn answer_mastodon(&mut self, parent: &str, user: &str, name: &str, text: &str, at: Timestamp) -> String {
        let url = self.add_mastodon(user, name, text, at);
        let id = |url: &str| url.rsplit('/').next().and_then(|id| id.parse::<u64>().ok());
        if let Some(status) = id(&url).and_then(|id| self.fediverse.get_mut(&format!("{HOME}/{id}"))) {
            status.answers = id(parent);
        }
        url
    }

    /// Edits a post, at home and where it was copied: the versions before stay to be asked for.
    pub fn edit_mastodon(&mut self, url: &str, text: &str, at: Timestamp) {
        let id = url.rsplit('/').next().unwrap_or_default();
        let Some(uri) = self.fediverse.get(&format!("{HOME}/{id}")).map(|status| status.uri.clone()) else { return };
        for status in self.fediverse.values_mut().filter(|status| status.uri == uri) {
            let since = status.edited.unwrap_or(status.at);
            let before = std::mem::replace(&mut status.text, text.to_owned());
            status.before.push((since, before));
            status.edited = Some(at);
        }
    }
}

/// The post of the fixtures has a copy too.
pub(crate) fn populate(world: &mut World) {
    let at = calendar::at("2026-03-04T09:15:31.500Z");
    let copy = Status {
        id: 116_170_144_560_000_123,
        user: "mira".into(),
        name: "Mira".into(),
        text: "Gauge 2 reads high: https://harbour.example/q4 #HarbourWatch".into(),
        at,
        uri: format!("https://{HOME}/users/mira/statuses/116170144489341607"),
        edited: None,
        before: vec![],
        answers: None,
        object: true,
    };
    world.fediverse.insert(format!("mastodon.replica.example/{}", copy.id), copy);
}

/// The answer of either server.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let parts: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    let wants = request.header("accept").unwrap_or_default();
    let activity = wants.contains("activity+json") || wants.contains("ld+json");
    match parts.as_slice() {
        ["api", "v1", "accounts", "lookup"] => lookup(world, request),
        ["api", "v1", "accounts", account, "statuses"] => statuses(world, request, account),
        ["api", "v1", "statuses", id] => api(world, &request.host, id),
        ["api", "v1", "statuses", id, "history"] => history(world, &request.host, id),
        ["users", user] if activity => actor(world, user),
        ["api", "oembed"] => oembed(world, request),
        [".well-known", "webfinger"] => webfinger(world, request),
        ["users", _, "statuses", id] | [_, id] if activity => note(world, &request.host, id),
        ["users", user, "statuses", id] => Reply::to(302, &format!("https://{}/@{user}/{id}", request.host)),
        [_, id] if id.bytes().all(|b| b.is_ascii_digit()) => page(world, &request.host, id),
        ["system", ..] => Reply::body(200, "image/png", crate::pixels::png(request.path(), 120, 90)),
        _ => Reply::html(404, "<!DOCTYPE html><title>The page you were looking for doesn't exist (404)</title>"),
    }
}

const FIXTURE: &str = "116170144489341607";

fn missing() -> Reply {
    Reply::json(404, fixtures::bytes("mastodon/api-v1-status.404.json"))
}

fn find<'a>(world: &'a World, host: &str, id: &str) -> Option<&'a Status> {
    world.fediverse.get(&format!("{host}/{id}")).filter(|_| !gone(world, host, id))
}

fn gone(world: &World, host: &str, id: &str) -> bool {
    world.is_gone(&format!("mastodon:{host}/{id}"))
}

fn api(world: &World, host: &str, id: &str) -> Reply {
    if host == HOME && id == FIXTURE && !gone(world, host, id) {
        return Reply::json(200, fixtures::bytes("mastodon/api-v1-status.json"));
    }
    match find(world, host, id) {
        Some(status) => Reply::json(200, json(host, status)),
        None => missing(),
    }
}

/// What the client API says of a post.
fn json(host: &str, status: &Status) -> String {
    let home = status.uri.split('/').nth(2).unwrap_or(HOME);
    let local = if home == host { status.user.clone() } else { format!("{}@{home}", status.user) };
    let own = status.uri.rsplit('/').next().unwrap_or_default();
    let edited = status.edited.map_or("null".to_owned(), |at| quote(&calendar::iso_seconds(at)));
    let answers = status.answers.map_or("null".to_owned(), |id| format!("\"{id}\""));
    format!(
        "{{\"id\":\"{}\",\"created_at\":\"{}\",\"in_reply_to_id\":{answers},\"sensitive\":false,\"spoiler_text\":\"\",\
             \"visibility\":\"public\",\"language\":\"en\",\"uri\":{},\"url\":\"https://{home}/@{}/{own}\",\
             \"replies_count\":0,\"reblogs_count\":0,\"favourites_count\":1,\"edited_at\":{edited},\"content\":{},\
             \"reblog\":null,\"account\":{{\"id\":\"9\",\"username\":\"{}\",\"acct\":\"{local}\",\"display_name\":{},\
             \"url\":\"https://{home}/@{}\",\
             \"uri\":\"https://{home}/users/{}\"}},\"media_attachments\":[],\"mentions\":[],\"tags\":[],\"emojis\":[]}}",
        status.id,
        calendar::form(status.at, "%Y-%m-%dT%H:%M:%S%.3fZ"),
        quote(&status.uri),
        status.user,
        quote(&format!("<p>{}</p>", escape(&status.text))),
        status.user,
        quote(&status.name),
        status.user,
        status.user
    )
}

/// Which account a name is.
fn lookup(world: &World, request: &Request) -> Reply {
    let acct = request.param("acct").unwrap_or_default();
    let user = acct.split('@').next().unwrap_or_default();
    let Some(status) = own(world, &request.host).find(|status| status.user == user) else { return missing() };
    Reply::json(
        200,
        format!(
            "{{\"id\":\"{}\",\"username\":\"{user}\",\"acct\":\"{user}\",\"display_name\":{},\"url\":\"https://{HOME}/@{user}\",\
             \"uri\":\"https://{HOME}/users/{user}\"}}",
            number(user),
            quote(&status.name)
        ),
    )
}

/// An account's number on its server.
fn number(user: &str) -> u64 {
    1_000_000 + crate::pixels::hash(user) % 1_000_000
}

/// Posts that are at home on this server.
fn own<'a>(world: &'a World, host: &'a str) -> impl Iterator<Item = &'a Status> {
    let of = move |place: &str| place.split('/').next() == Some(host);
    world
        .fediverse
        .iter()
        .filter(move |(place, status)| of(place) && status.uri.starts_with(&format!("https://{host}/")))
        .map(|(_, status)| status)
}

/// An account's posts between two ids: next above the lower one, shown the newest first.
fn statuses(world: &World, request: &Request, account: &str) -> Reply {
    let host = &request.host;
    let bound = |name: &str| request.param(name).and_then(|id| id.parse::<u64>().ok());
    let (low, high) = (bound("min_id").unwrap_or(0), bound("max_id").unwrap_or(u64::MAX));
    let limit = request.param("limit").and_then(|text| text.parse().ok()).unwrap_or(20).min(40);
    let mut all: Vec<&Status> = own(world, host)
        .filter(|status| number(&status.user).to_string() == account && status.id > low && status.id < high)
        .filter(|status| !gone(world, host, &status.id.to_string()))
        .collect();
    all.sort_by_key(|status| status.id);
    all.truncate(limit);
    let shown: Vec<String> = all.iter().rev().map(|status| json(host, status)).collect();
    Reply::json(200, format!("[{}]", shown.join(",")))
}

/// Every version of a post, oldest first.
fn history(world: &World, host: &str, id: &str) -> Reply {
    let Some(status) = find(world, host, id) else { return missing() };
    let now = (status.edited.unwrap_or(status.at), status.text.clone());
    let one = |(at, text): &(Timestamp, String)| {
        format!(
            "{{\"content\":{},\"spoiler_text\":\"\",\"sensitive\":false,\"created_at\":\"{}\",\"account\":{{\"acct\":{}}},\
             \"media_attachments\":[],\"emojis\":[]}}",
            quote(&format!("<p>{}</p>", escape(text))),
            calendar::form(*at, "%Y-%m-%dT%H:%M:%S%.3fZ"),
            quote(&status.user)
        )
    };
    let all: Vec<String> = status.before.iter().chain([&now]).map(one).collect();
    Reply::json(200, format!("[{}]", all.join(",")))
}

fn actor(world: &World, user: &str) -> Reply {
    let Some(status) = world.fediverse.values().find(|status| status.user == user) else { return missing() };
    let body = format!(
        "{{\"@context\":\"https://www.w3.org/ns/activitystreams\",\"id\":\"https://{HOME}/users/{user}\",\"type\":\"Person\",\
         \"preferredUsername\":{},\"name\":{},\"url\":\"https://{HOME}/@{user}\"}}",
        quote(user),
        quote(&status.name)
    );
    Reply::body(200, "application/activity+json; charset=utf-8", body)
}

fn note(world: &World, host: &str, id: &str) -> Reply {
    const KIND: &str = "application/activity+json; charset=utf-8";
    if host == HOME && id == FIXTURE && !gone(world, host, id) {
        return Reply::body(200, KIND, fixtures::bytes("mastodon/activitypub-note.json"));
    }
    let Some(status) = find(world, host, id) else { return missing() };
    if !status.object {
        return Reply::json(401, "{\"error\":\"Request not signed\"}");
    }
    if host != HOME {
        return Reply::to(302, &status.uri);
    }
    let body = format!(
        "{{\"@context\":\"https://www.w3.org/ns/activitystreams\",\"id\":{},\"type\":\"Note\",\"published\":\"{}\",\
         \"url\":\"https://{HOME}/@{}/{}\",\"attributedTo\":\"https://{HOME}/users/{}\",\"content\":{}}}",
        quote(&status.uri),
        calendar::form(status.at, "%Y-%m-%dT%H:%M:%SZ"),
        status.user,
        status.id,
        status.user,
        quote(&format!("<p>{}</p>", escape(&status.text)))
    );
    Reply::body(200, KIND, body)
}

fn page(world: &World, host: &str, id: &str) -> Reply {
    let (name, user, text, at) = match find(world, host, id) {
        Some(status) => (status.name.clone(), status.user.clone(), status.text.clone(), status.at),
        None if host == HOME && id == FIXTURE && !gone(world, host, id) => (
            "Mira".to_owned(),
            "mira".to_owned(),
            "Gauge 2 reads high: https://harbour.example/q4 #HarbourWatch".to_owned(),
            calendar::at("2026-03-04T09:15:30Z"),
        ),
        None => {
            return Reply::html(404, "<!DOCTYPE html><title>The page you were looking for doesn't exist (404)</title>");
        }
    };
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}: \"{text}\"</title>\
         <link rel=\"alternate\" type=\"application/json+oembed\" \
         href=\"https://{host}/api/oembed?format=json&amp;url=https%3A%2F%2F{host}%2F%40{user}%2F{id}\">\
         <link rel=\"alternate\" type=\"application/activity+json\" href=\"https://{host}/users/{user}/statuses/{id}\">\
         <meta property=\"og:url\" content=\"https://{host}/@{user}/{id}\"><meta property=\"og:title\" content=\"{name} (@{user}@{host})\">\
         <meta property=\"og:published_time\" content=\"{}\"><meta property=\"og:description\" content=\"{text}\">\
         </head><body><div id=\"mastodon\"></div></body></html>\n",
        calendar::form(at, "%Y-%m-%dT%H:%M:%SZ"),
        name = attribute(&name),
        text = attribute(&text)
    );
    Reply::html(200, body)
}

fn oembed(world: &World, request: &Request) -> Reply {
    let url = request.param("url").unwrap_or_default();
    let id = url.rsplit('/').next().unwrap_or_default();
    if id == FIXTURE && !gone(world, HOME, id) {
        return Reply::json(200, fixtures::bytes("mastodon/oembed.json"));
    }
    match find(world, &request.host, id) {
        Some(status) => Reply::json(
            200,
            format!(
                "{{\"type\":\"rich\",\"version\":\"1.0\",\"author_name\":{},\"author_url\":\"https://{HOME}/@{}\",\
                 \"provider_name\":\"{HOME}\",\"provider_url\":\"https://{HOME}/\",\"cache_age\":86400,\"html\":\
                 \"<iframe src=\\\"https://{HOME}/@{}/{}/embed\\\"></iframe>\",\"width\":400,\"height\":null}}",
                quote(&status.name),
                status.user,
                status.user,
                status.id
            ),
        ),
        None => missing(),
    }
}

fn webfinger(world: &World, request: &Request) -> Reply {
    let resource = request.param("resource").unwrap_or_default();
    let user = resource.trim_start_matches("acct:").split('@').next().unwrap_or_default();
    if user == "mira" {
        return Reply::body(200, "application/jrd+json; charset=utf-8", fixtures::bytes("mastodon/webfinger.json"));
    }
    if !world.fediverse.values().any(|status| status.user == user) {
        return Reply::body(404, "application/jrd+json", "");
    }
    let body = format!(
        "{{\"subject\":\"acct:{user}@{HOME}\",\"links\":[{{\"rel\":\"self\",\"type\":\"application/activity+json\",\
         \"href\":\"https://{HOME}/users/{user}\"}}]}}"
    );
    Reply::body(200, "application/jrd+json; charset=utf-8", body)
}
