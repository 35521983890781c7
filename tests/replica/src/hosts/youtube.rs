//! YouTube: oEmbed by what became of the video, the watch page, the channel's, and the consent wall (PLATFORMS 5).

use jiff::Timestamp;

use crate::calendar;
use crate::fixtures;
use crate::post::{attribute, escape, quote};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// A video.
#[derive(Debug, Clone)]
pub struct Video {
    /// Its title.
    pub title: String,
    /// The words below it.
    pub below: String,
    /// The channel's handle.
    pub handle: String,
    /// The channel's name.
    pub channel: String,
    /// When it was published.
    pub at: Timestamp,
}

impl World {
    /// Adds a video; its URL comes back.
    pub fn add_video(&mut self, id: &str, channel: (&str, &str), words: (&str, &str), at: Timestamp) -> String {
        let (handle, name) = channel;
        let video =
            Video { title: words.0.into(), below: words.1.into(), handle: handle.into(), channel: name.into(), at };
        self.videos.insert(id.to_owned(), video);
        format!("https://www.youtube.com/watch?v={id}")
    }
}

impl World {
    /// The address of the feed of a channel's videos.
    pub fn video_feed(&self, handle: &str) -> String {
        format!("https://www.youtube.com/feeds/videos.xml?channel_id={}", channel_id(handle))
    }
}

/// The lasting id of a channel.
fn channel_id(handle: &str) -> String {
    let noise = crate::pixels::noise(handle, 16);
    format!("UC{}", data_encoding::BASE64URL_NOPAD.encode(&noise))
}

/// Whichever of its hosts was asked.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Reply> {
    match (request.host.as_str(), request.path()) {
        ("www.youtube.com" | "youtube.com", "/oembed") => Some(oembed(world, request)),
        (_, "/feeds/videos.xml") => Some(feed(world, &request.param("channel_id").unwrap_or_default())),
        ("consent.youtube.com", "/m") => {
            let body = "<!doctype html><title>Before you continue to YouTube</title><form action=\"/save\"></form>";
            Some(Reply::html(200, body))
        }
        ("youtu.be", path) => {
            let id = path.trim_matches('/');
            Some(
                Reply::to(303, &format!("https://www.youtube.com/watch?v={id}&feature=youtu.be")).with("server", "ESF"),
            )
        }
        (_, "/watch") => Some(watch(world, &request.param("v").unwrap_or_default())),
        (_, path) => channel(world, path.strip_prefix("/@")?),
    }
}

/// The video, where it is there and not gone.
fn find<'a>(world: &'a World, id: &str) -> Option<&'a Video> {
    world.videos.get(id).filter(|_| !world.is_gone(&format!("youtube:{id}")))
}

/// The video ids that stand for an error: their first letters say which.
fn oembed(world: &World, request: &Request) -> Reply {
    let url = request.param("url").unwrap_or_default();
    let id = url.rsplit(['=', '/']).next().unwrap_or_default();
    match id {
        "" => Reply::body(400, "text/html; charset=utf-8", "Bad Request"),
        _ if id.starts_with("noembed") => Reply::body(401, "text/html; charset=utf-8", "Unauthorized"),
        _ if id.starts_with("private") => Reply::body(403, "text/html; charset=utf-8", "Forbidden"),
        _ if id.starts_with("deleted") || world.is_gone(&format!("youtube:{id}")) => {
            Reply::body(404, "text/html; charset=utf-8", "Not Found")
        }
        _ => match find(world, id) {
            Some(video) => Reply::json(
                200,
                format!(
                    "{{\"title\":{},\"author_name\":{},\"author_url\":\"https://www.youtube.com/@{}\",\"type\":\"video\",\
                     \"height\":113,\"width\":200,\"version\":\"1.0\",\"provider_name\":\"YouTube\",\
                     \"provider_url\":\"https://www.youtube.com/\",\"thumbnail_url\":\"https://i.ytimg.com/vi/{id}/hqdefault.jpg\"}}",
                    quote(&video.title),
                    quote(&video.channel),
                    video.handle
                ),
            ),
            None => Reply::json(200, fixtures::bytes("youtube/oembed.json")),
        },
    }
}

/// The watch page; one of a video that is not there says 200 too.
fn watch(world: &World, id: &str) -> Reply {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let Some(video) = find(world, &id) else {
        let body = format!(
            "<!DOCTYPE html><html><head><title>A video - YouTube</title><link rel=\"alternate\" \
             type=\"application/json+oembed\" href=\"https://www.youtube.com/oembed?format=json&amp;\
             url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{id}\"></head><body></body></html>\n"
        );
        return Reply::html(200, body);
    };
    let first: String = video.below.chars().take(20).collect();
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>{title} - YouTube</title><meta name=\"title\" content=\"{title}\">\
         <meta name=\"description\" content=\"{first}...\"><link rel=\"canonical\" href=\"https://www.youtube.com/watch?v={id}\">\
         <meta property=\"og:title\" content=\"{title}\"></head><body><div itemscope itemtype=\"http://schema.org/VideoObject\">\
         <meta itemprop=\"name\" content=\"{title}\"><meta itemprop=\"identifier\" content=\"{id}\">\
         <span itemprop=\"author\" itemscope itemtype=\"http://schema.org/Person\">\
         <link itemprop=\"url\" href=\"http://www.youtube.com/@{handle}\"><link itemprop=\"name\" content=\"{channel}\"></span>\
         <meta itemprop=\"datePublished\" content=\"{at}\"></div><script>var ytInitialPlayerResponse = {{\"videoDetails\":\
         {{\"videoId\":\"{id}\",\"channelId\":\"{number}\",\"shortDescription\":{below}}}}};</script></body></html>\n",
        title = attribute(&video.title),
        first = attribute(&first),
        handle = video.handle,
        channel = attribute(&video.channel),
        at = calendar::form(video.at, "%Y-%m-%dT%H:%M:%S+00:00"),
        number = channel_id(&video.handle),
        below = quote(&video.below),
    );
    Reply::html(200, body)
}

/// The feed of a channel's fifteen newest videos.
fn feed(world: &World, id: &str) -> Reply {
    let named = |handle: &str| channel_id(handle) == id;
    let Some(first) = world.videos.values().find(|video| named(&video.handle)) else {
        return Reply::html(404, "<!doctype html><title>Error 404 (Not Found)!!1</title>");
    };
    let there = |id: &str| !world.is_gone(&format!("youtube:{id}"));
    let mut videos: Vec<_> = world.videos.iter().filter(|(id, video)| named(&video.handle) && there(id)).collect();
    videos.sort_by_key(|(_, video)| std::cmp::Reverse(video.at));
    let entry = |(id, video): &(&String, &Video)| {
        let at = calendar::form(video.at, "%Y-%m-%dT%H:%M:%S+00:00");
        format!(
            "<entry><id>yt:video:{id}</id><yt:videoId>{id}</yt:videoId><title>{title}</title>\
             <link rel=\"alternate\" href=\"https://www.youtube.com/watch?v={id}\"/><author><name>{name}</name></author>\
             <published>{at}</published><updated>{at}</updated><media:group><media:title>{title}</media:title>\
             <media:description>{below}</media:description></media:group></entry>",
            title = escape(&video.title),
            name = escape(&video.channel),
            below = escape(&video.below)
        )
    };
    let entries: String = videos.iter().take(15).map(entry).collect();
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns:yt=\"http://www.youtube.com/xml/schemas/2015\" \
         xmlns:media=\"http://search.yahoo.com/mrss/\" xmlns=\"http://www.w3.org/2005/Atom\"><id>yt:channel:{id}</id>\
         <title>{}</title><author><name>{0}</name></author>{entries}</feed>\n",
        escape(&first.channel)
    );
    Reply::body(200, "text/xml; charset=UTF-8", xml)
}

fn channel(world: &World, handle: &str) -> Option<Reply> {
    let video = world.videos.values().find(|video| video.handle.eq_ignore_ascii_case(handle))?;
    let body = format!(
        "<!DOCTYPE html><html><head><title>{name} - YouTube</title><meta property=\"og:title\" content=\"{name}\">\
         <link rel=\"canonical\" href=\"https://www.youtube.com/channel/{}\"></head><body></body></html>\n",
        channel_id(&video.handle),
        name = attribute(&video.channel)
    );
    Some(Reply::html(200, body))
}
