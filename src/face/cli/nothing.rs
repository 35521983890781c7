//! A question that nothing fits: why that may be, and what to ask instead.

use crate::face::cli::fault::{Exit, Fault};
use crate::format::terms;
use crate::world::store::find::Wanted;
use crate::world::store::{Error, Store};

/// What a person is told, with exit code 3.
///
/// # Errors
/// The catalogue's.
pub(super) fn fault(store: &Store, wanted: &Wanted) -> Result<Fault, Error> {
    let fault = Fault::plain(Exit::NotFound, "nothing in the archive fits");
    Ok(match hint(store, wanted)? {
        Some(hint) => fault.hint(hint),
        None => fault,
    })
}

fn hint(store: &Store, wanted: &Wanted) -> Result<Option<String>, Error> {
    if wanted.limit == Some(0) {
        return Ok(Some("--limit 0 asks for nothing".to_owned()));
    }
    if !some(store, &Wanted::default())? {
        return Ok(Some("it holds no citation yet: onrecord run FILE takes a statement in".to_owned()));
    }
    if let Some(text) = &wanted.text {
        if terms::asked(text).is_none() {
            return Ok(Some("the text has no word in it".to_owned()));
        }
        let missing = missing(store, text)?;
        if !missing.is_empty() {
            let words = missing.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
            return Ok(Some(format!(
                "no statement, post or captured page has {words}; a * at a word's end stands for any rest"
            )));
        }
        if text.contains('"') && some(store, &Wanted { text: Some(text.replace('"', " ")), ..wanted.clone() })? {
            return Ok(Some(
                "without the quotation marks the words need not stand together, and something fits".to_owned(),
            ));
        }
    }
    let fewer = fewer(wanted);
    if fewer.len() > 1 {
        let mut without = Vec::new();
        for (name, fewer) in &fewer {
            if some(store, fewer)? {
                without.push(*name);
            }
        }
        let said = format!("something does without {}", without.join(", or without "));
        return Ok((!without.is_empty()).then_some(said));
    }
    alone(store, wanted)
}

/// What helps where one filter alone finds nothing.
fn alone(store: &Store, wanted: &Wanted) -> Result<Option<String>, Error> {
    if let Some(url) = &wanted.url {
        let wider = match url.find("://").and_then(|at| url.get(at + 3..)?.find('/').map(|end| at + 3 + end)) {
            Some(end) if !url.ends_with('*') => format!("{}/*", url.get(..end).unwrap_or(url)),
            _ => return Ok(None),
        };
        let fits = some(store, &Wanted { url: Some(wider.clone()), ..Wanted::default() })?;
        return Ok(fits.then(|| format!("other pages there were cited or led to: --url '{wider}'")));
    }
    let of = match () {
        () if wanted.ending.is_some() => "standing",
        () if wanted.verdict.is_some() => "verdict",
        () if wanted.platform.is_some() => "platform",
        () if wanted.kind.is_some() => "kind",
        () => return Ok(None),
    };
    let there: Vec<String> =
        store.tallies()?.into_iter().filter(|t| t.name == of).map(|t| format!("{} {}", t.n, t.value)).collect();
    Ok(Some(match there.as_slice() {
        [] => "there is none of any kind yet".to_owned(),
        there => format!("there are {}", there.join(", ")),
    }))
}

/// Words of the text that stand nowhere, as they were typed.
fn missing(store: &Store, text: &str) -> Result<Vec<String>, Error> {
    let mut out = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || c == '"') {
        let asks = terms::asked(word).is_some();
        if asks && !some(store, &Wanted { text: Some(word.to_owned()), ..Wanted::default() })? {
            out.push(word.to_owned());
        }
    }
    Ok(out)
}

fn some(store: &Store, wanted: &Wanted) -> Result<bool, Error> {
    let mut found = false;
    store.find::<Error>(&Wanted { limit: Some(1), ranked: false, ..wanted.clone() }, |_| {
        found = true;
        Ok(())
    })?;
    Ok(found)
}

/// The question with one filter left out, each by its name.
fn fewer(wanted: &Wanted) -> Vec<(&'static str, Wanted)> {
    let mut out = Vec::new();
    let mut without = |name: &'static str, given: bool, take: fn(&mut Wanted)| {
        if given {
            let mut fewer = wanted.clone();
            take(&mut fewer);
            out.push((name, fewer));
        }
    };
    without("TEXT", wanted.text.is_some(), |w| w.text = None);
    without("--statement", wanted.statements.is_some(), |w| w.statements = None);
    without("--kind", wanted.kind.is_some(), |w| w.kind = None);
    without("--handle", wanted.handle.is_some(), |w| w.handle = None);
    without("--author", wanted.author.is_some(), |w| w.author = None);
    without("--platform", wanted.platform.is_some(), |w| w.platform = None);
    without("--url", wanted.url.is_some(), |w| w.url = None);
    without("--post", wanted.post.is_some(), |w| w.post = None);
    without("--digest", wanted.digest.is_some(), |w| w.digest = None);
    without("--ending", wanted.ending.is_some(), |w| w.ending = None);
    without("--verdict", wanted.verdict.is_some(), |w| w.verdict = None);
    without("--since and --until", wanted.since.is_some() || wanted.until.is_some(), |w| {
        (w.since, w.until) = (None, None);
    });
    without("--cited-since and --cited-until", wanted.cited_since.is_some() || wanted.cited_until.is_some(), |w| {
        (w.cited_since, w.cited_until) = (None, None);
    });
    let posted = wanted.posted_since.is_some() || wanted.posted_until.is_some();
    without("--posted-since and --posted-until", posted, |w| (w.posted_since, w.posted_until) = (None, None));
    without("--anchored", wanted.anchored, |w| w.anchored = false);
    out
}
