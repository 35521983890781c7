//! By hand: the command lines with which other people's tools check an anchor, as they can be pasted into a shell.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::format::time;
use crate::work::parts::Paths;
use crate::world::store::anchors::AnchorRow;

/// Stands for the file of pinned roots where the settings do not name exactly one.
const ROOTS: &str = "ROOTS.pem";

/// The line that checks `row`; none for a kind that no common tool checks.
pub fn command(paths: &Paths, roots: &[PathBuf], row: &AnchorRow) -> Option<String> {
    let folder = paths.ledger().join("anchors");
    let data = quoted(&folder.join(format!("{}.checkpoint", row.size)));
    let file = quoted(&folder.join(&row.file));
    match row.kind.as_str() {
        "tsr" => {
            let roots = if let [one] = roots { quoted(one) } else { ROOTS.to_owned() };
            Some(format!("openssl ts -verify -data {data} -in {file} -CAfile {roots}"))
        }
        "ots" => Some(format!("ots verify -f {data} {file}")),
        _ => None,
    }
}

/// An anchor as it is shown.
pub fn shown(paths: &Paths, roots: &[PathBuf], row: &AnchorRow) -> Value {
    let at = row.at.map(time::rfc3339);
    json!({
        "kind": row.kind, "authority": row.authority, "state": row.state, "checkpoint": row.size, "at": at,
        "file": format!("ledger/anchors/{}", row.file), "ledger_index": row.record, "check": command(paths, roots, row),
    })
}

/// A path as a POSIX shell reads it back.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str) -> AnchorRow {
        AnchorRow {
            record: 9,
            size: 5,
            kind: kind.to_owned(),
            authority: "tsa.example".to_owned(),
            state: "verified".to_owned(),
            file: format!("5.tsa.example.{kind}"),
            at: None,
        }
    }

    #[test]
    fn a_line_can_be_pasted_whatever_the_folder_is_called() {
        let paths = Paths::new("/a/it's here");
        let roots = [PathBuf::from("/r.pem")];
        assert_eq!(
            command(&paths, &roots, &row("tsr")).as_deref(),
            Some(
                r"openssl ts -verify -data '/a/it'\''s here/ledger/anchors/5.checkpoint' -in '/a/it'\''s here/ledger/anchors/5.tsa.example.tsr' -CAfile /r.pem"
            )
        );
        let plain = Paths::new("archive");
        let line = command(&plain, &[], &row("ots"));
        let files = "archive/ledger/anchors/5.checkpoint archive/ledger/anchors/5.tsa.example.ots";
        assert_eq!(line, Some(format!("ots verify -f {files}")));
        assert!(command(&plain, &[], &row("tsr")).is_some_and(|line| line.ends_with("-CAfile ROOTS.pem")));
        assert_eq!(command(&plain, &[], &row("cosignature")), None);
    }
}
