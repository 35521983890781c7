//! A WARC file by itself, whoever wrote it: every digest it declares, every length, every member.

use std::collections::HashSet;
use std::path::Path;

use crate::format::warc::head;
use crate::format::warc::problem::Kind;
use crate::format::warc::read::{Item, Want};
use crate::work::fault::Fault;
use crate::work::verify::stretch::{self, Look};
use crate::work::verify::{Problem, Report};

/// What a stretch comes to.
#[derive(Default)]
struct Part {
    problems: Vec<Problem>,
    bytes: u64,
    records: u64,
    /// records that declare no digest that is known here
    undeclared: u64,
    /// what stands for each record's id, and where the record is
    ids: Vec<(u128, u64)>,
}

struct Anyones;

impl Look for Anyones {
    type Out = Part;

    fn see(&self, part: &mut Part, file: &str, item: &Item) {
        for problem in &item.problems {
            let place = format!("{file}@{}", item.offset);
            part.problems.push(Problem { kind: problem.kind.as_str(), place, what: problem.what.clone() });
        }
        part.bytes += item.length;
        if item.is_whole() {
            part.records += 1;
            part.undeclared += u64::from(item.checked == 0);
        }
        // One that the reader has named already is not named again.
        if let Some(id) = item.head.id().filter(|_| !item.problems.iter().any(|p| p.kind == Kind::DuplicateId)) {
            part.ids.push((head::id_key(id), item.offset));
        }
    }

    fn weight(&self, part: &Part) -> usize {
        part.ids.len() * size_of::<(u128, u64)>() + part.problems.len() * 256
    }
}

/// Checks a file that belongs to no archive.
///
/// # Errors
/// It cannot be read.
pub fn foreign(path: &Path) -> Result<Report, Fault> {
    let mut report = Report::new(path.display().to_string());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut undeclared = 0_u64;
    let mut ids = HashSet::new();
    let files = [(name.clone(), path.to_owned())];
    stretch::walk(&files, Want::foreign(), &Anyones, |part| {
        report.problems.extend(part.problems);
        report.checked.bytes += part.bytes;
        report.checked.warc_records += part.records;
        undeclared += part.undeclared;
        for (id, offset) in part.ids {
            if !ids.insert(id) {
                report.problem(Kind::DuplicateId.as_str(), format!("{name}@{offset}"), "a second record has its id");
            }
        }
        Ok(())
    })?;
    if undeclared > 0 {
        report
            .not_checked
            .push(format!("the blocks of {undeclared} records, which declare no digest that is known here"));
    }
    report.not_checked.push("who wrote the file and when: no ledger was looked at".to_owned());
    Ok(report.conclude())
}
