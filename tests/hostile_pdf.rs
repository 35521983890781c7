//! PDFs made to hurt, each read or refused by the real binary within bounds of the system: so many seconds of the CPU, so
//! much memory.

use std::io::Write as _;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::world::{World, err};

/// Seconds of the CPU that an unoptimised build may take, and KiB of address space.
const BOUNDS: &str = "ulimit -t 60 && ulimit -v 2000000 && exec \"$0\" cite --json hostile.pdf";

const WORDS: &[u8] = b"BT /F1 12 Tf 72 720 Td (Quay 4 https://t.co/Hq7LmZx2Pa) Tj ET";

/// Numbered objects as a file: the catalogue, the tree of pages, its one page, a font, and what else there is.
fn file(kids: &str, page: &str, others: &[Vec<u8>]) -> Vec<u8> {
    with_font("", kids, page, others)
}

fn with_font(font: &str, kids: &str, page: &str, others: &[Vec<u8>]) -> Vec<u8> {
    let page = format!("<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 4 0 R>>>>{page}>>");
    let mut objects: Vec<Vec<u8>> = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        format!("<</Type/Pages/Kids[{kids}]/Count 1>>").into_bytes(),
        page.into_bytes(),
        format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding{font}>>").into_bytes(),
    ];
    objects.extend_from_slice(others);
    let mut out = b"%PDF-1.5\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (n, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend(format!("{} 0 obj\n", n + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let at = out.len();
    out.extend(table.bytes());
    out.extend(format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n", objects.len() + 1).bytes());
    out
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn stream(more: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<</Length {}{more}>>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

fn flate(content: &[u8]) -> Vec<u8> {
    stream("/Filter/FlateDecode", &packed(content))
}

fn cited(pdf: &[u8]) -> Output {
    let world = World::new();
    world.file("hostile.pdf", pdf);
    let mut command = Command::new("sh");
    command.current_dir(world.folder()).env_clear().args(["-c", BOUNDS, env!("CARGO_BIN_EXE_onrecord")]);
    command.output().unwrap()
}

/// What is cited and named as unread; a refusal is one clear line and 2.
fn told(name: &str, pdf: &[u8]) -> String {
    let output = cited(pdf);
    let said = err(&output);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{name}: {:?} {said}", output.status);
    assert!(!said.contains("panicked") && !said.contains("overflow"), "{name}: {said}");
    if output.status.code() == Some(2) {
        assert!(said.starts_with("onrecord: failed to read the statement hostile.pdf: "), "{name}: {said}");
        assert_eq!(said.lines().count(), 2, "{name}: {said}");
        return said;
    }
    String::from_utf8(output.stdout).unwrap()
}

const LINK: &str = "https://t.co/Hq7LmZx2Pa";

#[test]
fn what_nests_or_turns_in_circles_ends() {
    let plain = |page: &str| file("3 0 R", &format!("/Contents 5 0 R{page}"), &[stream("", WORDS), b"null".to_vec()]);
    assert!(told("plain", &plain("")).contains(LINK));
    let deep = 20_000;
    let within = |open: &str, close: &str| format!("{}1{}", open.repeat(deep), close.repeat(deep));
    for (name, page) in [
        ("arrays", format!("/Deep {}", within("[", "]"))),
        ("dictionaries", format!("/Deep {}", within("<</A ", ">>"))),
        ("parents", "/Parent 3 0 R".to_owned()),
    ] {
        told(name, &plain(&page));
    }
    for (name, inside) in [("operands", within("[", "] TJ")), ("strings", within("(", ") Tj"))] {
        let content = [WORDS, b" ", inside.as_bytes()].concat();
        told(name, &file("3 0 R", "/Contents 5 0 R", &[stream("", &content), b"null".to_vec()]));
    }
    told("a tree of itself", &file("2 0 R 3 0 R 2 0 R", "/Contents 5 0 R", &[stream("", WORDS)]));
    // sixty storeys, each of them twice the one below: more pages than there are atoms in a pen
    let storeys: Vec<Vec<u8>> = (0..60)
        .map(|n| format!("<</Type/Pages/Kids[{0} 0 R {0} 0 R]/Count 2>>", if n == 59 { 3 } else { 8 + n }).into_bytes())
        .collect();
    let others = [&[stream("", WORDS), b"null".to_vec()], storeys.as_slice()].concat();
    told("twins", &file("7 0 R", "/Contents 5 0 R", &others));
    told("contents", &file("3 0 R", "/Contents 5 0 R", &[b"6 0 R".to_vec(), b"5 0 R".to_vec()]));
    let lengthless = [b"<</Length 5 0 R>>\nstream\n", WORDS, b"\nendstream"].concat();
    told("length", &file("3 0 R", "/Contents 5 0 R", &[lengthless, b"null".to_vec()]));
    let looped = String::from_utf8(plain("")).unwrap();
    let at = looped.rsplit("startxref\n").next().and_then(|t| t.lines().next()).unwrap_or_default().to_owned();
    told("tables", looped.replace("/Root", &format!("/Prev {at}/Root")).as_bytes());
}

#[test]
fn what_unpacks_without_end_is_left_unread_and_named() {
    let words = [WORDS, " q".repeat(20 << 20).as_bytes()].concat();
    let page = |content: &[u8]| file("3 0 R", "/Contents 5 0 R", &[flate(content), b"null".to_vec()]);
    assert!(told("long", &page(&words)).contains("unpacks to more than a page of words does"));
    assert!(told("many operators", &page(&words[..3 << 20])).contains("unpacks to more than a page of words does"));
    // a page that is read stands beside one that is not
    let two = "/Contents 5 0 R>>";
    let both =
        [stream("", WORDS), b"null".to_vec(), format!("<</Type/Page/Parent 2 0 R/Contents 8 0 R{two}").into_bytes()];
    let both = [both.as_slice(), &[flate(&words)]].concat();
    let both = file("3 0 R 7 0 R", "/Contents 5 0 R", &both);
    let said = told("two pages", &both);
    assert!(said.contains(LINK) && said.contains("\"part\":\"page 2\""), "{said}");
    let tables = flate(&b"beginbfchar\n".repeat(2 << 20));
    told("tables of a font", &with_font("/ToUnicode 6 0 R", "3 0 R", "/Contents 5 0 R", &[stream("", WORDS), tables]));
}

#[test]
fn objects_that_unpack_to_too_much_are_refused_before_they_are() {
    let objects = |content: &[u8], kind: &str, twice: bool| {
        let (data, filter) = if twice {
            (packed(&packed(content)), "[/FlateDecode/FlateDecode]")
        } else {
            (packed(content), "/FlateDecode")
        };
        let held = stream(&format!("/Type/{kind}/N 1/First 6/Filter{filter}"), &data);
        file("3 0 R", "/Contents 5 0 R", &[stream("", WORDS), b"null".to_vec(), held])
    };
    let blank = [b"900 0 ".to_vec(), vec![b' '; 40 << 20]].concat();
    for (kind, twice) in [("ObjStm", false), ("ObjStm", true), ("Obj#53tm", false), ("#4fbjStm", true)] {
        let said = told(kind, &objects(&blank, kind, twice));
        assert!(said.contains("its objects unpack to more than a document of its length may"), "{kind}: {said}");
    }
    let few = [b"900 0 [".as_slice(), "0 ".repeat(100_000).as_bytes(), b"]"].concat();
    assert!(told("few", &objects(&few, "ObjStm", false)).contains(LINK));
}

#[test]
fn pages_that_share_what_they_show_are_held_to_the_length_of_the_document() {
    let content = [WORDS, " 0 0 m".repeat(100_000).as_bytes()].concat();
    let pages = 4000;
    let others = [&[flate(&content), b"null".to_vec()][..], &vec![b"null".to_vec(); pages]].concat();
    let said = told("shared", &file(&"3 0 R ".repeat(pages), "/Contents 5 0 R", &others));
    assert!(said.contains(LINK) && said.contains("they unpack to more than a document of this length may"), "{said}");
}
