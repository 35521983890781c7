//! Citations in marked-up text: its words are scanned, its anchors and embeds are read, places are those of the source.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::Kind;
use super::attribution::{self, Ground, Told};
use super::found::{Item, Seen};
use super::mark::{Link, Mark, Named, What};
use super::{Form, link, post, scan};
use crate::format::effort::looked_at;
use crate::format::reading::{Anchor, Reading};
use crate::platform::permalink;
use crate::platform::post::Platform;
use crate::statement::Statement;

/// A citation of a page: where in its source, and what.
pub(super) struct One<'t> {
    pub(super) span: (usize, usize),
    candidate: bool,
    what: Either<'t>,
}

enum Either<'t> {
    Mark(What<'t>),
    Post(Box<Kind>),
}

impl One<'_> {
    /// As it is handed over.
    pub(super) fn item(&self) -> Item<'_> {
        let seen = match &self.what {
            Either::Mark(what) => Seen::Mark(what),
            Either::Post(kind) => Seen::Post(kind),
        };
        Item { span: self.span, candidate: self.candidate, seen }
    }
}

/// Every citation, in no order.
pub(super) fn find<'t>(statement: &'t Statement, reading: &'t Reading) -> Vec<One<'t>> {
    let text = reading.text.as_str();
    // read once each: an address may be long, and many words may stand in one anchor
    let leads: Vec<Option<Lead<'t>>> = reading.anchors.iter().map(|a| anchored(a).map(Lead::of)).collect();
    let mut marks = scan::scan(text, &reading.quiet);
    marks.retain(|m| !is_label(m, &reading.anchors, &leads));
    marks.retain_mut(|m| settle(m, text, &reading.anchors, &leads));
    let anchors: Vec<(Range<usize>, String)> =
        reading.anchors.iter().map(|a| (a.words.clone(), a.url.clone())).collect();
    let led = || reading.anchors.iter().zip(&leads).filter_map(|(a, lead)| Some((a, &lead.as_ref()?.link)));
    let outward: Vec<(Range<usize>, String)> =
        led().map(|(a, link)| (a.words.clone(), link.url.clone().into_owned())).collect();
    let ground = Ground {
        language: statement.about.language.as_deref(),
        embeds: &reading.embeds,
        anchors: &anchors,
        pointers: &reading.pointers,
        ..Ground::of(text, &marks)
    };
    let mut told = attribution::find(&ground);
    let mut rows = attribution::row::find(reading, ground.language);
    // words that hold a post of their own are a statement's, not a post's
    rows.retain(|row| !holds_one(&told, &row.quoted));
    told.append(&mut rows);
    let kinds: Vec<Kind> = told.iter().map(|t| post::kind(text, &marks, &outward, t)).collect();
    for (t, kind) in told.iter().zip(&kinds) {
        attribution::site::move_handle(&mut marks, kind, (t.span.start, t.span.end));
    }
    let posts = told.iter().zip(kinds);
    let mut items: Vec<One<'_>> =
        posts.map(|(t, kind)| one(reading.source(t.span.clone()), t.candidate, Either::Post(Box::new(kind)))).collect();
    items.extend(led().map(|(a, link)| one(a.source.clone(), false, Either::Mark(What::Link(link.clone())))));
    items.extend(marks.into_iter().map(|m| one(reading.source(m.start..m.end), m.candidate, Either::Mark(m.what))));
    let named: HashSet<String> = items.iter().filter_map(named).collect();
    items.extend(pointers(reading, named));
    items
}

/// Whether one of the posts, which are in order of place, lies in a stretch.
fn holds_one(told: &[Told], stretch: &Range<usize>) -> bool {
    let n = told.partition_point(|post| post.span.end <= stretch.start);
    told.get(n).is_some_and(|post| post.span.start < stretch.end)
}

fn one(source: Range<usize>, candidate: bool, what: Either<'_>) -> One<'_> {
    One { span: (source.start, source.end), candidate, what }
}

fn named(one: &One<'_>) -> Option<String> {
    match &one.what {
        Either::Mark(What::Link(Link { named: Some(named), .. })) => {
            let id = named.post_id.as_deref()?;
            Some(format!("{}:{id}", named.platform.as_str()))
        }
        _ => None,
    }
}

/// Embeds that name a post in an attribute, unless a link already names it.
fn pointers(reading: &Reading, mut seen: HashSet<String>) -> Vec<One<'_>> {
    let mut out = Vec::new();
    for pointer in &reading.pointers {
        let Some(post) = permalink::read(&pointer.url).filter(|n| n.post.is_some()) else { continue };
        if !seen.insert(format!("{}:{}", post.platform.as_str(), post.post.as_deref().unwrap_or_default())) {
            continue;
        }
        let link = Link {
            form: Form::Permalink,
            url: Cow::Owned(post.canonical.clone()),
            named: Some(Named::of(post)),
            defanged: false,
        };
        out.push(one(pointer.source.clone(), false, Either::Mark(What::Link(link))));
    }
    out
}

/// Where an anchor leads.
struct Lead<'t> {
    link: Link<'t>,
    /// its URL without what a display leaves out
    bare: String,
}

impl<'t> Lead<'t> {
    fn of(link: Link<'t>) -> Self {
        Self { bare: bare(&link.url).to_owned(), link }
    }
}

/// Whether a link in the words only labels the anchor it stands in: the same URL, or a domain shown for it.
fn is_label(mark: &Mark<'_>, anchors: &[Anchor], leads: &[Option<Lead<'_>>]) -> bool {
    let What::Link(link) = &mark.what else { return false };
    let n = anchors.partition_point(|a| a.words.end <= mark.start);
    if !anchors.get(n).is_some_and(|a| a.words.start <= mark.start && mark.end <= a.words.end) {
        return false;
    }
    let lead = leads.get(n).and_then(Option::as_ref);
    mark.candidate || lead.is_some_and(|a| a.link.url == link.url || a.bare == bare(&link.url))
}

/// Sites that write `/@name` without being servers of the fediverse, and that no grammar of permalinks knows.
const OTHERS: &[&str] = &["medium.com", "substack.com", "steemit.com", "flipboard.com", "vk.com", "kick.com"];

/// Gives an account that an anchor shows to the site the anchor leads to; whether it is left an account.
fn settle(mark: &mut Mark<'_>, text: &str, anchors: &[Anchor], leads: &[Option<Lead<'_>>]) -> bool {
    let What::Handle(platform, handle) = &mut mark.what else { return true };
    let n = anchors.partition_point(|a| a.words.end <= mark.start);
    let Some(anchor) = anchors.get(n).filter(|a| a.words.start <= mark.start && mark.end <= a.words.end) else {
        return true;
    };
    let shown = text.get(anchor.words.clone()).unwrap_or_default().trim();
    let Some(link) = leads.get(n).and_then(Option::as_ref).map(|lead| &lead.link) else { return true };
    if shown.len() != mark.end - mark.start {
        return true;
    }
    if let Some(named) = &link.named {
        let domain = named.handle.as_deref().filter(|_| named.platform == Platform::Bluesky && !handle.contains('.'));
        if let Some(domain) = domain.filter(|domain| domain.contains('.')) {
            *handle = Cow::Owned(domain.to_owned());
        }
        *platform = named.platform;
        return true;
    }
    let path = |bare: &str| bare.split_once("/@").map(|(host, name)| (host.to_owned(), name.to_owned()));
    let Some((host, _)) = path(bare(&link.url)).filter(|(_, name)| name.eq_ignore_ascii_case(handle)) else {
        return true;
    };
    // `/@name` is how servers of the fediverse write a profile
    *platform = Platform::Mastodon;
    *handle = Cow::Owned(format!("{handle}@{host}"));
    !OTHERS.iter().any(|other| host == *other || host.ends_with(&format!(".{other}")))
}

/// A URL without what its display leaves out.
fn bare(url: &str) -> &str {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    url.strip_prefix("www.").unwrap_or(url).trim_end_matches('/')
}

/// An anchor's link, where it leads out of the page and to something said.
fn anchored(anchor: &Anchor) -> Option<Link<'_>> {
    looked_at(anchor.url.len());
    let url = anchor.url.as_str();
    let (url, scheme) = if url.starts_with("//") {
        (Cow::Owned(format!("https:{url}")), link::Scheme::Https)
    } else {
        (Cow::Borrowed(url), scheme_of(url)?)
    };
    if matches!(scheme, link::Scheme::At | link::Scheme::Tg) {
        return link::other_scheme(&anchor.url, 0, scheme, 5)
            .and_then(|m| if let What::Link(l) = m.what { Some(l) } else { None });
    }
    let host_at = link::behind_user(&url, url.find("://")? + 3);
    let host = link::host::host(&url, host_at)?;
    let coded = matches!(host.name.as_ref(), "t.co" | "pic.twitter.com" | "pic.x.com");
    let tail = url.get(host.end..)?;
    let scheme = if coded || scheme == link::Scheme::Https { "https://" } else { "http://" };
    let read =
        link::classified(Cow::Owned(format!("{scheme}{}{tail}", host.name)), &host.name, coded && tail.len() > 1);
    (!is_furniture(&read, &host.name, tail)).then_some(read)
}

fn scheme_of(url: &str) -> Option<link::Scheme> {
    let (scheme, _) = url.split_once("://")?;
    Some(match scheme.to_ascii_lowercase().as_str() {
        "https" => link::Scheme::Https,
        "http" => link::Scheme::Http,
        "at" => link::Scheme::At,
        "tg" => link::Scheme::Tg,
        _ => return None,
    })
}

/// Where a platform's own machinery leads: tags, searches, buttons that share the page.
fn is_furniture(link: &Link<'_>, host: &str, tail: &str) -> bool {
    if link.named.as_ref().is_some_and(|n| n.post_id.is_some()) {
        return false;
    }
    let host = host
        .strip_prefix("www.")
        .or_else(|| host.strip_prefix("mobile."))
        .or_else(|| host.strip_prefix("m."))
        .unwrap_or(host);
    const MACHINERY: &[(&str, &[&str])] = &[
        ("twitter.com", &["/hashtag/", "/search", "/intent/", "/share", "/home"]),
        ("x.com", &["/hashtag/", "/search", "/intent/", "/share", "/home"]),
        ("facebook.com", &["/sharer", "/share.php", "/dialog/", "/hashtag/"]),
        ("linkedin.com", &["/shareArticle", "/sharing/", "/cws/share"]),
        ("instagram.com", &["/explore/"]),
        ("bsky.app", &["/hashtag/", "/search", "/intent/"]),
        ("reddit.com", &["/submit"]),
        ("pinterest.com", &["/pin/create/"]),
        ("t.me", &["/share/"]),
        ("telegram.me", &["/share/"]),
        ("wa.me", &["/"]),
        ("api.whatsapp.com", &["/send"]),
        ("tumblr.com", &["/share"]),
        ("vk.com", &["/share.php"]),
        ("threads.net", &["/intent/"]),
        ("threads.com", &["/intent/"]),
        ("news.ycombinator.com", &["/submitlink"]),
        ("getpocket.com", &["/save", "/edit"]),
        ("flipboard.com", &["/bookmarklet"]),
        ("platform.twitter.com", &["/widgets"]),
    ];
    let tagged = tail.starts_with("/tags/") && !tail.get(6..).unwrap_or_default().contains('/');
    tagged || MACHINERY.iter().any(|(h, paths)| host == *h && paths.iter().any(|p| tail.starts_with(p)))
}

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, found_in};

    fn cited(name: &str, text: &str) -> Vec<String> {
        let found = found_in(name, text);
        let told = found.into_iter().filter_map(|c| {
            let guess = if c.candidate { " ?" } else { "" };
            match c.kind {
                Kind::Handle { platform, handle } => Some(format!("{} {handle}{guess}", platform.as_str())),
                Kind::Post { platform, author, handle, date, quoted, post_id, links, .. } => Some(format!(
                    "post {} {} @{} {} [{quoted}] {} {}{guess}",
                    platform.as_str(),
                    author.unwrap_or_default(),
                    handle.unwrap_or_default(),
                    date.unwrap_or_default(),
                    post_id.unwrap_or_default(),
                    links.len()
                )),
                _ => None,
            }
        });
        told.collect()
    }

    #[test]
    fn an_embed_says_itself_whose_it_is() {
        for name in ["dock.line", "dock.design", "dockline"] {
            let embed = format!(
                "<p>Words.</p><blockquote class=\"instagram-media\" data-instgrm-permalink=\"https://www.instagram.com/p/CabcDEF1234/?utm_source=ig_embed\"><a href=\"https://www.instagram.com/p/CabcDEF1234/\">View this post on Instagram</a><p><a href=\"https://www.instagram.com/p/CabcDEF1234/\">A post shared by Dock (@{name})</a></p></blockquote>"
            );
            let want = [format!("post instagram Dock @{name}  [] CabcDEF1234 0"), format!("instagram {name}")];
            assert_eq!(cited("a.html", &embed), want);
            let bare = embed.replacen("data-instgrm-permalink", "data-x", 1);
            assert!(cited("a.html", &bare).contains(&format!("instagram {name}")), "{:?}", cited("a.html", &bare));
        }
    }

    #[test]
    fn an_anchor_says_where_the_account_is_that_it_shows() {
        for (url, want) in [
            ("https://www.tiktok.com/@dockline", &["tiktok dockline"][..]),
            ("https://instagram.com/dockline", &["instagram dockline"]),
            ("https://t.me/dockline", &["telegram dockline"]),
            ("https://www.threads.net/@dockline", &["threads dockline"]),
            ("https://bsky.app/profile/dockline.bsky.social", &["bluesky dockline.bsky.social"]),
            ("https://mastodon.social/@dockline", &["mastodon dockline@mastodon.social"]),
            ("https://www.youtube.com/@dockline", &["youtube dockline"]),
            ("https://www.facebook.com/dockline", &["facebook dockline"]),
            ("https://medium.com/@dockline", &[]),
            ("https://x.com/dockline", &["x dockline"]),
            ("https://harbour.example/staff", &["x dockline"]),
        ] {
            assert_eq!(cited("a.html", &format!("<p>See <a href=\"{url}\">@dockline</a> there</p>")), want, "{url}");
            assert_eq!(cited("a.md", &format!("See [@dockline]({url}) there\n")), want, "{url}");
        }
    }

    #[test]
    fn a_widgets_button_is_not_among_the_words() {
        let post = "https://bsky.app/profile/did:plc:z72i7hdynmk6r22z27h6tvur/post/3jzabc23xyz2k?ref_src=embed";
        let embed = |button: &str| {
            format!(
                "<blockquote class=\"bluesky-embed\" data-bluesky-uri=\"at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3jzabc23xyz2k\"><p>The pier is open.<br><br>{button}</p>&mdash; Ana Ruiz (<a href=\"https://bsky.app/profile/did:plc:z72i7hdynmk6r22z27h6tvur?ref_src=embed\">@ana.bsky.social</a>) <a href=\"{post}\">March 11, 2024 at 5:00 PM</a></blockquote>"
            )
        };
        let told = |words: &str, links: usize| {
            let id = "did:plc:z72i7hdynmk6r22z27h6tvur/3jzabc23xyz2k";
            [
                format!("post bluesky Ana Ruiz @ana.bsky.social 2024-03-11 [{words}] {id} {links}"),
                "bluesky ana.bsky.social".to_owned(),
            ]
        };
        let button = format!("<a href=\"{post}\">[image or embed]</a>");
        assert_eq!(cited("a.html", &embed(&button)), told("The pier is open.", 0));
        let other = button.replacen("3jzabc23xyz2k", "3jzabc23xyz2z", 1);
        assert_eq!(cited("a.html", &embed(&other)), told("The pier is open.\n\n[image or embed]", 1));
    }
}
