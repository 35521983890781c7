//! Webhooks: a notice is posted, signed as Standard Webhooks has it (<https://www.standardwebhooks.com/>): HMAC-SHA256 over
//! id, time and body.

use hmac::{KeyInit as _, Mac as _};
use jiff::Timestamp;
use url::Url;

use super::{Error, Services};

/// The secret of a webhook.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// `whsec_` and base64, or any other line as the bytes it is.
    pub fn read(line: &str) -> Self {
        let decoded = line.strip_prefix("whsec_").and_then(|b64| data_encoding::BASE64.decode(b64.as_bytes()).ok());
        Self(decoded.unwrap_or_else(|| line.as_bytes().to_vec()))
    }

    /// The signature header's value.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = hmac::Hmac::<sha2::Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{}.", at.as_second()).as_bytes());
        mac.update(body);
        format!("v1,{}", data_encoding::BASE64.encode(&mac.finalize().into_bytes()))
    }
}

/// Posts a notice; the status is its answer. Whoever receives one `id` twice has received one notice.
///
/// # Errors
/// No answer.
pub async fn post(
    services: &Services,
    url: &Url,
    secret: Option<&Secret>,
    id: &str,
    at: Timestamp,
    body: Vec<u8>,
) -> Result<u16, Error> {
    let mut request = services
        .0
        .post(url.clone())
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.as_second().to_string());
    if let Some(secret) = secret {
        request = request.header("webhook-signature", secret.sign(id, at, &body));
    }
    Ok(services.answer(url, request.body(body)).await?.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn the_published_example_is_signed_alike() -> Result<(), jiff::Error> {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330)?;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        Ok(())
    }
}
