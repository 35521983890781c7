//! Clocks that must agree with each other: the id's, the platform's, the upload's.

use jiff::Timestamp;

use crate::finding::{Agreement, Check, made};
use crate::format::time::rfc3339;
use crate::platform::post::Post;

/// Seconds that two clocks of one platform may differ.
const SLACK: i64 = 2;
/// Seconds that an upload may seem to follow its post: ids are made on many machines.
const UPLOAD_SLACK: i64 = 60;

/// The time in the id against the time the platform states.
pub(super) fn id(post: &Post) -> Option<Check> {
    let of = |result| made("id-time", result, None, post.id_time.map(rfc3339));
    match (post.id_time, post.posted) {
        (None, None) => None,
        (Some(_), None) => Some(of(Agreement::Unknown).because("the capture states no time beside the id")),
        (None, Some(_)) => Some(of(Agreement::Unknown).because("the id holds no time")),
        (Some(id), Some(stated)) => {
            let same = apart(id, stated).abs() <= SLACK;
            let check = of(if same { Agreement::Agrees } else { Agreement::Disagrees });
            Some(check.because(format!("the platform states {}", rfc3339(stated))))
        }
    }
}

/// Seconds from the first to the second.
fn apart(one: Timestamp, other: Timestamp) -> i64 {
    other.as_second().saturating_sub(one.as_second())
}

/// Pictures are uploaded before the post they are in; months before, where they are used again.
pub(super) fn media(post: &Post) -> Option<Check> {
    if post.media.is_empty() {
        return None;
    }
    let uploads: Vec<Timestamp> = post.media.iter().filter(|m| m.kind != "card").filter_map(|m| m.uploaded).collect();
    let of = |result, at: Option<Timestamp>| made("media-time", result, None, at.map(rfc3339));
    let (Some(at), Some(last)) = (post.id_time.or(post.posted), uploads.iter().max().copied()) else {
        return Some(of(Agreement::Unknown, None).because("no name of a picture or video tells its upload time"));
    };
    let before = apart(last, at);
    Some(if before < -UPLOAD_SLACK {
        of(Agreement::Disagrees, Some(last)).because(format!("uploaded {} s after the post was made", -before))
    } else {
        of(Agreement::Agrees, Some(last)).because(format!("uploaded {before} s before the post was made"))
    })
}
