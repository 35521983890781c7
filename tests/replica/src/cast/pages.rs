//! Articles that the cast's posts and other statements lead to, some of them gone.

use crate::calendar::at;
use crate::hosts::article::{Article, Sent};
use crate::hosts::wayback::Capture;
use crate::post::oembed::{Shape, blockquote};
use crate::reply::Reply;
use crate::world::World;

/// Adds them.
pub(crate) fn populate(world: &mut World) {
    live(world);
    embedding(world);
    gone(world);
    odd(world);
}

/// Articles in every way of sending one.
fn live(world: &mut World) {
    let prose = [
        "The lock between the basins was built for barges and is used by everything that floats.",
        "Pilots will board at the outer buoy, and wait there if the wind is above thirty knots.",
    ];
    let articles = [
        ("2023/05/lock", "New lock opens on Thursday", Sent::Brotli),
        ("2023/06/first", "The first reading", Sent::Zstd),
        ("2023/06/second", "The second reading", Sent::Gzip),
        ("morning", "Morning edition", Sent::Chunked),
        ("evening", "Evening edition", Sent::Plain),
    ];
    for (path, title, sent) in articles {
        let place = format!("harbour-times.example/{path}");
        let note = Article::note(&place, title, &prose);
        world.add_article(&Article {
            site: "Harbour Times".into(),
            author: "L. Varga".into(),
            sent,
            requisites: true,
            ..note
        });
    }
    let russian = Article::note(
        "vesti-porta.example/2019/led",
        "Паром стоит во льду",
        &["Пассажиров просят ждать на причале 4."],
    );
    world.add_article(&Article {
        lang: "ru".into(),
        site: "Вести порта".into(),
        published: at("2019-06-09T21:30:00Z"),
        ..russian
    });
    let arabic =
        Article::note("mina.example/2020/open", "الميناء مفتوح", &["الميناء مفتوح اليوم أمام السفن الصغيرة فقط."]);
    world.add_article(&Article { lang: "ar".into(), ..arabic });
}

/// A page that embeds posts as oEmbed gives them.
fn embedding(world: &mut World) {
    let quotes: Vec<String> = ["true", "photo-2019", "marked-up"]
        .iter()
        .filter_map(|name| world.cast.get(name).and_then(|id| world.posts.get(id)))
        .map(|post| blockquote(post, Shape::Twitter))
        .collect();
    let mut article =
        Article::note("harbour-times.example/2023/07/roundup", "What was said this week", &["Three voices."]);
    article.paragraphs.extend(quotes);
    world.add_article(&article);
}

/// Pages that are no more, and what archives kept of them.
fn gone(world: &mut World) {
    let report = Article {
        published: at("2019-09-20T09:00:00Z"),
        site: "Ministry".into(),
        ..Article::note(
            "ministry.example/reports/inquiry-1",
            "Inquiry: first report",
            &["The crane had passed every test of which there is a record."],
        )
    };
    let page = report.html().into_bytes();
    world.capture(Capture::new(&report.url(), at("2019-09-20T12:30:00Z"), "text/html", 200, page.clone()));
    world.capture(Capture::new(&report.url(), at("2019-10-02T03:04:05Z"), "text/html", 200, page));
    world.capture(Capture::new(
        &report.url(),
        at("2021-01-01T00:00:00Z"),
        "text/html",
        404,
        b"<title>404</title>".to_vec(),
    ));
    world.page(
        "ministry.example/reports/inquiry-1",
        Reply::html(404, "<!doctype html><title>404 Not Found</title><h1>Not Found</h1>"),
    );

    let moved = "https://ministry.example/minutes/4";
    world.page("ministry.example/minutes/4", Reply::html(410, "<!doctype html><title>410 Gone</title><h1>Gone</h1>"));
    world.capture(Capture::redirect(
        moved,
        at("2019-03-01T00:00:00Z"),
        301,
        "https://ministry.example/archive/minutes-4",
    ));
    let minutes =
        Article::note("ministry.example/archive/minutes-4", "Minutes of the fourth meeting", &["Page 4 is missing."]);
    world.capture(Capture::new(
        &minutes.url(),
        at("2019-03-01T00:00:02Z"),
        "text/html",
        200,
        minutes.html().into_bytes(),
    ));
    world.page("ministry.example/archive/minutes-4", Reply::html(404, "<!doctype html><title>404 Not Found</title>"));

    // Only archive.today has this one.
    let lost = "ministry.example/press/2018-12-01";
    world.page(lost, Reply::html(404, "<!doctype html><title>404 Not Found</title>"));
    world.archive_today.push((format!("https://{lost}"), "20181203101500".into()));
    // Nobody has this one.
    world.page("ministry.example/press/2018-12-02", Reply::html(404, "<!doctype html><title>404 Not Found</title>"));
}

/// Pages that are there and are not what was meant, and files that are no pages.
fn odd(world: &mut World) {
    let titled = |title: &str, words: &str| {
        Reply::html(
            200,
            format!(
                "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{words}</p></body></html>\n"
            ),
        )
    };
    world.page(
        "harbour-times.example/2017/old",
        titled("Page not found", "We could not find what you were looking for."),
    );
    world.page(
        "harbour-times.example/account/story",
        Reply::to(302, "https://harbour-times.example/login?next=%2Faccount%2Fstory"),
    );
    let form = "<form method=\"post\" action=\"/login\"><input name=\"user\"><input type=\"password\" name=\"password\"></form>";
    world.page("harbour-times.example/login", titled("Log in to Harbour Times", form));
    world.page(
        "harbour-times.example/amp/2023/05/lock",
        titled(
            "New lock opens on Thursday",
            "<link rel=\"canonical\" href=\"https://harbour-times.example/2023/05/lock\">",
        ),
    );
    let base = "<!doctype html><html><head><base href=\"https://cdn.harbour-times.example/static/\"><title>With a base</title>\
        <link rel=\"stylesheet\" href=\"base.css\"></head><body><img src=\"base.png\" alt=\"\"></body></html>\n";
    world.page("harbour-times.example/base", Reply::html(200, base));
    world.page("cdn.harbour-times.example/static/base.css", Reply::body(200, "text/css", "body{color:#222}\n"));
    world.page(
        "cdn.harbour-times.example/static/base.png",
        Reply::body(200, "image/png", crate::pixels::png("base", 32, 32)),
    );
    world.page("ministry.example/reports/annual.pdf", Reply::body(200, "application/pdf", pdf("Annual report 2019")));
    world.page("ministry.example/chart.svg", Reply::body(200, "image/svg+xml", SVG));
    world.page("ministry.example/notice.txt", Reply::body(200, "text/plain; charset=utf-8", "No ferries on Sunday.\n"));
    world.page("ministry.example/data.json", Reply::json(200, "{\"stations\":212,\"open\":211}\n"));
}

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\"><rect width=\"40\" height=\"20\" fill=\"#347\"/></svg>\n";

/// A one-page PDF (ISO 32000-1) with one line of text and a right cross-reference table.
fn pdf(line: &str) -> Vec<u8> {
    let content = format!("BT /F1 18 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let (mut out, mut table) = ("%PDF-1.4\n".to_owned(), "0000000000 65535 f \n".to_owned());
    for (n, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
    }
    let start = out.len();
    out.push_str(&format!("xref\n0 6\n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    out.into_bytes()
}
