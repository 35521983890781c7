#!/usr/bin/env python3
"""Checks an archive of onrecord without onrecord, WARC files and ledger against each other, byte for byte; or a proof bundle.
usage: verify.py ARCHIVE|BUNDLE [--vkey LINE] [--checkpoint FILE]
  --vkey LINE        the ledger's verifier key as you know it from elsewhere (else the one that is handed over is taken, and said)
  --checkpoint FILE  a signed checkpoint you remember: the archive's ledger must have grown from it
Exit code: 0 intact, 5 damaged or incomplete, 3 nothing there, 2 misuse. Needs Python 3.9 and `cryptography`. It reads no SQLite; the formats are WARC 1.1, RFC 8785, RFC 6962, C2SP tlog-tiles and tlog-proof, RFC 3161 and OpenTimestamps."""
import argparse, base64, collections, datetime, decimal, glob, hashlib, itertools, json, mmap, os, pathlib, re, struct, sys, zlib
from contextlib import suppress; from cryptography import x509; from cryptography.exceptions import InvalidSignature; from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
PROBLEMS, NOT_CHECKED, COUNT, OURS, URN, AGAIN = [], [], {}, b"\x1f\x8b\x08\0\0\0\0\0\0\xff", "urn:onrecord:record:", ("rate-limited", "unreachable", "timeout", "server-error", "no-such-host", "offline")
def problem(kind, where, what): PROBLEMS.append((kind, where, what))
def count(what, n=1): COUNT[what] = COUNT.get(what, 0) + n
def sha(b): return hashlib.sha256(b).digest()
class Bad(Exception): kind, __str__ = property(lambda e: [*e.args, "record-malformed"][1]), lambda e: e.args[0]
def refuse(reason, *why):
    if reason: raise Bad(*why)
def number(x):                                              # Python and ECMAScript agree on the digits, not on the exponent
    return str(int(x)) if x == int(x) and abs(x) < 1e21 else f"{decimal.Decimal(repr(x)):f}" if 1e-6 <= abs(x) < 1e21 else re.sub("e([+-])0", r"e\1", repr(x))
def canonical(v):
    if isinstance(v, dict): return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be", "surrogatepass"))) + "}"
    return "[" + ",".join(map(canonical, v)) + "]" if isinstance(v, list) else number(v) if isinstance(v, float) else json.dumps(v, ensure_ascii=False)
def unique(pairs): return dict(pairs) if len(dict(pairs)) == len(pairs) else 1 / 0
def read_json(block):
    with suppress(ValueError, TypeError, RecursionError, ArithmeticError): return json.loads(block.decode("utf-8"), object_pairs_hook=unique, parse_constant=unique)
def member(data, at, end):                                  # The decompressed pieces of the gzip member at a place; afterwards end[0] is where it ends.
    if is_unpacked(data): end[0] = len(data); yield from (data[at:at + (1 << 14)] for at in range(0, end[0], 1 << 14)); return
    inflate, rest = zlib.decompressobj(31), b""; refuse(data[at:at + 3] != OURS[:3], "bytes that belong to no record", "trailing-garbage")
    while not inflate.eof:
        if not rest: rest = data[end[0]:end[0] + (1 << 16)]; end[0] += len(rest); refuse(not rest, "the file ends inside a record", "file-truncated")
        try: piece, rest = inflate.decompress(rest, 1 << 20), inflate.unconsumed_tail
        except zlib.error as e: raise Bad(f"gzip: {e}", "gzip-member-damaged")
        yield piece
    end[0] -= len(inflate.unused_data)
def holds_record(data, at):
    with suppress(zlib.error): return zlib.decompressobj(31).decompress(data[at:at + 4096], 5) == b"WARC/"
def is_unpacked(data): return data[:5] == b"WARC/"
def is_stored(data, at, kind=0):                                   # whether a member is stored blocks alone as far as the file goes: what looks like members in it is a body's
    while kind == 0 and at + 5 <= len(data): kind, n, inverse = struct.unpack("<BHH", data[at:at + 5]); kind, at = kind if n ^ inverse == 65535 else 2, at + 5 + n
    return kind < 2
def behind(data, at, kind):                                # where, behind a damaged member, the next one with a WARC record begins
    if kind == "file-truncated" and is_stored(data, at + 10): return len(data)
    return next((m.start() for m in re.compile(OURS[:3]).finditer(data, at + 1) if holds_record(data, m.start())), len(data))
def record(pieces):                                         # One WARC record -> its headers, digests, its block where that is JSON, what is wrong with it, and what follows in the member.
    buffer = b""
    while b"\r\n\r\n" not in buffer and len(buffer) < 1 << 20 and (piece := next(pieces, None)) is not None: buffer += piece
    head, found, rest = buffer.partition(b"\r\n\r\n"); version, *lines = head.decode("utf-8", "replace").split("\r\n")
    refuse(not found or version != "WARC/1.1" or not all(":" in line for line in lines), "not a WARC/1.1 record", "head-malformed" if head.startswith(b"WARC/") else "not-warc")
    names, fields = [line.split(":")[0].lower() for line in lines], {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in reversed(lines)}; refuse(not re.fullmatch("[0-9]{1,18}", fields.get("content-length", "")), "no Content-Length", "head-malformed"); left, kind = int(fields["content-length"]), fields.get("warc-type")
    wrong = [("field-missing", name) for name in ("warc-type", "warc-record-id", "warc-date") if name not in fields] + [("digest-missing", "no SHA-256 WARC-Block-Digest")] * (not fields.get("warc-block-digest", "").startswith("sha256:"))
    wrong += [("field-repeated", name) for name in {n for n in names if names.count(n) > 1} - {"warc-concurrent-to", "warc-protocol", "warc-cipher-suite"}]; keep = kind == "metadata" and fields.get("content-type") == "application/json"
    whole, block, payload = hashlib.sha256(head + found), hashlib.sha256(), hashlib.sha256(); kept, opening, tail = [], b"" if fields.get("content-type", "").startswith("application/http") else None, b""
    while True:
        mine, tail = rest[:left], tail + rest[left:]; left -= len(mine); whole.update(mine); block.update(mine); kept.append(mine if keep else b"")
        if opening is None: payload.update(mine)
        elif (at := (opening := opening + mine).find(b"\r\n\r\n")) >= 0: payload.update(opening[at + 4:]); opening = None  # after the HTTP head
        if len(tail) > 4 or (rest := next(pieces, None)) is None: break
    refuse(left or tail[:4] != b"\r\n\r\n", "the block does not end where Content-Length says", "length-wrong"); digests = [h.hexdigest() for h in (whole, block, payload)]; said = fields.get("warc-payload-digest") if kind in ("response", "resource", "request") and "warc-truncated" not in fields else None
    if not wrong and fields["warc-block-digest"] != "sha256:" + digests[1]: wrong = [("header-changed" if said == "sha256:" + digests[2] else "payload-changed", "the block is not what WARC-Block-Digest says")]
    elif said and said != "sha256:" + digests[2]: wrong.append(("payload-changed", "the payload is not what WARC-Payload-Digest says"))
    return fields, digests, b"".join(kept) if keep else None, wrong, tail[4:]
def take(name, at, fields, digests, kept, wrong, known, blocks, seen):
    where, kind, uri = f"warc/{name}@{at}", fields.get("warc-type"), fields.get("warc-target-uri", ""); uri = uri if re.fullmatch("(?!%s).*|%s[0-9a-f]{64}" % (URN, URN), uri) else ""
    id = re.fullmatch("<urn:uuid:([0-9a-f-]{36})>", fields.get("warc-record-id", "")); more = [("warcinfo-missing", not seen and kind != "warcinfo"), ("warcinfo-misplaced", kind == "warcinfo" and fields.get("warc-filename") != name.removesuffix(".open")), ("duplicate-id", id and id[1] in known)]
    wrong += [(what, "as its name says") for what, is_so in more if is_so]; PROBLEMS.extend((what, where, why) for what, why in wrong); count("warc_records")
    if not id or id[1] in known or "warc-date" not in fields: return
    known[id[1]] = (*digests, where, kind, uri); blocks += [(where, id[1], kept, uri, not wrong)] if kept is not None else []
def warcs(archive):                                         # -> {id: (whole digest, block digest, payload digest, where, type, uri)}, [(where, id, json block, uri, sound)], whether a file is unfinished
    known, blocks, folder = {}, [], os.path.join(archive, "warc")
    names = [(n.endswith(".open"), int("0" + re.sub(r".*-|\D", "", n.split(".")[0])), n) for n in (os.listdir(folder) if os.path.isdir(folder) else []) if n.removesuffix(".open").endswith((".warc", ".warc.gz"))]
    for unfinished, _, name in sorted(names):
        path, at = os.path.join(folder, name), 0; count("bytes", os.path.getsize(path))
        with open(path, "rb") as f: data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if os.path.getsize(path) else b""
        while at < len(data):
            end, found, here = [at], [], at; pieces = member(data, at, end)
            try:
                while True:
                    *one, rest = record(pieces); found.append(one)
                    if not (rest := rest + next(pieces, b"")): break
                    one[3] += [("not-a-member-per-record", "its gzip member goes on after the record")] * (not is_unpacked(data)); pieces = itertools.chain([rest], pieces)
                at = end[0]
            except (Bad, OSError, ValueError) as e:         # nothing counts of a member that breaks off
                kind, found = getattr(e, "kind", "record-malformed"), found if is_unpacked(data) else []; at = behind(data, at, kind); (left if unfinished and at == len(data) else problem)(kind, f"warc/{name}@{here}", str(e))
            for n, one in enumerate(found): take(name, here, *one, known, blocks, here or n)
            if found and data[here:here + 10] != OURS: problem("gzip-head-changed", f"warc/{name}@{here}", "not the head of a gzip member of ours")
    return known, blocks, any(n[0] for n in names)
def root(level):
    while len(level) > 1: level = [sha(b"\1" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)] + (level[-1:] if len(level) % 2 else [])
    return level[0] if level else sha(b"")                 # carrying the odd node up gives RFC 6962's unbalanced tree
def b64(s): b = base64.b64decode(s, validate=True); refuse(base64.b64encode(b).decode() != s, "base64 in another spelling"); return b
def parse_vkey(line):
    name, id, key = line.split("+", 2); key = b64(key); refuse(not KEY_NAME.fullmatch(name) or len(key) != 33 or key[0] != 1 or sha(name.encode() + b"\n" + key)[:4].hex() != id, "not an Ed25519 verifier key"); return name, bytes.fromhex(id), key[1:]
def signed(public, signature, message):
    with suppress(InvalidSignature, ValueError): return ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message) is None
FAILED = (Bad, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError); KEY_NAME = re.compile(r"[^\s+\0-\x1f\x7f-\x9f]{1,255}"); NOTE = re.compile(r"([^\0-\t\x0b-\x1f]*\n)\n((?:\u2014 %s [A-Za-z0-9+/=]{8,}\n){1,64})" % KEY_NAME.pattern)
def checkpoint(note, keys):                                 # -> origin, size, root of a checkpoint that one of keys signed
    found = NOTE.fullmatch(note.decode("utf-8")); refuse(not found, "it is no signed note", "checkpoint-bad-signature"); text, lines = found[1], found[2][:-1].split("\n")
    signers = [(k, b64(data)[4:]) for _, name, data in (line.split(" ") for line in lines) for k in keys if k[:2] == (name, b64(data)[:4])]
    for key, signature in signers: refuse(not signed(key[2], signature, text.encode()), f"the signature of {key[0]} does not verify", "checkpoint-bad-signature")
    origin, size, base, *_ = text.split("\n"); refuse(not signers or origin not in [k[0] for k in keys] or str(int(size)) != size, "not signed with a known key of this log", "key-unknown"); return origin, int(size), b64(base)
def tile_path(n, width): return re.sub(r"(\d{3})(?=\d)", r"x\1/", str(n).zfill(-(-len(str(n)) // 3) * 3)) + (f".p/{width}" if width < 256 else "")
def read(*path): return pathlib.Path(*path).read_bytes()
def there(ledger, where, kind):
    try: return read(ledger, where)
    except OSError: problem(kind, f"ledger/{where}", "it is missing")
def split(b, n=32): return [b[i:i + n] for i in range(0, len(b), n)]
def load_leaves(ledger, size, claimed, seeds):              # -> the leaves, None where one cannot be known, and their hashes where these lead to the signed root
    leaves, below = [], b""
    for n in range(min((size + 255) // 256, 1 + sum(len(f) for _, _, f in os.walk(os.path.join(ledger, "tile/entries"))))):  # one missing is enough
        path = tile_path(n, width := min(256, size - n * 256)); bundle = there(ledger, "tile/entries/" + path, "leaf-missing"); entries = split(bundle or b"", 34); good = len(entries) == width and all(len(e) == 34 and e[:2] == b"\0\x20" for e in entries)
        if bundle is not None and not good: problem("leaf-changed", "ledger/tile/entries/" + path, "it does not hold the leaves its name says")
        leaves += [e[2:] for e in entries] if good else [None] * width
        if os.path.exists(os.path.join(ledger, "tile/0/" + path)): below += read(ledger, "tile/0/" + path)
    level = [sha(b"\0" + (leaf or b"")) for leaf in leaves]
    if None not in leaves and root(level) == claimed: return leaves, level
    if len(below) != 32 * len(leaves) or root(split(below)) != claimed: problem("leaf-changed", "ledger/checkpoint", "neither leaves nor tiles lead to the signed root"); return leaves, None
    by_hash = {sha(b"\0" + seed): seed for seed in seeds}     # what a leaf must be is known by its hash, and the record that has it is looked for
    for i, right in enumerate(split(below)):
        if leaves[i] and level[i] != right: problem("leaf-changed", "ledger/tile/entries/" + tile_path(i // 256, min(256, size - i // 256 * 256)), f"leaf {i} is not the one that the tiles hash")
        if level[i] != right: leaves[i] = by_hash.get(right)
    return leaves, None
def check_tiles(ledger, leaves, level, unfinished):
    rows, n = {"entries": [b"\0\x20" + leaf for leaf in leaves]}, 0
    while level: rows[str(n)], level, n = level, [root(level[i:i + 256]) for i in range(0, len(level) - 255, 256)], n + 1
    for name, row in rows.items():
        for i in range(0, len(row), 256): there(ledger, f"tile/{name}/" + tile_path(i // 256, len(row[i:i + 256])), "tile-missing")
    for folder, _, files in os.walk(os.path.join(ledger, "tile")):  # those of earlier checkpoints too, and what no checkpoint covers
        for where in (os.path.relpath(os.path.join(folder, f), ledger) for f in files):
            part = re.fullmatch(r"tile/(entries|\d+)/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?", where); at, width = (int(re.sub(r"\D", "", part[2])) * 256, int(part[3] or 256)) if part else (0, 0)
            row, bytes = rows.get(part[1], [])[at:at + width] if part else [], read(ledger, where); count("tiles")
            if part and (not bytes.startswith(b"".join(row)) or len(bytes) != width * (34 if part[1] == "entries" else 32)): problem("leaf-changed" if part[1] == "entries" else "tile-changed", f"ledger/{where}", "it does not hold what the ledger has there")
            elif not part or len(row) < width: (left if unfinished else problem)("tile-added", f"ledger/{where}", "no checkpoint covers it")
def der(b):
    out = []
    while b: at = 2 + max(0, b[1] - 128); n = int.from_bytes(b[2:at], "big") if b[1] > 127 else b[1]; refuse(len(b) < at + n, "cut short"); out.append((b[0], b[at:at + n], b[:at + n])); b = b[at + n:]
    return out
DIGESTS = {"608648016503040201": "SHA256", "608648016503040202": "SHA384", "608648016503040203": "SHA512"}
def token(response, stamped):                               # -> the time an RFC 3161 response gives `stamped`, signed by a certificate in it
    status, *content = der(der(response)[0][1]); refuse(der(status[1])[0][1] not in (b"\0", b"\1"), "the authority rejected the request"); parts = der(der(der(content[0][1])[1][1])[0][1]); info = der(der(parts[2][1])[1][1])[0][1]
    certificates = [c[2] for p in parts if p[0] == 0xa0 for c in der(p[1])]; signer = der(der(parts[-1][1])[0][1]); attributes = {a[0][1].hex(): der(a[1][1])[0][1] for a in (der(x[1]) for x in der(signer[3][1]))}; hash = DIGESTS[der(signer[2][1])[0][1].hex()]; refuse(attributes["2a864886f70d010904"] != hashlib.new(hash, info).digest(), "the signed attributes are of another content")
    refuse(not any(signed_by(c, signer[5][1], b"\x31" + signer[3][2][1:], hash) for c in certificates), "the signature is of no certificate in the token"); fields = der(der(info)[0][1]); refuse(der(fields[2][1])[1][1] != sha(stamped), "it stamps another digest"); return fields[4][1].decode()
def signed_by(certificate, signature, message, hash):
    key, h = x509.load_der_x509_certificate(certificate).public_key(), getattr(hashes, hash)(); how = [padding.PKCS1v15(), h] if isinstance(key, rsa.RSAPublicKey) else [ec.ECDSA(h)] if isinstance(key, ec.EllipticCurvePublicKey) else []
    with suppress(InvalidSignature): return key.verify(signature, message, *how) is None
def ots(proof, stamped):                                    # -> what attests to `stamped` in an OpenTimestamps proof
    magic = b"\0OpenTimestamps\0\0Proof\0\xbf\x89\xe2\xe8\x84\xe8\x92\x94\1\x08"; refuse(not proof.startswith(magic + sha(stamped)), "it is not of the checkpoint beside it"); at, found = len(magic) + 32, []
    def number(): nonlocal at; start, at = at, next(i for i in range(at, at + 10) if proof[i] < 128) + 1; return sum((b & 127) << 7 * i for i, b in enumerate(proof[start:at]))
    def take(n): nonlocal at; refuse((at := at + n) > len(proof), "cut short"); return proof[at - n:at]
    def walk(message, more=True):
        while more:
            tag = take(2 if (more := proof[at:at + 1] == b"\xff") else 1)[-1]
            if tag == 0: found.append((take(8).hex(), take(number())))
            elif tag in (0xf0, 0xf1): arg = take(number()); walk(message + arg if tag == 0xf0 else arg + message)
            elif tag in (0x02, 0x03, 0x08, 0x67, 0xf2, 0xf3): walk(sha(message) if tag == 8 else message[::-1] if tag == 0xf2 else message.hex().encode() if tag == 0xf3 else b"?")
            else: raise Bad("an unknown operation")
    walk(sha(stamped)); refuse(at != len(proof), "bytes after its end"); return found
def prefix(remembered, leaf_hashes, where):
    _, size, top = remembered; count("checkpoints")
    if size > len(leaf_hashes): problem("checkpoint-rolled-back", where, f"it was signed for {size} leaves, the ledger has {len(leaf_hashes)}")
    elif root(leaf_hashes[:size]) != top: problem("checkpoint-forked", where, "the ledger has another root at that size")
def anchors(names, get, where, keys, leaf_hashes):          # get gives an anchor's bytes and those of the checkpoint that it stamps
    for name, kind, note in ((name, name.rsplit(".", 1)[-1], name.split(".")[0] + ".checkpoint") for name in sorted(names)):
        try:
            held, stamped = get(name, note)
            if kind == "checkpoint": prefix(checkpoint(stamped, keys), leaf_hashes, where + name)
            elif kind == "tsr": NOT_CHECKED.append(f"whether the signer of {name}, who says {token(held, stamped)}, leads to a root you trust: openssl ts -verify -data {note} -in {name} -CAfile ROOTS.pem"); count("anchors")
            elif kind == "ots": NOT_CHECKED.append(f"{name} {'names a Bitcoin block' if '0588960d73d71901' in dict(ots(held, stamped)) else 'is pending and proves nothing yet'}: ots verify -f {note} {name}"); count("anchors")
            else: refuse(kind != "cosignature", "it is no anchor"); NOT_CHECKED.append(f"{name}: the witness's key is not known here")
        except (*FAILED, StopIteration, RecursionError) as e: problem("anchor-invalid", where + name, str(e) or type(e).__name__)
def dicts(value):
    if isinstance(value, dict): yield value
    for v in value.values() if isinstance(value, dict) else value if isinstance(value, list) else (): yield from dicts(v)
def names(value): return [(d["id"], d["digest"]) for d in dicts(value) if set(d) == {"id", "digest"} and isinstance(d["id"], str) and isinstance(d["digest"], str)]
def successors(keys, rotations):
    for r in rotations:
        with suppress(*FAILED):
            old, new, text = parse_vkey(r["old"]), parse_vkey(r["new"]), f"onrecord key rotation\n{r['old']}\n{r['new']}\n".encode()
            if old in keys and old[0] == new[0] and signed(old[2], b64(r["by_old"]), text) and signed(new[2], b64(r["by_new"]), text): keys.append(new)
def beacon(run, at, b, where):                             # what of a drand round can be told without pairings
    try:
        chain, round = b["chain"], b["round"]
        if not re.fullmatch("([0-9a-f]{2})+", round["signature"]): raise ValueError("its signature")
        named = chain["period"].to_bytes(4, "big") + chain["genesis_time"].to_bytes(8, "big", signed=True) + bytes.fromhex(chain["public_key"] + chain["seed"]) + chain["id"].encode() * (chain["id"] != "default")
        id = bytearray(sha(b"onrecord run\n" + bytes.fromhex(round["signature"]) + b["salt"].encode())[:16]); id[6] = id[6] & 15 | 128; id[8] = id[8] & 63 | 128
        due, made = chain["genesis_time"] + (round["number"] - 1) * chain["period"], datetime.datetime.fromisoformat(at[:19] + "+00:00").timestamp()
        if sha(named).hex() != chain["hash"] or id.hex() != run.replace("-", "") or due > made + 60: problem("beacon-invalid", where, "chain, run and time do not follow from the round")
        NOT_CHECKED.append(f"run {run}: whether the drand chain {chain['hash']} signed round {round['number']} of {datetime.datetime.fromtimestamp(due, datetime.timezone.utc)} (no BLS here): compare /public/{round['number']}")
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as e: problem("record-malformed", where, f"its beacon: {e!r}")
def left(_, where, what): NOT_CHECKED.append(f"{where}: {what}: its file is unfinished, the next run sees to it")
def changed(id, digest, known, blocks, said):               # Which part of a record changed that is sound in itself; what the records say of its content tells.
    _, block, payload, _, kind, uri = known[id]
    if kind in ("response", "revisit"): return "header-changed" if said.get(id) == "sha256:" + payload else "payload-changed"
    if any(f"sha256:{block}".encode() in b for _, _, b, _, _ in blocks): return "header-changed"
    return "payload-changed" if uri.startswith(("urn:onrecord:statement:", "urn:onrecord:snapshot:")) else "record-changed"
def read_record(where, block, leaf, sound):                 # -> a record's value, None where it is none
    value = read_json(block)
    if sha(block) != leaf: problem("payload-changed", where, "the record is not the one its own name says") if sound else None
    elif not isinstance(value, dict) or canonical(value).encode("utf-8", "surrogatepass") != block or not {"kind", "nonce", "at", "v"} <= set(value): problem("record-malformed", where, "it is not in the one spelling that a record can have")
    else: return value
def outcomes(values):
    opened, closed = ({v.get("run"): v for v in values if v["kind"] == kind} for kind in ("run.opened", "run.closed")); endings = collections.Counter(v.get("run") for v in values if v["kind"] == "resolution.ended")
    for run, v in closed.items():
        if (ended := endings[run]) != v.get("ended") or v["ended"] < v.get("planned", 0) and not v.get("interrupted") or opened.get(run, {}).get("planned") != v.get("planned"):
            problem("outcome-missing", f"run/{run}", f"it planned {v.get('planned')}, says {v.get('ended')} ended, and {ended} endings are on record")
    for run in opened.keys() - closed.keys(): NOT_CHECKED.append(f"run {run} was opened and never closed")
def looks(values, docs):                                    # What a change.seen says of the look before and of its own must be what their records say.
    past, ended, changed = collections.defaultdict(list), {}, {}
    for n, (where, v, _) in enumerate(values):
        if v["kind"] == "snapshot.taken": ended[v["snapshot"]] = (docs.get(v["manifest"]["id"]) or {}).get("ending")
        elif v["kind"] == "resolution.ended": past[v["citation"]].append((n, v))
        elif v["kind"] == "change.seen":
            (_, now), *old = past[c := v["citation"]][::-1] or [(0, {})]; at, look = next(((m, l) for m, l in old if l["ending"] not in AGAIN), (n, {})); stood = look.get("ending")
            stood = changed[c][1] if c in changed and changed[c][0] > at + 1 else ended.get(look.get("snapshot")) if stood == "unchanged" else stood  # a failure that lasted is what stood there
            before = {"ending": stood, "record": "sha256:" + sha(canonical(look).encode("utf-8", "surrogatepass")).hex(), **{"snapshot": l["snapshot"] for _, l in old[::-1] if "snapshot" in l}}; after = v["after"]; changed[c] = n, after["ending"]
            if v["before"] != before or v["run"] != now.get("run") or "record" in after or after.get("snapshot") != now.get("snapshot") or now["ending"] not in [after["ending"], "unchanged" if after["ending"] in ("captured", "captured-from-archive") else None]: problem("record-false", where, "what it says of a look is not what that look's record says")
def records(known, blocks, leaves, ledger, unfinished):
    places, docs = {leaf: i for i, leaf in enumerate(leaves) if leaf}, {id: read_json(block) for _, id, block, uri, _ in blocks if not uri.startswith(URN)}
    ours = {uri[len(URN):]: (n, where, id, block, sound) for n, (where, id, block, uri, sound) in reversed([*enumerate(blocks)]) if uri.startswith(URN)}
    broken, values, named, tainted, settled, last = None in leaves, [], set(), set(), "", -1; unlogged = [o for leaf, o in ours.items() if bytes.fromhex(leaf) not in places]
    later = unlogged and min(o[0] for o in unlogged) > max([o[0] for leaf, o in ours.items() if bytes.fromhex(leaf) in places], default=-1)
    for leaf, at in [*places.items(), *((bytes.fromhex(l), None) for l, o in ours.items() if later and o in unlogged)]:
        if leaf.hex() not in ours: problem("record-missing", f"ledger/leaf/{at}", "no record in the WARC files has this digest"); broken = True; continue
        n, where, id, block, sound = ours[leaf.hex()]; before, last = last, n
        if n < before and at is not None: problem("record-misplaced", where, "it stands before the record of an earlier leaf")
        if (value := read_record(where, block, leaf, sound)) is None: broken = True; continue
        named.add(id); values.append((where, value, at)); count("records")
        if value["kind"] in ("run.closed", "archive.created") and at is not None: settled = where.split("@")[0]
        if value["kind"] == "run.opened" and "beacon" in value: beacon(str(value.get("run")), str(value.get("at")), value["beacon"], where)
    spare = lambda where: left if unfinished and where.split("@")[0] >= settled and ".gz" in where else problem  # behind the last closed run only
    removed, said = {i for _, v, _ in values if v["kind"] == "content.removed" for i, _ in names(v)}, {d["response"].get("id"): d.get("payload") for v in [*docs.values(), *(v for _, v, _ in values)] for d in dicts(v) if isinstance(d.get("response"), dict)}
    for where, value, at in values:
        for id, digest in (wanted := names(value)) + [name for id, _ in wanted if id in docs for name in names(docs[id])]:
            if id not in known:
                if id not in removed: problem("record-missing", f"warc/{id}", f"{where} names it, and it is not there"); tainted.add(id); broken = True
            elif "sha256:" + known[id][0] == digest: named.add(id)
            else:
                tainted.add(id); broken |= known[id][4] == "metadata"
                if known[id][3] not in [p[1] for p in PROBLEMS]: problem(changed(id, digest, known, blocks, said), known[id][3], "it is not the record that the ledger names")
        for noun, holder in (("statement", "content"), ("snapshot", "manifest")) if value["kind"] in ("statement.added", "snapshot.taken") else ():
            if any(i in known and i not in tainted and value.get(noun) != "sha256:" + known[i][1] for i, _ in names(value.get(holder))): problem("record-false", where, f"its {noun} is not the SHA-256 of the {holder} it names")
    if later and not unfinished: problem("checkpoint-rolled-back", "ledger/checkpoint", f"it has {len(leaves)} leaves, and {len(unlogged)} later records are in warc/")
    for o in unlogged if unfinished or not later else (): (left if later else problem)("record-added", o[1], "no leaf of the ledger names this record")
    named |= {o[2] for o in unlogged}; anchored = [(os.path.basename(str(v.get("file"))), v.get("digest")) for _, v, _ in values if v["kind"] == "anchor.added"]
    for name in {name for name, _ in anchored}:
        digests = [digest for other, digest in anchored if other == name]
        if (here := there(ledger, "anchors/" + name, "anchor-missing")) is None: continue
        grown = [read(p) for p in glob.glob(glob.escape(f"{ledger}/anchors/{name}") + ".new")]; here = ["sha256:" + sha(b).hex() for b in [here, *grown]]
        if here[0] not in digests or digests[-1] not in here: problem("anchor-changed", f"ledger/anchors/{name}", "it is not the file that its record names")
    if broken: NOT_CHECKED.append("whether the ledger names every WARC record, every run has all its outcomes and every change follows from its looks: records that would say so are missing or damaged"); return
    for where in (known[id][3] for id in known.keys() - named - tainted): spare(where)("record-added", where, "no record of the ledger names it")
    outcomes([v for _, v, at in values if at is not None]); looks(values, docs)
def climb(leaf, index, size, path):                         # the root that an audit path leads to, none where it cannot (RFC 6962, 2.1.1)
    if size < 2 or not path: return leaf if size == 1 and not path else None
    half = 1 << (size - 1).bit_length() - 1; here = (index, half) if index < half else (index - half, size - half); below = climb(leaf, *here, path[:-1]); return below and sha(b"\1" + (below + path[-1] if index < half else path[-1] + below))
def unpacked(text):                                         # a WARC record without the empty lines behind it, from its gzip member
    with suppress(*FAILED, zlib.error): inflate = zlib.decompressobj(31); plain = inflate.decompress(b64(text), 1 << 26); refuse(not inflate.eof or inflate.unused_data or plain[-4:] != b"\r\n\r\n"); return plain[:-4]
def bundle(file, vkey, bad="bundle-malformed"):             # A record, its place under a signed checkpoint, what vouches for that, and WARC records it rests on.
    try:
        b = read_json(read(file)); texts, more = {k: b[k].encode() for k in ("record", "vkey", "proof")}, {"anchors": {}, "evidence": {}, "rotations": []}; b = {**more, **b}
        refuse(b["format"] != "onrecord-proof/1" or set(b) != {"format", *texts, *more} or [type(b[k]) for k in more] != [dict, dict, list], "it is no proof bundle", bad)
        refuse(not all(isinstance(v, str) for v in [*b["anchors"].values(), *b["evidence"].values(), *(r[k] for r in b["rotations"] for k in ("old", "new", "by_old", "by_new"))]) or not all(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id) for id in b["evidence"]), "it is no proof bundle", bad)
        bad = "key-unknown"; own = parse_vkey(b["vkey"]); keys = [parse_vkey(vkey.strip()) if vkey else own]; successors(keys, b["rotations"] if vkey else []); refuse(own not in keys, "it is neither the trusted key nor one that followed it", bad)
        value, leaf = read_json(texts["record"]), sha(texts["record"]); refuse(canonical(value) != b["record"], "the record is not in the one spelling that it can have", "record-malformed")
        bad = "bundle-malformed"; found = re.fullmatch(r"c2sp\.org/tlog-proof@v1\n(?:extra ([^\n]*)\n)?index (0|[1-9][0-9]{0,18})((?:\n[A-Za-z0-9+/]{43}=){0,63})\n\n(.*)", b["proof"], re.S); b64(found[1] or ""); index, path, note = int(found[2]), [b64(h) for h in found[3].split()], found[4].encode()
        bad = "checkpoint-bad-signature"; _, size, top = checkpoint(note, keys); refuse(index >= size or climb(sha(b"\0" + leaf), index, size, path) != top, "its path does not lead to the signed root", "leaf-changed"); count("records")
    except FAILED as e: problem(e.args[1] if isinstance(e, Bad) and e.args[1:] else bad, "bundle", str(e)); return
    if read_record("bundle/record", texts["record"], leaf, True) and value["kind"] == "run.opened" and "beacon" in value: beacon(str(value.get("run")), str(value.get("at")), value["beacon"], "bundle/record")
    anchors((n for n in b["anchors"] if not n.endswith(".tsq")), lambda name, _: (b64(b["anchors"][name]), note), "bundle/anchors/", keys, []); waiting, seen = names(value), set()
    for id, digest in waiting:                              # it grows by what documents of ours among them name
        plain = b"" if id in seen or id not in b["evidence"] else unpacked(b["evidence"][id]) or b"-"; seen.add(id)
        if plain and "sha256:" + sha(plain).hex() != digest: problem("payload-changed", f"bundle/evidence/{id}", "it is not the WARC record that the ledger names"); continue
        head, _, block = plain.partition(b"\r\n\r\n"); waiting += names(read_json(block)) if b"WARC-Type: metadata\r\n" in head + b"\r\n" else []; count("warc_records", bool(plain))
    for id in sorted(b["evidence"].keys() - seen): problem("record-added", f"bundle/evidence/{id}", "nothing in the record names it")
    NOT_CHECKED.extend([f"{len(seen - b['evidence'].keys())} WARC records that it names and that are not in it; and the archive it comes from"] + ["whether its key is the right one: none was given with --vkey"] * (not vkey))
def whole(archive, ledger, options):
    leaves, (known, blocks, unfinished) = None, warcs(archive); values = [(v, sha(b)) for _, _, b, uri, _ in blocks if uri.startswith(URN) and (b'"archive.created"' in b or b'"key.rotated"' in b) and isinstance(v := read_json(b), dict)]
    try:
        own = parse_vkey(read(ledger, "vkey").decode().strip()); keys = [parse_vkey(options.vkey.strip())] if options.vkey else [own]; NOT_CHECKED.extend(["whether the ledger's key is the right one: none was given with --vkey"] * (not options.vkey))
        if not options.vkey:
            first = b"".join(map(read, sorted(p for p in glob.glob(glob.escape(ledger) + "/tile/entries/000*/*") + glob.glob(glob.escape(ledger) + "/tile/entries/000") if os.path.isfile(p))))[2:34]
            made = [(leaf != first, parse_vkey(v["vkey"])) for v, leaf in values if v.get("kind") == "archive.created"]; keys = [key for _, key in sorted(made, key=lambda m: m[0])][:1] or keys
        successors(keys, [v for v, _ in values if v.get("kind") == "key.rotated"])
        if own not in keys: problem("key-unknown", "ledger/vkey", "it is neither the trusted key nor one that followed it")
        if (note := there(ledger, "checkpoint", "checkpoint-missing")) is not None:
            _, size, claimed = checkpoint(note, keys); count("checkpoints"); leaves, level = load_leaves(ledger, size, claimed, [bytes.fromhex(u[len(URN):]) for _, _, _, u, _ in blocks if u.startswith(URN)]); count("leaves", len(leaves))
            if level is not None: check_tiles(ledger, leaves, level, unfinished); anchors([n for n in (os.listdir(ledger + "/anchors") if os.path.isdir(ledger + "/anchors") else []) if n.rsplit(".", 1)[-1] in ("checkpoint", "tsr", "ots", "cosignature")], lambda *n: [read(ledger, "anchors", f) for f in n], "ledger/anchors/", keys, level)
            if options.checkpoint: prefix(checkpoint(read(options.checkpoint), keys), level or [], options.checkpoint)
            else: NOT_CHECKED.append("whether the whole ledger was rolled back or rewritten with its key: no --checkpoint was given")
    except (Bad, OSError, ValueError, LookupError) as e: problem(getattr(e, "kind", "checkpoint-bad-signature"), "ledger/checkpoint", str(e))
    try: records(known, blocks, leaves, ledger, unfinished) if leaves is not None else None
    except (TypeError, AttributeError, ValueError, LookupError, ArithmeticError) as e: problem("record-malformed", "warc", f"a record has not the shape of one: {e!r}")
def main(argv):
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False, allow_abbrev=False)
    for word in ("archive", "--vkey", "--checkpoint"): parser.add_argument(word)
    options = parser.parse_args(argv); archive, ledger = options.archive, os.path.join(options.archive, "ledger")
    if os.path.isfile(archive): bundle(archive, options.vkey)
    elif os.path.isdir(ledger): whole(archive, ledger, options)
    else: print(f"no archive in {archive}", file=sys.stderr); return 3
    verdict = "intact" if not PROBLEMS else "incomplete" if all(k in ("record-missing", "leaf-missing", "tile-missing", "outcome-missing", "anchor-missing") for k, _, _ in PROBLEMS) else "damaged"
    print(*("  ".join(p) for p in PROBLEMS), *(f"not checked: {what}" for what in NOT_CHECKED), verdict + "".join(f" {k}={v}" for k, v in sorted(COUNT.items())), sep="\n"); return 5 if PROBLEMS else 0
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
