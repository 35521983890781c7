//! The closing table of a run: each citation, where it led, its ending, its snapshot's hash, its verdict.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::face::plain;
use crate::face::table::{Cell, Column, Table};
use crate::finding::Verdict;
use crate::format::http::Truncated;
use crate::resolution::ending::Ending;
use crate::work::anchor::{Added, Attested, State, Unasked};
use crate::work::outcome::{CitationOutcome, Listed, RunOutcome};

/// Characters of a citation that identify it in a table.
const LABEL: usize = 48;

/// Writes what became of a run.
///
/// # Errors
/// What the writer says.
pub fn run(out: &mut dyn Write, outcome: &RunOutcome, width: Option<usize>) -> io::Result<()> {
    for statement in &outcome.statements {
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#}  {}", crate::face::plain::line(&statement.source), statement.id)?;
        for unread in &statement.unread {
            let (part, why) = (crate::face::plain::line(&unread.part), crate::face::plain::line(&unread.why));
            writeln!(out, "not read as it stands: {part}: {why}")?;
        }
        citations(&statement.citations, width)?.write(out, width)?;
        writeln!(out)?;
    }
    summary(out, outcome)
}

fn citations(citations: &Listed, width: Option<usize>) -> io::Result<Table> {
    let mut table = Table::new(vec![
        Column::new("KIND").whole(),
        Column::new("CITATION"),
        Column::new("LED TO"),
        Column::new("ENDING"),
        Column::new("SNAPSHOT").whole(),
        Column::new("VERDICT").whole(),
    ]);
    for citation in citations.iter() {
        table.push(row(&citation?, width));
    }
    Ok(table)
}

fn row(citation: &CitationOutcome, width: Option<usize>) -> Vec<Cell> {
    let ending = match citation.ending {
        Some(ending) => {
            let truncated = citation.truncated.map(Truncated::as_str).unwrap_or_default();
            Cell::new(ended(ending.as_str(), truncated, citation.unread.is_some())).styled(ending_style(ending))
        }
        // Only hashtags are recorded and not planned; of anything else it is still owed.
        None if citation.kind != "hashtag" => Cell::new("not followed").styled(Style::new().dimmed()),
        None => Cell::new("recorded").styled(Style::new().dimmed()),
    };
    let led_to = citation.post.as_deref().or(citation.final_url.as_deref()).unwrap_or_default();
    let snapshot = citation.snapshot.map(|digest| match width {
        // In a terminal there is no room for all of it; elsewhere nothing is cut.
        Some(_) => digest.to_string().chars().take("sha256:".len() + 12).collect(),
        None => digest.to_string(),
    });
    let verdict = citation.findings.iter().map(|finding| finding.verdict).max_by_key(|v| weight(*v));
    vec![
        Cell::new(&*citation.kind),
        Cell::new(label(&citation.raw)),
        Cell::new(led_to),
        ending,
        Cell::new(snapshot.unwrap_or_default()),
        verdict.map(|v| Cell::new(verdict_word(v)).styled(verdict_style(v))).unwrap_or_default(),
    ]
}

/// An ending in a table: beside it what is wrong with the body that was kept of it. Both words are fields of the contract, where
/// `unread` says why.
pub fn ended(ending: &str, truncated: &str, unread: bool) -> String {
    let mut said = ending.to_owned();
    if !truncated.is_empty() {
        said = format!("{said}, truncated ({truncated})");
    }
    if unread {
        said.push_str(", unread");
    }
    said
}

/// What stands in a statement, short enough for a table.
pub fn label(raw: &str) -> String {
    let mut label: String = raw.chars().take(LABEL).collect();
    if label.len() < raw.len() {
        label.push('…');
    }
    label
}

fn summary(out: &mut dyn Write, outcome: &RunOutcome) -> io::Result<()> {
    let counts = &outcome.counts;
    let endings: Vec<String> =
        counts.endings.iter().filter(|(_, n)| **n > 0).map(|(ending, n)| format!("{n} {ending}")).collect();
    if outcome.statements.is_empty() && counts.planned == 0 {
        writeln!(out, "nothing is due, and nothing new lies in statements/")?;
    }
    write!(out, "{} of {} citations ended", counts.ended, counts.planned)?;
    if !endings.is_empty() {
        write!(out, ": {}", endings.join(", "))?;
    }
    writeln!(out)?;
    if let Some(checkpoint) = &outcome.checkpoint {
        writeln!(out, "checkpoint {} {}", checkpoint.size, checkpoint.root)?;
    }
    Ok(())
}

/// The worst of several findings is the one a person must see.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Corroborated => 0,
        Verdict::Undetermined => 1,
        Verdict::Contradicted => 2,
    }
}

/// A verdict's name in the contract.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Corroborated => "corroborated",
        Verdict::Contradicted => "contradicted",
        Verdict::Undetermined => "undetermined",
    }
}

/// The colour of a verdict.
pub fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Corroborated => AnsiColor::Green.on_default(),
        Verdict::Contradicted => AnsiColor::Red.on_default().bold(),
        Verdict::Undetermined => AnsiColor::Yellow.on_default(),
    }
}

/// The colour of an ending: kept, worth asking again, or neither.
pub fn ending_style(ending: Ending) -> Style {
    if ending.is_kept() {
        AnsiColor::Green.on_default()
    } else if ending.is_retryable() {
        AnsiColor::Yellow.on_default()
    } else {
        AnsiColor::Red.on_default()
    }
}

/// Who vouches now, who waits, who gave nothing.
///
/// # Errors
/// The writer's.
pub fn anchors(out: &mut dyn Write, attested: &Attested) -> io::Result<()> {
    for added in &attested.added {
        let (word, style) = worth(added);
        let at = added.at.map(|at| format!(", {}", crate::format::time::rfc3339(at))).unwrap_or_default();
        writeln!(out, "{style}{word}{style:#}  {}  checkpoint {}{at}", plain::line(&added.authority), added.size)?;
        writeln!(out, "    ledger/anchors/{}", plain::line(&added.file))?;
    }
    for refusal in &attested.failed {
        let red = AnsiColor::Red.on_default();
        writeln!(out, "{red}nothing{red:#}  {}  {}", plain::line(&refusal.authority), plain::line(&refusal.why))?;
    }
    if attested.pending > 0 {
        let dim = Style::new().dimmed();
        let n = attested.pending;
        writeln!(out, "{dim}{n} proofs wait for a block or its header: anchor again later takes them further{dim:#}")?;
    }
    if attested.added.is_empty() && attested.failed.is_empty() {
        writeln!(out, "nothing new: everyone named has vouched for checkpoint {}", attested.checkpoint)?;
    }
    if !attested.unasked.is_empty() {
        writeln!(out, "not asked: {}", whom_to_name(&attested.unasked))?;
    }
    Ok(())
}

/// Calendars listed when nobody named them; more are counted.
const CALENDARS: usize = 4;

/// What to do about proofs whose calendars nobody named.
pub fn whom_to_name(unasked: &[Unasked]) -> String {
    let list: Vec<String> = unasked.iter().take(CALENDARS).map(|one| plain::line(&one.calendar).into_owned()).collect();
    let more = match unasked.len().saturating_sub(CALENDARS) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!(
        "name the calendar that promised them with --calendar, or in [anchor] of onrecord.toml: {}{more}. A proof could name any \
         address, so only those you name are asked",
        list.join(", ")
    )
}

fn worth(added: &Added) -> (&'static str, Style) {
    match added.state {
        State::Verified | State::Confirmed => (added.state.as_str(), AnsiColor::Green.on_default()),
        State::Pending | State::Unchecked => (added.state.as_str(), AnsiColor::Yellow.on_default()),
    }
}

/// The colour of an ending by its name in the contract; none for one that is not known.
pub fn style_of(ending: &str) -> Style {
    serde_json::from_value(serde_json::Value::String(ending.to_owned())).map(ending_style).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citation::CitationId;
    use crate::format::digest::Digest;
    use crate::statement::StatementId;
    use crate::work::outcome::{CheckpointOutcome, Counts, FindingOutcome, Outcomes, StatementOutcome};

    fn outcome() -> RunOutcome {
        let id = CitationId(Digest::of(b"citation"));
        let snapshot = Digest::of(b"snapshot");
        let finding = |verdict| FindingOutcome { citation: id, post: "x:1".into(), snapshot, verdict, checks: vec![] };
        let link = CitationOutcome {
            id,
            kind: "post".into(),
            raw: "A quoted post that is rather longer than any table could show in one line of it".into(),
            ending: Some(Ending::CapturedFromArchive),
            why: String::new(),
            final_url: Some("https://x.com/a/status/1".into()),
            hops: 2,
            snapshot: Some(snapshot),
            post: Some("x:1".into()),
            posts: Vec::new(),
            truncated: None,
            unread: None,
            account: None,
            findings: vec![finding(Verdict::Corroborated), finding(Verdict::Contradicted)],
        };
        let tag = CitationOutcome {
            id: CitationId(Digest::of(b"another")),
            kind: "hashtag".into(),
            raw: "#tag\u{1b}[2J".into(),
            ending: None,
            final_url: None,
            snapshot: None,
            post: None,
            posts: Vec::new(),
            account: None,
            findings: vec![],
            ..link.clone()
        };
        let statement = StatementOutcome {
            id: StatementId(Digest::of(b"s")),
            source: "a.txt".into(),
            unread: Vec::new(),
            citations: listed(&[link, tag]),
        };
        RunOutcome {
            run: "r".into(),
            statements: vec![statement],
            counts: Counts::of(1, [Ending::CapturedFromArchive]),
            beacon: None,
            anchors: None,
            checkpoint: Some(CheckpointOutcome { size: 7, root: "AAAA".into() }),
        }
    }

    fn listed(all: &[CitationOutcome]) -> Listed {
        let mut outcomes = Outcomes::default();
        all.iter().enumerate().for_each(|(place, one)| outcomes.add(place, one).unwrap());
        outcomes.listed([(0..all.len()).collect::<Vec<_>>()], |_| panic!("all are here")).unwrap().remove(0)
    }

    fn drawn(width: Option<usize>) -> String {
        let mut bytes = Vec::new();
        run(&mut bytes, &outcome(), width).unwrap();
        anstream::adapter::strip_bytes(&bytes).into_vec().try_into().unwrap()
    }

    #[test]
    fn each_citation_has_its_row_and_the_worst_verdict() {
        let text = drawn(None);
        let row = text.lines().find(|line| line.starts_with("post")).unwrap();
        for part in
            ["A quoted post", "x:1", "captured-from-archive", &Digest::of(b"snapshot").to_string(), "contradicted"]
        {
            assert!(row.contains(part), "{part} is missing in {row}");
        }
        assert!(text.contains("#tag\\u{1b}[2J"));
        assert!(text.ends_with("1 of 1 citations ended: 1 captured-from-archive\ncheckpoint 7 AAAA\n"), "{text}");
    }

    #[test]
    fn what_was_never_followed_is_not_called_recorded() {
        let outcome = outcome();
        let mut link = outcome.statements[0].citations.iter().next().unwrap().unwrap();
        (link.kind, link.ending, link.snapshot, link.findings) = ("link".into(), None, None, Vec::new());
        let tag = CitationOutcome { kind: "hashtag".into(), ..link.clone() };
        let mut bytes = Vec::new();
        citations(&listed(&[link, tag]), None).unwrap().write(&mut bytes, None).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&bytes).into_vec()).unwrap();
        let row = |kind: &str| text.lines().find(|line| line.starts_with(kind)).unwrap().to_owned();
        assert!(row("link").contains("not followed") && row("hashtag").contains("recorded"), "{text}");
    }

    #[test]
    fn a_run_with_nothing_to_do_says_so() {
        let idle = RunOutcome { statements: Vec::new(), counts: Counts::of(0, []), ..outcome() };
        let (mut bytes, mut busy) = (Vec::new(), Vec::new());
        run(&mut bytes, &idle, None).unwrap();
        run(&mut busy, &outcome(), None).unwrap();
        assert!(String::from_utf8(bytes).unwrap().starts_with("nothing is due"));
        assert!(!String::from_utf8(busy).unwrap().contains("nothing is due"));
    }

    #[test]
    fn on_a_terminal_it_fits() {
        for width in [80, 100] {
            let text = drawn(Some(width));
            let fits = |line: &str| unicode_width::UnicodeWidthStr::width(line) <= width;
            assert!(text.lines().skip(1).all(fits), "{text}");
        }
    }
}
