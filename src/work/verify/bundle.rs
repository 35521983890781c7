//! A proof bundle handed to verify: judged as `ledger check` judges it, and reported as everything verified is.

use crate::work::prove::Judged;
use crate::work::verify::{Checked, Report};

/// The report of a bundle that was judged.
pub fn bundle(file: &str, judged: Judged) -> Report {
    let mut report = Report::new(file);
    let proved = u64::from(judged.record.is_some());
    report.checked = Checked {
        warc_records: judged.evidence,
        records: proved,
        leaves: proved,
        checkpoints: proved,
        anchors: judged.anchors.len() as u64,
        ..Checked::default()
    };
    if let (Some(record), Some(index), Some(size)) = (judged.record, judged.index, judged.size) {
        let kind = judged.kind.unwrap_or("record");
        report.notes.push(format!("{kind} {record} stands at {index} under a checkpoint of {size} leaves"));
    }
    report.independence = judged.independence;
    report.problems = judged.problems;
    report.not_checked = judged.not_checked;
    report.not_checked.push("the archive it comes from: only what the bundle carries was looked at".to_owned());
    report.conclude()
}
