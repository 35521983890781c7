//! Values to canonical DAG-CBOR bytes.

use super::Value;
use super::decode::by_length_then_bytes;

pub(super) fn value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Int(n) if *n < 0 => head(1, !*n as u64, out),
        Value::Int(n) => head(0, *n as u64, out),
        Value::Bytes(bytes) => string(2, bytes, out),
        Value::Text(text) => string(3, text.as_bytes(), out),
        Value::List(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|item| self::value(item, out));
        }
        Value::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| by_length_then_bytes(a, b));
            sorted.dedup_by(|(a, _), (b, _)| a == b);
            head(5, sorted.len() as u64, out);
            for (key, item) in sorted {
                string(3, key.as_bytes(), out);
                self::value(item, out);
            }
        }
        Value::Link(cid) => {
            head(6, 42, out);
            head(2, 1 + crate::format::cid::LENGTH as u64, out);
            out.push(0);
            out.extend_from_slice(&cid.to_bytes());
        }
    }
}

fn string(major: u8, bytes: &[u8], out: &mut Vec<u8>) {
    head(major, bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Major type and argument, in the fewest bytes.
fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    let width = match argument {
        0..24 => return out.push(major | argument as u8),
        24..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 4,
        _ => 8usize,
    };
    out.push(major | (24 + width.trailing_zeros() as u8));
    out.extend(bytes.iter().skip(8 - width));
}
