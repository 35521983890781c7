//! api.x.com: what is left for guests, and API v2 for who brings a bearer token (PLATFORMS 2.3).

use serde_json::Value;

use crate::fixtures;
use crate::post::{Post, State, legacy, quote};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// Guest tokens, two GraphQL operations, and `GET /2/tweets/ID`.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let parts: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    let file = |status: u16, name: &str| Reply::json(status, fixtures::bytes(&format!("x/graphql/{name}.json")));
    match parts.as_slice() {
        ["1.1", "guest", "activate.json"] if world.switches.guests => file(200, "guest-activate"),
        ["1.1", "guest", "activate.json"] => file(403, "error.guest-token.403"),
        ["graphql" | "i", ..] if world.switches.graphql.is_some() => {
            let name = world.switches.graphql.unwrap_or_default();
            let status = ["400", "403", "429"].iter().find(|status| name.ends_with(*status));
            file(status.and_then(|status| status.parse().ok()).unwrap_or(200), name)
        }
        ["graphql" | "i", .., operation] => {
            if request.header("x-guest-token").is_none() {
                return file(403, "error.guest-token.403");
            }
            if request.param("features").is_none() {
                return file(400, "error.features.400");
            }
            graphql(world, operation, &request.param("variables").unwrap_or_default())
        }
        ["2", "tweets", id] => v2(world, request, id),
        _ => Reply::json(404, "{\"errors\":[{\"message\":\"Sorry, that page does not exist\",\"code\":34}]}"),
    }
}

fn graphql(world: &World, operation: &str, variables: &str) -> Reply {
    let variables: Value = serde_json::from_str(variables).unwrap_or_default();
    let text = |key: &str| variables.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (prefix, wanted) = match operation {
        "TweetResultByRestId" => ("x/graphql/TweetResultByRestId.", format!("\"rest_id\":\"{}\"", text("tweetId"))),
        "UserByScreenName" => ("x/graphql/UserByScreenName", format!("\"screen_name\":\"{}\"", text("screen_name"))),
        _ => return Reply::json(404, ""),
    };
    if operation == "TweetResultByRestId"
        && let Some(post) = text("tweetId").parse().ok().and_then(|id: u64| world.posts.get(&id))
    {
        return Reply::json(200, fixtures::bytes(&format!("x/graphql/TweetResultByRestId.{}.json", state(post))));
    }
    let mut files = fixtures::under(prefix);
    let found = files.find(|(_, bytes)| std::str::from_utf8(bytes).is_ok_and(|text| text.contains(&wanted)));
    let empty = if operation == "UserByScreenName" { "UserByScreenName.notfound" } else { "TweetResultByRestId.empty" };
    Reply::json(200, found.map_or_else(|| fixtures::bytes(&format!("x/graphql/{empty}.json")), |(_, bytes)| bytes))
}

fn state(post: &Post) -> &'static str {
    match post.made.state {
        State::Deleted => "unavailable.Deleted",
        State::Suspended => "unavailable.Suspended",
        State::Protected => "unavailable.Protected",
        State::AgeRestricted => "unavailable.NsfwLoggedOut",
        _ => "empty",
    }
}

/// API v2: 401 without a bearer, an error object in 200 for what is not there.
fn v2(world: &World, request: &Request, id: &str) -> Reply {
    if !request.header("authorization").is_some_and(|value| value.starts_with("Bearer ")) {
        let body = "{\"title\":\"Unauthorized\",\"type\":\"about:blank\",\"status\":401,\"detail\":\"Unauthorized\"}";
        return Reply::json(401, body);
    }
    let post = id.parse().ok().and_then(|id: u64| world.posts.get(&id));
    match post.filter(|post| post.made.state == State::Live && !world.is_gone(&format!("x:{id}"))) {
        Some(post) => Reply::json(200, legacy::v2_json(post)).with("x-rate-limit-remaining", "14"),
        None => {
            let detail = format!("Could not find tweet with id: [{id}].");
            let body = format!(
                "{{\"errors\":[{{\"value\":{},\"detail\":{},\"title\":\"Not Found Error\",\"resource_type\":\"tweet\",\
                 \"type\":\"https://api.twitter.com/2/problems/resource-not-found\"}}]}}",
                quote(id),
                quote(&detail)
            );
            Reply::json(200, body)
        }
    }
}
