//! Time-stamp protocol (RFC 3161, RFC 5816): a request, and the token in the response, checked to a pinned root.
//!
//! Read leniently, judged strictly: certificates in any order and fractions of a second pass; another imprint, another
//! nonce, a signer that the token does not name, a chain that does not hold at the token's own time do not. Revocation is
//! judged by the lists that are pinned with the roots (RFC 5280 §5) and never looked up: a signer on one of them is refused,
//! whenever it stamped, since whoever has a stolen key can write any time.

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm, UnixTime};
use sha2::Digest as _;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert, ring as algorithms,
};

use crate::format::der::{
    BOOLEAN, Element, Elements, GENERALIZED_TIME, INTEGER, NotDer, OCTET_STRING, OID, SEQUENCE, SET, context, element,
    oid_text,
};
use crate::format::digest::Digest;

/// No response of an authority comes near.
pub const MAX_BYTES: usize = 128 * 1024;

const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA_384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
const SHA_512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ED25519,
];

/// What an authority is asked: its certificate and a time for this digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// what is stamped
    pub imprint: Digest,
    /// random; ties the answer to this question
    pub nonce: [u8; 8],
}

impl Query {
    /// The DER of the TimeStampReq.
    pub fn to_der(&self) -> Vec<u8> {
        let algorithm = element(SEQUENCE, &[&element(OID, &[SHA_256]), &[0x05, 0x00]]);
        let imprint = element(SEQUENCE, &[&algorithm, &element(OCTET_STRING, &[&self.imprint.0])]);
        let nonce = element(INTEGER, &[&positive(&self.nonce)]);
        let certificates = element(BOOLEAN, &[&[0xff]]);
        element(SEQUENCE, &[&element(INTEGER, &[&[1]]), &imprint, &nonce, &certificates])
    }

    /// Reads a request of our own making, kept beside its answer.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(der: &[u8]) -> Result<Self, NotDer> {
        let mut parts = Element::only(der)?.inside_of(SEQUENCE)?;
        parts.take(INTEGER)?;
        let mut imprint = parts.take(SEQUENCE)?.inside()?;
        imprint.take(SEQUENCE)?;
        let imprint = imprint.take(OCTET_STRING)?.value.try_into().map_err(|_| NotDer)?;
        let number = parts.take(INTEGER)?.value;
        let number = number.get(number.iter().take_while(|octet| **octet == 0).count()..).unwrap_or_default();
        let mut nonce = [0; 8];
        let start = 8usize.checked_sub(number.len()).ok_or(NotDer)?;
        nonce.get_mut(start..).ok_or(NotDer)?.copy_from_slice(number);
        let query = Self { imprint: Digest(imprint), nonce };
        if query.to_der() == der { Ok(query) } else { Err(NotDer) }
    }
}

/// The contents of a positive INTEGER, as short as DER wants it.
fn positive(number: &[u8]) -> Vec<u8> {
    let significant: Vec<u8> = number.iter().copied().skip_while(|octet| *octet == 0).collect();
    match significant.first() {
        Some(first) if *first < 0x80 => significant,
        _ => [&[0], &significant[..]].concat(),
    }
}

/// The roots that authorities are believed by, and the revocation lists that are believed about them.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    certificates: Vec<CertificateDer<'static>>,
    revoked: Vec<CertificateRevocationListDer<'static>>,
}

/// A file without a certificate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no PEM certificates")]
pub struct NoCertificates;

impl Roots {
    /// Reads PEM certificates, and revocation lists among them.
    ///
    /// # Errors
    /// Text that has no certificate, or one that is damaged; a list that is.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoCertificates> {
        let roots: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| NoCertificates)?;
        let revoked: Vec<_> =
            CertificateRevocationListDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| NoCertificates)?;
        let usable = roots.iter().all(|root| anchor_from_trusted_cert(root).is_ok())
            && revoked.iter().all(|list| OwnedCertRevocationList::from_der(list).is_ok());
        if usable && !roots.is_empty() { Ok(Self { certificates: roots, revoked }) } else { Err(NoCertificates) }
    }

    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.certificates.extend(others.certificates);
        self.revoked.extend(others.revoked);
    }

    /// Whether none is pinned: then no token can be believed.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// when the authority saw the digest
    pub at: Timestamp,
    /// the policy it stamps under, an object identifier
    pub policy: String,
    /// the token's serial number, hex
    pub serial: String,
}

/// Why a response is not believed; each has its own name.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// an error page, for one
    #[error("the answer is no timestamp response")]
    NotAResponse,
    /// the authority says no
    #[error("the authority rejected the request (status {status})")]
    Rejected {
        /// PKIStatus
        status: u8,
    },
    /// a token of something else
    #[error("the token is malformed")]
    Malformed,
    /// a digest algorithm that is not SHA-256, -384 or -512
    #[error("the token uses a digest algorithm that is not accepted")]
    WeakDigest,
    /// it stamps something else
    #[error("the token stamps another digest")]
    WrongImprint,
    /// it answers another question, or an unasked one
    #[error("the token answers another nonce")]
    WrongNonce,
    /// the certificates do not include the signer's
    #[error("the token's certificates do not include the signer's")]
    UnrelatedCertificates,
    /// the signed attributes are of another content
    #[error("the token's signed attributes are of another content")]
    OtherContent,
    /// the signature is not the signer's
    #[error("the token's signature does not verify")]
    BadSignature,
    /// the chain leads to no pinned root
    #[error("the token's signer leads to no pinned root")]
    UnpinnedAuthority,
    /// a certificate was not valid at the token's time
    #[error("a certificate of the token was not valid at its time")]
    Expired,
    /// the signer stands on a revocation list that is pinned with the roots
    #[error("the token's signer was revoked")]
    Revoked,
    /// a certificate for something else
    #[error("the token's signer is not certified for time stamping alone")]
    NotForTimestamping,
    /// the chain does not hold for another reason
    #[error("the token's certificate chain does not hold")]
    BadChain,
}

impl From<NotDer> for Refused {
    fn from(_: NotDer) -> Self {
        Self::Malformed
    }
}

/// Checks that `response` stamps `imprint`, in answer to `nonce` where that is known, by an authority under `roots`.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(response: &[u8], imprint: &Digest, nonce: Option<&[u8; 8]>, roots: &Roots) -> Result<Stamp, Refused> {
    if response.len() > MAX_BYTES {
        return Err(Refused::NotAResponse);
    }
    let token = Token::parse(granted(response)?)?;
    let info = Info::parse(token.content)?;
    if info.imprint_algorithm != SHA_256 || info.imprint != imprint.0 {
        return Err(Refused::WrongImprint);
    }
    if nonce.is_some_and(|asked| info.nonce != Some(&positive(asked))) {
        return Err(Refused::WrongNonce);
    }
    let signer = token.signer_certificate()?;
    token.check_signature(signer)?;
    token.check_chain(signer, info.at, roots)?;
    Ok(Stamp { at: info.at, policy: info.policy, serial: info.serial })
}

/// The token of a granted response.
fn granted(response: &[u8]) -> Result<Element<'_>, Refused> {
    let mut parts =
        Element::only(response).and_then(|r| r.inside_of(SEQUENCE)).map_err(|NotDer| Refused::NotAResponse)?;
    let mut status = parts.take(SEQUENCE).and_then(|s| s.inside()).map_err(|NotDer| Refused::NotAResponse)?;
    match status.take(INTEGER).map_err(|NotDer| Refused::NotAResponse)?.value {
        [0 | 1] => Ok(parts.take(SEQUENCE)?),
        other => Err(Refused::Rejected { status: other.last().copied().unwrap_or(u8::MAX) }),
    }
}

/// A SignedData with one signer (RFC 5652 §5), as far as it matters here.
struct Token<'a> {
    content: &'a [u8],
    certificates: Vec<CertificateDer<'a>>,
    digest_algorithm: &'a [u8],
    attributes: Element<'a>,
    signature: &'a [u8],
}

impl<'a> Token<'a> {
    fn parse(token: Element<'a>) -> Result<Self, Refused> {
        let mut parts = token.inside()?;
        if parts.take(OID)?.value != SIGNED_DATA {
            return Err(Refused::Malformed);
        }
        let mut data = Element::only(parts.take(context(0))?.value)?.inside_of(SEQUENCE)?;
        data.take(INTEGER)?;
        data.take(SET)?;
        let content = encapsulated(data.take(SEQUENCE)?.inside()?)?;
        let certificates = data.take_if(context(0)).map(|list| list.inside()).transpose()?;
        let certificates = certificates.iter().flat_map(Elements::rest).filter(|c| c.tag == SEQUENCE);
        let certificates = certificates.map(|c| CertificateDer::from(c.raw)).collect();
        data.take_if(context(1));
        let signers = data.take(SET)?.inside()?;
        let [signer] = signers.rest() else { return Err(Refused::Malformed) };
        let mut signer = signer.inside_of(SEQUENCE)?;
        signer.take(INTEGER)?;
        signer.any()?; // the signer's own name for itself; the signed attribute below is what counts
        let digest_algorithm = signer.take(SEQUENCE)?.inside()?.take(OID)?.value;
        let attributes = signer.take(context(0))?;
        signer.take(SEQUENCE)?;
        let signature = signer.take(OCTET_STRING)?.value;
        Ok(Self { content, certificates, digest_algorithm, attributes, signature })
    }

    /// The value of the signed attribute `name`.
    fn attribute(&self, name: &[u8]) -> Result<Option<Element<'a>>, Refused> {
        for attribute in self.attributes.inside()?.rest() {
            let mut parts = attribute.inside_of(SEQUENCE)?;
            if parts.take(OID)?.value == name {
                return Ok(Some(Element::only(parts.take(SET)?.value)?));
            }
        }
        Ok(None)
    }

    /// The certificate that the signed attribute names, by its hash.
    fn signer_certificate(&self) -> Result<&CertificateDer<'a>, Refused> {
        let (name, sha_1) = match self.attribute(SIGNING_CERTIFICATE_V2)? {
            Some(name) => (name, false),
            None => (self.attribute(SIGNING_CERTIFICATE)?.ok_or(Refused::Malformed)?, true),
        };
        let mut identifier = name.inside_of(SEQUENCE)?.take(SEQUENCE)?.inside()?.take(SEQUENCE)?.inside()?;
        let algorithm = identifier.take_if(SEQUENCE).map(|a| a.inside()?.take(OID)).transpose()?;
        let hash = identifier.take(OCTET_STRING)?.value;
        for certificate in &self.certificates {
            let own = match (sha_1, algorithm) {
                (true, _) => sha1::Sha1::digest(certificate).to_vec(),
                (false, Some(algorithm)) => digest(algorithm.value, certificate)?,
                (false, None) => digest(SHA_256, certificate)?,
            };
            if own == hash {
                return Ok(certificate);
            }
        }
        Err(Refused::UnrelatedCertificates)
    }

    /// The signature over the attributes, and the attributes over the content.
    fn check_signature(&self, signer: &CertificateDer<'_>) -> Result<(), Refused> {
        let kind = self.attribute(CONTENT_TYPE)?.ok_or(Refused::Malformed)?;
        let hash = self.attribute(MESSAGE_DIGEST)?.ok_or(Refused::Malformed)?;
        if kind.value != TST_INFO || hash.value != digest(self.digest_algorithm, self.content)? {
            return Err(Refused::OtherContent);
        }
        // RFC 5652 §5.4: what is signed has the tag of a SET OF, not the [0] that stands in the message
        let signed = element(SET, &[self.attributes.value]);
        let signer = EndEntityCert::try_from(signer).map_err(|_| Refused::BadChain)?;
        let good = ALGORITHMS.iter().any(|a| signer.verify_signature(*a, &signed, self.signature).is_ok());
        if good { Ok(()) } else { Err(Refused::BadSignature) }
    }

    fn check_chain(&self, signer: &CertificateDer<'_>, at: Timestamp, roots: &Roots) -> Result<(), Refused> {
        if !usage_is_critical(signer)? {
            return Err(Refused::NotForTimestamping);
        }
        let anchors: Vec<_> =
            roots.certificates.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
        let others: Vec<_> = self.certificates.iter().filter(|c| *c != signer).cloned().collect();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)));
        let signer = EndEntityCert::try_from(signer).map_err(|_| Refused::BadChain)?;
        let usage = KeyUsage::required(TIME_STAMPING);
        let lists = roots.revoked.iter().filter_map(|list| OwnedCertRevocationList::from_der(list).ok());
        let lists: Vec<CertRevocationList<'_>> = lists.map(CertRevocationList::from).collect();
        let lists: Vec<_> = lists.iter().collect();
        // A list says who was revoked, not who was not: it may be older than the token, and others have none.
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Ignore)
                .build()
        });
        let verdict = signer.verify_for_usage(ALGORITHMS, &anchors, &others, time, usage, revocation, None);
        verdict.map(drop).map_err(|error| match error {
            // a root of that name but with another key is no pinned root either
            webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => Refused::UnpinnedAuthority,
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => Refused::Expired,
            webpki::Error::RequiredEkuNotFoundContext(_) => Refused::NotForTimestamping,
            webpki::Error::CertRevoked => Refused::Revoked,
            _ => Refused::BadChain,
        })
    }
}

/// The TSTInfo inside.
fn encapsulated<'a>(mut info: Elements<'a>) -> Result<&'a [u8], Refused> {
    if info.take(OID)?.value != TST_INFO {
        return Err(Refused::Malformed);
    }
    let content = Element::only(info.take(context(0))?.value)?;
    if content.tag == OCTET_STRING { Ok(content.value) } else { Err(Refused::Malformed) }
}

/// RFC 3161 §2.3: the extended key usage must be there and critical, so that no other reader takes the key for more.
fn usage_is_critical(certificate: &[u8]) -> Result<bool, Refused> {
    let whole = Element::only(certificate)?.inside_of(SEQUENCE)?.take(SEQUENCE)?.inside()?;
    let extensions = whole.rest().iter().find(|e| e.tag == context(3)).ok_or(Refused::NotForTimestamping)?;
    for extension in Element::only(extensions.value)?.inside_of(SEQUENCE)?.rest() {
        let mut parts = extension.inside_of(SEQUENCE)?;
        if parts.take(OID)?.value == EXTENDED_KEY_USAGE {
            return Ok(parts.take_if(BOOLEAN).is_some_and(|critical| critical.value != [0]));
        }
    }
    Ok(false)
}

/// The TSTInfo (RFC 3161 §2.4.2).
struct Info<'a> {
    policy: String,
    imprint_algorithm: &'a [u8],
    imprint: &'a [u8],
    serial: String,
    at: Timestamp,
    nonce: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    fn parse(content: &'a [u8]) -> Result<Self, Refused> {
        let mut parts = Element::only(content)?.inside_of(SEQUENCE)?;
        parts.take(INTEGER)?;
        let policy = oid_text(parts.take(OID)?.value).ok_or(Refused::Malformed)?;
        let mut imprint = parts.take(SEQUENCE)?.inside()?;
        let imprint_algorithm = imprint.take(SEQUENCE)?.inside()?.take(OID)?.value;
        let imprint = imprint.take(OCTET_STRING)?.value;
        let serial = data_encoding::HEXLOWER.encode(parts.take(INTEGER)?.value);
        let at = generalized(parts.take(GENERALIZED_TIME)?.value).ok_or(Refused::Malformed)?;
        parts.take_if(SEQUENCE); // accuracy
        parts.take_if(BOOLEAN); // ordering
        let nonce = parts.take_if(INTEGER).map(|n| n.value);
        Ok(Self { policy, imprint_algorithm, imprint, serial, at, nonce })
    }
}

/// `20261123060047.5Z`, with or without a fraction.
fn generalized(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let part = |range| whole.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z").parse().ok()
}

fn digest(algorithm: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    match algorithm {
        SHA_256 => Ok(sha2::Sha256::digest(bytes).to_vec()),
        SHA_384 => Ok(sha2::Sha384::digest(bytes).to_vec()),
        SHA_512 => Ok(sha2::Sha512::digest(bytes).to_vec()),
        _ => Err(Refused::WeakDigest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_round_trip_with_any_nonce() {
        for nonce in [[0; 8], [0xff; 8], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0x80, 0, 0, 0, 0, 0, 0], *b"nonce!!!"] {
            let query = Query { imprint: Digest::of(b"x"), nonce };
            assert_eq!(Query::parse(&query.to_der()), Ok(query));
            assert!(Query::parse(&query.to_der()[1..]).is_err());
        }
    }

    #[test]
    fn times_with_and_without_fractions() {
        let at = |text: &str| generalized(text.as_bytes()).map(|t| t.to_string());
        assert_eq!(at("20261123060047Z").as_deref(), Some("2026-11-23T06:00:47Z"));
        assert_eq!(at("20261123060047.25Z").as_deref(), Some("2026-11-23T06:00:47.25Z"));
        for wrong in ["20261123060047", "2026112306004Z", "20261323060047Z", "20261123060047.Z", "2026112306004xZ"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn answers_that_are_none_are_told_apart() {
        let judge = |bytes: &[u8]| verify(bytes, &Digest::of(b"x"), None, &Roots::default());
        assert_eq!(judge(b"<html>maintenance</html>"), Err(Refused::NotAResponse));
        assert_eq!(judge(b""), Err(Refused::NotAResponse));
        assert_eq!(judge(&[0x30, 5, 0x30, 3, 2, 1, 2]), Err(Refused::Rejected { status: 2 }));
        assert_eq!(judge(&[0x30, 5, 0x30, 3, 2, 1, 0]), Err(Refused::Malformed), "granted, but without a token");
        assert_eq!(Roots::from_pem(b"nothing").unwrap_err(), NoCertificates);
    }
}
