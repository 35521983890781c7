//! The AT Protocol formats against the protocol's own interoperability vectors, which stay outside the repository.

use std::path::{Path, PathBuf};

use onrecord::format::aturi::{AtUri, is_handle};
use onrecord::format::cbor::Value;
use onrecord::format::cid::Cid;
use onrecord::format::did::Did;
use onrecord::format::mst;
use onrecord::format::multikey::{PublicKey, SignatureError};
use onrecord::format::tid::Tid;
use serde_json::Value as Json;

/// The vectors' folder; says plainly when it is not there.
#[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
fn vectors() -> Option<PathBuf> {
    let shared = std::env::var_os("ONRECORD_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let folder = shared.join("data/atproto-interop");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("ABSENT: {} (atproto interop vectors); nothing was checked", folder.display());
    None
}

fn json(folder: &Path, file: &str) -> Vec<Json> {
    serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap()
}

fn lines(folder: &Path, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("syntax").join(file)).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn base64(text: &str) -> Vec<u8> {
    data_encoding::BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).unwrap()
}

#[test]
fn data_model_vectors() {
    let Some(folder) = vectors() else { return };
    let fixtures = json(&folder, "data-model/data-model-fixtures.json");
    assert!(!fixtures.is_empty());
    for fixture in &fixtures {
        let bytes = base64(fixture["cbor_base64"].as_str().unwrap());
        let value = Value::from_json(&fixture["json"]).unwrap();
        assert_eq!(value.encode(), bytes);
        assert_eq!(Value::decode(&bytes).unwrap().to_json(), fixture["json"]);
        assert_eq!(Cid::of_cbor(&bytes).to_string(), fixture["cid"].as_str().unwrap());
    }
    for valid in json(&folder, "data-model/data-model-valid.json") {
        Value::from_json(&valid["json"]).unwrap();
    }
    // the rest of the invalid ones are about records and blobs, which the data model alone cannot tell
    let refused: Vec<String> = json(&folder, "data-model/data-model-invalid.json")
        .iter()
        .filter(|invalid| Value::from_json(&invalid["json"]).is_err())
        .map(|invalid| invalid["note"].as_str().unwrap().to_owned())
        .collect();
    for note in [
        "float",
        "bytes with wrong field type",
        "bytes with extra fields",
        "link with bogus CID",
        "link with extra fields",
    ] {
        assert!(refused.iter().any(|refused| refused == note), "{note}");
    }
}

#[test]
fn signature_vectors() {
    let Some(folder) = vectors() else { return };
    for fixture in json(&folder, "crypto/signature-fixtures.json") {
        let text = |key: &str| fixture[key].as_str().unwrap();
        let key: PublicKey = text("publicKeyDid").parse().unwrap();
        assert_eq!(key.to_string(), text("publicKeyDid"));
        assert_eq!(PublicKey::of_method(text("didDocSuite"), text("publicKeyMultibase")), Ok(key));
        let outcome = key.verify(&base64(text("messageBase64")), &base64(text("signatureBase64")));
        let expected = match fixture["tags"][0].as_str() {
            None => Ok(()),
            Some("high-s") => Err(SignatureError::HighS),
            Some(_) => Err(SignatureError::Form),
        };
        assert_eq!(outcome, expected, "{}", text("comment"));
        if outcome.is_ok() {
            assert_eq!(key.verify(b"other", &base64(text("signatureBase64"))), Err(SignatureError::Forged));
        }
    }
    for file in ["crypto/w3c_didkey_K256.json", "crypto/w3c_didkey_P256.json"] {
        for fixture in json(&folder, file) {
            let text = fixture["publicDidKey"].as_str().unwrap();
            assert_eq!(text.parse::<PublicKey>().unwrap().to_string(), text);
        }
    }
}

#[test]
fn tree_vectors() {
    let Some(folder) = vectors() else { return };
    for fixture in json(&folder, "mst/key_heights.json") {
        let key = fixture["key"].as_str().unwrap();
        assert_eq!(u64::from(mst::height(key.as_bytes())), fixture["height"].as_u64().unwrap(), "{key}");
    }
    for fixture in json(&folder, "mst/common_prefix.json") {
        let side = |name: &str| fixture[name].as_str().unwrap().as_bytes().to_vec();
        let shared = mst::common_prefix(&side("left"), &side("right"));
        assert_eq!(shared as u64, fixture["len"].as_u64().unwrap(), "{fixture}");
    }
}

#[test]
fn syntax_vectors() {
    let Some(folder) = vectors() else { return };
    let check = |name: &str, is: &dyn Fn(&str) -> bool| {
        for (file, expected) in
            [(format!("{name}_syntax_valid.txt"), true), (format!("{name}_syntax_invalid.txt"), false)]
        {
            for line in lines(&folder, &file) {
                assert_eq!(is(&line), expected, "{file}: {line}");
            }
        }
    };
    check("did", &|text| text.parse::<Did>().is_ok());
    check("handle", &is_handle);
    check("tid", &|text| text.parse::<Tid>().is_ok());
    check("aturi", &|text| text.parse::<AtUri>().is_ok());
    // of the many kinds of CID, the protocol allows one: no invalid one may pass, and it need not take every valid one
    for line in lines(&folder, "cid_syntax_invalid.txt") {
        assert!(line.parse::<Cid>().is_err(), "{line}");
    }
}
