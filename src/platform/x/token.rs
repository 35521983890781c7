//! The `token` of the syndication endpoint. Any non-empty value is taken (2026-09); the one that X's own embeds compute is
//! sent, so that our request is an ordinary one: the id over 10¹⁵ times π, in base 36, without zeros and point.

/// The token for a post's id.
pub fn of(id: &str) -> String {
    let number: f64 = id.parse().unwrap_or(0.0);
    let digits = base36(number / 1e15 * std::f64::consts::PI);
    let token: String = digits.chars().filter(|c| !matches!(c, '0' | '.')).collect();
    if token.is_empty() { "a".to_owned() } else { token }
}

/// A positive number in base 36, as `Number.prototype.toString(36)` prints it: the fewest fraction digits that still tell
/// it from its neighbours (ECMA-262 leaves the choice to engines; vectors are from V8).
fn base36(value: f64) -> String {
    let (mut whole, mut fraction) = (value.trunc(), value.fract());
    let next = f64::from_bits(value.to_bits() + 1);
    let mut precision = (0.5 * (next - value)).max(f64::from_bits(1));
    let mut digits: Vec<u32> = Vec::new();
    while fraction >= precision && digits.len() < 1100 {
        fraction *= 36.0;
        precision *= 36.0;
        let digit = fraction.trunc();
        digits.push(digit as u32);
        fraction -= digit;
        let up = fraction > 0.5 || (fraction == 0.5 && digit % 2.0 == 1.0);
        if up && fraction + precision > 1.0 {
            if !carry(&mut digits) {
                whole += 1.0;
            }
            break;
        }
    }
    let mut out = integer(whole);
    if !digits.is_empty() {
        out.push('.');
        out.extend(digits.iter().filter_map(|&d| char::from_digit(d, 36)));
    }
    out
}

/// Adds one to the last digit; false where it runs out of digits.
fn carry(digits: &mut Vec<u32>) -> bool {
    while let Some(digit) = digits.pop() {
        if digit + 1 < 36 {
            digits.push(digit + 1);
            return true;
        }
    }
    false
}

fn integer(mut whole: f64) -> String {
    let mut reversed = Vec::new();
    loop {
        let digit = whole % 36.0;
        reversed.extend(char::from_digit(digit as u32, 36));
        whole = ((whole - digit) / 36.0).trunc();
        if whole <= 0.0 || reversed.len() > 300 {
            return reversed.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_a_browser_computes_it() -> Result<(), Box<dyn std::error::Error>> {
        let given: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/x/token-vectors.json"))?;
        let vectors = given["vectors"].as_array().ok_or("no vectors")?;
        assert!(vectors.len() > 20);
        for vector in vectors {
            let id = vector["id"].as_str().ok_or("no id")?;
            assert_eq!(of(id), vector["token"].as_str().ok_or("no token")?, "{id}");
        }
        assert_eq!(of("0"), "a");
        assert_eq!(of("rubbish"), "a");
        Ok(())
    }
}
