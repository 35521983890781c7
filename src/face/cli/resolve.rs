//! `onrecord resolve`: follows links and prints every hop; keeps nothing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use super::run::runtime;
use crate::face::config::flags::NetworkArgs;
use crate::face::report::ending_style;
use crate::face::table::{Cell, Column, Table};
use crate::face::{out, plain};
use crate::format::time;
use crate::resolution::hop::Resolution;
use crate::resolution::pursuit::{Limits, Pursuit};
use crate::work::capture::Look;
use crate::work::drive::drive;
use crate::world::clock::Clock;
use crate::world::terminal;
use crate::world::wire::Wire;

/// Exit code 0 however the links end.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Links to follow; - reads them from standard input, one a line
    #[arg(value_name = "URL", required = true)]
    urls: Vec<String>,

    /// Follow redirects alone: ask no platform for the post at the end
    #[arg(long)]
    links_only: bool,

    /// Ask t.co a second time, as a browser, and note what differs
    #[arg(long)]
    both_views: bool,

    #[command(flatten)]
    network: NetworkArgs,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &args.network)?;
    let urls = urls(args.urls)?;
    let mut limits = Limits { archives: false, media: false, accounts: false, ..bridge::limits(&settings)? };
    limits.both_views |= args.both_views;
    limits.platform &= !args.links_only;
    let at_once = settings.network.concurrency.get() as usize;
    let runtime = runtime()?;
    let told = bridge::fault("follow the links");
    let resolutions = runtime.block_on(async {
        let wire = Wire::new(bridge::network(&settings), Clock::default())?;
        all(Arc::new(Look::new(wire)), &urls, &limits, at_once).await
    });
    let resolutions = resolutions.map_err(told)?;
    if global.json {
        out::json(&json!({ "resolutions": resolutions.iter().map(value).collect::<Vec<_>>() }))?;
    } else {
        out::text(|out| resolutions.iter().try_for_each(|resolution| draw(out, resolution)))?;
    }
    Ok(Exit::Done)
}

fn urls(named: Vec<String>) -> Result<Vec<String>, Fault> {
    let mut urls = Vec::new();
    for name in named {
        if name == "-" {
            let bytes = crate::world::input::standard(1 << 28)
                .map_err(|e| Fault::new(Exit::Usage, "read links from standard input", &e))?;
            let text = String::from_utf8_lossy(&bytes);
            urls.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        } else {
            urls.push(name);
        }
    }
    for url in &mut urls {
        // As people write and paste them: t.co/…, pic.twitter.com/…
        if !url.contains("://") {
            *url = format!("https://{url}");
        }
        url::Url::parse(url).map_err(|e| {
            Fault::new(Exit::Usage, format!("read the link {url}"), &e)
                .hint("expected something like https://t.co/AEoFZOhI3p")
        })?;
    }
    Ok(urls)
}

async fn all(
    look: Arc<Look>,
    urls: &[String],
    limits: &Limits,
    at_once: usize,
) -> Result<Vec<Resolution>, crate::work::fault::Fault> {
    let mut flying: tokio::task::JoinSet<Result<(usize, Resolution), crate::work::fault::Fault>> =
        tokio::task::JoinSet::new();
    let mut waiting = urls.iter().cloned().enumerate();
    let mut done: Vec<Option<Resolution>> = vec![None; urls.len()];
    loop {
        while flying.len() < at_once {
            let Some((n, url)) = waiting.next() else { break };
            let (look, limits) = (look.clone(), limits.clone());
            flying.spawn(async move { Ok((n, drive(Pursuit::link(&url, limits), &look, |_| ()).await?)) });
        }
        match flying.join_next().await {
            Some(Ok(landed)) => {
                let (n, resolution) = landed?;
                if let Some(slot) = done.get_mut(n) {
                    *slot = Some(resolution);
                }
            }
            Some(Err(_)) => return Err(crate::work::fault::Fault::Broken("a link's task died")),
            None => return Ok(done.into_iter().flatten().collect()),
        }
    }
}

/// The contract's JSON of a resolution.
pub(super) fn value(resolution: &Resolution) -> Value {
    let hops: Vec<Value> = resolution
        .hops
        .iter()
        .map(|hop| {
            json!({
                "n": hop.n, "url": hop.url, "status": hop.status, "via": hop.via, "to": hop.to,
                "at": hop.at.map(time::rfc3339), "ip": hop.ip, "ms": hop.ms, "error": hop.error, "notes": hop.notes,
            })
        })
        .collect();
    let post = resolution.post.as_ref().map(|post| {
        json!({
            "platform": post.name.platform.as_str(), "id": post.name.id, "name": post.name.to_string(),
            "author": post.author.handle, "author_name": post.author.name, "author_id": post.author.id,
            "posted": post.posted.or(post.id_time).map(time::rfc3339), "text": post.text, "permalink": post.permalink,
        })
    });
    json!({
        "url": resolution.start, "ending": resolution.ending, "why": resolution.why, "final_url": resolution.final_url,
        "hops": hops, "post": post, "truncated": resolution.truncated, "unread": resolution.unread, "notes": resolution.notes,
    })
}

fn draw(out: &mut dyn std::io::Write, resolution: &Resolution) -> std::io::Result<()> {
    let style = ending_style(resolution.ending);
    writeln!(
        out,
        "{}  {style}{}{style:#}  {}",
        plain::line(&resolution.start),
        resolution.ending.as_str(),
        plain::line(&resolution.why)
    )?;
    let mut table = Table::new(vec![
        Column::new("HOP").right(),
        Column::new("STATUS").right(),
        Column::new("VIA").whole(),
        Column::new("URL"),
        Column::new("ADDRESS").whole(),
        Column::new("MS").right(),
    ]);
    for hop in &resolution.hops {
        let text = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        table.push(vec![
            Cell::new(hop.n.to_string()),
            Cell::new(text(hop.status.map(u64::from))),
            Cell::new(&hop.via),
            Cell::new(&hop.url),
            Cell::new(hop.ip.as_deref().unwrap_or_default()),
            Cell::new(text(hop.ms)),
        ]);
    }
    table.write(out, terminal::width())?;
    if let Some(post) = &resolution.post {
        writeln!(out, "post {} by @{}: {}", post.name, plain::line(&post.author.handle), plain::line(&post.text))?;
    }
    writeln!(out)
}
