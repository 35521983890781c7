//! A WARC file by itself, whoever wrote it: every digest it declares, every length, every member.

use std::path::Path;

use crate::format::warc::read::Want;
use crate::work::fault::Fault;
use crate::work::verify::Report;
use crate::world::vault::place;

/// Checks a file that belongs to no archive.
///
/// # Errors
/// It cannot be read.
pub fn foreign(path: &Path) -> Result<Report, Fault> {
    let mut report = Report::new(path.display().to_string());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut reader = place::scan(path, 0, Want::foreign())?;
    let mut undeclared = 0_u64;
    while let Some(item) = reader.next().map_err(Fault::file("WARC file", path))? {
        for problem in &item.problems {
            report.problem(problem.kind.as_str(), format!("{name}@{}", item.offset), problem.what.clone());
        }
        report.checked.bytes += item.length;
        if item.is_whole() {
            report.checked.warc_records += 1;
            undeclared += u64::from(item.checked == 0);
        }
    }
    if undeclared > 0 {
        report
            .not_checked
            .push(format!("the blocks of {undeclared} records, which declare no digest that is known here"));
    }
    report.not_checked.push("who wrote the file and when: no ledger was looked at".to_owned());
    Ok(report.conclude())
}
