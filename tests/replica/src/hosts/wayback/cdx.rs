//! The index: `/cdx/search/cdx` and its parameters (PLATFORMS 6.1).

use std::sync::Arc;

use regex::Regex;

use crate::hosts::wayback::{Capture, held, surt};
use crate::post::quote;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

const FIELDS: [&str; 7] = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"];

/// The rows asked for, as text or JSON.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let Some(url) = request.param("url") else {
        return Reply::body(400, "text/plain", "The url= param is required\n");
    };
    if url.contains("excluded.example") {
        let blocked = crate::fixtures::bytes("wayback/cdx.blocked.403.txt");
        return Reply::body(403, "text/plain", blocked)
            .with("x-archive-wayback-runtime-error", "AdministrativeAccessControlException: Blocked Site Error");
    }
    let filters: Option<Vec<Filter>> = request.params("filter").iter().map(|text| Filter::read(text)).collect();
    let Some(filters) = filters else { return Reply::body(400, "text/plain", "bad filter\n") };
    let scope = Scope::read(&url, request.param("matchType").as_deref());
    let (from, to) = (request.param("from").unwrap_or_default(), request.param("to").unwrap_or_default());
    let mut rows = held(world);
    rows.retain(|row| {
        scope.holds(&row.key)
            && row.stamp.as_str() >= from.as_str()
            && (to.is_empty() || row.stamp.get(..to.len()).is_some_and(|head| head <= to.as_str()))
            && filters.iter().all(|filter| filter.lets(row))
    });
    if let Some(key) = request.param("resumeKey") {
        resume(&mut rows, &key);
    }
    collapse(&mut rows, &request.params("collapse"));
    let more = limit(&mut rows, request);
    print(request, &rows, more)
}

/// Which keys are asked for.
enum Scope {
    Exact(String),
    Prefix(String),
    Host(String),
    Domain(String),
}

impl Scope {
    fn read(url: &str, kind: Option<&str>) -> Scope {
        let starred = url.strip_suffix('*');
        let bare = starred.unwrap_or(url);
        let bare = bare.strip_prefix("*.").unwrap_or(bare);
        let key = surt(bare);
        let host = key.split(')').next().unwrap_or_default().to_owned();
        match kind {
            Some("host") => Scope::Host(host),
            Some("domain") => Scope::Domain(host),
            Some("prefix") => Scope::Prefix(prefix(&key, bare)),
            None if url.starts_with("*.") => Scope::Domain(host),
            None if starred.is_some() => Scope::Prefix(prefix(&key, bare)),
            _ => Scope::Exact(key),
        }
    }

    fn holds(&self, key: &str) -> bool {
        match self {
            Scope::Exact(exact) => key == exact,
            Scope::Prefix(start) => key.starts_with(start.as_str()),
            Scope::Host(host) => key.strip_prefix(host.as_str()).is_some_and(|rest| rest.starts_with(')')),
            Scope::Domain(host) => key.strip_prefix(host.as_str()).is_some_and(|rest| rest.starts_with([')', ','])),
        }
    }
}

/// A prefix keeps the slash it ends in.
fn prefix(key: &str, url: &str) -> String {
    if url.ends_with('/') && !key.ends_with('/') { format!("{key}/") } else { key.to_owned() }
}

/// `[!]field:regex`, matched whole.
struct Filter {
    not: bool,
    field: usize,
    pattern: Regex,
}

impl Filter {
    fn read(text: &str) -> Option<Filter> {
        let (not, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (name, pattern) = rest.split_once(':')?;
        let field = FIELDS.iter().position(|field| *field == name)?;
        Some(Filter { not, field, pattern: Regex::new(&format!("^(?:{pattern})$")).ok()? })
    }

    fn lets(&self, row: &Capture) -> bool {
        self.pattern.is_match(&field(row, self.field)) != self.not
    }
}

fn field(row: &Capture, index: usize) -> String {
    match index {
        0 => row.key.clone(),
        1 => row.stamp.clone(),
        2 => row.original.clone(),
        3 => row.mime.clone(),
        4 => row.status.map_or_else(|| "-".to_owned(), |status| status.to_string()),
        5 => row.digest.clone(),
        _ => row.length.to_string(),
    }
}

/// Goes on after a key: it names the last row, its last byte one higher. Encoded once or twice, both are taken.
fn resume(rows: &mut Vec<Arc<Capture>>, key: &str) {
    let plain = if key.contains('%') || key.contains('+') {
        url::form_urlencoded::parse(format!("k={key}").as_bytes()).next().map_or_else(String::new, |(_, v)| v.into())
    } else {
        key.to_owned()
    };
    let (urlkey, stamp) = plain.rsplit_once(' ').unwrap_or((&plain, ""));
    rows.retain(|row| (row.key.as_str(), row.stamp.as_str()) >= (urlkey, stamp));
}

/// Of neighbours that agree in a field (or its first characters) the first is kept.
fn collapse(rows: &mut Vec<Arc<Capture>>, rules: &[String]) {
    for rule in rules {
        let (name, length) = rule.split_once(':').unwrap_or((rule, ""));
        let Some(index) = FIELDS.iter().position(|field| *field == name) else { continue };
        let length = length.parse().unwrap_or(usize::MAX);
        rows.dedup_by_key(|row| field(row, index).chars().take(length).collect::<String>());
    }
}

/// Cuts to the limit (negative: the last ones); whether rows were left.
fn limit(rows: &mut Vec<Arc<Capture>>, request: &Request) -> bool {
    if let Some(skip) = request.param("offset").and_then(|text| text.parse::<usize>().ok()) {
        rows.drain(..skip.min(rows.len()));
    }
    let Some(limit) = request.param("limit").and_then(|text| text.parse::<i64>().ok()) else { return false };
    let count = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
    let more = rows.len() > count;
    if limit < 0 {
        rows.drain(..rows.len().saturating_sub(count));
    } else {
        rows.truncate(count);
    }
    more
}

fn print(request: &Request, rows: &[Arc<Capture>], more: bool) -> Reply {
    let wanted = request.param("fl").unwrap_or_else(|| FIELDS.join(","));
    let wanted: Vec<usize> = wanted.split(',').filter_map(|f| FIELDS.iter().position(|field| *field == f)).collect();
    let key =
        request.param("showResumeKey").filter(|v| v == "true" && more).and(rows.last()).map(|row| resume_key(row));
    if request.param("output").as_deref() == Some("json") {
        return Reply::body(200, "application/json", json(rows, &wanted, key.as_deref()));
    }
    let mut text: String =
        rows.iter().map(|row| wanted.iter().map(|f| field(row, *f)).collect::<Vec<_>>().join(" ") + "\n").collect();
    if let Some(key) = key {
        text.push_str(&format!("\n{key}\n"));
    }
    Reply::body(200, "text/plain", text)
}

fn json(rows: &[Arc<Capture>], wanted: &[usize], key: Option<&str>) -> String {
    if rows.is_empty() {
        return "[]\n".to_owned();
    }
    let line = |cells: Vec<String>| format!("[{}]", cells.iter().map(|c| quote(c)).collect::<Vec<_>>().join(","));
    let head = wanted.iter().filter_map(|f| FIELDS.get(*f)).map(|name| (*name).to_owned()).collect();
    let mut lines = vec![line(head)];
    lines.extend(rows.iter().map(|row| line(wanted.iter().map(|f| field(row, *f)).collect())));
    if let Some(key) = key {
        lines.push("[]".to_owned());
        lines.push(line(vec![key.to_owned()]));
    }
    format!("[{}]\n", lines.join(",\n "))
}

/// The last row's key and time with the last byte incremented.
fn resume_key(row: &Capture) -> String {
    let mut stamp = row.stamp.clone().into_bytes();
    if let Some(last) = stamp.last_mut() {
        *last += 1;
    }
    let stamp = String::from_utf8_lossy(&stamp).into_owned();
    url::form_urlencoded::byte_serialize(format!("{} {stamp}", row.key).as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, fixtures};

    fn rows(query: &str) -> String {
        let mut world = World::new(&Options::default());
        world.captures.retain(|row| row.original.to_lowercase().contains("odelie_m") || row.key.contains("cdst"));
        let url = format!("https://web.archive.org/cdx/search/cdx?{query}");
        String::from_utf8(answer(&world, &Request::get(&url, "curl/8")).body).unwrap()
    }

    #[test]
    fn answers_as_the_fixtures_do() {
        let status = "twitter.com/odelie_m/status/1137945522884755456";
        let filtered = format!("url={status}&output=json&filter=statuscode:200&filter=mimetype:application/json");
        assert_eq!(rows(&filtered), fixtures::text("wayback/cdx.filter-200-json.json"));
        let resumed = "url=twitter.com/odelie_m/status/*&limit=3&showResumeKey=true";
        assert_eq!(rows(resumed), fixtures::text("wayback/cdx.limit3.resume.txt"));
        assert_eq!(rows(&format!("{resumed}&output=json")), fixtures::text("wayback/cdx.limit3.resume.json"));
        assert_eq!(rows("url=t.co/CdsTMkBRtm&output=json"), fixtures::text("wayback/cdx.tco-case-collision.json"));
        let day = "url=twitter.com/odelie_m/status/11379*&output=json";
        assert_eq!(rows(day), fixtures::text("wayback/cdx.prefix.day-11379.json"));
        assert_eq!(rows("url=nobody.example&output=json"), "[]\n");
    }

    #[test]
    fn a_resume_key_goes_on_after_the_last_row() {
        let url = "url=twitter.com/odelie_m/status/*&fl=timestamp,original";
        let first = rows(&format!("{url}&limit=3&showResumeKey=true"));
        let key = first.trim_end().rsplit('\n').next().unwrap();
        let all = rows(url);
        let rest = rows(&format!("{url}&resumeKey={key}"));
        let twice: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        assert_eq!(rest, rows(&format!("{url}&resumeKey={twice}")));
        assert_eq!(all.lines().skip(3).collect::<Vec<_>>(), rest.lines().collect::<Vec<_>>());
    }
}
