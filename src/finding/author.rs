//! Who wrote it: the handle in any case, else the display name; a handle that changed hands or was changed.

use crate::finding::{Agreement, Check, Claim, Judged, made};
use crate::format::words;
use crate::platform::post::{Author, Post};

/// The cited author against the captured one.
pub(super) fn check(claim: &Claim<'_>, post: &Post, known: &[Author]) -> Judged {
    let found = shown(Some(&post.author.handle), post.author.name.as_deref());
    let cited = shown(claim.handle, claim.author);
    let of = |result| made("author", result, cited.clone(), found.clone());
    match (claim.handle, claim.author) {
        (Some(_), _) if post.author.handle.is_empty() => {
            Judged::plain(of(Agreement::Unknown).because("the capture names no handle"))
        }
        (Some(handle), name) if same_handle(handle, &post.author.handle) => {
            let check = of(Agreement::Agrees);
            match (name, &post.author.name) {
                (Some(name), Some(own)) if words::fold(name) != words::fold(own) => {
                    Judged::plain(check.because("the handle is the same; display names are changed at will"))
                }
                _ => Judged::plain(check),
            }
        }
        (Some(handle), _) => other_handle(handle, post, known, of(Agreement::Disagrees)),
        (None, Some(name)) => Judged::plain(by_name(name, post, of)),
        (None, None) => Judged::plain(of(Agreement::Unknown).because("the statement names no author")),
    }
}

fn shown(handle: Option<&str>, name: Option<&str>) -> Option<String> {
    match (handle.filter(|h| !h.is_empty()), name) {
        (Some(handle), Some(name)) => Some(format!("{name} (@{handle})")),
        (Some(handle), None) => Some(format!("@{handle}")),
        (None, name) => name.map(str::to_owned),
    }
}

/// Handles are ASCII and fold case; on federated servers the host may be left out.
fn same_handle(cited: &str, found: &str) -> bool {
    let cited = cited.trim_start_matches('@');
    cited.eq_ignore_ascii_case(found)
        || (!cited.contains('@') && found.split_once('@').is_some_and(|(user, _)| user.eq_ignore_ascii_case(cited)))
}

fn other_handle(handle: &str, post: &Post, known: &[Author], check: Check) -> Judged {
    let had: Vec<&Author> =
        known.iter().filter(|account| same_handle(handle, &account.handle) && account.id.is_some()).collect();
    // the handle may be somebody else's by now: what counts is that this account once had it
    match had.iter().find(|account| account.id == post.author.id) {
        Some(account) => {
            let id = account.id.as_deref().unwrap_or_default();
            Judged::explained(
                check.because(format!("renamed: an earlier capture has @{handle} with the same account id {id}")),
            )
        }
        None if !had.is_empty() && post.author.id.is_some() => {
            Judged::plain(check.because(format!("@{handle} is another account, with another id")))
        }
        None => Judged::plain(check),
    }
}

/// A name alone: titles and middle names come and go, another name does not.
fn by_name(name: &str, post: &Post, of: impl Fn(Agreement) -> Check) -> Check {
    let Some(own) = &post.author.name else {
        return of(Agreement::Unknown).because("the capture names no display name, the statement no handle");
    };
    let likeness = words::compare(name, own);
    let handle = words::fold(&post.author.handle);
    let squeezed: String = words::fold(name).split_whitespace().collect();
    if likeness.score >= 0.99 || likeness.inside || words::compare(own, name).inside || squeezed == handle {
        of(Agreement::Agrees)
    } else if likeness.score > 0.0 {
        of(Agreement::Unknown).because("the names share words, but are not the same")
    } else {
        of(Agreement::Disagrees)
    }
}

/// The account behind the handle: the id that survives a renaming.
pub(super) fn identity(claim: &Claim<'_>, post: &Post, known: &[Author]) -> Option<Check> {
    let id = post.author.id.clone()?;
    let of = |result| made("identity", result, claim.handle.map(|h| format!("@{h}")), Some(format!("account {id}")));
    let handle = claim.handle?;
    let same: Vec<&Author> = known.iter().filter(|a| same_handle(handle, &a.handle) && a.id.is_some()).collect();
    Some(match same.as_slice() {
        [] => of(Agreement::Unknown).because("no other capture of this handle to compare with"),
        all if all.iter().all(|a| a.id.as_deref() == Some(id.as_str())) => {
            of(Agreement::Agrees).because("other captures of this handle have the same account id")
        }
        _ => of(Agreement::Disagrees)
            .because("another capture of this handle has another account id: it was renamed or taken over"),
    })
}
