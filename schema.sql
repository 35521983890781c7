-- The archive's catalogue: an index over the WARC files and the ledger, plus the queue.
--
-- Delete the file and `onrecord reindex` makes every row again, but for the timers of the queue: all else here is read from
-- warc/ and ledger/. So whoever edits this file gains nothing but a wrong answer until the next `onrecord verify`.
--
-- Conventions. Instants are INTEGER microseconds since 1970-01-01 UTC. Digests are 32-byte BLOBs (SHA-256). WARC record
-- ids are the 16 bytes of their UUID. `record` columns hold ledger indexes. The views at the end show all of it as text:
-- `onrecord sql --schema` prints them, and other programs should read them rather than the tables.
--
-- Each digest and UUID stands once; rows refer to each other by small numbers that follow from the evidence alone, so that
-- every rebuild gives the same ones: a WARC record's is its place, file * 2^38 + offset; a statement's, a run's and a snapshot's
-- is the ledger index of the first record that brought it; a citation's is its statement's * 2^24 + its order there. A number that
-- refers to something the archive does not have is NULL. A URL stands once more for each time it was asked, and once in `way`.
-- What every answer says of a snapshot (its id; when and by whom a post was written) stands in `resolution` once more, so that no
-- answer looks for it in two other tables.
--
-- Indexes over digests take their first six bytes, those over WARC record ids, which begin with the time, eight: these tell any two
-- apart that an archive will ever hold together, or all but a few, and the whole of it is compared in the row.

-- ── Ground facts: what lies in the files ─────────────────────────────────────────────────────────────────────────────

-- What the archive is, from its first record.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,  -- origin, vkey, created, software
    value TEXT NOT NULL      -- as in the archive.created record
) STRICT, WITHOUT ROWID;

-- The WARC files, in the order they were begun.
CREATE TABLE warc_file (
    id   INTEGER PRIMARY KEY,  -- the serial in its name; below zero for a file of other making
    name TEXT NOT NULL UNIQUE,  -- base name, without the .open a file has while written
    known  INTEGER NOT NULL DEFAULT 0,  -- end of its last record that is in warc_record
    sealed INTEGER NOT NULL DEFAULT 0   -- 1 once it is sealed and known to its end, so that no later opening looks at it
) STRICT;

-- Every WARC record: where it lies and the digest that binds its headers and block.
CREATE TABLE warc_record (
    place  INTEGER PRIMARY KEY,  -- warc_file.id << 38 | first byte of its gzip member
    id     BLOB NOT NULL,        -- UUID of WARC-Record-ID
    length INTEGER NOT NULL,     -- bytes of that member
    type   INTEGER NOT NULL,     -- 0 warcinfo, 1 response, 2 request, 3 revisit, 4 resource, 5 metadata, 6 conversion, 7 continuation
    digest BLOB NOT NULL,        -- SHA-256 from WARC/1.1 to the last byte of the block
    record INTEGER               -- the first ledger record that names it, or lies in it; NULL while none does
) STRICT;
CREATE INDEX warc_record_id ON warc_record (substr(id, 1, 8));
CREATE INDEX warc_record_digest ON warc_record (substr(digest, 1, 6));
-- When a run closes, and when the archive does, what no record names is named by an evidence.kept record; what is left here is
-- what a process that was cut off had not come to.
CREATE INDEX warc_record_left ON warc_record (record) WHERE record IS NULL;

-- Every exchange that brought an answer: one row per response or revisit record.
CREATE TABLE exchange (
    place       INTEGER PRIMARY KEY,  -- warc_record.place of the response or revisit
    url         TEXT NOT NULL,        -- WARC-Target-URI
    at          INTEGER NOT NULL,     -- WARC-Date: our clock at request start
    ip          TEXT,                 -- address answered from
    status      INTEGER,              -- HTTP status; NULL where the bytes are no HTTP
    media_type  TEXT,                 -- Content-Type without parameters
    payload     BLOB,                 -- SHA-256 of the entity as transferred, chunk framing undone
    payload_len INTEGER,              -- its bytes
    refers_to   BLOB                  -- for a revisit: the id of the record that holds the body
) STRICT;
CREATE INDEX exchange_payload ON exchange (substr(payload, 1, 6)) WHERE payload IS NOT NULL;

-- The records, in ledger order: one leaf each.
CREATE TABLE record (
    idx  INTEGER PRIMARY KEY,  -- ledger index, from 0
    leaf BLOB NOT NULL,        -- SHA-256 of the canonical JSON: the leaf's data
    warc INTEGER NOT NULL,     -- warc_record.place of the metadata record whose block that JSON is
    kind TEXT NOT NULL,        -- archive.created, statement.added, run.opened, …
    at   INTEGER NOT NULL      -- when it was made
) STRICT;
CREATE INDEX record_leaf ON record (substr(leaf, 1, 6));

-- ── What the records say ─────────────────────────────────────────────────────────────────────────────────────────────

-- Documents handed in, byte for byte.
CREATE TABLE statement (
    record     INTEGER PRIMARY KEY,  -- the statement.added that brought it first
    id         BLOB NOT NULL,        -- SHA-256 of bytes
    media_type TEXT NOT NULL,        -- text/plain, text/html, message/rfc822, …
    source     TEXT NOT NULL,        -- path, URL or - it first came from
    date       TEXT,                 -- its own date, YYYY-MM-DD
    title      TEXT,                 -- its own title
    language   TEXT,                 -- BCP 47
    publisher  TEXT,                 -- its own words
    author     TEXT,                 -- its own words
    bytes      BLOB NOT NULL         -- exactly as handed in; last, so that nothing else lies behind a long document
) STRICT;
CREATE INDEX statement_id ON statement (substr(id, 1, 6));
CREATE INDEX statement_date ON statement (date) WHERE date IS NOT NULL;

-- Where the same bytes came from, each time another source brought them.
CREATE TABLE statement_source (
    statement INTEGER NOT NULL,  -- statement.record
    source    TEXT NOT NULL,     -- path, URL or -
    record    INTEGER NOT NULL,  -- the statement.added record that says so
    PRIMARY KEY (statement, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX statement_source_source ON statement_source (source);

-- Spans of a statement that point outward.
CREATE TABLE citation (
    key        INTEGER PRIMARY KEY,  -- statement.record << 24 | order in the statement, from 0
    id         BLOB NOT NULL,     -- stable for the same bytes, kind and place
    last       INTEGER,           -- resolution.record of the last time it was followed
    kind       TEXT NOT NULL,     -- link, handle, hashtag, post
    form       TEXT,              -- of a link: tco, pic, permalink, archive, at-uri, shortener, url, weak
    raw        TEXT NOT NULL,     -- as it stands
    url        TEXT,              -- of a link: what to ask
    platform   TEXT,              -- x, bluesky, mastodon, …
    handle     TEXT,              -- of a handle, a post, or a link that names an account, without @
    tag        TEXT,              -- of a hashtag, without #
    author     TEXT,              -- of a post: the name given
    date       TEXT,              -- of a post: the day given, YYYY-MM-DD
    quoted     TEXT,              -- of a post: the words given
    span_start INTEGER NOT NULL,  -- first byte
    span_end   INTEGER NOT NULL,  -- one past the last
    body       TEXT NOT NULL      -- the whole citation as JSON, as `cite` prints it
) STRICT;
CREATE INDEX citation_id ON citation (substr(id, 1, 6));
CREATE INDEX citation_url ON citation (url) WHERE url IS NOT NULL;
CREATE INDEX citation_handle ON citation (handle COLLATE NOCASE) WHERE handle IS NOT NULL;

-- Passes over due work. One without `closed` was cut off, and says so for ever.
CREATE TABLE run (
    record  INTEGER PRIMARY KEY,   -- run.opened
    id      BLOB NOT NULL UNIQUE,  -- UUID
    opened  INTEGER NOT NULL,      -- when
    planned INTEGER NOT NULL,      -- citations planned
    closed  INTEGER,               -- when; NULL where it never was
    ended   INTEGER,               -- citations with an ending
    closing INTEGER                -- run.closed
) STRICT;

-- What a run undertook.
CREATE TABLE run_plan (
    run      INTEGER NOT NULL,  -- run.record
    citation INTEGER NOT NULL,  -- citation.key
    PRIMARY KEY (run, citation)
) STRICT, WITHOUT ROWID;

-- How each citation ended, each time it was followed.
CREATE TABLE resolution (
    record    INTEGER PRIMARY KEY,  -- resolution.ended
    run       INTEGER,              -- run.record
    citation  INTEGER,              -- citation.key
    at        INTEGER NOT NULL,     -- when it ended
    ending    TEXT NOT NULL,        -- captured, gone, suspended, …
    why       TEXT NOT NULL,        -- what the ending rests on
    start     TEXT,                 -- where it began; NULL where that is the citation's url
    final_url TEXT,                 -- where it ended
    hops      INTEGER NOT NULL,     -- exchanges on the way, the final one included
    post      TEXT,                 -- the post it led to: x:1138…
    snapshot  INTEGER,              -- snapshot.record, where one stands
    snapshot_id BLOB,               -- its snapshot.id
    posted    INTEGER,              -- its post.posted
    handle    TEXT,                 -- its post.handle
    retry_at  INTEGER,              -- when the other side asked to be asked again
    truncated TEXT,                 -- where the body kept of its end is not whole: disconnect, length, time
    unread    TEXT,                 -- why that body could not be decoded, or not all of it
    latest    INTEGER NOT NULL,     -- 1 in the last one of its citation, else 0
    verdict   TEXT                  -- in the last one: the verdict of the citation's last finding, whenever that was made
) STRICT;
CREATE INDEX resolution_citation ON resolution (citation);
-- The standing endings: newest first, by ending, by time.
CREATE INDEX resolution_newest ON resolution (latest) WHERE latest = 1;
CREATE INDEX resolution_ending ON resolution (ending) WHERE latest = 1;
CREATE INDEX resolution_at ON resolution (at) WHERE latest = 1;
CREATE INDEX resolution_snapshot ON resolution (snapshot) WHERE snapshot IS NOT NULL;
CREATE INDEX resolution_verdict ON resolution (verdict) WHERE verdict IS NOT NULL;
CREATE INDEX resolution_post ON resolution (post) WHERE post IS NOT NULL;
CREATE INDEX resolution_posted ON resolution (posted) WHERE posted IS NOT NULL;
CREATE INDEX resolution_handle ON resolution (handle COLLATE NOCASE) WHERE handle IS NOT NULL;

-- The hops, one by one.
CREATE TABLE hop (
    resolution INTEGER NOT NULL,  -- resolution.record
    n          INTEGER NOT NULL,  -- from 0
    url        TEXT,              -- asked, or unwrapped; NULL where that is the exchange's
    status     INTEGER,           -- HTTP status
    via        TEXT NOT NULL,     -- start, http-301, meta-refresh, …
    onward     INTEGER NOT NULL,  -- 1 where it leads to the next hop's url
    to_url     TEXT,              -- where else it leads
    at         INTEGER,           -- when it was asked
    ip         TEXT,              -- address connected to
    ms         INTEGER,           -- how long it took
    error      TEXT,              -- why there was no answer
    exchange   INTEGER,           -- exchange.place
    PRIMARY KEY (resolution, n)
) STRICT, WITHOUT ROWID;

-- Every URL on the way of a resolution, once: where it began, each hop, where it ended.
CREATE TABLE way (
    url    TEXT NOT NULL,     -- as asked, unwrapped or arrived at
    record INTEGER NOT NULL,  -- resolution.record
    PRIMARY KEY (url, record)
) STRICT, WITHOUT ROWID;

-- What stood at an end.
CREATE TABLE snapshot (
    record   INTEGER PRIMARY KEY,  -- the snapshot.taken that brought it
    id       BLOB NOT NULL,     -- SHA-256 of the manifest
    manifest INTEGER NOT NULL,  -- warc_record.place of the metadata record whose block the manifest is
    target   TEXT NOT NULL,     -- where the resolution began
    final    TEXT,              -- where it ended
    ending   TEXT NOT NULL,     -- captured or captured-from-archive
    at       INTEGER NOT NULL,  -- when it was taken
    title    TEXT,              -- title of a page
    post     TEXT,              -- post name
    content  BLOB NOT NULL,     -- digest of what a later look is compared with
    text     BLOB,              -- digest of the text a reader reads
    indexed  INTEGER NOT NULL   -- 1 once its page's words are in the index, 2 where none could be read
) STRICT;
CREATE INDEX snapshot_id ON snapshot (substr(id, 1, 6));
CREATE INDEX snapshot_unindexed ON snapshot (indexed) WHERE indexed = 0;

-- The exchanges of a snapshot, by role.
CREATE TABLE snapshot_part (
    snapshot INTEGER NOT NULL,  -- snapshot.record
    n        INTEGER NOT NULL,  -- order in the manifest
    role     TEXT NOT NULL,     -- hop, platform, media, requisite, archive, robots
    url      TEXT,              -- asked; NULL where that is the exchange's
    exchange INTEGER,           -- exchange.place; NULL where nothing came
    PRIMARY KEY (snapshot, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshot_part_exchange ON snapshot_part (exchange) WHERE exchange IS NOT NULL;

-- Posts as read from snapshots: one row per snapshot that holds one.
CREATE TABLE post (
    snapshot  INTEGER PRIMARY KEY,  -- snapshot.record
    name      TEXT NOT NULL,     -- x:1138…
    platform  TEXT NOT NULL,     -- x, bluesky, …
    handle    TEXT NOT NULL,     -- without @
    author    TEXT,              -- display name
    author_id TEXT,              -- the id that survives a renaming
    posted    INTEGER,           -- the time the platform states, or else its id's
    text      TEXT NOT NULL,     -- its words
    body      TEXT NOT NULL      -- the whole post as JSON
) STRICT;
CREATE INDEX post_name ON post (name);
CREATE INDEX post_author ON post (author_id) WHERE author_id IS NOT NULL;

-- What the statement claims of a post, against the capture.
CREATE TABLE finding (
    record   INTEGER PRIMARY KEY,  -- finding.made
    run      INTEGER,              -- run.record
    citation INTEGER,              -- citation.key
    snapshot INTEGER,              -- snapshot.record
    post     TEXT NOT NULL,        -- post name
    verdict  TEXT NOT NULL,        -- corroborated, contradicted, undetermined
    at       INTEGER NOT NULL      -- when
) STRICT;
CREATE INDEX finding_citation ON finding (citation);

-- The checks behind a verdict.
CREATE TABLE finding_check (
    finding INTEGER NOT NULL,  -- finding.record
    n       INTEGER NOT NULL,  -- order
    "check" TEXT NOT NULL,     -- author, date, text, links, media-time, id-time, identity, edits
    result  TEXT NOT NULL,     -- agrees, disagrees, unknown
    cited   TEXT,              -- what the statement says
    found   TEXT,              -- what was found
    score   REAL,              -- 0 to 1, for words
    why     TEXT,              -- where the result alone does not say
    PRIMARY KEY (finding, n)
) STRICT, WITHOUT ROWID;

-- What changed between two looks at a citation: deleted, suspended, gated, lost, back, words, edited, media, …
CREATE TABLE change (
    record          INTEGER NOT NULL,  -- change.seen
    n               INTEGER NOT NULL,  -- order in it
    citation        INTEGER,           -- citation.key
    at              INTEGER NOT NULL,  -- when it was seen
    what            TEXT NOT NULL,     -- deleted, suspended, gated, lost, back, words, edited, media, author, moved, other
    before          TEXT,              -- what stood there; long words are cut
    after           TEXT,              -- what stands there now
    ending_before   TEXT NOT NULL,     -- how the look before ended
    ending_after    TEXT NOT NULL,     -- how this look ended
    snapshot_before INTEGER,           -- snapshot.record
    snapshot_after  INTEGER,           -- snapshot.record, where one stands now
    PRIMARY KEY (record, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_citation ON change (citation, record);

-- Outside witnesses of checkpoints.
CREATE TABLE anchor (
    record    INTEGER PRIMARY KEY,  -- anchor.added
    size      INTEGER NOT NULL,     -- checkpoint size it witnesses
    kind      TEXT NOT NULL,        -- tsr, ots, cosignature
    authority TEXT NOT NULL,        -- who
    state     TEXT NOT NULL,        -- verified, pending, confirmed
    file      TEXT NOT NULL,        -- in ledger/anchors/
    at        INTEGER               -- the time it vouches for; NULL while pending
) STRICT;
CREATE INDEX anchor_size ON anchor (size);

-- Events that no other table holds: missed runs, removals, exports, key rotations, fixity checks.
CREATE TABLE event (
    record INTEGER PRIMARY KEY,  -- its ledger index
    kind   TEXT NOT NULL,        -- run.missed, content.removed, export.made, key.rotated, …
    at     INTEGER NOT NULL,     -- when
    body   TEXT NOT NULL         -- the record as JSON
) STRICT;
-- Changes of the key are looked for whenever anything is verified, copies asked for whenever a run begins.
CREATE INDEX event_kind ON event (kind);

-- Kept counts, so that no question about totals scans a table.
CREATE TABLE tally (
    name  TEXT NOT NULL,     -- ending (each time followed), standing (last time followed), verdict, kind, platform, total
    value TEXT NOT NULL,     -- captured, contradicted, link, x, statement, …
    n     INTEGER NOT NULL,  -- how many
    PRIMARY KEY (name, value)
) STRICT, WITHOUT ROWID;

-- ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What a hit of the full-text index is; higher ids came later.
CREATE TABLE words_doc (
    id   INTEGER PRIMARY KEY,  -- rowid in words
    kind TEXT NOT NULL,        -- statement, post, page
    ref  INTEGER NOT NULL,     -- statement.record or snapshot.record
    UNIQUE (kind, ref)
) STRICT;

-- The words, folded and separated by spaces before they come here: diacritics off, scripts that put no spaces between
-- words as pairs of characters (a trigram would not find the many words of two). So the tokenizer only splits at spaces.
-- Nothing is ever deleted from it: `contentless_delete` would only shut out every SQLite before 3.43.
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', tokenize = 'ascii');

-- ── The queue ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- These tables are not evidence and are not rebuilt row for row.

-- When each citation is due again. Rows and counts come from the records; `at` is the policy's word, and where a rebuild or a
-- crash left it out (planned = 0) the next run asks the policy again, so that no citation is ever forgotten.
CREATE TABLE due (
    citation INTEGER PRIMARY KEY,  -- citation.key
    at       INTEGER NOT NULL,  -- not before
    looks    INTEGER NOT NULL,  -- settled endings so far
    failures INTEGER NOT NULL,  -- retryable endings in a row
    planned  INTEGER NOT NULL   -- 1 where `at` is what the policy says
) STRICT;
CREATE INDEX due_at ON due (at);
CREATE INDEX due_unplanned ON due (planned) WHERE planned = 0;

-- How far each schedule has been served: what lies between this and now was missed.
CREATE TABLE schedule (
    name TEXT PRIMARY KEY,  -- runs, or a source's name
    done INTEGER NOT NULL   -- the last occurrence that was run or recorded as missed
) STRICT, WITHOUT ROWID;

-- Entries of feeds, from the day they are first seen; a page is captured once.
CREATE TABLE feed_entry (
    feed  TEXT NOT NULL,     -- the source's name
    entry TEXT NOT NULL,     -- the entry's id in the feed
    url   TEXT NOT NULL,     -- its page
    state INTEGER NOT NULL,  -- 0 waiting, 1 taken in, 2 given up
    tries INTEGER NOT NULL,  -- how often it could not be had
    at    INTEGER NOT NULL,  -- not before
    why   TEXT,              -- why it could not be had
    PRIMARY KEY (feed, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_entry_waiting ON feed_entry (at) WHERE state = 0;

-- Files of the inbox and of folders as they were when they were taken in; one that is the same is not read again.
CREATE TABLE taken_file (
    path    TEXT PRIMARY KEY,  -- where it lies
    size    INTEGER NOT NULL,  -- bytes
    changed INTEGER NOT NULL   -- its own time of last change
) STRICT, WITHOUT ROWID;

-- Notices on their way out: one for each change.seen and each [[notify]].
CREATE TABLE notice (
    id     INTEGER PRIMARY KEY,
    change INTEGER NOT NULL,  -- change.record
    target TEXT NOT NULL,     -- which [[notify]]
    state  INTEGER NOT NULL,  -- 0 waiting, 1 delivered, 2 given up
    tries  INTEGER NOT NULL,  -- how often it failed
    at     INTEGER NOT NULL,  -- not before
    why    TEXT,              -- why it failed
    UNIQUE (change, target)
) STRICT;
CREATE INDEX notice_waiting ON notice (at) WHERE state = 0;

-- Up to which ledger index notices have been written; what came after is written when the daemon next looks.
CREATE TABLE noticed (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    upto INTEGER NOT NULL  -- ledger index, exclusive
) STRICT;

-- ── Views: the documented face of the catalogue ──────────────────────────────────────────────────────────────────────

-- Statements: id, source, media_type, date, title, language, bytes (length), citations (count).
CREATE VIEW statements AS
SELECT 'sha256:' || lower(hex(s.id)) AS id, s.source, s.media_type, s.date, s.title, s.language, length(s.bytes) AS bytes,
       (SELECT count(*) FROM citation c WHERE c.key BETWEEN s.record << 24 AND (s.record << 24) + 16777215) AS citations
FROM statement s;

-- Citations with their latest ending, snapshot and verdict, and what is not whole there: truncated, unread.
CREATE VIEW citations AS
SELECT 'sha256:' || lower(hex(c.id)) AS id, 'sha256:' || nullif(lower(hex(s.id)), '') AS statement, c.key & 16777215 AS seq, c.kind, c.form, c.raw, c.url,
       c.platform, c.handle, c.tag, c.author, c.date, c.quoted, c.span_start, c.span_end,
       r.ending, r.final_url, r.post, 'sha256:' || nullif(lower(hex(r.snapshot_id)), '') AS snapshot,
       r.verdict, r.truncated, r.unread
FROM citation c LEFT JOIN statement s ON s.record = c.key >> 24 LEFT JOIN resolution r ON r.record = c.last;

-- Every time a citation was followed. truncated (disconnect, length, time) says that the body kept is not whole, unread why it could
-- not be decoded; both are null as a rule.
CREATE VIEW resolutions AS
SELECT r.record AS ledger_index, 'sha256:' || nullif(lower(hex(c.id)), '') AS citation,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.at / 1000000, 'unixepoch') AS at, r.ending, r.why, coalesce(r.start, c.url) AS start,
       r.final_url, r.hops, r.post, 'sha256:' || nullif(lower(hex(r.snapshot_id)), '') AS snapshot,
       r.truncated, r.unread
FROM resolution r LEFT JOIN citation c ON c.key = r.citation;

-- Hops one by one.
CREATE VIEW hops AS
SELECT h.resolution AS ledger_index, h.n, coalesce(h.url, e.url) AS url, h.status, h.via,
       CASE h.onward WHEN 0 THEN h.to_url ELSE (SELECT coalesce(n.url, f.url) FROM hop n LEFT JOIN exchange f ON f.place = n.exchange
        WHERE n.resolution = h.resolution AND n.n = h.n + 1) END AS "to",
       strftime('%Y-%m-%dT%H:%M:%SZ', h.at / 1000000, 'unixepoch') AS at, h.ip, h.ms, h.error
FROM hop h LEFT JOIN exchange e ON e.place = h.exchange;

-- Snapshots.
CREATE VIEW snapshots AS
SELECT 'sha256:' || lower(hex(s.id)) AS id, s.record AS ledger_index, s.target, s.final AS final_url, s.ending,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.at / 1000000, 'unixepoch') AS at, s.title, s.post,
       (SELECT count(*) FROM snapshot_part p WHERE p.snapshot = s.record) AS exchanges
FROM snapshot s;

-- Posts.
CREATE VIEW posts AS
SELECT p.name, p.platform, p.handle, p.author, p.author_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', p.posted / 1000000, 'unixepoch') AS posted, p.text,
       'sha256:' || nullif(lower(hex(s.id)), '') AS snapshot
FROM post p LEFT JOIN snapshot s ON s.record = p.snapshot;

-- Findings with their checks.
CREATE VIEW findings AS
SELECT f.record AS ledger_index, 'sha256:' || nullif(lower(hex(c.id)), '') AS citation, f.post, f.verdict, k."check", k.result, k.cited,
       k.found, k.score, k.why, 'sha256:' || nullif(lower(hex(s.id)), '') AS snapshot
FROM finding f JOIN finding_check k ON k.finding = f.record LEFT JOIN citation c ON c.key = f.citation
     LEFT JOIN snapshot s ON s.record = f.snapshot;

-- What changed between two looks at a citation.
CREATE VIEW changes AS
SELECT c.record AS ledger_index, 'sha256:' || nullif(lower(hex(k.id)), '') AS citation,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.at / 1000000, 'unixepoch') AS at, c.what, c.before, c.after, c.ending_before, c.ending_after,
       'sha256:' || nullif(lower(hex(b.id)), '') AS snapshot_before, 'sha256:' || nullif(lower(hex(a.id)), '') AS snapshot_after
FROM change c LEFT JOIN citation k ON k.key = c.citation LEFT JOIN snapshot b ON b.record = c.snapshot_before
     LEFT JOIN snapshot a ON a.record = c.snapshot_after;

-- Exchanges, with the file and offset where their bytes lie.
CREATE VIEW exchanges AS
SELECT lower(hex(w.id)) AS id, e.url, strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000000.0, 'unixepoch') AS at, e.ip, e.status,
       e.media_type, 'sha256:' || nullif(lower(hex(e.payload)), '') AS payload, e.payload_len, f.name AS file,
       w.place & 274877906943 AS offset, w.length
FROM exchange e JOIN warc_record w ON w.place = e.place JOIN warc_file f ON f.id = w.place >> 38;

-- Runs.
CREATE VIEW runs AS
SELECT lower(hex(r.id)) AS id, strftime('%Y-%m-%dT%H:%M:%SZ', r.opened / 1000000, 'unixepoch') AS opened,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.closed / 1000000, 'unixepoch') AS closed, r.planned, r.ended
FROM run r;

-- The ledger's leaves.
CREATE VIEW records AS
SELECT idx AS ledger_index, kind, strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000000, 'unixepoch') AS at,
       'sha256:' || lower(hex(leaf)) AS leaf
FROM record;

-- Anchors.
CREATE VIEW anchors AS
SELECT record AS ledger_index, size, kind, authority, state, file, strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000000, 'unixepoch') AS at
FROM anchor;
