//! Reddit: `.json` is shut, old.reddit asks for a login, feeds and oEmbed answer (PLATFORMS 5).

use jiff::Timestamp;

use crate::calendar;
use crate::fixtures;
use crate::post::{attribute, escape, quote};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// A post in a community.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The community.
    pub community: String,
    /// Its author.
    pub author: String,
    /// The title.
    pub title: String,
    /// The words below it.
    pub body: String,
    /// When.
    pub at: Timestamp,
    /// Deleted by its author: the title stays.
    pub deleted: bool,
}

impl World {
    /// Adds a post to a community; its URL comes back.
    pub fn add_reddit(
        &mut self,
        id: &str,
        community: &str,
        author: &str,
        words: (&str, &str),
        at: Timestamp,
    ) -> String {
        let (title, body) = (words.0.to_owned(), words.1.to_owned());
        let made = Submission { community: community.into(), author: author.into(), title, body, at, deleted: false };
        let url = format!("https://www.reddit.com{}", place(id, &made));
        self.reddit.insert(id.to_owned(), made);
        url
    }
}

fn place(id: &str, post: &Submission) -> String {
    let slug: String =
        post.title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("/r/{}/comments/{id}/{}/", post.community, slug.trim_matches('_'))
}

/// Whichever of its doors was asked.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let path = request.path();
    match request.host.as_str() {
        "old.reddit.com" => Reply::to(302, "https://www.reddit.com/login/?reason=lor2"),
        _ if path == "/oembed" => oembed(world, request),
        _ if path.ends_with(".json") => Reply::html(403, SHELL),
        _ if path.starts_with("/user/") && path.ends_with(".rss") => submitted(world, request),
        _ if path.ends_with(".rss") => feed(world, path),
        _ if path.starts_with("/login") => Reply::html(200, "<!doctype html><title>Log in to Reddit</title>"),
        _ => page(world, path),
    }
}

const SHELL: &str = "<!doctype html><title>Reddit - A thread</title><shreddit-app></shreddit-app>";

fn named<'a>(world: &'a World, path: &str) -> Option<(String, &'a Submission)> {
    let id = path.split_once("/comments/")?.1.split('/').next()?.to_owned();
    let post = world.reddit.get(&id).filter(|_| !world.is_gone(&format!("reddit:{id}")))?;
    Some((id, post))
}

/// Author and words as they are shown now.
fn shown(post: &Submission) -> (&str, &str) {
    if post.deleted { ("[deleted]", "[removed]") } else { (&post.author, &post.body) }
}

fn feed(world: &World, path: &str) -> Reply {
    let kind = "application/atom+xml; charset=UTF-8";
    let Some((id, post)) = named(world, path) else {
        if path.contains("/1abcde/") {
            return Reply::body(200, kind, fixtures::bytes("reddit/comments.rss"));
        }
        return Reply::html(404, "<!doctype html><title>Not found</title>");
    };
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>{}</title>{}</feed>\n",
        escape(&post.title),
        entry(&id, post)
    );
    Reply::body(200, kind, xml)
}

fn entry(id: &str, post: &Submission) -> String {
    let (author, body) = shown(post);
    let content = format!(
        "<!-- SC_OFF --><div class=\"md\"><p>{}</p></div><!-- SC_ON --> submitted by <a href=\"https://www.reddit.com/user/{author}\">/u/{author}</a>",
        escape(body)
    );
    let at = calendar::form(post.at, "%Y-%m-%dT%H:%M:%S+00:00");
    format!(
        "<entry><author><name>/u/{author}</name></author><content type=\"html\">{}</content><id>t3_{id}</id>\
         <link href=\"https://www.reddit.com{}\" /><updated>{at}</updated><published>{at}</published><title>{}</title></entry>",
        escape(&content),
        place(id, post),
        escape(&post.title)
    )
}

/// The feed of what an account posted, the newest first, behind the post named by `after`.
fn submitted(world: &World, request: &Request) -> Reply {
    let user = request.path().split('/').nth(2).unwrap_or_default();
    let limit = request.param("limit").and_then(|text| text.parse().ok()).unwrap_or(25);
    let there = |id: &str| !world.is_gone(&format!("reddit:{id}"));
    let own = |post: &Submission| post.author.eq_ignore_ascii_case(user) && !post.deleted;
    let mut posts: Vec<_> = world.reddit.iter().filter(|(id, post)| own(post) && there(id)).collect();
    if posts.is_empty() && !world.reddit.values().any(own) {
        return Reply::html(404, "<!doctype html><title>Not found</title>");
    }
    posts.sort_by_key(|(_, post)| std::cmp::Reverse(post.at));
    if let Some(after) = request.param("after") {
        let at = posts.iter().position(|(id, _)| after == format!("t3_{id}"));
        posts.drain(..at.map_or(posts.len(), |at| at + 1));
    }
    let entries: String = posts.iter().take(limit).map(|(id, post)| entry(id, post)).collect();
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>submitted by {}</title>{entries}</feed>\n",
        escape(user)
    );
    Reply::body(200, "application/atom+xml; charset=UTF-8", xml)
}

fn oembed(world: &World, request: &Request) -> Reply {
    let url = request.param("url").unwrap_or_default();
    let Some((id, post)) = named(world, &url) else {
        return match url.contains("/1abcde") {
            true => Reply::json(200, fixtures::bytes("reddit/oembed.json")),
            false => Reply::json(404, "{\"message\":\"Not Found\",\"error\":404}"),
        };
    };
    let (author, _) = shown(post);
    let html = format!(
        "<blockquote class=\"reddit-embed-bq\"><a href=\"https://www.reddit.com{}\">{}</a><br> by u/{author}</blockquote>",
        place(&id, post),
        escape(&post.title)
    );
    Reply::json(
        200,
        format!(
            "{{\"provider_url\":\"https://www.reddit.com\",\"version\":\"1.0\",\"title\":{},\"provider_name\":\"reddit\",\
             \"type\":\"rich\",\"html\":{},\"author_name\":{}}}",
            quote(&post.title),
            quote(&html),
            quote(author)
        ),
    )
}

fn page(world: &World, path: &str) -> Reply {
    let Some((id, post)) = named(world, path) else { return Reply::html(200, SHELL) };
    let (author, body) = shown(post);
    let body = format!(
        "<!doctype html><html><head><title>{title} : r/{community}</title></head><body><shreddit-app>\
         <shreddit-post id=\"t3_{id}\" post-title=\"{title}\" author=\"{author}\" author-id=\"t2_{number}\" permalink=\"{place}\" \
         content-href=\"https://www.reddit.com{place}\" created-timestamp=\"{at}\"><div slot=\"text-body\"><div class=\"md\"><p>{body}</p>\
         </div></div></shreddit-post></shreddit-app></body></html>\n",
        title = attribute(&post.title),
        community = post.community,
        number =
            crate::pixels::noise(&post.author, 4).iter().map(|byte| format!("{:x}", byte % 16)).collect::<String>(),
        place = place(&id, post),
        at = calendar::form(post.at, "%Y-%m-%dT%H:%M:%S.123000+0000"),
        body = escape(body)
    );
    Reply::html(200, body)
}
