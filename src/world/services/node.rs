//! Bitcoin block headers from whom the user trusts for them: a file of their own, or a node's JSON-RPC.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use super::{Error as Unreachable, Services};
use crate::format::ots::{Header, header};

/// Where headers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headers {
    /// a text file: a height, a space, and the header's 160 hex digits on each line
    File(PathBuf),
    /// a node; user and password stand in the address
    Node(Url),
}

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// the file is not to be read
    #[error("read block headers from {}", .path.display())]
    File {
        /// the file
        path: PathBuf,
        /// what the system said
        source: std::io::Error,
    },
    /// no answer
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// an answer that is no header
    #[error("read the header of block {0}: not one that meets its own target")]
    NotAHeader(u64),
}

/// The header of the block at `height`; `None` where the source does not have it.
///
/// # Errors
/// The source cannot be asked, or gives something that is no header.
pub async fn at(services: &Services, source: &Headers, height: u64) -> Result<Option<Header>, Error> {
    let hex = match source {
        Headers::File(path) => {
            let read = tokio::fs::read_to_string(path).await;
            let text = read.map_err(|source| Error::File { path: path.clone(), source })?;
            text.lines()
                .filter_map(|line| line.split_once(' '))
                .find_map(|(number, hex)| (number.parse() == Ok(height)).then(|| hex.trim().to_owned()))
        }
        Headers::Node(url) => match call(services, url, "getblockhash", json!([height])).await? {
            Some(hash) => call(services, url, "getblockheader", json!([hash, false])).await?,
            None => None,
        },
    };
    let Some(hex) = hex else { return Ok(None) };
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap_or_default();
    header(&bytes).map(Some).ok_or(Error::NotAHeader(height))
}

/// Every header in a file, by height.
///
/// # Errors
/// The file cannot be read, or holds something that is no header.
pub fn all(path: &Path) -> Result<BTreeMap<u64, Header>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter_map(|(number, hex)| Some((number.parse().ok()?, hex.trim())))
        .map(|(height, hex)| {
            let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap_or_default();
            header(&bytes).map(|header| (height, header)).ok_or(Error::NotAHeader(height))
        })
        .collect()
}

/// A call whose result is text; `None` for any other.
async fn call(services: &Services, url: &Url, method: &str, params: Value) -> Result<Option<String>, Unreachable> {
    let ask = json!({"jsonrpc": "1.0", "id": "onrecord", "method": method, "params": params});
    let reply = services.post(url, "application/json", "application/json", ask.to_string().into_bytes()).await?;
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    Ok(answer.get("result").and_then(Value::as_str).map(str::to_owned))
}
