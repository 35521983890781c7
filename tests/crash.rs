//! An archive cut off anywhere: it opens, it verifies, and whatever had been reported as done is there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onrecord::format::digest::Digest;
use onrecord::statement::Hint;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::errand::{Errand, Input, Manner};
use onrecord::work::fault::Fault;
use onrecord::work::news::News;
use onrecord::work::parts::Paths;
use onrecord::work::pursue::Again;
use onrecord::work::robots::Policy;
use onrecord::work::statements::Handed;
use onrecord::work::verify::{self, Trust, Verdict};
use onrecord::world::clock::Clock;
use onrecord::world::durable::{Deed, Disk, Fate, Fault as Faulty};
use onrecord::world::wire::Wire;
use onrecord::world::wire::settings::Settings;
use onrecord_replica::reply::Reply;
use onrecord_replica::{Options, Replica};

const HOST: &str = "soak.replica.test";
/// Citations of one statement.
const LINKS: usize = 12;

fn replica() -> Replica {
    let replica = Replica::start_blocking(Options::default()).unwrap();
    replica.set(|world| {
        for n in 0..LINKS {
            let page =
                format!("<title>Page {n}</title><p>{}<img src=/picture/{n}.png>", "Said on Monday. ".repeat(60 * n));
            world.route(HOST, &format!("/page/{n}"), Reply::html(200, page));
            let picture = Digest::of(&[n as u8]).0.repeat(400);
            world.route(HOST, &format!("/picture/{n}.png"), Reply::body(200, "image/png", picture));
        }
    });
    replica
}

/// A statement of its own for each round, whose links lead to the same pages.
fn statement(replica: &Replica, round: usize) -> String {
    let mut text = format!("Round {round}.\n");
    replica.set(|world| {
        for n in 0..LINKS {
            world.route(HOST, &format!("/t/{round}/{n}"), Reply::to(301, &format!("/page/{n}")));
            text.push_str(&format!("http://{HOST}/t/{round}/{n}\n"));
        }
    });
    text
}

/// Whether there is time for all of it.
fn nightly() -> bool {
    std::env::var_os("ONRECORD_NIGHTLY").is_some_and(|on| on == "1")
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// The tool on an archive, in a cleared environment.
fn onrecord(archive: &Path, replica: &Replica, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    command.env_clear().stdin(Stdio::null()).arg("--archive").arg(archive).args(arguments);
    if arguments.first() == Some(&"run") {
        command.args(["--allow-net", "127.0.0.0/8", "--per-host", "8"]);
        for rule in replica.connect_to() {
            command.args(["--connect-to", &rule]);
        }
    }
    command
}

/// The link that a progress line reports as ended.
fn reported(line: &str) -> Option<String> {
    line.starts_with('[').then(|| line.split_whitespace().last().map(str::to_owned)).flatten()
}

/// Starts a run and kills it, `after` so many citations and some microseconds more; what it had reported by then.
fn killed(archive: &Path, replica: &Replica, file: &Path, after: usize, pause: Duration) -> Vec<String> {
    let mut run = onrecord(archive, replica, &["run", file.to_str().unwrap(), "--concurrency", "4"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap());
    let mut said = Vec::new();
    let mut line = String::new();
    while said.len() < after && lines.read_line(&mut line).unwrap() > 0 {
        said.extend(reported(&line));
        line.clear();
    }
    std::thread::sleep(pause);
    // On Unix this is SIGKILL: nothing is flushed, nothing is closed.
    run.kill().unwrap();
    run.wait().unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    // A line that was cut off in the middle reports nothing.
    let whole = rest.rfind('\n').map_or("", |end| &rest[..end]);
    said.extend(whole.lines().filter_map(reported));
    said
}

fn followed(archive: &Path) -> Vec<String> {
    let db = rusqlite::Connection::open(archive.join("onrecord.db")).unwrap();
    let mut query =
        db.prepare("SELECT DISTINCT c.raw FROM resolution r JOIN citation c ON c.key = r.citation").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Opens by the normal path, verifies, and finds everything that was reported.
fn stands(archive: &Path, said: &[String], told: &str) {
    OpenArchive::open(Paths::new(archive), Choices::default()).unwrap().close().unwrap();
    let report = verify::whole(&Paths::new(archive), &Trust::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Intact, "{told}: {:?}", report.problems);
    let there = followed(archive);
    for link in said {
        assert!(there.contains(link), "{told}: {link} was reported and is not there");
    }
}

#[test]
fn a_killed_process_loses_nothing_it_reported() {
    let kills = if nightly() { 200 } else { 20 };
    let replica = replica();
    let mut dice = Dice(2019);
    let mut dir = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for round in 0..kills {
        if round % 10 == 0 {
            dir = tempfile::tempdir().unwrap();
            said.clear();
        }
        let archive = dir.path().join("archive");
        let file = dir.path().join("statement.txt");
        std::fs::write(&file, statement(&replica, round)).unwrap();
        // From before the archive is made to after the run is closed.
        let after = dice.below(LINKS as u64 + 1) as usize;
        let pause = Duration::from_micros(dice.below(if after == 0 { 300_000 } else { 30_000 }));
        said.extend(killed(&archive, &replica, &file, after, pause));
        if archive.join("warc").is_dir() {
            stands(&archive, &said, &format!("kill {round}, after {after} reports and {pause:?}"));
        } else {
            assert!(said.is_empty());
        }
    }
}

/// Lets the n-th deed fail; a killed process does nothing ever after.
struct Nth {
    at: usize,
    fate: Fate,
    dead: bool,
    count: AtomicUsize,
    hit: Mutex<Option<String>>,
}

impl Nth {
    fn new(at: usize, fate: Fate, dead: bool) -> Arc<Self> {
        Arc::new(Self { at, fate, dead, count: AtomicUsize::new(0), hit: Mutex::default() })
    }
}

impl Faulty for Nth {
    fn fate(&self, deed: Deed, path: &Path) -> Fate {
        let n = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if n == self.at {
            *self.hit.lock().unwrap() = Some(format!("{deed:?} {}", path.file_name().unwrap().to_string_lossy()));
            return self.fate;
        }
        if n > self.at && self.dead { Fate::Failed } else { Fate::Done }
    }
}

/// One whole run through the library; what it reported, and how it ended.
fn run(archive: &Path, replica: &Replica, text: &str, disk: Disk) -> (Vec<String>, Result<(), Fault>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let ears = said.clone();
    let watch = move |news: News| {
        if let News::Ended { label, .. } = news {
            ears.lock().unwrap().push(label);
        }
    };
    let manner = Manner {
        beacon: None,
        keep: None,
        limits: Default::default(),
        budget: Some(Default::default()),
        again: Again::default(),
        grace: None,
        at_once: 2,
        robots: Policy::Record,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let ended = (|| {
        let open = OpenArchive::or_init(Paths::new(archive), Choices { disk, ..Choices::default() })?;
        let wire = {
            let _entered = runtime.enter();
            let connect_to = replica.connect_to().iter().map(|rule| rule.parse().unwrap()).collect();
            let allow_net = vec!["127.0.0.0/8".parse().unwrap()];
            Wire::new(Settings { connect_to, allow_net, ..Settings::default() }, Clock::real())?
        };
        let errand = Errand { open: &open, wire, manner, watch: Arc::new(watch) };
        let hint = Hint { source: "statement.txt".to_owned(), content_type: None };
        let input = Input::Document(Handed { bytes: text.as_bytes().to_vec(), hint, fetched: None });
        let (_say, stop) = tokio::sync::watch::channel(false);
        let done = runtime.block_on(errand.over(vec![input], stop));
        drop(runtime);
        let closed = open.close();
        done.map(drop).and(closed)
    })();
    let said = std::mem::take(&mut *said.lock().unwrap());
    (said, ended)
}

/// The table: every deed of a whole run (its number is the point) × how it goes wrong × whether the process lives on.
#[test]
fn wherever_the_disk_fails_what_was_reported_stands() {
    let replica = replica();
    let text: String = statement(&replica, 0).lines().take(3).map(|line| format!("{line}\n")).collect();
    let counting = Nth::new(usize::MAX, Fate::Done, false);
    let dir = tempfile::tempdir().unwrap();
    let (said, ended) = run(&dir.path().join("a"), &replica, &text, Disk::with_fault(counting.clone()));
    ended.unwrap();
    assert_eq!(said.len(), 2);
    let deeds = counting.count.load(Ordering::SeqCst);
    assert!(deeds > 40, "{deeds}");
    let mut kinds = std::collections::BTreeSet::new();
    let fates = [
        (Fate::Failed, false),
        (Fate::FailedAfter, true),
        (Fate::Torn(7), true),
        (Fate::FailedAfter, false),
        (Fate::Failed, true),
        (Fate::Torn(7), false),
    ];
    // All of the table takes minutes; the ordinary run walks through it diagonally, in strides.
    let (stride, width) = if nightly() { (1, fates.len()) } else { (4, 1) };
    for at in (1..=deeds).step_by(stride) {
        let first = if nightly() { 0 } else { at / stride % fates.len() };
        let chosen = fates.get(first..first + width).unwrap();
        for &(fate, dead) in chosen {
            let dir = tempfile::tempdir().unwrap();
            let archive = dir.path().join("a");
            let fault = Nth::new(at, fate, dead);
            let (said, ended) = run(&archive, &replica, &text, Disk::with_fault(fault.clone()));
            let hit = fault.hit.lock().unwrap().clone();
            let told = format!("deed {at} of {deeds} ({hit:?}), {fate:?}, dead {dead}: {ended:?}");
            assert!(ended.is_err() || hit.is_none(), "it went unnoticed: {told}");
            kinds.extend(hit.as_deref().and_then(|hit| hit.split(' ').next()).map(str::to_owned));
            // The same again, on a disk that works: it finishes whatever was begun.
            let (_, again) = run(&archive, &replica, &text, Disk::default());
            assert!(again.is_ok(), "{told}; then {again:?}");
            stands(&archive, &said, &told);
            assert_eq!(followed(&archive).len(), 2, "{told}");
        }
    }
    let all = ["Create", "Write", "Sync", "SyncFolder", "Rename", "Commit"];
    assert!(all.iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
}

/// Lets every write to the ledger's entries fail.
struct NoEntries;

impl Faulty for NoEntries {
    fn fate(&self, deed: Deed, path: &Path) -> Fate {
        let entries = path.components().any(|part| part.as_os_str() == "entries");
        if deed == Deed::Write && entries { Fate::Failed } else { Fate::Done }
    }
}

#[test]
fn an_archive_that_could_not_be_begun_is_let_go_of() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let begin = |disk| OpenArchive::or_init(Paths::new(dir.path()), Choices { disk, ..Choices::default() });
        assert!(begin(Disk::with_fault(Arc::new(NoEntries))).is_err());
        begin(Disk::default()).unwrap().close().unwrap();
    }
}

/// A limit on the size of any file stands for a full disk: every write past it fails, the catalogue's too.
#[test]
fn a_full_disk_ends_the_run_cleanly_and_what_was_reported_stands() {
    let replica = replica();
    for blocks in [8, 64, 160, 400] {
        let dir = tempfile::tempdir().unwrap();
        let (archive, file) = (dir.path().join("archive"), dir.path().join("statement.txt"));
        std::fs::write(&file, statement(&replica, blocks)).unwrap();
        let tool = onrecord(&archive, &replica, &["run", file.to_str().unwrap()]);
        let mut limited = Command::new("sh");
        let script = format!("trap '' 25; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        limited.args(["-c", &script]).arg(tool.get_program()).args(tool.get_args());
        let output = limited.env_clear().stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{blocks}: {said}");
        assert!(said.contains("failed to run: ") && said.contains("\nhint: "), "{blocks}: {said}");
        let links: Vec<String> = said.lines().filter_map(reported).collect();
        let again = onrecord(&archive, &replica, &["run", file.to_str().unwrap()]).output().unwrap();
        assert_eq!(again.status.code(), Some(0), "{blocks}: {}", String::from_utf8_lossy(&again.stderr));
        stands(&archive, &links, &format!("{blocks} blocks"));
        assert_eq!(followed(&archive).len(), LINKS);
    }
}

/// A file system of its own, full at first and read-only at last.
#[test]
#[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
fn a_real_full_disk_and_a_read_only_one() {
    let replica = replica();
    let dir = tempfile::tempdir().unwrap();
    let (disk, file) = (dir.path().join("disk"), dir.path().join("statement.txt"));
    std::fs::create_dir(&disk).unwrap();
    std::fs::write(&file, statement(&replica, 0)).unwrap();
    let tool = onrecord(&disk.join("archive"), &replica, &["run", file.to_str().unwrap()]);
    let script = r#"mount -t tmpfs -o size=512k tmpfs "$DISK" || exit 77
"$@" >&2; echo "full $?"
mount -o remount,size=64m "$DISK"
"$1" --archive "$DISK/archive" verify >&2; echo "verified $?"
"$@" >&2; echo "again $?"
mount -o remount,ro "$DISK"
"$@" >&2; echo "read-only $?""#;
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(tool.get_program()).args(tool.get_args());
    let output = shell.env("DISK", &disk).env_remove("ONRECORD_ARCHIVE").stdin(Stdio::null()).output();
    let Some(output) = output.ok().filter(|output| !output.stdout.is_empty()) else {
        println!("NOT CHECKED: no file system can be mounted here");
        return;
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let codes: Vec<&str> = out.lines().collect();
    assert_eq!(codes, ["full 1", "verified 0", "again 0", "read-only 1"], "{err}");
}

/// What a process that was cut off left, copied to where nothing can be written: with the shared memory of the catalogue's log
/// everything can be read, without it the catalogue cannot, and is not called damaged for it.
#[test]
fn a_cut_off_archive_on_a_read_only_disk_is_not_called_damaged() {
    let replica = replica();
    let dir = tempfile::tempdir().unwrap();
    let (archive, file) = (dir.path().join("archive"), dir.path().join("statement.txt"));
    std::fs::write(&file, statement(&replica, 0)).unwrap();
    killed(&archive, &replica, &file, 6, Duration::ZERO);
    assert!(archive.join("onrecord.db-wal").metadata().unwrap().len() > 0, "nothing was left in the log");
    let script = r#"mount -t tmpfs -o size=64m tmpfs "$DISK" || exit 77
cp -a "$ARCHIVE" "$DISK/one" && cp -a "$ARCHIVE" "$DISK/two" && rm "$DISK/two/onrecord.db-shm"
mount -o remount,ro "$DISK"
"$0" --archive "$DISK/one" verify; echo "one $?"
"$0" --archive "$DISK/two" verify; echo "two $?"
"$0" --archive "$DISK/two" query 2>&1; echo "query $?""#;
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_onrecord")]);
    shell.env("DISK", &disk).env("ARCHIVE", &archive).env_remove("ONRECORD_ARCHIVE").stdin(Stdio::null());
    let Some(output) = shell.output().ok().filter(|output| !output.stdout.is_empty()) else {
        return crate::world::absent("no file system can be mounted here");
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let codes: Vec<&str> =
        said.lines().filter(|line| line.ends_with(|c: char| c.is_ascii_digit()) && line.len() < 10).collect();
    assert_eq!(codes, ["one 0", "two 0", "query 1"], "{said}");
    assert!(said.contains("not checked: the catalogue: a process that was cut off left"), "{said}");
    assert!(said.contains("hint: copy the archive to where it can be written"), "{said}");
}

/// A command of somebody who may read the archive and write nothing: another user where this one is root, else nobody may.
fn reader(dir: &Path, arguments: &[&str]) -> Command {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;
    let is_root = dir.metadata().unwrap().uid() == 0;
    for folder in [dir.to_owned(), dir.join("archive")] {
        let mode = if is_root || folder == dir { 0o755 } else { 0o555 };
        std::fs::set_permissions(folder, PermissionsExt::from_mode(mode)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    command.arg("--archive").arg(dir.join("archive")).args(arguments);
    command.env_clear().current_dir("/").stdin(Stdio::null());
    if is_root {
        command.uid(65_534).gid(65_534);
    }
    command
}

#[test]
fn whoever_may_only_read_is_not_told_of_damage() {
    let dir = tempfile::tempdir().unwrap();
    // What a URI would read otherwise is part of the name.
    for name in ["archive", "at 50%3f?#"] {
        let here = dir.path().join(name);
        std::fs::create_dir(&here).unwrap();
        std::fs::write(here.join("a.txt"), "It says so at https://example.org/page.").unwrap();
        let tool = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
            command.env_clear().current_dir(&here).args(arguments).stdin(Stdio::null()).output().unwrap()
        };
        assert_eq!(tool(&["run", "--offline", "a.txt"]).status.code(), Some(0));
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        for arguments in [&["verify"][..], &["query"], &["stats"], &["show", "example.org"]] {
            let Ok(output) = reader(&here, arguments).output() else {
                return crate::world::absent("the tool lies where no other user may run it");
            };
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let wanted = if arguments == ["show", "example.org"] { 3 } else { 0 };
            assert_eq!(output.status.code(), Some(wanted), "{name} {arguments:?}: {said}");
            assert!(arguments != ["verify"] || !said.contains("not checked: the catalogue:"), "{said}");
        }
        std::fs::set_permissions(here.join("archive"), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(here.join("archive/onrecord.db"), "").unwrap();
        let output = tool(&["verify"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains("row-missing  onrecord.db  ") && !said.contains("catalogue query"), "{said}");
        let output = tool(&["query"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("is empty") && said.contains("onrecord reindex"), "{said}");
    }
}

/// Exit code and words of both verifiers; one of them where Python is not there.
fn verifiers(archive: &Path) -> Vec<(Option<i32>, String)> {
    let mut ours = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    ours.env_clear().arg("--archive").arg(archive).arg("verify");
    let mut theirs = Command::new("python3");
    theirs.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/verify.py")).arg(archive);
    let has_python = Command::new("python3").args(["-c", "import cryptography"]).output();
    let two = has_python.is_ok_and(|output| output.status.success());
    let all = if two { vec![ours, theirs] } else { vec![ours] };
    all.into_iter()
        .map(|mut verifier| {
            let output = verifier.stdin(Stdio::null()).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8_lossy(&said).into_owned())
        })
        .collect()
}

#[test]
fn the_torn_tail_of_an_open_file_is_no_damage_and_nothing_else_of_it_is_excused() {
    let replica = replica();
    let dir = tempfile::tempdir().unwrap();
    let (archive, file) = (dir.path().join("archive"), dir.path().join("statement.txt"));
    std::fs::write(&file, statement(&replica, 0)).unwrap();
    killed(&archive, &replica, &file, 6, Duration::ZERO);
    let open = std::fs::read_dir(archive.join("warc")).unwrap().map(|entry| entry.unwrap().path());
    let open = open.filter(|path| path.extension().is_some_and(|end| end == "open")).max().unwrap();
    let name = open.file_name().unwrap().to_str().unwrap();
    // Whatever the killed process was just writing is cut off first.
    let mut sound = std::fs::read(&open).unwrap();
    let starts: Vec<usize> = (0..sound.len()).filter(|at| sound[*at..].starts_with(&[0x1f, 0x8b, 8, 0])).collect();
    let (second, last) = (starts[1], *starts.last().unwrap());
    if flate2::read::GzDecoder::new(&sound[last..]).read_to_end(&mut Vec::new()).is_err() {
        sound.truncate(last);
    }
    let member = sound[..second].to_vec();
    let long = [&member[..10], &[0, 0xff, 0xff, 0, 0], &[7_u8; 65535][..], &[0, 9, 0]].concat();
    for tail in [&member[..member.len() - 9], &[0; 5000], b"not a record", &member[..3], &long] {
        std::fs::write(&open, [&sound[..], tail].concat()).unwrap();
        for (code, said) in verifiers(&archive) {
            assert_eq!(code, Some(0), "{said}");
            assert!(said.contains(&format!("warc/{name}@{}", sound.len())), "{said}");
        }
    }
    // In the midst of it, or followed by whole records, it is damage; and what the ledger names must be there.
    let mut changed = sound.clone();
    changed[second + 30] ^= 0x55;
    std::fs::write(&open, &changed).unwrap();
    for (code, said) in verifiers(&archive) {
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains(&format!("  warc/{name}@{second}  ")), "{said}");
    }
    std::fs::write(&open, &sound[..second + 40]).unwrap();
    for (code, said) in verifiers(&archive) {
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("record-missing"), "{said}");
    }
    std::fs::write(&open, [&sound[..], &[0; 77]].concat()).unwrap();
    let again = onrecord(&archive, &replica, &["run", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    for (code, said) in verifiers(&archive) {
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains(name), "{said}");
    }
}
