//! Timestamp tokens made by `openssl ts`, a foreign implementation: the good ones are believed, each bad one is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use onrecord::format::digest::Digest;
use onrecord::format::tsp::{Query, Refused, Roots, Stamp, verify};

const CONFIG: &str = "
[req]
distinguished_name = dn
prompt = no
[dn]
CN = x
[ca]
default_ca = one
[one]
dir = DIR
database = DIR/index.txt
serial = DIR/ca.serial
new_certs_dir = DIR
default_md = sha256
default_crl_days = 30
crlnumber = DIR/crl.number
crl_extensions = list
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[list]
authorityKeyIdentifier = keyid
[stamping]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[t]
serial = DIR/tsa.serial
signer_cert = DIR/tsa.pem
signer_key = DIR/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
tsa_name = yes
ess_cert_id_alg = sha256
";

/// A timestamp authority in a folder.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
    extra: &'static str,
}

fn openssl(folder: &Path, line: &str) {
    let run = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
    assert!(run.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&run.stderr));
}

/// None where there is no `openssl` command to ask.
pub(crate) fn authority(key: &str, validity: &str, extra: &'static str) -> Option<Authority> {
    if Command::new("openssl").arg("version").output().is_err() {
        #[expect(clippy::print_stdout, reason = "a test that is not run must say so")]
        {
            println!("not run: there is no openssl command");
        }
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let config = format!("{CONFIG}{extra}\n").replace("DIR", &at.display().to_string());
    std::fs::write(at.join("config"), config).unwrap();
    std::fs::write(at.join("index.txt"), "").unwrap();
    std::fs::write(at.join("ca.serial"), "01\n").unwrap();
    std::fs::write(at.join("crl.number"), "01\n").unwrap();
    std::fs::write(at.join("tsa.serial"), "01\n").unwrap();
    for name in ["ca", "tsa"] {
        openssl(at, &format!("genpkey {key} -out {name}.key"));
    }
    openssl(
        at,
        "req -x509 -new -key ca.key -sha256 -days 3650 -subj /CN=Root -config config -extensions root -out ca.pem",
    );
    openssl(at, "req -new -key tsa.key -subj /CN=Authority -config config -out tsa.csr");
    openssl(
        at,
        &format!(
            "ca -batch -notext -config config -cert ca.pem -keyfile ca.key {validity} -extfile config -extensions stamping -in tsa.csr -out tsa.pem"
        ),
    );
    let chain = [std::fs::read(at.join("tsa.pem")).unwrap(), std::fs::read(at.join("ca.pem")).unwrap()].concat();
    std::fs::write(at.join("chain.pem"), chain).unwrap();
    Some(Authority { folder, extra })
}

pub(crate) const EC: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
pub(crate) const VALID: &str = "-days 30";

impl Authority {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn roots(&self) -> Roots {
        Roots::from_pem(&std::fs::read(self.path("ca.pem")).unwrap()).unwrap()
    }

    pub(crate) fn answer(&self, query: &[u8]) -> Vec<u8> {
        std::fs::write(self.path("query"), query).unwrap();
        openssl(self.folder.path(), "ts -reply -config config -section t -queryfile query -out reply");
        std::fs::read(self.path("reply")).unwrap()
    }
}

fn query() -> Query {
    Query { imprint: Digest::of(b"a checkpoint"), nonce: *b"\x80nonce!!" }
}

fn judge(authority: &Authority, response: &[u8]) -> Result<Stamp, Refused> {
    verify(response, &query().imprint, Some(&query().nonce), &authority.roots())
}

#[test]
fn tokens_of_a_foreign_authority_are_believed_and_openssl_believes_our_request() {
    for (key, extra) in [
        (EC, ""),
        (RSA, ""),
        (EC, "clock_precision_digits = 3"),
        (EC, "certs = DIR/chain.pem"),
        (EC, "ordering = yes\naccuracy = secs:1"),
    ] {
        let Some(authority) = authority(key, VALID, extra) else { return };
        let response = authority.answer(&query().to_der());
        let stamp = judge(&authority, &response).unwrap_or_else(|e| panic!("{key} {}: {e}", authority.extra));
        assert_eq!(stamp.policy, "1.2.3.4.1");
        assert_eq!(stamp.serial, "02");
        assert_eq!(verify(&response, &query().imprint, None, &authority.roots()), Ok(stamp));
        openssl(authority.folder.path(), "ts -verify -queryfile query -in reply -CAfile ca.pem");
    }
}

#[test]
fn every_bad_answer_has_its_name() {
    let (Some(good), Some(other)) = (authority(EC, VALID, ""), authority(EC, VALID, "")) else { return };
    let response = good.answer(&query().to_der());

    let elsewhere = Query { imprint: Digest::of(b"something else"), ..query() };
    assert_eq!(judge(&good, &good.answer(&elsewhere.to_der())), Err(Refused::WrongImprint));
    let again = Query { nonce: [1; 8], ..query() };
    assert_eq!(judge(&good, &good.answer(&again.to_der())), Err(Refused::WrongNonce));
    assert_eq!(judge(&other, &response), Err(Refused::UnpinnedAuthority));
    assert_eq!(verify(&response, &query().imprint, None, &Roots::default()), Err(Refused::UnpinnedAuthority));

    let certificate = pem_bytes(&good.path("tsa.pem"));
    let stranger = pem_bytes(&other.path("tsa.pem"));
    if certificate.len() == stranger.len() {
        let swapped = replaced(&response, &certificate, &stranger);
        assert_eq!(judge(&good, &swapped), Err(Refused::UnrelatedCertificates));
    }
    let stamped = query().imprint;
    let forged = replaced(&response, &stamped.0, &Digest::of(b"forged").0);
    assert_eq!(verify(&forged, &Digest::of(b"forged"), None, &good.roots()), Err(Refused::OtherContent));
    let mut unsigned = response.clone();
    let last = unsigned.len() - 1;
    unsigned[last] ^= 1;
    assert_eq!(judge(&good, &unsigned), Err(Refused::BadSignature));
    assert_eq!(judge(&good, &response[..response.len() - 1]), Err(Refused::NotAResponse));
}

#[test]
fn a_certificate_must_have_been_valid_when_it_stamped_and_for_that_alone() {
    let past = "-startdate 20200101000000Z -enddate 20210101000000Z";
    let Some(expired) = authority(EC, past, "") else { return };
    assert_eq!(judge(&expired, &expired.answer(&query().to_der())), Err(Refused::Expired));
    let future = "-startdate 20400101000000Z -enddate 20410101000000Z";
    let Some(early) = authority(EC, future, "") else { return };
    assert_eq!(judge(&early, &early.answer(&query().to_der())), Err(Refused::Expired));
}

#[test]
fn a_signer_on_a_pinned_revocation_list_is_told_from_all_others() {
    let (Some(stolen), Some(other)) = (authority(EC, VALID, ""), authority(EC, VALID, "")) else { return };
    let response = stolen.answer(&query().to_der());
    let with_list = |authority: &Authority| {
        let ca = "-config config -cert ca.pem -keyfile ca.key";
        openssl(authority.folder.path(), &format!("ca {ca} -gencrl -out crl.pem"));
        let files = ["ca.pem", "crl.pem"].map(|name| std::fs::read(authority.path(name)).unwrap());
        Roots::from_pem(&files.concat()).unwrap()
    };
    let judged = |roots: &Roots| verify(&response, &query().imprint, None, roots);
    assert!(judged(&with_list(&stolen)).is_ok(), "a list without the signer says nothing against it");
    openssl(stolen.folder.path(), "ca -config config -cert ca.pem -keyfile ca.key -revoke tsa.pem");
    let mut roots = with_list(&stolen);
    assert_eq!(judged(&roots), Err(Refused::Revoked));
    roots.extend(with_list(&other));
    assert_eq!(judged(&roots), Err(Refused::Revoked), "whatever other lists there are");
    assert!(judged(&stolen.roots()).is_ok(), "a list that is not pinned is not looked up");
}

/// Nothing a liar can do to one byte of a response makes it good for us, or makes us fall over.
#[test]
fn no_flipped_byte_passes_for_another_time_or_digest() {
    let Some(authority) = authority(EC, VALID, "") else { return };
    let response = authority.answer(&query().to_der());
    let good = judge(&authority, &response).unwrap();
    for at in 0..response.len() {
        let mut bent = response.clone();
        bent[at] ^= 0x55;
        if let Ok(stamp) = judge(&authority, &bent) {
            assert_eq!(stamp, good, "byte {at} is not covered, and says nothing");
        }
    }
    for length in 0..response.len() {
        assert!(judge(&authority, &response[..length]).is_err());
    }
}

fn pem_bytes(path: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    data_encoding::BASE64.decode(body.as_bytes()).unwrap()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
